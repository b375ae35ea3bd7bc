"""Usage in the database: buckets overwritten by key, rolled up in the same transaction.

A reading by the minute fills minutes, quarter-hours and hours, one by the hour fills hours. The
hours are what sums are made of; the finer buckets only tell how an hour divides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from spendguard.core.estimates import TOOLS, Estimate, Spender
from spendguard.core.readings import Usage, UsageRead
from spendguard.core.windows import DAY, HOUR, Window
from spendguard.store.connect import Store
from spendguard.store.readings import Part
from spendguard.store.schema import (
    accounts,
    usage_days,
    usage_dimensions,
    usage_hours,
    usage_minutes,
    usage_quarters,
    usage_totals,
)
from spendguard.store.types import EPOCH, from_microseconds, to_microseconds

MINUTE, QUARTER = timedelta(minutes=1), timedelta(minutes=15)
BUCKETS = {MINUTE: usage_minutes, QUARTER: usage_quarters, HOUR: usage_hours}
_MICROSECOND = timedelta(microseconds=1)
_Dims = tuple[str, str, str, str, str]
_Key = tuple[int, int]  # place in time, dimension
_Bucket = tuple[int | None, int, int]  # nanos, requests, unpriced
_NONE: _Bucket = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Used:
    """What one bucket of time used: what is estimated of it, and requests without a price."""

    at: datetime
    nanos: int
    requests: int
    unpriced: int


def place(instant: datetime, width: timedelta) -> int:
    """Return the number of the bucket that holds an instant."""
    return (instant - EPOCH) // width


def put_usage(
    tx: sa.Connection, account_id: int, read: UsageRead, costs: Sequence[int | None]
) -> int:
    """Make the window say exactly what was read; return how many hours changed.

    `costs` are the nanos of each row, None where it has no price. Series that were not read stay
    as they were; the same again writes nothing.
    """
    ids = _dimension_ids(tx, account_id, read.rows)
    ours = {number for dims, number in ids.items() if dims[0] in read.series}
    told: dict[_Key, _Bucket] = {}
    for row, nanos in zip(read.rows, costs, strict=True):
        key = (place(row.window.start, read.width), ids[_dims(row)])
        one = (nanos, row.requests, row.requests if nanos is None else 0)
        told[key] = _both(told[key], one) if key in told else one
    if read.width == MINUTE:
        _replace(tx, account_id, MINUTE, read.window, told, ours)
        _replace(tx, account_id, QUARTER, read.window, _coarser(told, QUARTER // MINUTE), ours)
    hours = _coarser(told, HOUR // read.width)
    changes = _replace(tx, account_id, HOUR, read.window, hours, ours)
    _roll_up(tx, account_id, changes)
    return len(changes)


def _dims(row: Usage) -> _Dims:
    return (row.series, row.project, row.api_key, row.model, row.tier)


def _dimension_ids(tx: sa.Connection, account_id: int, rows: Iterable[Usage]) -> dict[_Dims, int]:
    table = usage_dimensions
    found: dict[_Dims, int] = {
        (series, project, api_key, model, tier): key
        for key, series, project, api_key, model, tier in tx.exec_driver_sql(
            _DIMENSIONS, (account_id,)
        )
    }
    names = ("series", "project", "api_key", "model", "tier")
    for dims in sorted({_dims(row) for row in rows} - found.keys()):
        values = {"account_id": account_id, **dict(zip(names, dims, strict=True))}
        key = tx.execute(sa.insert(table).values(values)).inserted_primary_key
        assert key is not None  # noqa: S101  an insert of one row always has one
        found[dims] = key[0]
    return found


_DIMENSIONS = """
SELECT id, series, project, api_key, model, tier FROM usage_dimensions WHERE account_id = ?
"""


def _both(one: _Bucket, other: _Bucket) -> _Bucket:
    known = [nanos for nanos in (one[0], other[0]) if nanos is not None]
    return (sum(known) if known else None, one[1] + other[1], one[2] + other[2])


def _coarser(buckets: Mapping[_Key, _Bucket], factor: int) -> dict[_Key, _Bucket]:
    sums: dict[_Key, _Bucket] = {}
    for (number, dimension), bucket in buckets.items():
        key = (number // factor, dimension)
        sums[key] = _both(sums[key], bucket) if key in sums else bucket
    return sums


def _replace(
    tx: sa.Connection,
    account_id: int,
    width: timedelta,
    window: Window,
    told: Mapping[_Key, _Bucket],
    ours: set[int],
) -> dict[_Key, tuple[_Bucket, _Bucket]]:
    """Write the buckets of a window that differ; return them as they were and as they are."""
    table = BUCKETS[width]
    unit = table.c[_unit(table)]
    rows = tx.execute(
        sa.select(unit, table.c.dimension_id, table.c.nanos, table.c.requests, table.c.unpriced)
        .where(table.c.account_id == account_id)
        .where(unit >= place(window.start, width), unit <= place(window.end - MINUTE, width))
    )
    held: dict[_Key, _Bucket] = {
        (number, dimension): (nanos, requests, unpriced)
        for number, dimension, nanos, requests, unpriced in rows
        if dimension in ours
    }
    changes = {
        key: (held.get(key, _NONE), bucket)
        for key, bucket in (dict.fromkeys(held, _NONE) | dict(told)).items()
        if held.get(key) != bucket
    }
    if changes:
        new = [(account_id, *key, *bucket) for key, (_, bucket) in changes.items()]
        tx.exec_driver_sql(_UPSERTS[width], new)
    return changes


def _unit(table: sa.Table) -> str:
    return next(c.name for c in table.primary_key if c.name in ("minute", "quarter", "hour"))


def _upsert(table: sa.Table) -> str:
    name, unit = table.name, _unit(table)
    return (
        f"INSERT INTO {name} (account_id, {unit}, dimension_id, nanos, requests, unpriced) "  # noqa: S608
        f"VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (account_id, {unit}, dimension_id) DO UPDATE SET "
        "nanos = excluded.nanos, requests = excluded.requests, unpriced = excluded.unpriced"
    )


_UPSERTS = {width: _upsert(table) for width, table in BUCKETS.items()}
_UPSERT_DAY = """
INSERT INTO usage_days (account_id, day, dimension_id, nanos, requests, unpriced)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (account_id, day, dimension_id) DO UPDATE SET
    nanos = CASE WHEN excluded.nanos IS NULL THEN usage_days.nanos
                 ELSE COALESCE(usage_days.nanos, 0) + excluded.nanos END,
    requests = usage_days.requests + excluded.requests,
    unpriced = usage_days.unpriced + excluded.unpriced
