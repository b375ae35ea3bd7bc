"""Stored: what the database holds of an account, and from when on each thing was known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from spendguard.core.cards import Statement as CardStatement
from spendguard.core.charges import Outcome
from spendguard.core.ledger import DaySpend, Kind
from spendguard.core.money import Money
from spendguard.core.reconcile import Statement
from spendguard.core.spread import falls_on
from spendguard.core.windows import DAY, Window, utc_day
from spendguard.pipeline.replay.used import StoredUsage, read_usage
from spendguard.store.history import History, maybe_instant, to_instant

WATCHED = DAY * 2
"""A day first read so long after its end was not watched: it is taken as if it had been."""
INFERRED = "inferred"
Dims = tuple[str, str, str, str]  # project, api key, line item, model
Change = tuple[datetime, Dims, int]  # when it was read, and by how much it rose


@dataclass(frozen=True, slots=True)
class DayRead:
    """What was read of a UTC day: the last figure, and by how much it rose when."""

    day: Window
    nanos: int
    first_read_at: datetime
    changes: tuple[tuple[datetime, int], ...] = ()
    hours: tuple[int, ...] = ()  # what each was estimated to cost, where usage tells

    @property
    def watched(self) -> bool:
        """True where the day was read when it was young."""
        return self.first_read_at - self.day.end < WATCHED

    def known(self, now: datetime, lag: timedelta) -> int:
        """Return the nanos that were known at an instant."""
        if not self.watched:
            seen = Window(self.day.start, max(now - lag, self.day.start))
            return falls_on(seen, self.day, self.nanos, self.hours)
        if now < self.first_read_at:
            return 0
        return self.nanos - sum(nanos for at, nanos in self.changes if at > now)

    def final_at(self, lag: timedelta) -> datetime:
        """Return from when on it says what it says now."""
        if not self.watched:
            return self.day.end + lag
        last = max((at for at, _ in self.changes), default=self.first_read_at)
        return max(last, self.first_read_at, self.day.end)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the ledger, and from when until when it was known.

    One about the time before the account was watched counts from its own instant on, or never.
    """

    statement: Statement
    known_at: datetime
    gone_at: datetime | None

    def known(self, now: datetime) -> bool:
        """Tell whether it counted at an instant."""
        return self.known_at <= now and (self.gone_at is None or now < self.gone_at)

    @property
    def changes(self) -> Iterator[datetime]:
        """The instants at which the ledger changed by it."""
        yield self.known_at
        if self.gone_at is not None:
            yield self.gone_at


