"""recharge-unexpected: credit came that nobody explained, while recharge is believed off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.facts import AccountFacts, CreditSeen
from spendguard.core.findings import Finding, Severity, Status, Value
from spendguard.rules.base import read_values, unknown

LASTS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class RechargeUnexpected:
    """Fire for credit that no person entered, and for a mail that claims credit and is forged.

    It is held for an hour, so that a purchase by hand can be entered; a matching entry, an
    acknowledgement or seven days end it.
    """

    name: ClassVar[str] = "recharge-unexpected"
    policy: ClassVar[Policy] = Policy(hold=timedelta(hours=1), calm=LASTS)

    def evaluate(self, facts: AccountFacts) -> list[Finding]:
        """Judge the credit of the last seven days; a forged claim counts whatever is configured."""
        told = sorted(facts.unexplained, key=lambda one: one.at)
        recent = [one for one in told if facts.now - one.at < LASTS]
        off = facts.recharge is not None and not facts.recharging
        counted = [one for one in recent if one.forged or off]
        fresh = [one for one in counted if not one.accepted]
        values = read_values(facts)
        if fresh:
            credits_seen = [one for one in fresh if not one.forged]
            return [self._fire(facts, counted, (credits_seen or fresh)[-1], values)]
        if facts.recharge is None:
            return [unknown(self.name, facts.account, "recharge", **values)]
        return [Finding(self.name, facts.account, Status.CLEAR, values=values)]

    def _fire(
        self,
        facts: AccountFacts,
        counted: list[CreditSeen],
        last: CreditSeen,
        values: dict[str, Value],
    ) -> Finding:
        real = [one for one in counted if not one.forged]
        severity = Severity.CRITICAL if len(real) > 1 else Severity.WARNING
        step = "forged" if last.forged else f"credit-{len(real)}"
        values |= {
            "count": len(real) or None,
            "amount": last.amount,
            "came_at": last.at,
            "source": last.source,
        }
        return Finding(
            self.name, facts.account, Status.FIRING, severity, step, len(counted), values
        )
