"""Locate: where the configuration and the database are. Read commands load nothing else of it.

Paths are texts here: loading `pathlib` takes longer than opening the database.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from os import path as paths

from spendguard.config import places
from spendguard.core.errors import ConfigError, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SYSTEM_CONFIG = "/etc/spendguard/config.toml"
SYSTEM_STATE = "/var/lib/spendguard"
DATABASE = "spendguard.db"
_AT = r" \(at (.*)\)\Z"
_WITH_A_NAME = ("Cannot declare", "Cannot mutate", "Cannot redefine", "Duplicate")


class Located:
    """Where the database is, and which zone tables are printed in."""

    __slots__ = ("database", "timezone", "url")

    def __init__(self, url: str, timezone: str) -> None:
        self.url = url
        self.database = url.removeprefix(places.SQLITE)
        self.timezone = timezone


def find_config(explicit: str | None, env: Mapping[str, str]) -> str:
    """Return the configuration to use: the one named, else the first that is there.

    Raises:
        ConfigError: when the one named does not exist, or there is none at all.
    """
    named = explicit or env.get("SPENDGUARD_CONFIG")
    if named:
        return _named(named, "--config" if explicit else "$SPENDGUARD_CONFIG")
    user = paths.join(_home(env, "CONFIG"), "config.toml")
    candidates = ("spendguard.toml", user, SYSTEM_CONFIG)
    for path in candidates:
        if _present(path, unseen=path == SYSTEM_CONFIG):
            return path
    raise _error(
        f"no configuration: looked for {', '.join(candidates)}", "write one: spendguard init"
    )


def _named(path: str, by: str) -> str:
    if not _present(path, unseen=True):
        raise _error(
            f"no configuration file {path!r}, which {by} names",
            "correct the path, or write the file: spendguard init",
        )
    return path


def _present(path: str, *, unseen: bool) -> bool:
    """Tell whether a file is there; `unseen` is the answer where we may not look."""
    try:
        return not stat.S_ISDIR(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        return unseen  # reading it will say why


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what a TOML file holds.

    Raises:
        ConfigError: when it cannot be read or is not TOML; it names the line, and quotes nothing.
    """
    return _parsed(os.fspath(path), _content(os.fspath(path)))


def _content(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read().decode().removeprefix("\ufeff")
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise _error(f"cannot read {path!r}: {why}", "check the path and who may read it") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _error(f"{path!r} is not UTF-8 text at line {line}", "save it as UTF-8") from None


def _parsed(path: str, content: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(content)
    except (ValueError, RecursionError) as error:
        raise _error(*_not_toml(path, str(error))) from None


def _not_toml(path: str, told: str) -> tuple[str, str]:
    """Return our words for what tomllib says, without the keys it would quote."""
    import re

    at = re.search(_AT, told)
    if at is None:
        return f"{path!r} is not TOML", "a number in it is too long, or it is nested too deep"
    what = told[: at.start()]
    if what.startswith(_WITH_A_NAME):
        what = "a key or table stands twice"
    return f"{path!r} is not TOML at {at[1]}: {what[0].lower()}{what[1:]}", (
        "texts stand in double quotes, and every key on a line of its own"
    )


def locate(path: str | os.PathLike[str], env: Mapping[str, str]) -> Located:
    """Return where the database of a configuration is, without checking anything else in it.

    Raises:
        ConfigError: when the file is not TOML, or the place or the zone is not usable.
    """
    told = _told(os.fspath(path))
    url = env.get("SPENDGUARD_DATABASE__URL") or told.get("url")
    zone = env.get("SPENDGUARD_TIMEZONE") or told.get("timezone", "UTC")
    problems = _refused(places.zone, zone, "timezone")
    if url is not None:
        problems = (*_refused(places.database_url, url, "database.url"), *problems)
    if problems:
        raise ConfigError(problems)
    whole = database_url(url, path, env)
    return Located(whole, zone)


def _told(path: str) -> Mapping[str, Any]:
    """Return the zone and the place that a file tells."""
    raw = read_toml(path)
    table = raw.get("database")
    url = table.get("url") if isinstance(table, dict) else None
    return {"timezone": raw.get("timezone", "UTC"), "url": url}


def _refused(read: Any, value: object, where: str) -> tuple[Problem, ...]:
    try:
        read(value)
    except places.RefusedError as refusal:
        return (Problem(f"{where}: {refusal.message}", refusal.hint),)
    return ()


def database_url(url: str | None, path: str | os.PathLike[str], env: Mapping[str, str]) -> str:
    """Return the URL of the database with an absolute path.

    A relative one starts at the configuration file, so that it is the same wherever a command is
    started.
    """
    if url is None:
        return f"{places.SQLITE}{_default_database(path, env)}"
    beside = paths.dirname(paths.join(os.getcwd(), path))
    return f"{places.SQLITE}{paths.join(beside, url.removeprefix(places.SQLITE))}"


def _default_database(path: str | os.PathLike[str], env: Mapping[str, str]) -> str:
    """Return the database where the file names none; members of its group ask the service's own."""
    state = env.get("STATE_DIRECTORY", "").split(":")[0]  # the first of several
    if not paths.isabs(state):
        of_the_service = os.geteuid() == 0 or paths.join(os.getcwd(), path) == SYSTEM_CONFIG
        state = SYSTEM_STATE if of_the_service else _home(env, "STATE")
    return paths.join(state, DATABASE)


def _home(env: Mapping[str, str], kind: str) -> str:
    """Return our directory of a kind under the user's; XDG has a relative one ignored."""
    given = env.get(f"XDG_{kind}_HOME", "")
    usual = {"CONFIG": ".config", "STATE": ".local/state"}[kind]
    home = paths.expanduser(env.get("HOME") or "~")
    return paths.join(given if paths.isabs(given) else paths.join(home, usual), "spendguard")


def _error(message: str, hint: str) -> ConfigError:
    return ConfigError((Problem(message, hint),))
