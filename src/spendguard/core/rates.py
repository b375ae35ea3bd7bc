"""Rates: what one currency costs in another, as the operator stated it; never anybody's market."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Rate:
    """One unit of the currency `one` is worth `worth` of the currency `other`: a plain decimal."""

    one: str
    other: str
    worth: str

    def between(self, source: str, target: str) -> tuple[int, int] | None:
        """Return by what an amount is multiplied, and divided, to have it in another currency."""
        worth, units = Decimal(self.worth).as_integer_ratio()
        if (source, target) == (self.one, self.other):
            return worth, units
        return (units, worth) if (source, target) == (self.other, self.one) else None


def rate_between(rates: Iterable[Rate], source: str, target: str) -> tuple[int, int] | None:
    """Return the exact rate of two currencies, in either direction; None where none is stated."""
    if source == target:
        return 1, 1
    return next((found for one in rates if (found := one.between(source, target))), None)
