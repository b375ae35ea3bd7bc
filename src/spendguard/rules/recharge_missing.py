"""recharge-missing: the automatic charge should have come, and nobody saw it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.facts import AccountFacts, Witness
from spendguard.core.findings import Finding, Severity, Status, Value
from spendguard.core.ledger import Position
from spendguard.core.windows import utc_month
from spendguard.rules.base import balance_values, known_position, limited, no_recharge


@dataclass(frozen=True, slots=True)
class RechargeMissing:
    """Fire when the floor is under the trigger for longer than `grace` without a charge.

    Where no source would show the charge this asks, as a warning; where a healthy one would have,
    the charge has probably failed. Usage that stops near zero is probably a cut-off.
    """

    name: ClassVar[str] = "recharge-missing"
    policy: ClassVar[Policy] = Policy(calm=timedelta(days=7))

    grace: timedelta = timedelta(hours=2)

    def evaluate(self, facts: AccountFacts) -> list[Finding]:
        """Judge how long the charge is due; a failed charge was seen, and is told elsewhere."""
        position = known_position(facts)
        if not facts.recharging or position is None:
            return [no_recharge(self.name, facts)]
        return [self._judge(facts, position)]

    def _judge(self, facts: AccountFacts, position: Position) -> Finding:
        values = self._values(facts, position)
        failed = facts.strikes.threaten(facts.account)
        due = self._due_since(facts)
        if failed or due is None or facts.now - due <= self.grace:
            return Finding(self.name, facts.account, Status.CLEAR, values=values)
        if facts.stopped_at is not None:
            values |= {"stopped_at": facts.stopped_at}
            return self._fire(facts, Severity.CRITICAL, "cut-off", 2, values)
        seen = facts.witness is Witness.HEALTHY
        severity = Severity.CRITICAL if seen else Severity.WARNING
        return self._fire(facts, severity, "overdue", 1, values)

    def _due_since(self, facts: AccountFacts) -> datetime | None:
        """Return since when a charge may come: a month's limit that is used up lets none come."""
        since, model = facts.due_since, facts.recharge
        if since is None or limited(facts):
            return None
        if model is None or model.monthly_limit is None:
            return since
        if (self.name, facts.account) in facts.standing:
            return since
        return max(since, utc_month(facts.now).start)

    def _fire(
        self,
        facts: AccountFacts,
        severity: Severity,
        step: str,
        rank: int,
        values: dict[str, Value],
    ) -> Finding:
        return Finding(self.name, facts.account, Status.FIRING, severity, step, rank, values)

    def _values(self, facts: AccountFacts, position: Position) -> dict[str, Value]:
        told = balance_values(facts, position) | {
            "witnessed": facts.witness is Witness.HEALTHY,
            "unwatched": facts.witness is Witness.FAILING,
        }
        if facts.recharge is not None:
            told["trigger"] = facts.recharge.trigger
        if facts.due_since is not None:
            told |= {"due_since": facts.due_since, "due_for": facts.now - facts.due_since}
        if facts.next_charge is not None:
            told["amount"] = facts.next_charge.amount
        return told
