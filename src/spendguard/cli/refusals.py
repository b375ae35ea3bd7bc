"""Refusals before parsing: a card number is never taken in, nor shown again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spendguard.core.cardnumbers import holds_card_number

REFERENCES = ("--config", "--output", "--key", "--channel")
"""Options whose value is a path, a URL or a secret reference."""


def refuse_card_numbers(arguments: Sequence[str]) -> None:
    """Refuse every argument that holds a card number, without showing it.

    Raises:
        UsageError: when one does.
    """
    for text, exempt in _texts(arguments):
        if not exempt and holds_card_number(text):
            from spendguard.core.errors import UsageError

            raise UsageError(
                "an argument holds a card number",
                "a card is a name, such as 'visa-1881': no number is ever needed",
            )


def _texts(arguments: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yield each argument, and whether it is a reference rather than bare digits."""
    before = ""
    for argument in arguments:
        option, equals, value = argument.partition("=")
        if equals and option in REFERENCES:
            yield value, _refers(value)
        else:
            yield argument, before in REFERENCES and _refers(argument)
        before = argument


def _refers(value: str) -> bool:
    return any(sign.isalpha() or sign in "/:" for sign in value)
