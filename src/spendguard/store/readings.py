"""Readings in the database: overwritten by key, never added twice, each correction kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from spendguard.core.estimates import Spender, billed_on
from spendguard.core.ledger import DaySpend
from spendguard.core.money import Money
from spendguard.core.readings import Extras, Limit, Name, RawReply, Spend, SpendAlert, SpendRead
from spendguard.core.windows import DAY, Window
from spendguard.store.schema import (
    dimensions,
    names,
    provider_settings,
    raw_replies,
    restatements,
    spend,
    spend_days,
)
from spendguard.store.types import MICROSECOND, to_microseconds

_Dims = tuple[str, str, str, str]
_Key = tuple[int, int, str]  # day in microseconds, dimension, currency


@dataclass(frozen=True, slots=True)
class Written:
    """What a reading changed: rows seen first, and rows that now say something else."""

    added: int = 0
    restated: int = 0


def put_spend(
    tx: sa.Connection, account_id: int, currency: str, read: SpendRead, now: datetime
) -> Written:
    """Make the window say exactly what was read, rollup included; the same again writes nothing.

    Of a day that the reply left out what is known is kept.
    """
    stated = _stated(tx, account_id, read.rows)
    held = _held(tx, account_id, read.window)
    known_days = _known_days(tx, account_id, read.window)
    left_out = {*map(to_microseconds, read.unnamed)}
    gone = {key: 0 for key in held.keys() - stated.keys() if held[key] and key[0] not in left_out}
    changes = gone | {key: new for key, new in stated.items() if held.get(key, 0) != new}
    _write(tx, account_id, changes)
    _restate(tx, account_id, held, changes, known_days, now)
    _roll_up(tx, account_id, currency, read.window, changes, held, known_days, now)
    restated = sum(key in held for key in changes)
    return Written(added=len(changes) - restated, restated=restated)


def _stated(tx: sa.Connection, account_id: int, rows: Sequence[Spend]) -> dict[_Key, int]:
    ids = dimension_ids(tx, account_id, {_dims(row) for row in rows})
    stated: dict[_Key, int] = {}
    for row in rows:
        amount = row.amount
        key = (_start(row.window), ids[_dims(row)], amount.currency)
        stated[key] = stated.get(key, 0) + amount.nanos
    return stated


_dims = itemgetter(slice(2, 6))  # project, api key, line item, model


@lru_cache(maxsize=400)  # the rows of a day share its window
def _start(window: Window) -> int:
    return to_microseconds(window.start)


def dimension_ids(tx: sa.Connection, account_id: int, wanted: set[_Dims]) -> dict[_Dims, int]:
    """Return the ids of what spend is told apart by, new ones among them."""
    if not wanted:
        return {}
    rows = tx.exec_driver_sql(_DIMENSIONS, (account_id,))
    found: dict[_Dims, int] = {
        (project, api_key, item, model): key for key, project, api_key, item, model in rows
    }
    for project, api_key, line_item, model in sorted(wanted - found.keys()):
        key = tx.execute(
            sa.insert(dimensions).values(
                account_id=account_id,
                project=project,
                api_key=api_key,
                line_item=line_item,
                model=model,
            )
        ).inserted_primary_key
        assert key is not None  # noqa: S101  an insert of one row always has one
        found[project, api_key, line_item, model] = key[0]
    return found


# Every poll asks these of hundreds of rows: as integers, which is what they are compared as.
_DIMENSIONS = """
SELECT id, project, api_key, line_item, model FROM dimensions WHERE account_id = ?
"""
_HELD = """
SELECT day, dimension_id, currency, nanos FROM spend WHERE account_id = ? AND day >= ? AND day < ?
"""
_KNOWN_DAYS = "SELECT day FROM spend_days WHERE account_id = ? AND day >= ? AND day < ?"


def _held(tx: sa.Connection, account_id: int, window: Window) -> dict[_Key, int]:
    rows = tx.exec_driver_sql(_HELD, (account_id, *map(to_microseconds, window))).all()
    return {(day, dimension, currency): nanos for day, dimension, currency, nanos in rows}


def _known_days(tx: sa.Connection, account_id: int, window: Window) -> set[int]:
    rows = tx.exec_driver_sql(_KNOWN_DAYS, (account_id, *map(to_microseconds, window))).all()
    return {day for (day,) in rows}


_UPSERT_SPEND = """
INSERT INTO spend (account_id, day, dimension_id, currency, nanos) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (account_id, day, dimension_id, currency) DO UPDATE SET nanos = excluded.nanos
"""
_UPSERT_DAY = """
INSERT INTO spend_days (account_id, day, currency, nanos, first_read_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (account_id, day, currency) DO UPDATE SET nanos = spend_days.nanos + excluded.nanos
"""

_INSERT_RESTATEMENT = """
INSERT INTO restatements
    (account_id, day, dimension_id, currency, old_nanos, new_nanos, observed_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""


def _write(tx: sa.Connection, account_id: int, changes: dict[_Key, int]) -> None:
    if changes:
        rows = [(account_id, *key, nanos) for key, nanos in changes.items()]
        tx.exec_driver_sql(_UPSERT_SPEND, rows)


def _restate(
    tx: sa.Connection,
    account_id: int,
    held: dict[_Key, int],
    changes: dict[_Key, int],
    known_days: set[int],
    now: datetime,
) -> None:
    stamp = to_microseconds(now)
    corrected = [
        (account_id, *key, held.get(key, 0), nanos, stamp)
        for key, nanos in changes.items()
        if key[0] in known_days
    ]
    if corrected:
        tx.exec_driver_sql(_INSERT_RESTATEMENT, corrected)


def _roll_up(
    tx: sa.Connection,
    account_id: int,
    currency: str,
    window: Window,
    changes: dict[_Key, int],
    held: dict[_Key, int],
    known_days: set[int],
    now: datetime,
) -> None:
    deltas: dict[tuple[int, str], int] = {}
    for (day, dimension, code), nanos in changes.items():
        was = held.get((day, dimension, code), 0)
        deltas[day, code] = deltas.get((day, code), 0) + nanos - was
    first, end = map(to_microseconds, window)
    for day in range(first, end, DAY // MICROSECOND):
        if day not in known_days:
            deltas.setdefault((day, currency), 0)
    if deltas:
        stamp = to_microseconds(now)
        tx.exec_driver_sql(
            _UPSERT_DAY,
            [(account_id, day, code, nanos, stamp) for (day, code), nanos in deltas.items()],
        )


def any_spend(tx: sa.Connection, account_id: int, window: Window) -> bool:
    """Tell whether money is booked in a window."""
    table = spend_days.c
    query = sa.select(table.day).where(
        table.account_id == account_id,
        table.day >= window.start,
        table.day < window.end,
        table.nanos != 0,
    )
    return tx.execute(query.limit(1)).one_or_none() is not None


def day_spend(
    tx: sa.Connection, account_id: int, currency: str, since: datetime
) -> tuple[list[DaySpend], bool]:
    """Return the booked UTC days from `since` on, and whether money of other currencies was spent.

    The day that holds `since` is included.
    """
    rows = tx.execute(_DAYS_SINCE, {"account": account_id, "before": since - DAY}).all()
    days = [
        DaySpend(Window(day, day + DAY), Money(nanos, code))
        for day, code, nanos in rows
        if code == currency
    ]
    return days, any(nanos for _, code, nanos in rows if code != currency)


_DAYS_SINCE = (
    sa.select(spend_days.c.day, spend_days.c.currency, spend_days.c.nanos)
    .where(spend_days.c.account_id == sa.bindparam("account"))
    .where(spend_days.c.day > sa.bindparam("before"))
    .order_by(spend_days.c.day)
)


def risen(
    tx: sa.Connection, account_id: int, currency: str, days: Window, after: datetime
) -> dict[datetime, dict[Spender, int]]:
    """Return what readings after an instant added to UTC days that had been read before, in nanos.

    It is told of the days that begin in a window, for each spender; a first reading adds nothing.
    """
    table, dims = restatements.c, dimensions.c
    rows = tx.execute(
        sa.select(
            table.day,
            dims.project,
            dims.api_key,
            dims.model,
            dims.line_item,
            table.new_nanos - table.old_nanos,
        )
        .join(dimensions, dims.id == table.dimension_id)
        .where(
            table.account_id == account_id,
            table.currency == currency,
            table.day >= days.start,
            table.day < days.end,
            table.observed_at > after,
        )
    )
    found: dict[datetime, dict[Spender, int]] = {}
    for day, project, key, model, line_item, nanos in rows:
        who = (project, key, billed_on(model, line_item))
        added = found.setdefault(day, {})
        added[who] = added.get(who, 0) + int(nanos)
    return found


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of an account's spend: all of it where nothing is named."""

    projects: frozenset[str] | None = None
    api_keys: frozenset[str] | None = None
    model: str | None = None

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a row of spend, by the columns of its dimensions, belongs to this part."""
        return (
            (self.projects is None or row["project"] in self.projects)
            and (self.api_keys is None or row["api_key"] in self.api_keys)
            and self.model in (None, row["model"])
        )

    def narrow(self, query: sa.Select[Any], dims: sa.ColumnCollection[str, Any]) -> sa.Select[Any]:
        """Return a query for this part of what it asks, by the columns of its dimensions."""
        if self.projects is not None:
            query = query.where(dims.project.in_(self.projects))
        if self.api_keys is not None:
            query = query.where(dims.api_key.in_(self.api_keys))
        return query if self.model is None else query.where(dims.model == self.model)


def part_spend(
    tx: sa.Connection, account_id: int, currency: str, window: Window, part: Part
) -> list[DaySpend]:
    """Return the booked UTC days that touch `window`, of a part of the account."""
    days, dims = spend.c, dimensions.c
    query = (
        sa.select(days.day, sa.func.sum(days.nanos))
        .join(dimensions, dims.id == days.dimension_id)
        .where(
            days.account_id == account_id,
            days.currency == currency,
            days.day > window.start - DAY,
            days.day < window.end,
        )
        .group_by(days.day)
    )
    return [
        DaySpend(Window(day, day + DAY), Money(int(nanos), currency))
        for day, nanos in tx.execute(part.narrow(query, dims))
    ]


def ids_of(tx: sa.Connection, account_id: int, kind: str, wanted: str) -> frozenset[str]:
    """Return the provider's ids that a person means by an id or an exact name."""
    table = names.c
    rows = tx.execute(
        sa.select(table.provider_id).where(
            table.account_id == account_id, table.kind == kind, table.name == wanted
        )
    ).scalars()
    return frozenset({wanted, *rows})


def project_ids(tx: sa.Connection, account_id: int) -> list[str]:
    """Return the active projects, as far as their names are known."""
    table = names.c
    query = sa.select(table.provider_id).where(
        table.account_id == account_id, table.kind == "project", table.active
    )
    return sorted(tx.execute(query).scalars())


def project_names(tx: sa.Connection, account_id: int) -> dict[str, str]:
    """Return what people call each project, by its id."""
    table = names.c
    query = sa.select(table.provider_id, table.name).where(
        table.account_id == account_id, table.kind == "project"
    )
    return {row[0]: row[1] for row in tx.execute(query)}


def called(tx: sa.Connection, account_id: int) -> dict[tuple[str, str], str]:
    """Return what people call each project and api key, by kind and id."""
    table = names.c
    query = sa.select(table.kind, table.provider_id, table.name).where(
        table.account_id == account_id
    )
    return {(kind, identity): name for kind, identity, name in tx.execute(query)}


def unnamed(tx: sa.Connection, account_id: int) -> bool:
    """Tell whether something was spent by a project or an api key without a known name."""
    known = sa.select(names.c.provider_id).where(names.c.account_id == account_id)
    dims = dimensions.c
    query = sa.select(sa.func.count()).where(
        dims.account_id == account_id,
        sa.or_(
            sa.and_(dims.project != "", dims.project.not_in(known)),
            sa.and_(dims.api_key != "", dims.api_key.not_in(known)),
        ),
    )
    return bool(tx.execute(query).scalar_one())


def put_names(tx: sa.Connection, account_id: int, known: Iterable[Name]) -> None:
    """Remember what people call projects and api keys; a name that is gone stays known."""
    held = {
        (row.kind, row.provider_id): (row.name, row.active)
        for row in tx.execute(sa.select(names).where(names.c.account_id == account_id))
    }
    for name in known:
        before = held.get((name.kind, name.id))
        if before == (name.name, name.active):
            continue
        key = {"account_id": account_id, "kind": name.kind, "provider_id": name.id}
        said = {"name": name.name, "active": name.active}
        if before is None:
            tx.execute(sa.insert(names).values(**key, **said))
        else:
            tx.execute(sa.update(names).where(*_matches(names, key)).values(**said))
        held[name.kind, name.id] = (name.name, name.active)


def _matches(table: sa.Table, key: dict[str, object]) -> list[sa.ColumnElement[bool]]:
    return [table.c[column] == value for column, value in key.items()]


def put_settings(
    tx: sa.Connection, account_id: int, currency: str, extras: Extras, projects: Iterable[str]
) -> None:
    """Remember the provider's limits and spend alerts; what is gone is kept as not set.

    `projects` are those that were asked about, beside the organization. What is seen when one is
    asked about for the first time is accepted as it is.
    """
    scopes = {"", *projects}
    if extras.limits is not None:
        seen = {("limit", limit.project, ""): limit for limit in extras.limits}
        _put_kind(tx, account_id, currency, "limit", dict(seen), scopes)
    if extras.alerts is not None:
        told = {("alert", alert.project, alert.id): alert for alert in extras.alerts}
        _put_kind(tx, account_id, currency, "alert", dict(told), scopes)


def _put_kind(
    tx: sa.Connection,
    account_id: int,
    currency: str,
    kind: str,
    seen: dict[tuple[str, str, str], Limit | SpendAlert],
    scopes: set[str],
) -> None:
    table = provider_settings
    held = {
        (row.kind, row.project, row.provider_id): row
        for row in tx.execute(
            sa.select(table).where(table.c.account_id == account_id, table.c.kind == kind)
        )
    }
    asked = {(kind, scope, "") for scope in scopes}  # a row without an id: asked about before
    first = {scope for _, scope, _ in asked - held.keys()}
    for key in sorted(seen.keys() | held.keys() | asked):
        setting, row = seen.get(key), held.get(key)
        said = {
            "nanos": setting.threshold.nanos if setting else None,
            "currency": setting.threshold.currency if setting else currency,
            "enforcing": isinstance(setting, Limit) and setting.enforcing,
        }
        where = dict(zip(("kind", "project", "provider_id"), key, strict=True))
        if row is None:
            accepted = said["nanos"] if key[1] in first else None
            tx.execute(
                sa.insert(table).values(
                    account_id=account_id, **where, **said, accepted_nanos=accepted
                )
            )
        elif (row.nanos, row.enforcing) != (said["nanos"], said["enforcing"]):
            matches = _matches(table, {"account_id": account_id, **where})
            tx.execute(sa.update(table).where(*matches).values(**said))


def settings(tx: sa.Connection, account_id: int) -> Sequence[sa.Row[Any]]:
    """Return the provider's limits and spend alerts as last seen, with what was accepted."""
    table = provider_settings
    return tx.execute(
        sa.select(table)
        .where(table.c.account_id == account_id)
        .order_by(table.c.kind, table.c.project, table.c.provider_id)
    ).all()


def accept_settings(tx: sa.Connection, account_id: int) -> None:
    """Take the limits and alerts as they are now: what an acknowledged config-drift means."""
    table = provider_settings
    tx.execute(
        sa.update(table)
        .where(table.c.account_id == account_id)
        .values(accepted_nanos=table.c.nanos)
    )


def replies_since(
    tx: sa.Connection, account_id: int, since: datetime, now: datetime
) -> frozenset[str]:
    """Return the paths whose last reply that was kept is a good one, from after an instant.

    One from a clock that ran ahead is none of a short time ago.
    """
    table = raw_replies.c
    good = sa.and_(table.status >= 200, table.status < 300)
    query = sa.select(table.path).where(
        _newest(account_id), table.at > since, table.at <= now, good
    )
    return frozenset(tx.execute(query).scalars())


def _newest(account_id: int) -> sa.ColumnElement[bool]:
    table = raw_replies.c
    query = sa.select(sa.func.max(table.id)).where(table.account_id == account_id)
    return table.id.in_(query.group_by(table.path))


def put_replies(
    tx: sa.Connection, account_id: int, replies: Sequence[RawReply], now: datetime
) -> None:
    """Keep the raw replies of a poll, for a bounded time (see `retain`); the same again is not."""
    if not replies:
        return
    table = raw_replies.c
    paths = {reply.path for reply in replies}
    held = tx.execute(
        sa.select(table.path, table.body).where(_newest(account_id), table.path.in_(paths))
    )
    last = {row.path: row.body for row in held}
    rows = [
        {
            "account_id": account_id,
            "at": now,
            "path": reply.path,
            "status": reply.status,
            "body": reply.body,
        }
        for reply in replies
        if last.get(reply.path) != reply.body
    ]
    if rows:
        tx.execute(sa.insert(raw_replies), rows)
