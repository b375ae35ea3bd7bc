"""budget: a share of a budget is spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.facts import AccountFacts, BudgetUse
from spendguard.core.findings import Finding, Severity, Status, Value
from spendguard.rules.base import grade, percent, rank_over, read_values, unknown

LADDER = (Severity.INFO, Severity.INFO, Severity.WARNING, Severity.CRITICAL)


@dataclass(frozen=True, slots=True)
class BudgetSpent:
    """Fire at `steps` percent of a budget, on booked spend."""

    name: ClassVar[str] = "budget"
    policy: ClassVar[Policy] = Policy()

    steps: tuple[int, ...] = (50, 75, 90, 100)

    def evaluate(self, facts: AccountFacts) -> list[Finding]:
        """Judge each budget of the account."""
        uses: dict[str, list[BudgetUse]] = {}
        for use in facts.budgets:
            uses.setdefault(use.budget.name, []).append(use)
        return [self._worst(facts, uses[name]) for name in sorted(uses)]

    def _worst(self, facts: AccountFacts, uses: Sequence[BudgetUse]) -> Finding:
        """Judge the windows of one budget: the worst fires, and an unread one is never clear."""
        *earlier, latest = sorted(uses, key=lambda use: use.window)
        found = [self._judge(facts, use, current=False) for use in earlier]
        found.append(self._judge(facts, latest, current=True))
        firing = [one for one in found if one.status is Status.FIRING]
        if firing:
            return max(firing, key=lambda one: one.rank)
        return next((one for one in found if one.status is Status.UNKNOWN), found[-1])

    def _judge(self, facts: AccountFacts, use: BudgetUse, *, current: bool) -> Finding:
        subject = f"budget:{use.budget.name}"
        steps = sorted(set(self.steps))
        held = self._held(facts, subject, use)
        reached = rank_over(use.spent.nanos, use.budget.amount.nanos, steps, held)
        values = _values(facts, use, current=current)
        if reached:
            # A step of the present window ranks above the same step of the one before, so that
            # a second window over its budget is said although the first is not settled yet.
            rank = 2 * reached if current else 2 * reached - 1
            severity, step = grade(reached, len(steps), LADDER), f"{steps[reached - 1]}%"
            return Finding(self.name, subject, Status.FIRING, severity, step, rank, values)
        if facts.polls.last_ok_at is None or facts.polls.last_ok_at < use.window.start:
            return unknown(self.name, subject, "costs", **values)
        return Finding(self.name, subject, Status.CLEAR, values=values)

    def _held(self, facts: AccountFacts, subject: str, use: BudgetUse) -> int:
        former = facts.standing.get((self.name, subject))
        if former is None or former.since < use.window.start:
            return 0
        return (former.rank + 1) // 2


def _values(facts: AccountFacts, use: BudgetUse, *, current: bool) -> dict[str, Value]:
    budget = use.budget
    narrowed: dict[str, Value] = {
        "project": budget.project,
        "model": budget.model,
        "api_key": budget.api_key,
    }
    return {
        "budget": budget.name,
        "account": facts.account,
        "window": budget.window.value,
        "window_start": use.window.start,
        "window_end": use.window.end,
        "current": current,
        "amount": budget.amount,
        "spent": use.spent,
        "left": budget.amount - use.spent,
        "percent": percent(use.spent.nanos, budget.amount.nanos),
        **{key: value for key, value in narrowed.items() if value is not None},
        **read_values(facts),
    }
