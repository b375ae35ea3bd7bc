"""Prices: what a unit of usage costs, as the operator states it. The usual list is in `prices`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from spendguard.core.money import Amount

CURRENCY = "USD"  # that of every price list
MILLION = 1_000_000

# The quantities of usage that can have a price, and for how many units it is stated.
PER: Mapping[str, int] = {
    "input": MILLION,
    "cached": MILLION,
    "cache_write": MILLION,
    "cache_write_12h": MILLION,
    "output": MILLION,
    "input_audio": MILLION,
    "cached_audio": MILLION,
    "output_audio": MILLION,
    "input_image": MILLION,
    "cached_image": MILLION,
    "output_image": MILLION,
    "characters": MILLION,
    "images": 1,
    "seconds": 1,
    "sessions": 1,
    "calls": 1,
}


@dataclass(frozen=True, slots=True)
class StatedPrice:
    """What the operator pays for a model, over the usual list, quantity by quantity.

    `model` and `tier` are patterns in which * is any text; a tier of '' is the standard one. It
    holds from the UTC day `since` on; None is always. `prices` are for `PER` units each.
    """

    model: str
    prices: Mapping[str, Amount] = field(default_factory=dict)
    provider: str | None = None
    tier: str = ""
    since: date | None = None


@dataclass(frozen=True, slots=True)
class PriceTable:
    """All that the operator states of prices; of two that fit, the later one counts."""

    entries: tuple[StatedPrice, ...] = ()
