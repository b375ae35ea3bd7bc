"""recharge-due: the next automatic charge is near."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.facts import AccountFacts
from spendguard.core.findings import Finding, Severity, Status, Value
from spendguard.core.ledger import Position
from spendguard.core.recharge import Coming
from spendguard.rules.base import (
    balance_values,
    charge_interval,
    known_position,
    limited,
    no_recharge,
    unknown,
)


@dataclass(frozen=True, slots=True)
class RechargeDue:
    """Fire once for each charge that is expected within `lead`."""

    name: ClassVar[str] = "recharge-due"
    policy: ClassVar[Policy] = Policy()

    lead: timedelta = timedelta(hours=24)

    def evaluate(self, facts: AccountFacts) -> list[Finding]:
        """Judge when the next charge comes; it ends when that is seen, overdue, or has failed.

        Once said it stays, whatever the burn does: the same charge is not foretold twice.
        """
        position = known_position(facts)
        if not facts.recharging or position is None:
            return [no_recharge(self.name, facts)]
        coming = facts.next_charge
        values = balance_values(facts, position) | _values(facts, coming)
        if self._near(facts, position, coming):
            return [
                Finding(self.name, facts.account, Status.FIRING, Severity.INFO, "due", 1, values)
            ]
        if coming is None and not self._ended(facts) and facts.burn is None:
            return [unknown(self.name, facts.account, "burn", **values)]
        return [Finding(self.name, facts.account, Status.CLEAR, values=values)]

    def _near(self, facts: AccountFacts, position: Position, coming: Coming | None) -> bool:
        if coming is None or self._ended(facts):
            return False
        former = facts.standing.get((self.name, facts.account))
        if former is not None and _last_change(facts, position) <= former.since:
            return True
        return coming.at - facts.now <= self.lead

    def _ended(self, facts: AccountFacts) -> bool:
        failed = facts.strikes.threaten(facts.account)
        return failed or (facts.overdue and not limited(facts))


def _last_change(facts: AccountFacts, position: Position) -> datetime:
    """Return when credit last came, or the balance was last stated: what was foretold is over.

    Where the provider states the balance at each poll, that alone is no news.
    """
    stated_at = position.checkpoint.at
    if facts.states_balance and position.checkpoint.source == "api":
        return position.credited_at or datetime.min.replace(tzinfo=UTC)
    return max(stated_at, position.credited_at or stated_at)


def _values(facts: AccountFacts, coming: Coming | None) -> dict[str, Value]:
    told: dict[str, Value] = {}
    if facts.recharge is not None:
        told["trigger"] = facts.recharge.trigger
    if coming is not None:
        told |= {"amount": coming.amount, "expected_at": coming.at}
        told |= charge_interval(coming, facts.now)
    return told
