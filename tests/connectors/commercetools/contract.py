"""The vendor's OpenAPI as judge of what the sandbox says; it lies beside the project, or where SHARED_DIR points."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft4Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

_ROOT = Path(__file__).parents[3]


def shared(*parts: str) -> Path:
    """A file or folder of the vendors' contracts; skips the test where they are not at hand."""
    base = Path(os.environ.get("SHARED_DIR", _ROOT.parent / "shared"))
    found = base.joinpath("contracts", "commercetools", *parts)
    if not found.exists():
        pytest.skip(f"the vendor's contract is not at hand: no {'/'.join(parts)} beside the project")
    return found


def violations(schema: str, told: object) -> list[str]:
    """Where and how a payload breaks a schema of the vendor's OpenAPI."""
    reference = {"$ref": f"urn:vendor#/components/schemas/{schema}"}
    validator = Draft4Validator(reference, registry=_registry())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(told)]


@cache
def _registry() -> Any:
    document = yaml.load(shared("openapi", "api-slim.yaml").read_bytes(), Loader=_loader())
    return Registry().with_resource("urn:vendor", Resource.from_contents(document, default_specification=DRAFT4))


def _loader() -> Any:
    """The fast safe loader where libyaml is built in: the contract has thirty thousand lines."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)
