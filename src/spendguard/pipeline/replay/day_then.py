"""Day then: one UTC day as it was known, by who spent it: what was booked, and what usage added."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from spendguard.core import estimates
from spendguard.core.estimates import TOOLS, KeyModel, Spender, billed_on
from spendguard.core.ledger import DaySpend, Split
from spendguard.core.money import Money
from spendguard.core.spread import SETTLES
from spendguard.core.windows import HOUR
from spendguard.pipeline.replay.stored import Change, DayRead, Dims

Holds = Callable[[str, str, str], bool]
"""Whether a project, an api key and a model belong to a part of the account."""


@dataclass(slots=True)
class DayThen:
    """A UTC day. Ask it in the order of time: what it was is forgotten.

    `changes` are in the order of time; `hours` is what each hour was estimated to cost, by what it
    is billed on.
    """

    read: DayRead
    parts: Mapping[Dims, int]
    changes: Sequence[Change]
    hours: Sequence[Mapping[Spender, int]]
    lag: timedelta
    booked: dict[Dims, int] = field(default_factory=dict)
    estimated: dict[Spender, int] = field(default_factory=dict)
    missing: dict[Spender, int] = field(default_factory=dict)
    _changed: int = 0
    _seen: int = 0
    _share: int | None = None  # of the whole
    _begun: bool = False
    _open: bool = True

    def look(self, now: datetime) -> DayThen:
        """Learn what was known by an instant."""
        open_then = now < self.read.day.end + SETTLES
        moved = self._book(now)
        moved |= self._use(now)
        if moved or open_then != self._open:
            self._open = open_then
            self.missing = estimates.unbooked(self.estimated, self.bill()) if open_then else {}
        return self

    def _book(self, now: datetime) -> bool:
        """Learn what was booked; return whether that is something new."""
        if not self.read.watched:
            return self._share_out(now)
        if now < self.read.first_read_at:
            return False
        new = not self._begun
        if new:
            self._begun, self.booked = True, dict(self.parts)
            for _, who, nanos in self.changes:
                self.booked[who] = self.booked.get(who, 0) - nanos
        first = self._changed
        while self._changed < len(self.changes) and self.changes[self._changed][0] <= now:
            _, who, nanos = self.changes[self._changed]
            self.booked[who] = self.booked.get(who, 0) + nanos
            self._changed += 1
        return new or first != self._changed

    def _share_out(self, now: datetime) -> bool:
        """Learn it of a day that nobody watched: each part grows as the whole does."""
        whole = self.read.nanos
        known = whole if self._share == whole else self.read.known(now, self.lag)
        moved = known != self._share
        if moved and known == whole:
            self.booked = dict(self.parts)
        elif moved:
            self.booked = {who: nanos * known // whole for who, nanos in self.parts.items()}
        self._share = known
        return moved

    def _use(self, now: datetime) -> bool:
        first = self._seen
        while self._seen < len(self.hours) and self._hour_over(now):
            for who, nanos in self.hours[self._seen].items():
                self.estimated[who] = self.estimated.get(who, 0) + nanos
            self._seen += 1
        return first != self._seen

    def _hour_over(self, now: datetime) -> bool:
        return self.read.day.start + HOUR * (self._seen + 1) <= now

    def bill(self) -> dict[Spender, int]:
        """Return what was booked, by who spent it on what."""
        return by_spender((who, nanos) for who, nanos in self.booked.items() if nanos)

    def by_hour(self) -> tuple[int, ...]:
        """Return what each hour was estimated to cost; nothing where none was."""
        return _without_rest(self.read.hours, self._seen)

    def unbooked(self) -> int:
        """Return what was estimated above what was booked."""
        return sum(self.missing.values())

    def of(self, holds: Holds, currency: str) -> DaySpend:
        """Return what a part of the account spent."""
        booked = sum(
            nanos
            for (project, key, _, model), nanos in self.booked.items()
            if holds(project, key, model)
        )
        unbooked = sum(
            nanos
            for (project, key, model), nanos in self.missing.items()
            if holds(project, key, "" if model in TOOLS else model)
        )
        hours = tuple(
            sum(nanos for who, nanos in hour.items() if holds(*who))
            for hour in self.hours[: self._seen]
        )
        rest = (0,) * (24 - len(hours))
        return DaySpend(
            self.read.day,
            Money(booked, currency),
            unbooked,
            (*(max(nanos, 0) for nanos in hours), *rest) if any(hours) else (),
        )

    def split(self, before: int, *, latest: bool) -> Split | None:
        """Return how the day divides at a checkpoint, before which so much of it had been used."""
        whole = max(sum(self.estimated.values()), before)
        if whole <= 0:
            return None
        apart = estimates.apart(self.estimated, self.bill()) if self._open else 0
        split = Split(whole - before, whole, apart, settled=not self._open)
        return self._with_late(split) if latest else split

    def _with_late(self, split: Split) -> Split:
        late = self.late(self.read.day.end)
        if not late:
            return split
        used = {who[1:] for who in self.estimated}
        beside = sum(nanos for who, nanos in late.items() if who not in used)
        apart = split.apart if split.settled else split.apart - beside
        return Split(split.after, split.whole, apart, sum(late.values()), split.settled)

    def late(self, after: datetime) -> Mapping[KeyModel, int]:
        """Return what later readings added by now that usage does not explain."""
        if not self.read.watched:
            return {}
        risen = by_spender((who, n) for at, who, n in self.changes[: self._changed] if at > after)
        return estimates.beyond(risen, self.estimated, self.bill()) if risen else {}


def by_spender(rows: Iterable[tuple[Dims, int]]) -> dict[Spender, int]:
    """Return what parts cost, by who spent it on what."""
    found: dict[Spender, int] = {}
    for (project, key, item, model), nanos in rows:
        who = (project, key, billed_on(model, item))
        found[who] = found.get(who, 0) + nanos
    return found


def _without_rest(hours: tuple[int, ...], seen: int) -> tuple[int, ...]:
    if seen >= len(hours):
        return hours
    told = (*hours[:seen], *([0] * len(hours[seen:])))
    return told if any(told) else ()
