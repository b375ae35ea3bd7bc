"""Problems: where they are, and how to speak of them without repeating a secret."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from spendguard.core.cardnumbers import holds_card_number
from spendguard.core.errors import ConfigError, Problem

Location = tuple[str | int, ...]
NAMED = ("accounts", "cards", "budgets", "channels", "mailboxes")
LONGEST_QUOTE = 48
_SECRET = re.compile(r"://|:\S*@|\b(sk|pk|xox\w|gh\w)[-_]\S{12}|\b(?=\w*\d)(?=\w*[A-Za-z])\w{16}")
_NAME = re.compile(r"[\w.-]+( [\w.-]+)*")


@dataclass(frozen=True, slots=True)
class Found:
    """A problem and the place in the file it is at."""

    where: Location
    message: str
    hint: str = ""


def presentable(text: str) -> bool:
    """Tell whether `text` can be repeated: short, and neither a card number nor like a secret."""
    return len(text) <= LONGEST_QUOTE and not _SECRET.search(text) and not holds_card_number(text)


def quoted(text: str) -> str:
    """Return what the user wrote in quotes, unless it could be a secret."""
    return repr(text) if presentable(text) else "(not shown)"


def suggestion(written: str, known: Collection[str]) -> str:
    """Return a hint: the name that was probably meant, and all there are."""
    from difflib import get_close_matches  # only when something is wrong: it is slow to load

    names = sorted(name for name in known if presentable(name))
    if not names:
        return "there is none to choose from"
    close = get_close_matches(written[:64].lower(), names, n=1, cutoff=0.6)
    meant = f"did you mean {close[0]!r}? " if close else ""
    return f"{meant}known: {', '.join(names)}"


def dotted(where: Location, raw: Mapping[str, Any]) -> str:
    """Return a place as a path, with the name of what has one."""
    if len(where) > 1 and where[0] in NAMED and isinstance(where[1], int):
        where = (where[0], _name_of(raw, str(where[0]), where[1]), *where[2:])
    return ".".join(_segment(str(part)) for part in where)


def _name_of(raw: Mapping[str, Any], kind: str, index: int) -> str:
    try:
        name = raw[kind][index]["name"]
    except (KeyError, IndexError, TypeError):
        return str(index)
    usable = isinstance(name, str) and _NAME.fullmatch(name) and presentable(name)
    if kind == "cards" and usable and sum(sign.isdecimal() for sign in name) > 4:
        return str(index)
    return name if usable else str(index)


def _segment(part: str) -> str:
    if not presentable(part):
        return "(not shown)"
    return part if _NAME.fullmatch(part) else repr(part)


def config_error(found: Iterable[Found], raw: Mapping[str, Any]) -> ConfigError:
    """Return every problem as one error, sorted by path."""
    told = sorted({(dotted(one.where, raw), one.message, one.hint) for one in found})
    return ConfigError(
        tuple(
            Problem(f"{path}: {message}" if path else message, hint) for path, message, hint in told
        )
    )