"""


_UPSERT_TOTAL = """
INSERT INTO usage_totals (account_id, hour, nanos, requests, unpriced) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (account_id, hour) DO UPDATE SET
    nanos = usage_totals.nanos + excluded.nanos,
    requests = usage_totals.requests + excluded.requests,
    unpriced = usage_totals.unpriced + excluded.unpriced
"""


def _roll_up(
    tx: sa.Connection, account_id: int, changes: Mapping[_Key, tuple[_Bucket, _Bucket]]
) -> None:
    """Bring the days, and the hours of the account as a whole, in line with what changed."""
    deltas: dict[_Key, _Bucket] = {}
    totals: dict[int, list[int]] = {}
    for (hour, dimension), (old, new) in changes.items():
        nanos = None if new[0] is None and not old[0] else (new[0] or 0) - (old[0] or 0)
        delta = (nanos, new[1] - old[1], new[2] - old[2])
        key = (hour // 24 * (DAY // _MICROSECOND), dimension)
        deltas[key] = _both(deltas[key], delta) if key in deltas else delta
        total = totals.setdefault(hour, [0, 0, 0])
        total[:] = [known + (new or 0) for known, new in zip(total, delta, strict=True)]
    if deltas:
        sums = [(account_id, hour, *total) for hour, total in totals.items()]
        tx.exec_driver_sql(_UPSERT_TOTAL, sums)
        rows = [(account_id, *key, *delta) for key, delta in deltas.items()]
        tx.exec_driver_sql(_UPSERT_DAY, rows)


def series_seen(tx: sa.Connection, account_id: int) -> frozenset[str]:
    """Return the series in which anything was ever used."""
    table = usage_dimensions.c
    query = sa.select(table.series).where(table.account_id == account_id).distinct()
    return frozenset(tx.execute(query).scalars())


def used(
    tx: sa.Connection,
    account_id: int,
    window: Window,
    width: timedelta = HOUR,
    part: Part | None = None,
) -> list[Used]:
    """Return what was used in the buckets that begin in a window, of a part or all of an account."""
    table = usage_totals if width == HOUR and part is None else BUCKETS[width]
    query = _used(table)
    if part is not None:
        dims = usage_dimensions.c
        query = query.join(usage_dimensions, dims.id == table.c.dimension_id)
        query = part.narrow(query, dims)
    since, until = _first(window.start, width), _first(window.end, width)
    found = tx.execute(query, {"account": account_id, "since": since, "until": until})
    return [
        Used(EPOCH + width * number, int(nanos), int(requests), int(unpriced))
        for number, nanos, requests, unpriced in found
    ]


@cache  # it is asked several times at each evaluation: to make it takes as long as to run it
def _used(table: sa.Table) -> sa.Select[Any]:
    unit, rows = table.c[_unit(table)], table.c
    return (
        sa.select(
            unit,
            sa.func.coalesce(sa.func.sum(rows.nanos), 0),
            sa.func.sum(rows.requests),
            sa.func.sum(rows.unpriced),
        )
        .where(rows.account_id == sa.bindparam("account"))
        .where(unit >= sa.bindparam("since"), unit < sa.bindparam("until"))
        .group_by(unit)
        .order_by(unit)
    )


def hourly(tx: sa.Connection, account_id: int, window: Window) -> list[tuple[int, int]]:
    """Return the numbers of the hours that begin in a window, and the nanos an account used in each.

    They are bare numbers: a month of them is asked for at each evaluation.
    """
    since, until = _first(window.start, HOUR), _first(window.end, HOUR)
    found = tx.execute(_HOURLY, {"account": account_id, "since": since, "until": until})
    return [(hour, nanos) for hour, nanos in found]


_HOURLY = (
    sa.select(usage_totals.c.hour, usage_totals.c.nanos)
    .where(usage_totals.c.account_id == sa.bindparam("account"))
    .where(usage_totals.c.hour >= sa.bindparam("since"))
    .where(usage_totals.c.hour < sa.bindparam("until"))
)


def _first(instant: datetime, width: timedelta) -> int:
    """Return the number of the first bucket that does not begin before an instant."""
    return -(-(instant - EPOCH) // width)


def dearest(
    tx: sa.Connection, account_id: int, window: Window, length: timedelta
) -> tuple[datetime | None, int]:
    """Return the first minute known to be used in a window, and its dearest span of a length."""
    rows, span = usage_minutes.c, length // MINUTE
    spans = (
        sa.select(sa.func.min(rows.minute).label("first"), sa.func.sum(rows.nanos).label("nanos"))
        .where(rows.account_id == account_id, rows.nanos > 0)
        .where(rows.minute >= _first(window.start, MINUTE))
        .where(rows.minute < _first(window.end, MINUTE))
        .group_by(rows.minute // span)
        .subquery()
    )
    found = tx.execute(sa.select(sa.func.min(spans.c.first), sa.func.max(spans.c.nanos))).one()
    first, nanos = found
    return (None, 0) if first is None else (EPOCH + MINUTE * first, int(nanos))


def dearest_quarter(tx: sa.Connection, account_id: int, window: Window) -> int:
    """Return what the dearest quarter of an hour that begins in a window cost."""
    rows = usage_quarters.c
    sums = (
        sa.select(sa.func.sum(rows.nanos).label("nanos"))
        .where(rows.account_id == account_id, rows.nanos > 0)
        .where(rows.quarter >= _first(window.start, QUARTER))
        .where(rows.quarter < _first(window.end, QUARTER))
        .group_by(rows.quarter)
        .subquery()
    )
    return int(tx.execute(sa.select(sa.func.max(sums.c.nanos))).scalar_one() or 0)


def by_api_key(
    tx: sa.Connection,
    account_id: int,
    window: Window,
    width: timedelta,
    keys: Collection[str] | None = None,
) -> dict[str, dict[int, int]]:
    """Return the nanos of the buckets that begin in a window, of each api key or of some of them."""
    table = BUCKETS[width]
    unit, rows, dims = table.c[_unit(table)], table.c, usage_dimensions.c
    query = (
        sa.select(dims.api_key, unit, sa.func.sum(rows.nanos))
        .join(usage_dimensions, dims.id == rows.dimension_id)
        .where(rows.account_id == account_id, rows.nanos > 0)
        .where(unit >= _first(window.start, width), unit < _first(window.end, width))
        .group_by(dims.api_key, unit)
    )
    if keys is not None:
        query = query.where(dims.api_key.in_(keys))
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for api_key, number, nanos in tx.execute(query):
        found[api_key][number] = int(nanos)
    return found


def first_used(tx: sa.Connection, account_id: int, window: Window, width: timedelta) -> int | None:
    """Return the number of the first bucket with use that begins in a window."""
    table = BUCKETS[width]
    unit, rows = table.c[_unit(table)], table.c
    query = (
        sa.select(unit)
        .where(rows.account_id == account_id, rows.nanos > 0)
        .where(unit >= _first(window.start, width), unit < _first(window.end, width))
        .order_by(unit)
        .limit(1)
    )
    return tx.execute(query).scalar_one_or_none()


def by_spender(tx: sa.Connection, account_id: int, window: Window) -> dict[Spender, int]:
    """Return what is estimated for the minutes that begin in a window, by who used it."""
    rows, dims = usage_minutes.c, usage_dimensions.c
    found = tx.execute(
        sa.select(dims.project, dims.api_key, dims.model, sa.func.sum(rows.nanos))
        .join(usage_dimensions, dims.id == rows.dimension_id)
        .where(rows.account_id == account_id, rows.nanos > 0)
        .where(rows.minute >= _first(window.start, MINUTE))
        .where(rows.minute < _first(window.end, MINUTE))
        .group_by(dims.project, dims.api_key, dims.model)
    )
    return {(project, key, model): int(nanos) for project, key, model, nanos in found}


def estimates(
    tx: sa.Connection, account_id: int, since: datetime, until: datetime, *, tools: bool = False
) -> dict[datetime, dict[Spender, Estimate]]:
    """Return what is estimated of the UTC days that begin in [since, until), by who used it.

    With `tools`, the calls of a tool are told under its name, as they are billed, not under the model.
    """
    found = tx.exec_driver_sql(
        _ESTIMATES, (account_id, to_microseconds(since), to_microseconds(until))
    )
    days: dict[int, dict[Spender, Estimate]] = defaultdict(dict)
    for day, project, key, model, series, nanos, requests, unpriced in found:
        spender = (project, key, series if tools and series in TOOLS else model)
        told, so_far = Estimate(nanos, requests, unpriced), days[day]
        so_far[spender] = Estimate(*_both(so_far[spender], told)) if spender in so_far else told
    return {from_microseconds(day): by_spender for day, by_spender in sorted(days.items())}


# Days of hundreds of keys and models: bare numbers, of which each day is made an instant once.
_ESTIMATES = """
SELECT days.day, who.project, who.api_key, who.model, who.series,
    days.nanos, days.requests, days.unpriced
