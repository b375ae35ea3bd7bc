"""budget: a share of a budget is spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.facts import AccountFacts, BudgetUse
from spendguard.core.findings import Finding, Severity, Status, Value
from spendguard.rules.base import grade, percent, rank_over, read_values, unknown

FORESEEN = "forecast"
LADDER = (Severity.INFO, Severity.INFO, Severity.WARNING, Severity.CRITICAL)


@dataclass(frozen=True, slots=True)
class BudgetSpent:
    """Fire at `steps` percent of a budget, on booked spend, and where it is foreseen to be exceeded.

    That ranks above the steps that are only noted, and below those that warn.
    """

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
        severity = grade(reached, len(steps), LADDER) if reached else Severity.INFO
        if current and severity < Severity.WARNING and self._foreseen(facts, subject, use):
            rank = 3 * self._noted(len(steps)) + 1
            return Finding(
                self.name, subject, Status.FIRING, Severity.WARNING, FORESEEN, rank, values
            )
        if reached:
            # A step of the present window ranks above the same step of the one before, so that
            # a second window over its budget is said although the first is not settled yet.
            rank, step = 3 * reached if current else 3 * reached - 1, f"{steps[reached - 1]}%"
            return Finding(self.name, subject, Status.FIRING, severity, step, rank, values)
        if facts.polls.last_ok_at is None or facts.polls.last_ok_at < use.window.start:
            return unknown(self.name, subject, "costs", **values)
        return Finding(self.name, subject, Status.CLEAR, values=values)

    def _noted(self, count: int) -> int:
        """Return how many of the steps are only noted."""
        return sum(grade(rank, count, LADDER) < Severity.WARNING for rank in range(1, count + 1))

    def _foreseen(self, facts: AccountFacts, subject: str, use: BudgetUse) -> bool:
        """Tell whether it will be exceeded by the window's end; left only 5 points below that."""
        if use.expected is None:
            return False
        former = facts.standing.get((self.name, subject))
        held = former is not None and former.step == FORESEEN and former.since >= use.window.start
        return use.expected.nanos * 100 > use.budget.amount.nanos * (95 if held else 100)

    def _held(self, facts: AccountFacts, subject: str, use: BudgetUse) -> int:
        former = facts.standing.get((self.name, subject))
        if former is None or former.since < use.window.start or former.step == FORESEEN:
            return 0
        return (former.rank + 2) // 3


def _values(facts: AccountFacts, use: BudgetUse, *, current: bool) -> dict[str, Value]:
    budget = use.budget
    told: dict[str, Value] = {
        "expected": use.expected,
        "over_at": use.over_at,
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
        **{key: value for key, value in told.items() if value is not None},
        **read_values(facts),
    }
