"""spend-spike: money goes much faster than the account's own history explains."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.facts import AccountFacts
from spendguard.core.findings import Finding, Severity, Status, Value
from spendguard.core.money import Amount, Money
from spendguard.core.spikes import CALM, Cause, Moment, Pace
from spendguard.rules.base import known_position, read_values, unknown

MINIMUM = Amount.parse("1.00")
WORSE = 3  # so many times what fires is critical
DRAIN_HOURS = 6  # a balance that lasts no longer at this pace makes it critical
RISES = 2  # so many times what was acknowledged is told again
QUARTER_PART = 4  # this part of it is much within a quarter of an hour
QUARTER_RATIO = 2  # that costs so many times the dearest one of the last weeks
BURST_PART = 6  # this part of what fires in an hour is much within five minutes
BURST_RATIO = 2  # and so many times the dearest five minutes of the last days
RUSH_PART = 20  # this part of what fires in an hour is much within two minutes, of one api key


@dataclass(frozen=True, slots=True)
class SpendSpike:
    """Fire at `ratio` times the usual hour within an hour, or half of that within a quarter of one.

    A quarter of it is enough there where that is twice the dearest quarter-hour of the last weeks,
    a sixth within five minutes where that is twice the dearest five minutes of the last days, a
    twentieth within two minutes where one api key spends it as it never did. It must also be
    `minimum` in money. It is over after two calm hours.
    """

    name: ClassVar[str] = "spend-spike"
    policy: ClassVar[Policy] = Policy()

    ratio: int = 3
    minimum: Amount = MINIMUM

    def evaluate(self, facts: AccountFacts) -> list[Finding]:
        """Look at every moment of the last two hours, so that a short pause does not end it."""
        if facts.usage is None:
            return [unknown(self.name, facts.account, "usage", **read_values(facts))]
        pace = facts.usage.pace
        if pace is None:
            return [unknown(self.name, facts.account, "history", **read_values(facts))]
        hot = self._episode(facts, pace)
        if not hot:
            latest = pace.moments[-1] if pace.moments else None
            values = _values(facts, pace.causes, latest)
            return [Finding(self.name, facts.account, Status.CLEAR, values=values)]
        return [self._fire(facts, pace, hot)]

    def _level(self, pace: Pace, moment: Moment) -> int:
        """Return how far the pace of a moment is beyond what fires: 0 below it, 2 far beyond."""
        for level, times in ((2, WORSE), (1, 1)):
            if self._lasts(pace, moment, times) or self._bursts(pace, moment, times):
                return level
        return int(self._rushes(moment))

    def _lasts(self, pace: Pace, moment: Moment, times: int = 1) -> bool:
        least, usual = self.minimum.nanos, moment.usual * self.ratio
        much = usual // 2
        if pace.dearest_quarter is not None:
            unlike = max(usual // QUARTER_PART, pace.dearest_quarter * QUARTER_RATIO)
            much = min(much, unlike)
        in_hour = moment.hour >= max(least, usual) * times
        return in_hour or moment.quarter >= max(least, much) * times

    def _bursts(self, pace: Pace, moment: Moment, times: int) -> bool:
        """Tell whether five minutes were unlike any of the last days, and worth a good part of an hour."""
        if pace.dearest is None:
            return False
        part = moment.usual * self.ratio // BURST_PART
        return moment.burst >= max(self.minimum.nanos, part, pace.dearest * BURST_RATIO) * times

    def _rushes(self, moment: Moment) -> bool:
        """Tell whether two minutes were unlike an api key, and worth something to the account."""
        part = moment.usual * self.ratio // RUSH_PART
        one = moment.rush
        return one is not None and one.nanos >= max(self.minimum.nanos, part, one.bound)

    def _episode(self, facts: AccountFacts, pace: Pace) -> list[Moment]:
        """Return the moments of the spike that lasts, empty without one or once it is accepted."""
        hot = [moment for moment in pace.moments if self._level(pace, moment)]
        if not hot or facts.now - hot[-1].at >= CALM:
            return []
        for before, after in reversed([*pairwise(hot)]):
            if after.at - before.at >= CALM:
                hot = hot[hot.index(after) :]
                break
        accepted = pace.accepted_at
        if accepted is not None and accepted >= hot[0].at:
            return [one for one in hot if one.at > accepted and one.hour > pace.accepted * RISES]
        return hot

    def _fire(self, facts: AccountFacts, pace: Pace, hot: list[Moment]) -> Finding:
        recent = [one for one in hot if facts.now - one.at < CALM] or hot
        worst = max(recent, key=lambda one: self._rank(pace, one))
        values = self._told(facts, pace, worst)
        drains = "empty_in" in values
        critical = self._level(pace, worst) > 1 or drains
        severity = Severity.CRITICAL if critical else Severity.WARNING
        step, rank = (
            ("draining" if drains else f"{self.ratio * WORSE}x", 2) if critical else ("", 1)
        )
        return Finding(
            self.name,
            facts.account,
            Status.FIRING,
            severity,
            step or f"{self.ratio}x",
            rank,
            values,
        )

    def _rank(self, pace: Pace, moment: Moment) -> tuple[int, int, int]:
        """Order moments: the worse, then what lasted longer, then what cost more."""
        kind = 2 if self._lasts(pace, moment) else int(self._bursts(pace, moment, 1))
        return self._level(pace, moment), kind, moment.hour

    def _told(self, facts: AccountFacts, pace: Pace, worst: Moment) -> dict[str, Value]:
        """Return the figures of what is a spike: the hour's, or what went within minutes."""
        if self._lasts(pace, worst):
            return _values(facts, pace.causes, worst)
        if worst.rush is None or self._bursts(pace, worst, 1):
            burst = Money(worst.burst, facts.currency)
            return _values(facts, pace.causes, worst) | {"burst": burst, "times": None}
        rush = Money(worst.rush.nanos, facts.currency)
        return _values(facts, worst.rush.causes, worst) | {"rush": rush, "times": None}


def _values(
    facts: AccountFacts, causes: Iterable[Cause], moment: Moment | None
) -> dict[str, Value]:
    told: dict[str, Value] = read_values(facts)
    if moment is None:
        return told
    told |= {
        "spent": Money(moment.hour, facts.currency),
        "usual": Money(moment.usual, facts.currency),
        "spent_until": moment.at,
        "times": moment.hour // moment.usual if moment.usual else None,
    }
    for cause in causes:
        told |= {cause.kind: cause.name or cause.id, f"{cause.kind}_percent": cause.percent}
    position = known_position(facts)
    if position is not None and 0 < position.floor.nanos < moment.hour * DRAIN_HOURS:
        seconds = position.floor.nanos * 3600 // moment.hour
        told |= {"floor": position.floor, "empty_in": timedelta(seconds=seconds)}
    return told
