"""The house stands: imports run downwards only, and only the rooms that may know a thing know it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("models", "connectors", "resolver")


def _modules() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _room(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _may_import(room: str) -> set[str]:
    if room.startswith("models/"):
        return {"models"}
    if room.startswith("connectors/"):
        return {"models", "connectors"}
    if room.startswith("resolver/cli/"):
        return set(PACKAGES)
    return {"models", "resolver"}


@pytest.mark.parametrize("path", _modules(), ids=_room)
def test_imports_run_downwards_only(path: Path) -> None:
    ours = {name.partition(".")[0] for name in _imports(path)} & set(PACKAGES)
    assert ours <= _may_import(_room(path))


def test_models_do_no_input_or_output() -> None:
    allowed = {"models", "pydantic", "datetime", "decimal", "typing", "collections", "functools", "annotated_types"}
    for path in (ROOT / "models").rglob("*.py"):
        assert {name.partition(".")[0] for name in _imports(path)} <= allowed, path


def test_only_scoring_knows_splink() -> None:
    assert [_room(p) for p in _modules() if any(n.partition(".")[0] == "splink" for n in _imports(p))] == [
        "resolver/linkage/scoring.py"
    ]


def test_connectors_never_see_the_warehouse() -> None:
    for path in (ROOT / "connectors").rglob("*.py"):
        assert "duckdb" not in {name.partition(".")[0] for name in _imports(path)}, path


def test_vendors_do_not_know_each_other() -> None:
    vendors = {folder.name for folder in (ROOT / "connectors").iterdir() if (folder / "translate.py").is_file()}
    for path in (ROOT / "connectors").rglob("*.py"):
        room = path.relative_to(ROOT / "connectors").parts[0]
        others = {f"connectors.{vendor}" for vendor in vendors - {room}}
        used = {name for name in _imports(path) if name in others or name.rpartition(".")[0] in others}
        assert room == "sandbox" or not used, path


def test_steps_meet_in_the_warehouse_and_never_import_each_other() -> None:
    steps = {"land", "gather", "judge", "cluster", "survive", "loyalty", "consent", "publish"}
    for step in steps:
        imported = {name.removeprefix("resolver.") for name in _imports(ROOT / "resolver" / f"{step}.py")}
        assert not imported & (steps - {step}), step
