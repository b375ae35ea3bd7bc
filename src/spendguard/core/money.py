"""Money: an exact integer of billionths ("nanos") and one currency."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

from spendguard.core.nanos import NANOS, ceiled, exact, floored

__all__ = ["MOST", "NANOS", "Amount", "Money", "currency_code", "nanos_of"]

MOST = 9_000_000_000 * NANOS  # what a signed 64-bit column holds, with room to add two
_MOST_UNITS = Decimal(MOST // NANOS)
_PLAIN = re.compile(r"[+-]?\d+(\.\d+)?\Z", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}\Z")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of nanos whose currency the context gives, such as a rule's threshold."""

    nanos: int

    @classmethod
    def parse(cls, text: str) -> Amount:
        """Read a plain decimal of at most nine places.

        Raises:
            ValueError: for a float's notation, a sign of currency, or more places than nine.
        """
        if not _PLAIN.match(text):
            raise ValueError("not a plain decimal such as 12.50")
        whole, _, fraction = text.partition(".")
        if len(fraction.rstrip("0")) > 9:
            raise ValueError("more than nine decimals")
        nanos = int(Decimal(text).scaleb(9)) if len(whole) < 20 else MOST + 1
        if abs(nanos) > MOST:
            raise ValueError("too large an amount")
        return cls(nanos)

    def of(self, currency: str) -> Money:
        """Return this amount as money of `currency`."""
        return Money(self.nanos, currency)


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount of one currency. Currencies never mix: to add two of them is a bug."""

    nanos: int
    currency: str

    @classmethod
    def of(cls, value: Decimal | int, currency: str) -> Money:
        """Take a decimal in whole units (see `nanos_of`)."""
        return cls(nanos_of(Decimal(value)), currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """Read what a person typed: a plain decimal of at most nine places (see `Amount.parse`)."""
        return Amount.parse(text).of(currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Return no money of `currency`."""
        return cls(0, currency)

    def exact(self) -> str:
        """Return the decimal string of JSON: exact, with at least two decimals."""
        return exact(self.nanos)

    def floored(self) -> Money:
        """Round down to the cent, also below zero: how a balance is shown."""
        return Money(floored(self.nanos), self.currency)

    def ceiled(self) -> Money:
        """Round up to the cent: how spend is shown."""
        return Money(ceiled(self.nanos), self.currency)

    def part(self, numerator: int, denominator: int) -> Money:
        """Return the floor, in nanos, of this times a fraction."""
        return Money(self.nanos * numerator // denominator, self.currency)

    def _same(self, other: Money) -> int:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")
        return other.nanos

    def __add__(self, other: Money) -> Money:
        return Money(self.nanos + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.nanos - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.nanos, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.nanos < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.nanos <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.nanos > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.nanos >= self._same(other)

    def __bool__(self) -> bool:
        return self.nanos != 0

    def __str__(self) -> str:
        return f"{self.exact()} {self.currency}"


def nanos_of(value: Decimal) -> int:
    """Return whole units as nanos, rounded half-even.

    Raises:
        ValueError: when the value is not finite or does not fit a 64-bit column.
    """
    if not value.is_finite() or abs(value) > _MOST_UNITS:
        raise ValueError("not an amount of money")
    return int(value.scaleb(9).to_integral_value(ROUND_HALF_EVEN))


@lru_cache(maxsize=64)  # every row of a reply has one
def currency_code(text: str) -> str:
    """Return an ISO-4217 code in upper case.

    Raises:
        ValueError: when it is not three letters.
    """
    code = text.upper()
    if not _CURRENCY.match(code):
        raise ValueError("not a currency code such as USD")
    return code
