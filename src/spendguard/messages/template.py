"""Templates of the catalogs: `{field:form}`, and `[phrases]` that go where a field is missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

_MARK = re.compile(r"([\[\]]|\{[^{}]*\})")


@dataclass(frozen=True, slots=True)
class Field:
    """A value to show, and the form to show it in ('' for that of its type)."""

    key: str
    form: str = ""


Show = Callable[[Field], str | None]


@dataclass(frozen=True, slots=True)
class Template:
    """Text, fields, and phrases that may go. A template that lacks a field is not said at all."""

    parts: tuple[str | Field | Template, ...]

    def fill(self, show: Show) -> str | None:
        """Return the text, None where a field outside every phrase has nothing to show."""
        said = [self._say(part, show) for part in self.parts]
        return None if None in said else "".join(text for text in said if text)

    @staticmethod
    def _say(part: str | Field | Template, show: Show) -> str | None:
        if isinstance(part, Template):
            return part.fill(show) or ""
        return show(part) if isinstance(part, Field) else part

    def fields(self) -> Iterator[Field]:
        """Yield every field, those of phrases included."""
        for part in self.parts:
            if isinstance(part, Template):
                yield from part.fields()
            elif isinstance(part, Field):
                yield part


@cache
def parse(text: str) -> Template:
    """Read a template.

    Raises:
        ValueError: when its brackets do not match.
    """
    open_parts: list[list[str | Field | Template]] = [[]]
    for mark in _MARK.split(text):
        if mark == "[":
            open_parts.append([])
        elif mark == "]" and len(open_parts) > 1:
            phrase = Template(tuple(open_parts.pop()))
            open_parts[-1].append(phrase)
        elif mark.startswith("{") and mark.endswith("}"):
            key, _, form = mark[1:-1].partition(":")
            open_parts[-1].append(Field(key, form))
        elif mark and mark not in "[]":
            open_parts[-1].append(mark)
        elif mark:
            raise ValueError(f"a bracket too many in {text!r}")
    if len(open_parts) > 1:
        raise ValueError(f"an open bracket in {text!r}")
    return Template(tuple(open_parts[0]))
