"""Outlook: how a balance may go on, when it falls to a level, and which charges come with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from spendguard.core.accounts import Recharge
from spendguard.core.forecasts import LONGEST, Passage, Path
from spendguard.core.ledger import LotLeft
from spendguard.core.money import Money
from spendguard.core.recharge import Coming, Course, Lapse, Steady, charges, expected, tries


@dataclass(frozen=True, slots=True)
class Outlook:
    """The course that is expected, and those that are as fast and as slow one time in ten.

    `until` is where the forecast behind it ends; None where there is only the plain burn.
    """

    early: Course
    middle: Course
    late: Course
    until: datetime | None = None

    def falls_to(self, level: Money, now: datetime) -> Passage:
        """Return when the balance is down to a level if nothing is added; None: later, or never."""
        return Passage(*(self._falls(one, level, now) for one in self._courses))

    def _falls(self, course: Course, level: Money, now: datetime) -> datetime | None:
        there = course.falls_to(level)
        return None if there is None else self.told(max(there, now))

    def told(self, at: datetime) -> datetime | None:
        """Return an instant, None where it lies beyond what was foreseen."""
        return None if self.until is not None and at > self.until else at

    @property
    def _courses(self) -> tuple[Course, Course, Course]:
        return self.early, self.middle, self.late


def train(
    model: Recharge, outlook: Outlook, now: datetime, until: datetime, *, cautious: bool
) -> tuple[Coming, ...] | None:
    """Return the charges up to and at `until`, with when they come at the earliest and the latest.

    A `cautious` one counts what may come by then one time in ten, else what is expected by then.
    None where that cannot be told.
    """
    leading = outlook.early if cautious else outlook.middle
    led = charges(model, leading, now, until)
    return None if led is None else _ranged(led, leading, model, outlook, now)


def next_of(model: Recharge, outlook: Outlook, now: datetime) -> Coming | None:
    """Return the next automatic charge, None where none is expected or that cannot be told."""
    led = tuple(islice(expected(model, outlook.middle, now, now + LONGEST) or (), 1))
    return next(iter(_ranged(led, outlook.middle, model, outlook, now)), None)


def _ranged(
    led: Sequence[Coming], leading: Course, model: Recharge, outlook: Outlook, now: datetime
) -> tuple[Coming, ...]:
    """Return the charges of the leading course with the instants of each in all three."""
    if not led:
        return ()
    early, middle, late = (
        [coming.at for coming in led]
        if one is leading
        else [at for at, _ in islice(tries(model, one, now, now + LONGEST) or (), len(led))]
        for one in (outlook.early, outlook.middle, outlook.late)
    )
    found = []
    for place, one in enumerate(led):
        at = middle[place] if place < len(middle) else one.at
        earliest = min(early[place], at) if place < len(early) else None
        latest = outlook.told(max(late[place], at)) if place < len(late) else None
        found.append(Coming(one.account, at, one.amount, earliest, latest))
    return tuple(found)


def lapses(
    lots: Sequence[LotLeft], since: datetime, unsure: Money, pace: Path | Steady
) -> tuple[Lapse, ...]:
    """Return the credit that will expire unused; `lots` in the order in which they are used up.

    `unsure` is what was perhaps spent of them before `since` and is not booked yet. What is still
    to be bought is used after them, so it changes nothing.
    """
    left = [lot.left.nanos for lot in lots]
    found, at = [], since
    _use(left, unsure.nanos)
    ends = sorted(
        (lot.expires_at, place)
        for place, lot in enumerate(lots)
        if lot.expires_at is not None and lot.expires_at > since
    )
    for expires_at, place in ends:
        _use(left, pace.between(at, expires_at))
        at = expires_at
        if left[place] > 0:
            found.append(Lapse(expires_at, Money(left[place], unsure.currency)))
        left[place] = 0
    return tuple(found)


def _use(left: list[int], nanos: int) -> None:
    for place, held in enumerate(left):
        taken = min(held, nanos)
        left[place] -= taken
        nanos -= taken
