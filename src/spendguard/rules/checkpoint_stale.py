"""checkpoint-stale: nobody has stated the balance for a long time, or usage contradicts it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.facts import AccountFacts
from spendguard.core.findings import Finding, Severity, Status, Value
from spendguard.rules.base import balance_values, checkpoint_values, read_values, unknown

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class CheckpointStale:
    """Fire when the balance was last confirmed `after` ago, or cannot be what was derived."""

    name: ClassVar[str] = "checkpoint-stale"
    policy: ClassVar[Policy] = Policy(repeat=WEEK)

    after: timedelta = timedelta(days=14)

    def evaluate(self, facts: AccountFacts) -> list[Finding]:
        """Judge the age of the checkpoint; clear where the provider states the balance.

        A recharge that a machine saw confirms the balance too: it comes when the provider finds
        it under the trigger, as derived here.
        """
        values = self._values(facts)
        if facts.states_balance:
            return [Finding(self.name, facts.account, Status.CLEAR, values=values)]
        if facts.proven_at is not None:
            return [self._contradicted(facts, values | {"proven_at": facts.proven_at})]
        since = _stated_at(facts)
        if since is None:
            return [unknown(self.name, facts.account, "poll", **values)]
        values |= {"stated_since": since, "age": facts.now - since}
        if facts.now - since < self.after:
            return [Finding(self.name, facts.account, Status.CLEAR, values=values)]
        return [Finding(self.name, facts.account, Status.FIRING, Severity.INFO, "stale", 1, values)]

    def _contradicted(self, facts: AccountFacts, values: dict[str, Value]) -> Finding:
        """Ask for the balance, a week after the operator was last asked something about credit."""
        fresh = (self.name, facts.account) not in facts.standing
        asked = facts.asked_at is not None and facts.now - facts.asked_at < WEEK
        elsewhere = facts.recharge is not None and not facts.recharging
        if fresh and (asked or (elsewhere and facts.unexplained)):
            return unknown(self.name, facts.account, "credit", **values)
        return Finding(
            self.name,
            facts.account,
            Status.FIRING,
            Severity.WARNING,
            "contradicted",
            2,
            values,
        )

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
    stated_at = facts.position.checkpoint.at
    return stated_at if facts.confirmed_at is None else max(stated_at, facts.confirmed_at)
