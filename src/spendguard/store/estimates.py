"""Estimates in the database: what is not booked yet, how settled days compare, and splits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from spendguard.core import estimates as core
from spendguard.core.estimates import KeyModel, Spender
from spendguard.core.ledger import Split
from spendguard.core.windows import DAY, Window, utc_day
from spendguard.store import readings, usage
from spendguard.store.readings import Part, dimension_ids
from spendguard.store.schema import checkpoint_splits, dimensions, settled_days, unbooked
from spendguard.store.types import from_microseconds, to_microseconds


@dataclass(frozen=True, slots=True)
class Settled:
    """A settled UTC day: its estimate, and the bill for the same keys and models, in nanos."""

    day: datetime
    estimated: int
    booked: int


def refresh(tx: sa.Connection, account_id: int, currency: str, now: datetime) -> None:
    """Bring what is not booked up to date after costs or usage were read, and settle days.

    What is no longer open is dropped; how well it had been estimated is kept.
    """
    first = usage.first_day(tx, account_id)
    if first is None:
        return
    open_from = core.first_unsettled(now).start
    _settle(tx, account_id, currency, first, open_from)
    told: dict[tuple[datetime, Spender], int] = {}
    booked = _booked(tx, account_id, currency, open_from, now)
    for day, known in _estimated(tx, account_id, Window(open_from, now)).items():
        missing = core.unbooked(known, booked.get(day, {}))
        told |= {(day, spender): nanos for spender, nanos in missing.items()}
    _put_unbooked(tx, account_id, told)


def _settle(
    tx: sa.Connection, account_id: int, currency: str, first: datetime, open_from: datetime
) -> None:
    table = settled_days.c
    last = tx.execute(
        sa.select(sa.func.max(table.day)).where(table.account_id == account_id)
    ).scalar_one()
    since = first if last is None else last + DAY
    if since >= open_from:
        return
    booked = _booked(tx, account_id, currency, since, open_from)
    rows = []
    days = usage.estimates(tx, account_id, since, open_from, tools=True)
    for day, by_spender in sorted(days.items()):
        estimated, bill = core.compared(by_spender, booked.get(day, {}))
        rows.append({"account_id": account_id, "day": day, "estimated": estimated, "booked": bill})
    if rows:
        tx.execute(sa.insert(settled_days), rows)


def _booked(
    tx: sa.Connection, account_id: int, currency: str, since: datetime, until: datetime
) -> dict[datetime, dict[Spender, int]]:
    """Return what is booked of the UTC days that begin in [since, until), by who spent it."""
    values = (account_id, currency, to_microseconds(since), to_microseconds(until))
    days: dict[int, dict[Spender, int]] = defaultdict(lambda: defaultdict(int))
    for day, project, key, model, line_item, nanos in tx.exec_driver_sql(_BOOKED, values):
        days[day][project, key, core.billed_on(model, line_item)] += nanos
    return {from_microseconds(day): by_spender for day, by_spender in days.items()}


_BOOKED = """
SELECT spend.day, who.project, who.api_key, who.model, who.line_item, spend.nanos
FROM spend JOIN dimensions AS who ON who.id = spend.dimension_id
WHERE spend.account_id = ? AND spend.currency = ? AND spend.day >= ? AND spend.day < ?
"""
_UNBOOKED = "SELECT day, dimension_id, nanos FROM unbooked WHERE account_id = ?"
_UPSERT = """
INSERT INTO unbooked (account_id, day, dimension_id, nanos) VALUES (?, ?, ?, ?)
ON CONFLICT (account_id, day, dimension_id) DO UPDATE SET nanos = excluded.nanos
"""


def _put_unbooked(
    tx: sa.Connection, account_id: int, told: Mapping[tuple[datetime, Spender], int]
) -> None:
    wanted = {(project, key, "", _model(model)) for _, (project, key, model) in told}
    ids = dimension_ids(tx, account_id, wanted)
    new: dict[tuple[int, int], int] = defaultdict(int)
    for (day, (project, key, model)), nanos in told.items():
        new[to_microseconds(day), ids[project, key, "", _model(model)]] += nanos
    found = tx.exec_driver_sql(_UNBOOKED, (account_id,))
    held = {(day, dimension): nanos for day, dimension, nanos in found}
    gone = [(account_id, *key) for key in held.keys() - new.keys()]
    if gone:
        tx.exec_driver_sql(
            "DELETE FROM unbooked WHERE account_id = ? AND day = ? AND dimension_id = ?", gone
        )
    rows = [(account_id, *key, nanos) for key, nanos in new.items() if held.get(key) != nanos]
    if rows:
        tx.exec_driver_sql(_UPSERT, rows)


def _model(model_or_tool: str) -> str:
    """Return the model that something is told of: that of a tool is none, as in its bill."""
    return "" if model_or_tool in core.TOOLS else model_or_tool


def unbooked_days(
    tx: sa.Connection, account_id: int, part: Part | None = None
) -> dict[datetime, int]:
    """Return what is estimated and not booked, by UTC day, of a part or all of an account."""
    rows, dims = unbooked.c, dimensions.c
    query = (
        sa.select(rows.day, sa.func.sum(rows.nanos))
        .where(rows.account_id == account_id)
        .group_by(rows.day)
    )
    if part is not None:
        query = part.narrow(query.join(dimensions, dims.id == rows.dimension_id), dims)
    return {day: int(nanos) for day, nanos in tx.execute(query)}


def split_at(tx: sa.Connection, account_id: int, currency: str, at: datetime) -> Split:
    """Return how the usage of a UTC day divides at an instant inside it, as far as it is known."""
    day = utc_day(at)
    hour = at.replace(minute=0, second=0, microsecond=0)
    hours = usage.used(tx, account_id, day)
    from_hour = sum(one.nanos for one in hours if one.at >= hour)
    after = from_hour - usage.used_before(tx, account_id, at)
    known = _estimated(tx, account_id, day).get(day.start, {})
    booked = _booked(tx, account_id, currency, *day).get(day.start, {})
    return Split(max(after, 0), sum(one.nanos for one in hours), core.apart(known, booked))


def with_late(
    tx: sa.Connection, account_id: int, currency: str, at: datetime, split: Split
) -> Split:
    """Return how a UTC day divides, with what was added after it was over and usage does not explain."""
    day = utc_day(at)
    late = late_beyond(tx, account_id, currency, day, day.end).get(day.start)
    if not late:
        return split
    used = {who[1:] for who in _estimated(tx, account_id, day).get(day.start, {})}
    apart = sum(nanos for who, nanos in late.items() if who not in used)
    whole = sum(late.values())
    return replace(split, apart=split.apart if split.settled else split.apart - apart, late=whole)


def late_beyond(
    tx: sa.Connection, account_id: int, currency: str, days: Window, after: datetime
) -> dict[datetime, dict[KeyModel, int]]:
    """Return what readings after an instant added to UTC days beyond what usage tells of them."""
    risen = readings.risen(tx, account_id, currency, days, after)
    if not risen:
        return {}
    estimated = _estimated(tx, account_id, days)
    booked = _booked(tx, account_id, currency, *days)
    return {
        day: core.beyond(added, estimated.get(day, {}), booked.get(day, {}))
        for day, added in risen.items()
    }


def _estimated(
    tx: sa.Connection, account_id: int, days: Window
) -> dict[datetime, dict[Spender, int]]:
    """Return what has a price of the UTC days that begin in a window, by who used it."""
    return {
        day: {who: one.nanos for who, one in by_spender.items() if one.nanos is not None}
        for day, by_spender in usage.estimates(tx, account_id, *days, tools=True).items()
    }


def put_split(tx: sa.Connection, entry_id: str, split: Split) -> None:
    """Keep how a checkpoint splits its settled day."""
    tx.execute(
        sa.insert(checkpoint_splits).values(
            entry_id=int(entry_id), after_nanos=split.after, day_nanos=split.whole
        )
    )


def kept_splits(tx: sa.Connection, entry_ids: Iterable[str]) -> dict[str, Split]:
    """Return the splits that were kept, by entry."""
    table = checkpoint_splits.c
    wanted = [int(entry_id) for entry_id in entry_ids]
    rows = tx.execute(sa.select(checkpoint_splits).where(table.entry_id.in_(wanted)))
    return {str(row.entry_id): Split(row.after_nanos, row.day_nanos, settled=True) for row in rows}


def settled(tx: sa.Connection, account_id: int, since: datetime) -> list[Settled]:
    """Return the settled UTC days from `since` on, the oldest first."""
    table = settled_days.c
    rows = tx.execute(
        sa.select(table.day, table.estimated, table.booked)
        .where(table.account_id == account_id, table.day >= since)
        .order_by(table.day)
    )
    return [Settled(day, estimated, booked) for day, estimated, booked in rows]
