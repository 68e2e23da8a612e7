"""Find connectors by their folders and connect them with the settings of the site."""

import importlib
import pkgutil
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import ValidationError

import connectors
from models.base import Frozen
from models.ports import Destination, Source
from resolver.complaints import complaints
from resolver.site import ENVIRONMENT_PREFIX, Site, WrongSite


def now() -> datetime:
    """The clock of a real run."""
    return datetime.now(UTC)


def sources(site: Site, folder: Path, only: Sequence[str] = ()) -> list[Source]:
    """The configured sources, or those named; relative paths count from `folder`. Raises WrongSite."""
    return [_connect("source", name, site.sources, folder) for name in _chosen("source", site.sources, only)]


def destinations(site: Site, folder: Path, only: Sequence[str] = ()) -> list[Destination]:
    """The configured destinations, or those named; relative paths count from `folder`. Raises WrongSite."""
    return [
        _connect("destination", name, site.destinations, folder)
        for name in _chosen("destination", site.destinations, only)
    ]


def known(role: str) -> list[str]:
    """The vendors that can be a `source` or a `destination`: those whose folder has a module of that name."""
    vendors = (module.name for module in pkgutil.iter_modules(connectors.__path__) if module.ispkg)
    return sorted(vendor for vendor in vendors if find_spec(f"connectors.{vendor}.{role}"))


def chosen(only: Sequence[str]) -> list[str]:
    """All vendors that can be a source, or those named. Raises WrongSite for one that cannot."""
    unknown = sorted(set(only) - set(known("source")))
    if unknown:
        raise WrongSite(f"There is no source {', '.join(unknown)}. Known: {', '.join(known('source'))}.")
    return list(only) or known("source")


def _chosen(role: str, configured: Mapping[str, object], only: Sequence[str]) -> list[str]:
    for name in only:
        if name not in configured:
            raise WrongSite(
                f"{name} is not configured. site.toml has: {', '.join(configured) or f'no [{role}s.*] at all'}."
            )
    return list(only or configured)


def _connect(role: str, name: str, configured: Mapping[str, Mapping[str, Any]], folder: Path) -> Any:  # noqa: ANN401  Source or Destination
    if name not in known(role):
        raise WrongSite(f"[{role}s.{name}]: there is no such {role}. Known: {', '.join(known(role))}.")
    module = importlib.import_module(f"connectors.{name}.{role}")
    try:
        settings = module.Settings.model_validate(dict(configured[name]))
    except ValidationError as error:
        raise WrongSite(_complaint(role, name, module, error)) from error
    connect: Callable[..., Any] = module.connect
    try:
        return connect(_located(settings, folder), clock=now, sleep=time.sleep)
    except ValueError as error:  # an address without TLS, a key that is none
        raise WrongSite(f"[{role}s.{name}]: {error}") from error


def _located(settings: Frozen, folder: Path) -> Frozen:
    """The settings with relative paths counted from the workspace."""
    paths = {name: value for name in type(settings).model_fields if isinstance(value := getattr(settings, name), Path)}
    return settings.model_copy(update={name: folder / path for name, path in paths.items()})


def _complaint(role: str, name: str, module: ModuleType, error: ValidationError) -> str:
    place = f"site.toml or {ENVIRONMENT_PREFIX}{role.upper()}S__{name.upper()}__*"
    return f"{place}:\n{complaints(error, module.Settings, (f'{role}s', name))}"
