"""balance-low: the floor of the balance is under the trigger, half of it, zero, or negative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.facts import AccountFacts
from spendguard.core.findings import Finding, Severity, Status, Value
from spendguard.core.ledger import Position
from spendguard.core.money import Amount, Money
from spendguard.rules.base import (
    balance_values,
    grade,
    held_rank,
    known_position,
    limited,
    rank_under,
    softened,
    unread,
)

STEPS = ("trigger", "half", "zero", "negative")
LADDER = (Severity.WARNING, Severity.CRITICAL)
USUAL = Amount.parse("5.00")


@dataclass(frozen=True, slots=True)
class BalanceLow:
    """Fire under `trigger`: by default that of the recharge model, 5.00 where there is none."""

    name: ClassVar[str] = "balance-low"
    policy: ClassVar[Policy] = Policy()

    trigger: Amount | None = None

    def evaluate(self, facts: AccountFacts) -> list[Finding]:
        """Compare the floor with the trigger; unknown until a checkpoint and its costs are known."""
        position, trigger = known_position(facts), self._trigger(facts)
        if position is None:
            return [unread(self.name, facts, trigger=trigger)]
        return [self._judge(facts, position, trigger)]

    def _trigger(self, facts: AccountFacts) -> Money:
        if self.trigger is not None:
            return self.trigger.of(facts.currency)
        return USUAL.of(facts.currency) if facts.recharge is None else facts.recharge.trigger

    def _judge(self, facts: AccountFacts, position: Position, trigger: Money) -> Finding:
        half = -(-trigger.nanos // 2)  # rounded up: under it is then under the exact half
        held = 0 if facts.ledger_changed else held_rank(facts.standing, self.name, facts.account)
        # zero itself is already the step "zero": under one nano
        rank = rank_under(position.floor.nanos, (trigger.nanos, half, 1, 0), held)
        values = balance_values(facts, position) | {"trigger": trigger} | _charge_values(facts)
        if rank == 0:
            return Finding(self.name, facts.account, Status.CLEAR, values=values)
        threshold = (trigger.nanos, half, 0, 0)[rank - 1]
        quiet = softened(facts)
        return Finding(
            self.name,
            facts.account,
            Status.FIRING,
            Severity.INFO if quiet else grade(rank, len(STEPS), LADDER),
            STEPS[rank - 1],
            rank,
            values | {"threshold": Money(threshold, facts.currency)},
            quiet=quiet,
        )


def _charge_values(facts: AccountFacts) -> dict[str, Value]:
    coming = facts.next_charge
    if coming is None:
        return {}
    told: dict[str, Value] = {"amount": coming.amount}
    return told | ({"recharges_at": coming.at} if limited(facts) else {})
