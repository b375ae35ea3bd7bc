"""blind: the account, or the mailbox that shows its charges, cannot be read any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.errors import ErrorKind
from spendguard.core.facts import AccountFacts, Polls
from spendguard.core.findings import Finding, Severity, Status, Value
from spendguard.rules.base import balance_values, read_values, unknown

FAILURES = 3
REFUSALS = 2  # a refused key or a missing scope does not pass by itself
REFUSED = frozenset({ErrorKind.AUTH, ErrorKind.SCOPE})
CRITICAL_AFTER = timedelta(hours=6)
MAILBOX_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Blind:
    """Fire at the third failed poll in a row, at the second when the key is refused.

    Costs that stand still while usage moves are no sight either.
    """

    name: ClassVar[str] = "blind"
    policy: ClassVar[Policy] = Policy()

    def evaluate(self, facts: AccountFacts) -> list[Finding]:
        """Judge the polls; a single failure, or no poll at all, tells nothing yet."""
        polls = facts.polls
        values = _values(facts)
        if polls.failures >= (REFUSALS if polls.error in REFUSED else FAILURES):
            return [self._fire(facts, values)]
        if facts.stale_since is not None and not polls.failures:
            return [self._fire_stale(facts, values)]
        if _mailbox_lost(facts):
            return [self._fire_mailbox(facts, values)]
        if polls.failures > 0 or polls.last_ok_at is None:
            return [unknown(self.name, facts.account, "poll", **values)]
        return [Finding(self.name, facts.account, Status.CLEAR, values=values)]

    def _fire(self, facts: AccountFacts, values: dict[str, Value]) -> Finding:
        since = facts.polls.failing_since
        long = since is not None and facts.now - since >= CRITICAL_AFTER
        severity = Severity.CRITICAL if long else Severity.WARNING
        step, rank = ("6h", 3) if long else ("failing", 2)
        return Finding(self.name, facts.account, Status.FIRING, severity, step, rank, values)

    def _fire_stale(self, facts: AccountFacts, values: dict[str, Value]) -> Finding:
        values |= {"stale_since": facts.stale_since}
        return Finding(
            self.name, facts.account, Status.FIRING, Severity.WARNING, "stale", 1, values
        )

    def _fire_mailbox(self, facts: AccountFacts, values: dict[str, Value]) -> Finding:
        since = facts.witness_failing_since
        error = facts.witness_error
        values |= {
            "mailbox_failing_since": since,
            "mailbox_error": None if error is None else error.value,
        }
        return Finding(
            self.name, facts.account, Status.FIRING, Severity.WARNING, "mailbox", 1, values
        )


def _mailbox_lost(facts: AccountFacts) -> bool:
    """Tell whether the mailbox has failed for an hour: a charge would not be seen."""
    since = facts.witness_failing_since
    return since is not None and facts.now - since >= MAILBOX_AFTER


def _values(facts: AccountFacts) -> dict[str, Value]:
    known: dict[str, Value] = {"failures": facts.polls.failures, **read_values(facts)}
    if facts.position is not None and facts.costs_read:
        known |= balance_values(facts, facts.position)
    return known | _trouble(facts, facts.polls)


def _trouble(facts: AccountFacts, polls: Polls) -> dict[str, Value]:
    told: dict[str, Value] = {}
    if polls.failures and polls.error is not None:
        told["error"] = polls.error.value
    if polls.failures and polls.failing_since is not None:
        told |= {
            "failing_since": polls.failing_since,
            "failing_for": facts.now - polls.failing_since,
        }
    return told