FROM usage_days AS days JOIN usage_dimensions AS who ON who.id = days.dimension_id
WHERE days.account_id = ? AND days.day >= ? AND days.day < ?
"""


def by_spender_and_days(
    tx: sa.Connection, account_id: int, window: Window
) -> tuple[dict[Spender, int], int]:
    """Return what the UTC days that begin in a window cost by who used it, and how many have any."""
    since, until = map(to_microseconds, window)
    rows = tx.exec_driver_sql(_BY_SPENDER, (account_id, since, until)).all()
    sums = {(project, key, model): int(nanos) for project, key, model, nanos in rows}
    days = tx.exec_driver_sql(
        _DAYS_USED, (account_id, _first(window.start, DAY), _first(window.end, DAY))
    )
    return sums, int(days.scalar_one())


# A month of hundreds of keys and models: summed before it is told by whom.
_BY_SPENDER = """
SELECT who.project, who.api_key, who.model, COALESCE(SUM(sums.nanos), 0)
FROM (
    SELECT dimension_id, SUM(nanos) AS nanos FROM usage_days
    WHERE account_id = ? AND day >= ? AND day < ? GROUP BY dimension_id
) AS sums JOIN usage_dimensions AS who ON who.id = sums.dimension_id
GROUP BY who.project, who.api_key, who.model
"""
_DAYS_USED = """
SELECT COUNT(DISTINCT hour / 24) FROM usage_totals WHERE account_id = ? AND hour >= ? * 24 AND hour < ? * 24
"""


def requests_by_model(
    tx: sa.Connection, account_id: int, since: datetime
) -> dict[str, tuple[int, int]]:
    """Return the requests of the UTC days from `since` on, and those without a price, by model."""
    found = tx.execute(_REQUESTS_BY_MODEL, {"account": account_id, "since": since})
    return {model: (int(requests), int(unpriced)) for model, requests, unpriced in found}


_REQUESTS_BY_MODEL = (
    sa.select(
        usage_dimensions.c.model,
        sa.func.sum(usage_days.c.requests),
        sa.func.sum(usage_days.c.unpriced),
    )
    .join(usage_dimensions, usage_dimensions.c.id == usage_days.c.dimension_id)
    .where(usage_days.c.account_id == sa.bindparam("account"))
    .where(usage_days.c.day >= sa.bindparam("since"))
    .group_by(usage_dimensions.c.model)
)


def first_day(tx: sa.Connection, account_id: int) -> datetime | None:
    """Return the first UTC day of which usage is known."""
    table = usage_days.c
    query = sa.select(sa.func.min(table.day)).where(table.account_id == account_id)
    found: datetime | None = tx.execute(query).scalar_one()
    return found


def used_before(tx: sa.Connection, account_id: int, at: datetime) -> int:
    """Return what the hour that holds an instant is known to have used before it, in nanos.

    Only whole minutes, or where these are not kept any more whole quarter-hours, count.
    """
    hour = at.replace(minute=0, second=0, microsecond=0)
    sums = []
    for width in (MINUTE, QUARTER):
        whole = Window(hour, hour + (at - hour) // width * width)
        sums.append(sum(one.nanos for one in used(tx, account_id, whole, width)))
    return max(sums)


def drop_fine(
    store: Store, minutes_before: datetime, quarters_before: datetime, *, dry_run: bool = False
) -> int:
    """Drop minutes and quarter-hours from before an instant each; return how many rows."""
    dropped = 0
    with store.begin() as tx:
        ids = tx.execute(sa.select(accounts.c.id)).scalars().all()
    for account_id in ids:
        for width, before in ((MINUTE, minutes_before), (QUARTER, quarters_before)):
            last = place(before, width)
            dropped += (_count if dry_run else _drop)(store, account_id, width, last)
    return dropped


def _count(store: Store, account_id: int, width: timedelta, before: int) -> int:
    table = BUCKETS[width]
    old = sa.and_(table.c.account_id == account_id, table.c[_unit(table)] < before)
    with store.begin() as tx:
        return int(
            tx.execute(sa.select(sa.func.count()).select_from(table).where(old)).scalar_one()
        )


def _drop(store: Store, account_id: int, width: timedelta, before: int) -> int:
    """Drop a day's buckets at a time, each in a transaction of its own."""
    table = BUCKETS[width]
    unit, old = table.c[_unit(table)], table.c.account_id == account_id
    dropped = 0
    while True:
        with store.begin() as tx:
            oldest = tx.execute(sa.select(sa.func.min(unit)).where(old, unit < before)).scalar_one()
            if oldest is None:
                return dropped
            until = min(oldest + DAY // width, before)
            dropped += tx.execute(sa.delete(table).where(old, unit < until)).rowcount
