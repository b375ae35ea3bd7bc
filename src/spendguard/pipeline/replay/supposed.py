"""Supposed: a history in which nobody told of a charge, with those the provider would have tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from spendguard.core.cards import latest_statement
from spendguard.core.ledger import Entry, Kind, derive
from spendguard.core.money import Money
from spendguard.core.reconcile import reconcile
from spendguard.core.spread import Piece, pieces
from spendguard.core.windows import HOUR, Window, share, utc_day
from spendguard.core.world_run import Trace
from spendguard.pipeline.evaluate import Family
from spendguard.pipeline.replay.play import Scenario
from spendguard.pipeline.replay.stored import CardLine, Stored

CREDIT = (Kind.DEPOSIT, Kind.GRANT)


def supposable(family: Family, stored: Mapping[str, Stored]) -> bool:
    """Tell whether charges must be supposed: nobody told of one, and the recharge is on."""
    known = [one for one in stored.values() if one.name in _stated(stored)]
    on = any(
        plan.account.recharge is not None and plan.account.recharge.enabled for plan in family.plans
    )
    return on and bool(known) and not any(one.charged for one in stored.values())


def supposed(
    family: Family,
    stored: Mapping[str, Stored],
    card: Sequence[CardLine],
    end: datetime,
    *,
    every: timedelta,
    lag: timedelta,
) -> tuple[Family, Scenario]:
    """Return what is played, from the first instant at which every balance is known."""
    stated = _stated(stored)
    begin = max(stated.values())
    played = [stored[name] for name in sorted(stated)]
    rows = {one.name: [*_hours(one)] for one in played}
    currency = "" if family.paying is None else family.paying.card.currency
    live = (one.statement for one in card if one.gone_at is None)
    held = [one for one in live if one.amount.currency == currency]
    first = latest_statement(one for one in held if one.at <= begin)
    scenario = Scenario(
        begin,
        end,
        {name: Trace.of(row for row in found if row[0] >= begin) for name, found in rows.items()},
        {one.name: _balance(one, begin) for one in played},
        None if first is None else first.amount,
        lag,
        every,
        earlier={
            name: Trace.of(row for row in found if row[0] < begin) for name, found in rows.items()
        },
        credits=tuple((one.name, entry) for one in played for entry in _credits(one, begin)),
        fillings=tuple(sorted((one.at, one.amount) for one in held if begin < one.at < end)),
    )
    plans = tuple(plan for plan in family.plans if plan.account.name in stated)
    return replace(family, plans=plans), scenario


def _entries(one: Stored) -> tuple[Entry, ...]:
    return reconcile([line.statement for line in one.live]).entries


def _stated(stored: Mapping[str, Stored]) -> dict[str, datetime]:
    """Return when the balance of each account was first stated."""
    found = {}
    for name, one in stored.items():
        at = [entry.at for entry in _entries(one) if entry.kind is Kind.CHECKPOINT]
        if at:
            found[name] = min(at)
    return found


def _balance(one: Stored, at: datetime) -> Money:
    position = derive(_entries(one), one.spent(), utc_day(at).end, as_of=at, at=at)
    assert position is not None  # noqa: S101  it was stated before
    return position.floor


def _credits(one: Stored, begin: datetime) -> Iterator[Entry]:
    return (entry for entry in _entries(one) if entry.kind in CREDIT and entry.at > begin)


def _hours(one: Stored) -> Iterator[tuple[datetime, int]]:
    """Yield what each hour cost: a day's cost as it was used, else evenly; today ends when it was read."""
    for day in one.days:
        if day.nanos <= 0:
            continue
        end = day.day.end if one.last_ok_at is None else min(day.day.end, one.last_ok_at)
        span = Window(day.day.start, max(end, day.day.start + HOUR))
        parts = pieces(span, day.nanos, day.hours)
        undivided = parts == [(span, day.nanos)]
        for part, nanos in _evenly(span, day.nanos) if undivided else parts:
            yield min(part.start + HOUR / 2, span.end), nanos


def _evenly(span: Window, nanos: int) -> Iterator[Piece]:
    start = span.start
    while start < span.end:
        hour = Window(start, start + HOUR)
        yield hour, share(nanos, span, hour)
        start = hour.end
