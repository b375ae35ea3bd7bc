"""Plain: what read commands need of a TOML file of plain lines, without loading a parser.

`tomllib` takes longer to load than the database takes to answer. Most files are plain: each line a
comment, the name of a table, or a bare key with a text in double quotes, an integer, true, false,
or an array of these. Anything else is declined, and is for `tomllib` to read.
"""

from __future__ import annotations

from collections.abc import Iterator, Set

WANTED = {"": "timezone", "database": "url"}
"""The one key that is needed of the top level, and of a table."""


class _NotPlainError(Exception):
    """A line that is for a parser."""


def look(content: str) -> dict[str, str] | None:
    """Return the wanted texts by their keys, as far as they are there; None when not all is plain."""
    found: dict[str, str] = {}
    try:
        for table, key, value in _lines(content):
            text = _text(value)
            if WANTED.get(table) == key:
                _must(text is not None)
                found[key] = text or ""
    except _NotPlainError:
        return None
    return found


def _lines(content: str) -> Iterator[tuple[str, str, str]]:
    """Yield the table, the key and the value of each line; nothing may stand twice."""
    signs = content.replace("\r\n", "\n")
    _must(signs.replace("\n", "").replace("\t", "").isprintable())
    table, tables, keys = "", {""}, set(WANTED)
    for line in map(_stripped, signs.split("\n")):
        if line.startswith("["):
            table = _table(line, tables)
            tables.add(table)
            keys = set()
        elif line:
            key, _, value = line.partition("=")
            key = key.rstrip(" \t")
            _must(_bare(key) and key not in keys)
            keys.add(key)
            yield table, key, value.lstrip(" \t")


def _table(line: str, tables: Set[str]) -> str:
    """Return the name of a table, in brackets when it is one of an array."""
    brackets = 2 if line.startswith("[[") else 1
    name, closed, rest = line[brackets:].partition("]" * brackets)
    first, _, below = name.partition(".")
    _must(bool(closed) and not _stripped(rest) and all(map(_bare, name.split("."))))
    _must(first not in WANTED or (brackets == 1 and not below))
    if brackets == 2:
        _must(not below and first not in tables)
        return f"[{name}]"
    _must(
        (name not in tables and f"[{name}]" not in tables)
        or (bool(below) and f"[{first}]" in tables)
    )
    return name


def _text(value: str) -> str | None:
    """Return a text in double quotes; None for another plain value."""
    if value.startswith('"'):
        text, closed, rest = value[1:].partition('"')
        _must(bool(closed) and "\\" not in text and "\t" not in text and not _stripped(rest))
        return text
    if value.startswith("["):
        items, closed, rest = value[1:].partition("]")
        _must(bool(closed) and not _stripped(rest))
        for item in items.split(","):
            _text(item.strip(" \t"))
        return None
    word = value.partition("#")[0].rstrip(" \t")
    _must(
        word in {"true", "false"}
        or (word.isdecimal() and len(word) < 19 and str(int(word)) == word)
    )
    return None


def _stripped(text: str) -> str:
    """Return a text without blanks around it, and nothing of a comment."""
    text = text.strip(" \t")
    return "" if text.startswith("#") else text


def _bare(key: str) -> bool:
    return key.isascii() and key.replace("-", "").replace("_", "").isalnum()


def _must(holds: bool) -> None:  # noqa: FBT001
    if not holds:
        raise _NotPlainError
