"""checkpoint-stale: nobody has stated the balance for a long time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.facts import AccountFacts
from spendguard.core.findings import Finding, Severity, Status, Value
from spendguard.rules.base import balance_values, checkpoint_values, read_values, unknown


@dataclass(frozen=True, slots=True)
class CheckpointStale:
    """Fire when the last checkpoint, or without one the first poll, is `after` ago."""

    name: ClassVar[str] = "checkpoint-stale"
    policy: ClassVar[Policy] = Policy(repeat=timedelta(days=7))

    after: timedelta = timedelta(days=14)

    def evaluate(self, facts: AccountFacts) -> list[Finding]:
        """Judge the age of the checkpoint; clear where the provider states the balance."""
        values = self._values(facts)
        if facts.states_balance:
            return [Finding(self.name, facts.account, Status.CLEAR, values=values)]
        since = _stated_at(facts)
        if since is None:
            return [unknown(self.name, facts.account, "poll", **values)]
        values |= {"stated_since": since, "age": facts.now - since}
        if facts.now - since < self.after:
            return [Finding(self.name, facts.account, Status.CLEAR, values=values)]
        return [Finding(self.name, facts.account, Status.FIRING, Severity.INFO, "stale", 1, values)]

    def _values(self, facts: AccountFacts) -> dict[str, Value]:
        position = facts.position
        told: dict[str, Value] = {"after": self.after, "states_balance": facts.states_balance}
        if position is None:
            return told | read_values(facts)
        if not facts.costs_read:
            return told | checkpoint_values(position) | read_values(facts)
        return told | balance_values(facts, position)


def _stated_at(facts: AccountFacts) -> datetime | None:
    if facts.position is None:
        return facts.polls.first_ok_at
    return facts.position.checkpoint.at
