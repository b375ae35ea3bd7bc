"""Units: what systemd is given, as it was shipped and with the place of this program in it."""

from __future__ import annotations

import hashlib
import re
import sys
import sysconfig
from importlib.resources import files
from pathlib import Path

import spendguard
from spendguard.core.errors import SpendguardError

UNIT = "spendguard.service"
_SHIPPED_PROGRAM = "/opt/spendguard/bin/spendguard"
_PLAIN = re.compile(r"[\w@%+=:,./-]+", re.ASCII)
_SEAL = re.compile(r"# Written by `spendguard service install`, sealed as ([0-9a-f]{16})\.\n")
_HIDDEN = tuple(map(Path, ("/home", "/root", "/run/user", "/tmp", "/var/tmp")))  # noqa: S108


def shipped(name: str) -> str:
    """Return a file of `deploy/systemd`: in the wheel, else in the source tree."""
    inside = Path(str(files("spendguard"))) / "_systemd"
    place = inside if inside.is_dir() else Path(__file__).parents[3] / "deploy" / "systemd"
    return (place / name).read_text(encoding="utf-8")


def unit(program: str, *, user: bool) -> str:
    """Return the unit that starts a program, sealed."""
    text = shipped(f"user/{UNIT}" if user else UNIT)
    return sealed(text.replace(_SHIPPED_PROGRAM, program))


def sealed(text: str) -> str:
    """Return a text below a line that tells whether somebody has edited it since."""
    return f"# Written by `spendguard service install`, sealed as {_digest(text)}.\n{text}"


def intact(text: str) -> bool:
    """Tell whether a file is one that we wrote and nobody edited."""
    seal = _SEAL.match(text)
    return seal is not None and seal[1] == _digest(text[seal.end() :])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def running_program() -> str:
    """Return what starts this program from anywhere, as a unit writes it.

    Raises:
        SpendguardError: when its path has a sign that a unit cannot hold.
    """
    started = Path(sys.argv[0])
    beside = Path(sysconfig.get_path("scripts")) / "spendguard"
    if started.name == "spendguard" and started.exists():
        return _word(str(started.resolve()))
    if beside.exists():
        return _word(str(beside))
    return f"{_word(sys.executable)} -m spendguard"


def _word(path: str) -> str:
    if not path.isprintable() or any(sign in path for sign in "\"'\\$"):
        raise SpendguardError(
            f"a unit cannot name the path '{path}'",
            "install spendguard where the path has no quotes, backslashes or dollar signs",
        )
    escaped = path.replace("%", "%%")
    return escaped if _PLAIN.fullmatch(escaped) else f'"{escaped}"'


def out_of_sight() -> Path | None:
    """Return a part of this program that the system service could not see; None when there is none.

    Its sandbox hides these places, and most of them are closed to its user anyway.
    """
    parts = (sys.argv[0], sys.executable, sys.base_prefix, spendguard.__file__)
    resolved = (Path(part).resolve() for part in parts)
    return next((part for part in resolved if _beneath(part, _HIDDEN)), None)


def _beneath(path: Path, places: tuple[Path, ...]) -> bool:
    return any(path.is_relative_to(place) for place in places)
