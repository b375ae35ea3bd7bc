"""Sheets: what each quantity of one row of usage costs, and the exact sum of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from spendguard.core.prices import PER, PriceTable, StatedPrice
from spendguard.core.readings import Usage

INPUT = frozenset(
    {
        "input",
        "cached",
        "cache_write",
        "cache_write_12h",
        "input_audio",
        "cached_audio",
        "input_image",
        "cached_image",
    }
)
SCALE = 2 * 3600 * 1_000_000  # a half of a nano by the hour or the million is a whole number
_FAR = 200  # so many means away there is nothing left of a request to count in nanos


@dataclass(frozen=True, slots=True)
class Rate:
    """What one unit costs, in parts of a nano; in `long` for requests beyond so many tokens."""

    parts: int
    long: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, nanos: int, per: int, long: Iterable[tuple[int, int]] = ()) -> Rate:
        """Return the rate of so many nanos for so many units."""
        return cls(
            nanos * SCALE // per, tuple((start, more * SCALE // per) for start, more in long)
        )

    def times(self, numerator: int, denominator: int = 1) -> Rate:
        """Return a multiple of this rate."""
        parts = self.parts * numerator // denominator
        return Rate(
            parts, tuple((start, more * numerator // denominator) for start, more in self.long)
        )


Sheet: TypeAlias = Mapping[str, Rate]


def stated(provider: str, usage: Usage, table: PriceTable) -> dict[str, Rate]:
    """Return the prices that the operator states for a row of usage."""
    day = usage.window.start.date()
    fitting = (one for one in table.entries if _fits(one, provider, usage, day))
    sheet: dict[str, Rate] = {}
    for one in sorted(fitting, key=lambda one: one.since or date.min):
        sheet |= {name: Rate.of(amount.nanos, PER[name]) for name, amount in one.prices.items()}
    return sheet


def _fits(one: StatedPrice, provider: str, usage: Usage, day: date) -> bool:
    return (
        one.provider in (None, provider)
        and (one.since is None or one.since <= day)
        and fnmatchcase(usage.model.lower(), one.model.lower())
        and fnmatchcase(usage.tier.lower(), one.tier.lower())
    )


def total(sheet: Sheet, used: Mapping[str, int], requests: int) -> int | None:
    """Return the nanos of all that was used, None where a part of it has no price."""
    if not used.keys() <= sheet.keys():
        return None
    parts = sum(sheet[name].parts * count for name, count in used.items())
    tokens = sum(count for name, count in used.items() if name in INPUT)
    return round(Fraction(parts + _longer(sheet, used, tokens, requests), SCALE))


def _longer(sheet: Sheet, used: Mapping[str, int], tokens: int, requests: int) -> Fraction | int:
    """Return what long requests cost more than short ones."""
    more: Fraction | int = 0
    for name, count in used.items():
        before = sheet[name].parts
        for threshold, parts in sheet[name].long:
            if tokens > threshold:
                more += long_share(threshold, tokens, requests) * (parts - before) * count
            before = parts
    return more


@lru_cache(maxsize=64)  # each rate of a row asks for the same
def long_share(threshold: int, tokens: int, requests: int) -> Fraction:
    """Return which part of the tokens is taken to be in requests longer than a threshold.

    Only the mean of a row is known. None are long where all tokens together would not make one
    long request, all of them where the mean is; in between, the lengths are taken to be spread
    about their mean as waiting times are, so that a few long requests among many short ones are
    not missed and many short ones are not taken for long.
    """
    if tokens <= threshold:
        return Fraction(0)
    ratio = Fraction(threshold * max(requests, 1), tokens)
    if ratio < 1:
        return Fraction(1)
    if ratio > _FAR:
        return Fraction(0)
    decay = (-Decimal(ratio.numerator) / ratio.denominator).exp()
    return (1 + ratio) * Fraction(decay)
