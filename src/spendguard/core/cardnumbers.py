"""Card numbers: recognized so that they can be refused, and never kept."""

from __future__ import annotations

import re

SHORTEST, LONGEST = 13, 19
_GROUP = re.compile(r"\d+")
_JOINT = re.compile(r"[\s\-\u2010-\u2015\u2212]+")


def holds_card_number(text: str) -> bool:
    """Tell whether `text` holds a Luhn-valid run of 13 to 19 digits, spaces and dashes skipped.

    Digits group as people write them: any sequence of adjacent groups counts, so that a date in
    front of a number hides nothing. A single longer run of digits is not a card number.
    """
    return any(
        SHORTEST <= len(run) <= LONGEST and _luhn(run)
        for groups in _sequences(text)
        for first in range(len(groups))
        for run in _runs(groups[first:])
    )


def too_many_digits(card_name: str) -> bool:
    """Tell whether the name of a card has more than four digits in all."""
    return sum(sign.isdecimal() for sign in card_name) > 4


def _sequences(text: str) -> list[list[str]]:
    """Return the groups of digits, those in one list separated by spaces and dashes only."""
    sequences: list[list[str]] = []
    end = 0
    for group in _GROUP.finditer(text):
        if not sequences or not _JOINT.fullmatch(text, end, group.start()):
            sequences.append([])
        sequences[-1].append(group.group())
        end = group.end()
    return sequences


def _runs(groups: list[str]) -> list[str]:
    """Return what the first group, the first two, and so on make, as far as a card number goes."""
    runs = []
    run = ""
    for group in groups[: LONGEST + 1]:
        run += group
        if len(run) > LONGEST:
            break
        runs.append(run)
    return runs


def _luhn(digits: str) -> bool:
    total = 0
    for place, sign in enumerate(reversed(digits)):
        value = int(sign) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
