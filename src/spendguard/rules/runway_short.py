"""runway-short: what is left does not last long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.durations import format_duration
from spendguard.core.facts import AccountFacts
from spendguard.core.findings import Finding, Severity, Status, Value
from spendguard.core.forecasts import Passage
from spendguard.core.ledger import Position
from spendguard.core.money import Money
from spendguard.core.outlook import Outlook
from spendguard.rules.base import (
    balance_values,
    grade,
    held_rank,
    interval_values,
    known_position,
    rank_under,
    softened,
    unknown,
    unread,
)

LADDER = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class RunwayShort:
    """Fire when the floor is expected to last less than one of `steps`, longest first.

    While a recharge can be relied on it is only noted. Where one cannot, the runway ends with the
    first charge that the card is known not to pay.
    """

    name: ClassVar[str] = "runway-short"
    policy: ClassVar[Policy] = Policy()

    steps: tuple[timedelta, ...] = (timedelta(days=7), timedelta(days=3), timedelta(hours=24))

    def evaluate(self, facts: AccountFacts) -> list[Finding]:
        """Judge how long it lasts; unknown until the balance and some spend are known."""
        position, outlook = known_position(facts), facts.outlook
        if position is None:
            return [unread(self.name, facts)]
        if outlook is None or outlook.middle.pace is None:
            return [unknown(self.name, facts.account, "burn", **balance_values(facts, position))]
        return [self._judge(facts, position, outlook)]

    def _judge(self, facts: AccountFacts, position: Position, outlook: Outlook) -> Finding:
        quiet = softened(facts)
        ends, failing = _end(facts, outlook, quiet=quiet)
        values = balance_values(facts, position) | _values(facts, ends, failing=failing)
        expected = ends.p50
        if expected is None:
            return Finding(self.name, facts.account, Status.CLEAR, values=values)
        steps = sorted(set(self.steps), reverse=True)
        held = 0 if facts.ledger_changed else held_rank(facts.standing, self.name, facts.account)
        lasts = (expected - facts.now) // MICROSECOND
        rank = rank_under(lasts, [step // MICROSECOND for step in steps], held)
        if rank == 0:
            return Finding(self.name, facts.account, Status.CLEAR, values=values)
        severity = Severity.INFO if quiet else grade(rank, len(steps), LADDER)
        return Finding(
            self.name,
            facts.account,
            Status.FIRING,
            severity,
            _name(steps[rank - 1]),
            rank,
            values,
            quiet=quiet,
        )


def _end(facts: AccountFacts, outlook: Outlook, *, quiet: bool) -> tuple[Passage, bool]:
    """Return when the runway ends, and whether that is because a charge fails."""
    failing = facts.unpaid
    if failing is not None and facts.recharging and not quiet:
        return Passage(failing.soonest, failing.at, failing.latest), True
    return outlook.falls_to(Money.zero(facts.currency), facts.now), False


def _values(facts: AccountFacts, ends: Passage, *, failing: bool) -> dict[str, Value]:
    told: dict[str, Value] = {"ends_at": ends.p50, "fails": failing}
    if ends.p50 is not None:
        told |= {"lasts": ends.p50 - facts.now} | interval_values(ends, facts.now)
    return told


def _name(step: timedelta) -> str:
    """Return a step as people say it: 24h rather than 1d."""
    hour = timedelta(hours=1)
    near = step < timedelta(days=2) and step % hour == timedelta(0)
    return f"{step // hour}h" if near else format_duration(step)
