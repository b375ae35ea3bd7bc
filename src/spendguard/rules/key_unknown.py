"""key-unknown: an api key or a model that was never seen before spends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.facts import AccountFacts, NewSpender
from spendguard.core.findings import Finding, Severity, Status
from spendguard.core.money import Amount
from spendguard.rules.base import read_values

MINIMUM = Amount.parse("1.00")
LASTS = timedelta(days=7)
SUBJECTS = {"api_key": "key", "model": "model"}


@dataclass(frozen=True, slots=True)
class KeyUnknown:
    """Fire for each newcomer that spent more than `minimum` in a UTC day.

    An acknowledgment or seven days make it known. Whom the first reading showed is known already.
    """

    name: ClassVar[str] = "key-unknown"
    policy: ClassVar[Policy] = Policy()

    minimum: Amount = MINIMUM

    def evaluate(self, facts: AccountFacts) -> list[Finding]:
        """Judge each api key and model that nobody has accepted."""
        return [
            self._fire(facts, one)
            for one in facts.newcomers
            if facts.now - one.first_seen_at < LASTS
            and one.amount > self.minimum.of(one.amount.currency)
        ]

    def _fire(self, facts: AccountFacts, new: NewSpender) -> Finding:
        values = read_values(facts) | {
            "kind": new.kind,
            "id": new.id,
            "called": new.name or None,
            "spent": new.amount,
            "day": new.day,
            "first_seen_at": new.first_seen_at,
            new.kind: new.id,
        }
        subject = f"{facts.account}/{SUBJECTS[new.kind]}:{new.id}"
        return Finding(self.name, subject, Status.FIRING, Severity.WARNING, "new", 1, values)
