"""Stored: what the database holds of an account, and what of it was known when."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from spendguard.core.cards import Statement as CardStatement
from spendguard.core.charges import Outcome
from spendguard.core.facts import UsageFacts
from spendguard.core.forecasts import Spent
from spendguard.core.ledger import DaySpend, Kind
from spendguard.core.money import Money
from spendguard.core.reconcile import Statement
from spendguard.core.windows import DAY, Window, share, utc_day
from spendguard.pipeline.known import LOOK_BACK
from spendguard.store.history import History, maybe_instant, to_instant

WATCHED = DAY * 2
"""A day first read so long after its end was not watched: it is taken as if it had been."""
INFERRED = "inferred"


@dataclass(frozen=True, slots=True)
class DayRead:
    """What was read of a UTC day: the last figure, and by how much it rose when."""

    day: Window
    nanos: int
    first_read_at: datetime
    changes: tuple[tuple[datetime, int], ...] = ()

    @property
    def watched(self) -> bool:
        """True where the day was read when it was young."""
        return self.first_read_at - self.day.end < WATCHED

    def known(self, now: datetime, lag: timedelta) -> int:
        """Return the nanos that were known at an instant."""
        if not self.watched:
            return share(
                self.nanos, self.day, Window(self.day.start, max(now - lag, self.day.start))
            )
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
    return Stored(
        row["name"],
        row["currency"],
        first_ok_at,
        maybe_instant(row["last_ok_at"]),
        _without_gaps(days),
        tuple(line for line in lines if line.statement.source != INFERRED),
    )


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


@dataclass(slots=True)
class KnownThen:
    """The view on an account's stored cost: each figure from when it was read."""

    stored: Stored
    lag: timedelta
    _finals: list[datetime] = field(default_factory=list)
    _ends: list[datetime] = field(default_factory=list)
    _spents: list[Spent] = field(default_factory=list)
    _later: list[tuple[datetime, datetime]] = field(default_factory=list)
    _by_start: Mapping[datetime, DayRead] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_start = {one.day.start: one for one in self.stored.days}
        self._ends = [one.day.end for one in self.stored.days]
        self._spents = [Spent(one.day, one.nanos) for one in self.stored.days]
        self._finals = [*accumulate((one.final_at(self.lag) for one in self.stored.days), max)]
        told = [
            (at, utc_day(line.statement.at).start)
            for line in self.stored.lines
            for at in line.changes
        ]
        first: datetime | None = None
        for at, day in sorted(told, reverse=True):
            first = day if first is None else min(first, day)
            self._later.append((at, first))
        self._later.reverse()

    def booked(self, day: Window, now: datetime) -> int:
        """Return the nanos that were known of a day."""
        known = self._by_start.get(day.start)
        return 0 if known is None else known.known(now, self.lag)

    def settled(self, now: datetime) -> datetime:
        """Return the midnight before which neither costs nor ledger change any more."""
        place = bisect_right(self._finals, now)
        days = self.stored.days
        midnight = days[place].day.start if place < len(days) else utc_day(now).start
        later = bisect_right(self._later, now, key=lambda one: one[0])
        return min(midnight, self._later[later][1]) if later < len(self._later) else midnight

    def spent(self, now: datetime) -> Sequence[Spent]:
        """Return the last weeks' days that were over."""
        final = bisect_right(self._finals, now)
        over = bisect_right(self._ends, now)
        young = [Spent(one.day, one.known(now, self.lag)) for one in self.stored.days[final:over]]
        return [*self._spents[max(over - LOOK_BACK.days, 0) : min(final, over)], *young]

    def since(self, start: datetime, now: datetime) -> int:
        """Return what was known of the days from an instant on."""
        first = bisect_left(self._ends, start + DAY)
        return sum(
            one.known(now, self.lag) for one in self.stored.days[first:] if one.day.start <= now
        )

    def usage(self, now: datetime) -> UsageFacts | None:
        """Tell nothing: of a stored history the days of cost are played."""
        return None
