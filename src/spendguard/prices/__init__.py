"""Prices: usage to money, by the operator's prices over a public list of them. It is an estimate.

The list comes with the program and is never fetched. What has no price is None, never zero.
"""

from __future__ import annotations

from spendguard.core.money import Money
from spendguard.core.prices import CURRENCY, PriceTable
from spendguard.core.readings import Usage
from spendguard.prices.sheets import Sheet, stated, total

__all__ = ["FREE", "price"]

FREE = frozenset({"moderations"})  # no price list names a charge for them (2026-11)


def price(provider: str, usage: Usage, overrides: PriceTable) -> Money | None:
    """Return what a row of usage costs, to the nano; None where a part of it has no price."""
    used = {name: count for name, count in usage.quantities.items() if count}
    sheet: Sheet = stated(provider, usage, overrides)
    if not used.keys() <= sheet.keys() and provider == "openai":
        if usage.series in FREE:
            return Money.zero(CURRENCY)
        # Here, for the list takes a third of a second to load.
        from spendguard.prices.openai import listed

        sheet = {**listed(usage), **sheet}
    nanos = total(sheet, used, usage.requests)
    return None if nanos is None else Money(nanos, CURRENCY)
