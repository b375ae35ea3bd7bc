"""unpriced: usage that has no known price, so that no estimate counts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.facts import AccountFacts, UnpricedUse, UsageFacts
from spendguard.core.findings import Finding, Severity, Status, Value
from spendguard.rules.base import percent, read_values, unknown


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Fire where more than `minimum_share` percent of the last week's requests have no price.

    Each model is told once: those above the share, or the worst where only all of them together
    are above it.
    """

    name: ClassVar[str] = "unpriced"
    policy: ClassVar[Policy] = Policy()

    minimum_share: int = 2

    def evaluate(self, facts: AccountFacts) -> list[Finding]:
        """Compare requests without a price with all requests."""
        values = read_values(facts)
        if facts.usage is None:
            return [unknown(self.name, facts.account, "usage", **values)]
        told = self._told(facts.usage)
        if not told:
            return [Finding(self.name, facts.account, Status.CLEAR, values=values)]
        return [self._fire(facts, facts.usage, one) for one in told]

    def _told(self, usage: UsageFacts) -> list[UnpricedUse]:
        models = [one for one in usage.unpriced if one.model]
        if not models or not self._above(usage, sum(one.requests for one in usage.unpriced)):
            return []
        alone = [one for one in models if self._above(usage, one.requests)]
        return alone or [max(models, key=lambda one: (one.requests, one.model))]

    def _above(self, usage: UsageFacts, requests: int) -> bool:
        return requests * 100 > self.minimum_share * usage.requests

    def _fire(self, facts: AccountFacts, usage: UsageFacts, one: UnpricedUse) -> Finding:
        values: dict[str, Value] = read_values(facts) | {
            "model": one.model,
            "requests": one.requests,
            "percent": percent(one.requests, usage.requests),
        }
        subject = f"{facts.account}/model:{one.model}"
        return Finding(self.name, subject, Status.FIRING, Severity.INFO, "unpriced", 1, values)
