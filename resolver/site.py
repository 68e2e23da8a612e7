"""Where we are: paths, addresses, secrets. From site.toml and the environment; never stored, never logged."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from resolver.complaints import complaints

ENVIRONMENT_PREFIX = "RESOLVER_"


class WrongSite(Exception):
    """site.toml or the environment says something that is not understood; the text names each place."""


class Site(BaseSettings):
    """One installation. Secrets belong in the environment: RESOLVER_SOURCES__BIGCOMMERCE__TOKEN=..."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    warehouse: Path = Path("warehouse.duckdb")
    """The DuckDB file; a relative path counts from the folder of site.toml."""
    model: Path | None = None
    """A linkage model of our own format; the shipped one where absent."""
    wait_seconds: float = Field(30.0, ge=0)
    """How long a command waits for another one that holds the warehouse."""
    sources: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Settings per source, by the connector's folder name; each connector checks its own."""
    destinations: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Settings per destination, likewise."""


def read(path: Path) -> Site:
    """The site in a TOML file, with the environment on top. Raises WrongSite naming each wrong place."""

    class SiteOfFile(Site):
        model_config = SettingsConfigDict(toml_file=path)

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (env_settings, TomlConfigSettingsSource(settings_cls))

    try:
        tomllib.loads(path.read_text(encoding="utf-8"))
        return SiteOfFile.model_validate({})
    except ValidationError as error:
        raise WrongSite(f"{path} or {ENVIRONMENT_PREFIX}*:\n{complaints(error, Site)}") from error
    except tomllib.TOMLDecodeError as error:
        raise WrongSite(f"{path}: not TOML: {error}") from error
