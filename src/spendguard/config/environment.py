"""Environment: variables that stand above the file, for the scalars of its tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from spendguard.config import places
from spendguard.config.problems import Location
from spendguard.config.rulebook import parameters
from spendguard.config.settings import Settings
from spendguard.rules import RULES

PREFIX = "SPENDGUARD_"
NOT_SETTINGS = {"SPENDGUARD_CONFIG"}


class _Variables(Settings, BaseSettings):
    """The file's shape as pydantic-settings looks for it; never filled."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", env_ignore_empty=True
    )

    rules: dict[str, dict[str, str]] = {}


class _Source(EnvSettingsSource):
    """The variables of a given environment, instead of those of this process."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = {name.lower(): value for name, value in env.items() if value}
        super().__init__(_Variables)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._env


def overrides(env: Mapping[str, str]) -> tuple[dict[str, Any], dict[Location, str], list[str]]:
    """Return what the environment sets, which variable sets which place, and who sets nothing."""
    places = _places()
    ours = {name: value for name, value in env.items() if name.startswith(PREFIX)}
    known = {name: value for name, value in ours.items() if name in places}
    found = _Source(known)()
    if "rules" in found:
        found["rules"] = _rules(found["rules"])
    set_by = {places[name]: name for name, value in known.items() if value}
    return found, set_by, sorted(ours.keys() - known.keys() - NOT_SETTINGS)


def _rules(found: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return {
        name.replace("_", "-"): {key: places.Variable(value) for key, value in table.items()}
        for name, table in found.items()
    }


def _places() -> dict[str, Location]:
    """Return every variable that means something, and the place in the file it stands above."""
    found: list[Location] = []
    for name, field in Settings.model_fields.items():
        nested = _table(field.annotation)
        if nested is not None:
            keys = (inner.alias or key for key, inner in nested.model_fields.items())
            found.extend((name, key) for key in keys)
        elif not hasattr(field.annotation, "__origin__"):
            found.append((name,))
    for rule in RULES:
        found.extend(("rules", rule, key) for key in parameters(rule) if key != "steps")
    return {PREFIX + "__".join(map(str, place)).replace("-", "_").upper(): place for place in found}


def _table(annotation: object) -> type[BaseModel] | None:
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def laid_over(file: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return the file with what stands above it, key by key; a value that is no table is replaced."""
    merged = dict(file)
    for key, value in above.items():
        former = merged.get(key)
        if isinstance(former, dict) and isinstance(value, dict):
            merged[key] = laid_over(former, value)
        else:
            merged[key] = value
    return merged
