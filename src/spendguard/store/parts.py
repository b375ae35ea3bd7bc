"""Parts: what of a UTC day that a window cuts falls into it, as read commands tell it.

The questions and the division are those of `spend`, asked inside a transaction that writes.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from spendguard.core.spread import divide
from spendguard.core.windows import Window
from spendguard.store.cutting import Cuts, Shape
from spendguard.store.history import queries, to_column
from spendguard.store.readings import Part


class Asked:
    """A transaction that answers the named questions of read commands."""

    def __init__(self, tx: sa.Connection) -> None:
        self._tx = tx

    def ask(self, name: str, **parameters: Any) -> list[Any]:
        """Return the rows of a named query."""
        return list(self._tx.execute(sa.text(queries()[name]), parameters).mappings())


def cut_share(
    tx: sa.Connection, account: str, currency: str, day: Window, cuts: Cuts, part: Part
) -> int:
    """Return what of a day falls into the windows of `cuts`, booked or not, in nanos."""
    asked = Asked(tx)
    bounds = {"since": to_column(day.start), "until": to_column(day.end)}
    rows = [
        row
        for name in ("spend_parts", "unbooked_parts")
        for row in asked.ask(name, account=account, **bounds)
        if row["currency"] == currency and part.holds(row)
    ]
    if not rows:
        return 0
    shape = cuts.shape(asked, account, day)
    return sum(_inside(shape, row) for row in rows)


def _inside(shape: Shape, row: Any) -> int:
    weights = shape.weights((row["account_id"], row["api_key"], row["model"]))
    parts = zip(shape.places, divide(row["nanos"], weights), strict=True)
    return sum(nanos for place, nanos in parts if place is not None)
