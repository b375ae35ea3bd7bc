"""Locate: where the configuration and the database are. Read commands load nothing else of it."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spendguard.config import values
from spendguard.config.problems import Found, RefusedError, config_error
from spendguard.core.errors import ConfigError, Problem

SYSTEM_CONFIG = Path("/etc/spendguard/config.toml")
SYSTEM_STATE = Path("/var/lib/spendguard")
DATABASE = "spendguard.db"
_AT = re.compile(r" \(at (.*)\)\Z")
_WITH_A_NAME = ("Cannot declare", "Cannot mutate", "Cannot redefine", "Duplicate")


@dataclass(frozen=True, slots=True)
class Located:
    """Where the database is, and which zone tables are printed in."""

    url: str
    database: Path | None
    timezone: str


def find_config(explicit: str | None, env: Mapping[str, str]) -> Path:
    """Return the configuration to use: the one named, else the first that is there.

    Raises:
        ConfigError: when the one named does not exist, or there is none at all.
    """
    named = explicit or env.get("SPENDGUARD_CONFIG")
    if named:
        return _named(Path(named), "--config" if explicit else "$SPENDGUARD_CONFIG")
    candidates = (Path("spendguard.toml"), _home(env, "CONFIG") / "config.toml", SYSTEM_CONFIG)
    for path in candidates:
        if _present(path, unseen=path == SYSTEM_CONFIG):
            return path
    looked = ", ".join(map(str, candidates))
    raise _error(f"no configuration: looked for {looked}", "write one: spendguard init")


def _named(path: Path, by: str) -> Path:
    if not _present(path, unseen=True):
        raise _error(
            f"no configuration file {str(path)!r}, which {by} names",
            "correct the path, or write the file: spendguard init",
        )
    return path


def _present(path: Path, *, unseen: bool) -> bool:
    """Tell whether a file is there; `unseen` is the answer where we may not look."""
    try:
        return path.exists() and not path.is_dir()
    except OSError:
        return unseen  # reading it will say why


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file holds.

    Raises:
        ConfigError: when it cannot be read or is not TOML; it names the line, and quotes nothing.
    """
    try:
        content = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise _error(
            f"cannot read {str(path)!r}: {why}", "check the path and who may read it"
        ) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _error(
            f"{str(path)!r} is not UTF-8 text at line {line}", "save it as UTF-8"
        ) from None
    try:
        return tomllib.loads(content)
    except (ValueError, RecursionError) as error:
        raise _error(*_not_toml(path, str(error))) from None


def _not_toml(path: Path, told: str) -> tuple[str, str]:
    """Return our words for what tomllib says, without the keys it would quote."""
    at = _AT.search(told)
    if at is None:
        return f"{str(path)!r} is not TOML", "a number in it is too long, or it is nested too deep"
    what = told[: at.start()]
    if what.startswith(_WITH_A_NAME):
        what = "a key or table stands twice"
    return f"{str(path)!r} is not TOML at {at[1]}: {what[0].lower()}{what[1:]}", (
        "texts stand in double quotes, and every key on a line of its own"
    )


def locate(path: Path, env: Mapping[str, str]) -> Located:
    """Return where the database of a configuration is, without checking anything else in it.

    Raises:
        ConfigError: when the file is not TOML, or the place or the zone is not usable.
    """
    raw = read_toml(path)
    table = raw.get("database")
    url = env.get("SPENDGUARD_DATABASE__URL") or (
        table.get("url") if isinstance(table, dict) else None
    )
    zone = env.get("SPENDGUARD_TIMEZONE") or raw.get("timezone", "UTC")
    found = [*_refused(values.zone, zone, "timezone")]
    if url is not None:
        found += _refused(values.database_url, url, "database", "url")
    if found:
        raise config_error(found, raw)
    whole = database_url(url, path, env)
    return Located(whole, Path(whole.removeprefix(values.SQLITE)), zone)


def _refused(read: Any, value: object, *where: str) -> list[Found]:
    try:
        read(value)
    except RefusedError as refusal:
        return [Found(where, refusal.message, refusal.hint)]
    return []


def database_url(url: str | None, path: Path, env: Mapping[str, str]) -> str:
    """Return the URL of the database with an absolute path.

    A relative one starts at the configuration file, so that it is the same wherever a command is
    started.
    """
    if url is None:
        return f"{values.SQLITE}{_default_database(path, env)}"
    return f"{values.SQLITE}{path.absolute().parent / url.removeprefix(values.SQLITE)}"


def _default_database(path: Path, env: Mapping[str, str]) -> Path:
    """Return the database where the file names none; members of its group ask the service's own."""
    state = Path(env.get("STATE_DIRECTORY", "").split(":")[0])  # the first of several
    if state.is_absolute():
        return state / DATABASE
    of_the_service = os.geteuid() == 0 or path.absolute() == SYSTEM_CONFIG
    return (SYSTEM_STATE if of_the_service else _home(env, "STATE")) / DATABASE


def _home(env: Mapping[str, str], kind: str) -> Path:
    """Return our directory of a kind under the user's; XDG has a relative one ignored."""
    given = Path(env.get(f"XDG_{kind}_HOME", ""))
    usual = {"CONFIG": ".config", "STATE": ".local/state"}[kind]
    home = Path(env.get("HOME") or "~").expanduser()
    return (given if given.is_absolute() else home / usual) / "spendguard"


def _error(message: str, hint: str) -> ConfigError:
    return ConfigError((Problem(message, hint),))
