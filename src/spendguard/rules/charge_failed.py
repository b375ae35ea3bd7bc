"""charge-failed: a charge failed, and one more may cost the account and the card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.facts import AccountFacts
from spendguard.core.findings import Finding, Severity, Status, Value
from spendguard.rules.base import balance_values, known_position, read_values


@dataclass(frozen=True, slots=True)
class ChargeFailed:
    """Fire from the first strike on, and for every account of a card that counts as banned."""

    name: ClassVar[str] = "charge-failed"
    policy: ClassVar[Policy] = Policy()

    def evaluate(self, facts: AccountFacts) -> list[Finding]:
        """Judge the strikes; only a success or a void clears them."""
        strikes = facts.strikes
        values = self._values(facts)
        if not strikes.threaten(facts.account):
            return [Finding(self.name, facts.account, Status.CLEAR, values=values)]
        shown = _shown(facts)
        step = f"strike-{shown}"
        return [
            Finding(
                self.name,
                facts.account,
                Status.FIRING,
                Severity.CRITICAL,
                step,
                shown,
                values | {"strikes": shown},
            )
        ]

    def _values(self, facts: AccountFacts) -> dict[str, Value]:
        strikes = facts.strikes
        told: dict[str, Value] = {
            "to_ban": strikes.to_ban,
            "left_to_ban": max(strikes.to_ban - _shown(facts), 0),
            "unusable": strikes.unusable,
            "elsewhere": strikes.unusable and not strikes.own(facts.account),
            "card": facts.card,
            "failed_accounts": tuple(sorted(strikes.last_failed)),
        }
        failed = strikes.last_failed.get(facts.account)
        if failed is not None:
            told |= {
                "failed_at": failed.at,
                "failed_amount": failed.amount,
                "failed_reason": failed.reason or None,
                "failed_source": failed.source,
            }
        position = known_position(facts)
        known = read_values(facts) if position is None else balance_values(facts, position)
        return known | told


def _shown(facts: AccountFacts) -> int:
    strikes = facts.strikes
    return strikes.worst if strikes.unusable else strikes.shown(facts.account)
