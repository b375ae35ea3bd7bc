"""deposit-cap: a share of what was deposited is consumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.facts import AccountFacts
from spendguard.core.findings import Finding, Severity, Status
from spendguard.core.ledger import Position
from spendguard.core.money import Money
from spendguard.rules.base import (
    balance_values,
    grade,
    held_rank,
    known_position,
    percent,
    rank_over,
    read_values,
    unknown,
    unread,
)

LADDER = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)


@dataclass(frozen=True, slots=True)
class DepositCap:
    """Fire at `steps` percent of the base: the sum of the lots right after the last credit."""

    name: ClassVar[str] = "deposit-cap"
    policy: ClassVar[Policy] = Policy()

    steps: tuple[int, ...] = (50, 75, 90, 100)

    def evaluate(self, facts: AccountFacts) -> list[Finding]:
        """Compare what is consumed with the base; clear while the provider recharges by itself."""
        position = known_position(facts)
        if facts.recharging:
            known = {} if position is None else balance_values(facts, position)
            values = known | {"recharge": True}
            return [Finding(self.name, facts.account, Status.CLEAR, values=values)]
        if position is None:
            return [unread(self.name, facts)]
        if position.base is None or position.base.nanos <= 0:
            return [unknown(self.name, facts.account, "deposit", **read_values(facts))]
        return [self._judge(facts, position, position.base)]

    def _judge(self, facts: AccountFacts, position: Position, base: Money) -> Finding:
        consumed = base - position.floor
        steps = sorted(set(self.steps))
        held = 0 if facts.ledger_changed else held_rank(facts.standing, self.name, facts.account)
        rank = rank_over(consumed.nanos, base.nanos, steps, held)
        values = balance_values(facts, position) | {
            "base": base,
            "credited_at": position.credited_at,
            "consumed": consumed,
            "percent": percent(consumed.nanos, base.nanos),
        }
        if rank == 0:
            return Finding(self.name, facts.account, Status.CLEAR, values=values)
        return Finding(
            self.name,
            facts.account,
            Status.FIRING,
            grade(rank, len(steps), LADDER),
            f"{steps[rank - 1]}%",
            rank,
            values,
        )
