"""config-drift: somebody changed the limits or alerts at the provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.facts import AccountFacts
from spendguard.core.findings import Finding, Severity, Status, Value
from spendguard.rules.base import read_values, unknown


@dataclass(frozen=True, slots=True)
class ConfigDrift:
    """Fire while a limit or an alert of the provider is not what it was when last seen."""

    name: ClassVar[str] = "config-drift"
    policy: ClassVar[Policy] = Policy()

    def evaluate(self, facts: AccountFacts) -> list[Finding]:
        """Name what changed; each further change is a higher rank, and so told at once."""
        values: dict[str, Value] = read_values(facts)
        if facts.changes is None:
            return [unknown(self.name, facts.account, "limits", **values)]
        changes = sorted(facts.changes, key=lambda change: change.name)
        if not changes:
            return [Finding(self.name, facts.account, Status.CLEAR, values=values)]
        values |= {
            "settings": tuple(change.name for change in changes),
            "before": tuple(change.before or "" for change in changes),
            "after": tuple(change.after or "" for change in changes),
        }
        removed = any(change.after is None for change in changes)
        step = "removed" if removed else "changed"
        return [
            Finding(
                self.name,
                facts.account,
                Status.FIRING,
                Severity.WARNING,
                step,
                len(changes),
                values,
            )
        ]