@dataclass(frozen=True, slots=True)
class CardLine:
    """What somebody said that a card holds, and from when until when that was known."""

    statement: CardStatement
    known_at: datetime
    gone_at: datetime | None


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database holds of an account."""

    name: str
    currency: str
    first_ok_at: datetime | None
    last_ok_at: datetime | None
    days: tuple[DayRead, ...]
    lines: tuple[Line, ...]
    parts: Mapping[datetime, Mapping[Dims, int]] = field(default_factory=dict)
    changes: Mapping[datetime, Sequence[Change]] = field(default_factory=dict)
    called: Mapping[tuple[str, str], str] = field(default_factory=dict)
    usage: StoredUsage | None = None

    @property
    def live(self) -> list[Line]:
        """The lines that count to this day."""
        return [line for line in self.lines if line.gone_at is None]

    @property
    def charged(self) -> bool:
        """True where somebody told of charges: then they are what happened."""
        return any(line.statement.kind is Kind.CHARGE for line in self.live)

    @property
    def begin(self) -> datetime | None:
        """The first instant of which anything is known."""
        spent = [day.day.start for day in self.days if day.nanos]
        told = [utc_day(line.statement.at).start for line in self.live]
        return min([*spent, *told], default=None)

    def spent(self) -> list[DaySpend]:
        """Return what each day cost, as it is known now."""
        return [DaySpend(one.day, Money(one.nanos, self.currency)) for one in self.days]


def read_stored(history: History, names: Iterable[str]) -> dict[str, Stored]:
    """Return what is stored of accounts; of one that was never read there is nothing."""
    rows = {row["name"]: row for row in history.ask("accounts")}
    return {name: _stored(history, rows[name]) for name in names if name in rows}


def read_cards(history: History) -> dict[str, list[CardLine]]:
    """Return what was said of each card."""
    found: dict[str, list[CardLine]] = {}
    for row in history.ask("card_statements"):
        amount = Money(row["nanos"], row["currency"])
        statement = CardStatement(str(row["id"]), row["card"], amount, to_instant(row["at"]))
        line = CardLine(statement, to_instant(row["recorded_at"]), maybe_instant(row["voided_at"]))
        found.setdefault(row["card"], []).append(line)
    return found


def _stored(history: History, row: Any) -> Stored:
    first_ok_at = maybe_instant(row["first_ok_at"])
    asked = {"account": row["id"], "currency": row["currency"]}
    changes: dict[int, list[tuple[datetime, int]]] = {}
    for one in history.ask("days_changed", **asked):
        changes.setdefault(one["day"], []).append((to_instant(one["observed_at"]), one["nanos"]))
    days = tuple(
        DayRead(
            utc_day(to_instant(one["day"])),
            one["nanos"],
            to_instant(one["first_read_at"]),
            tuple(changes.get(one["day"], ())),
        )
        for one in history.ask("days_read", **asked)
    )
    lines = (_line(one, first_ok_at) for one in history.ask("entries", account=row["name"]))
    usage = read_usage(history, row["id"])
    return Stored(
        row["name"],
        row["currency"],
        first_ok_at,
        maybe_instant(row["last_ok_at"]),
        tuple(_with_hours(day, usage) for day in _without_gaps(days)),
        tuple(line for line in lines if line.statement.source != INFERRED),
        _parts(history.ask("parts_read", **asked)),
        _changes(history.ask("parts_changed", **asked)),
        {
            (one["kind"], one["provider_id"]): one["name"]
            for one in history.ask("names_of", account=row["id"])
        },
        usage,
    )


def _with_hours(day: DayRead, usage: StoredUsage | None) -> DayRead:
    hours = () if usage is None else usage.by_hour(day.day.start)
    return replace(day, hours=hours) if hours else day


def _parts(rows: Iterable[Any]) -> dict[datetime, dict[Dims, int]]:
    found: dict[datetime, dict[Dims, int]] = {}
    for row in rows:
        found.setdefault(to_instant(row["day"]), {})[_dims(row)] = row["nanos"]
    return found


def _changes(rows: Iterable[Any]) -> dict[datetime, list[Change]]:
    found: dict[datetime, list[Change]] = {}
    for row in rows:
        change = (to_instant(row["observed_at"]), _dims(row), row["nanos"])
        found.setdefault(to_instant(row["day"]), []).append(change)
    return found


def _dims(row: Any) -> Dims:
    return (row["project"], row["api_key"], row["line_item"], row["model"])


def _without_gaps(days: Sequence[DayRead]) -> tuple[DayRead, ...]:
    """Return the days from the first that cost something, with those between that nobody read."""
    costly = [one for one in days if one.nanos]
    if not costly:
        return tuple(days[-1:])
    known = {one.day.start: one for one in days}
    start, found = costly[0].day.start, []
    while start <= days[-1].day.start:
        day = Window(start, start + DAY)
        found.append(known.get(start, DayRead(day, 0, day.end + WATCHED)))
        start += DAY
    return tuple(found)


def _line(row: Any, first_ok_at: datetime | None) -> Line:
    at, recorded_at = to_instant(row["at"]), to_instant(row["recorded_at"])
    statement = Statement(
        id=str(row["id"]),
        kind=Kind(row["kind"]),
        amount=None if row["nanos"] is None else Money(row["nanos"], row["currency"]),
        at=at,
        account=row["account"],
        outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
        expires_at=maybe_instant(row["expires_at"]),
        source=row["source"],
        origin=row["origin"],
        external_id=row["external_id"],
        card=row["card"],
        reason=row["reason"],
        recorded_at=recorded_at,
    )
    gone_at = maybe_instant(row["voided_at"])
    if first_ok_at is not None and at >= first_ok_at:
        return Line(statement, recorded_at, gone_at)
    return Line(statement, at, None if gone_at is None else at)
