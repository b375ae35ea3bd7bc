"""Plain: arguments that are read without argparse, whose loading costs a tenth of a question.

What is plainly written is a list of declared options, each with its value. Everything else, such as
a name without an option, help, or a mistake, is left to argparse, which hears the same declarations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spendguard.cli.parser import Command, Options, fill

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def plainly(command: Command, words: Sequence[str]) -> Options | None:
    """Return what plainly written arguments give, as argparse would; None when they are not plain."""
    declared = Plain()
    fill(declared, command)
    return declared.read(words)


class Option:
    """One declared option or argument: what it is called, and what its words mean."""

    def __init__(self, names: Sequence[str], how: dict[str, Any]) -> None:
        self.name = how.get("dest") or names[0].lstrip("-").replace("-", "_")
        self.named = names[0].startswith("-")
        self.action = how.get("action", "store")
        self.default = how.get("default", False if self.action == "store_true" else None)
        self.required = how.get("required", not self.named and "nargs" not in how)
        self.complete: object = None
        self._type = how.get("type", str)
        self._choices = how.get("choices")

    def value(self, text: str) -> Any:
        """Return the value that a text gives.

        Raises:
            ValueError: when it is empty, looks like an option, or is none of the choices.
        """
        if not text or text.startswith("-"):
            raise ValueError("not a plain value")
        value = self._type(text)
        if self._choices is not None and value not in self._choices:
            raise ValueError("not one of the choices")
        return value


class Plain:
    """What a command declares, where its arguments are plain."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}
        self._options: dict[str, Option] = {}
        self._groups: list[Plain] = []
        self._required = False

    def add_argument(self, *names: str, **how: Any) -> Option:
        """Take an option, or an argument without a name."""
        option = Option(names, how)
        self.given[option.name] = option.default
        self._required = self._required or option.required
        if option.named and option.action in {"store", "store_true"}:
            self._options.update(dict.fromkeys(names, option))
        return option

    def add_mutually_exclusive_group(self, *, required: bool = False) -> Plain:
        """Take options of which only one may be given: whoever gives one is not plain."""
        self._required = self._required or required
        self._groups.append(Plain())
        return self._groups[-1]

    def read(self, words: Sequence[str]) -> Options | None:
        """Return the options that are given, with the defaults of the rest; None when not plain."""
        if self._required:
            return None
        given = dict(self.given)
        for group in self._groups:
            given.update(group.given)
        try:
            given.update(self._pairs(iter(words)))
        except Exception:  # noqa: BLE001  whatever it is, argparse says it in its own words
            return None
        return Options(**given)

    def _pairs(self, words: Iterator[str]) -> Iterator[tuple[str, Any]]:
        for word in words:
            name, equals, text = word.partition("=")
            option = self._options[name]
            if option.action == "store":
                yield option.name, option.value(text if equals else next(words, ""))
            elif equals:
                raise ValueError("a flag has no value")
            else:
                yield option.name, True
