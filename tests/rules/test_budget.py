from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from spendguard.core.accounts import Budget
from spendguard.core.facts import AccountFacts, BudgetUse, Polls, Standing
from spendguard.core.findings import Finding, Severity, Status
from spendguard.core.money import Money
from spendguard.core.windows import Unit, Window
from spendguard.rules.budget import BudgetSpent

JUNE = Window(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
MAY = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
IN_MAY = Polls(first_ok_at=MAY.start, last_ok_at=MAY.end - timedelta(seconds=1))


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def use(spent: str, window: Window = JUNE, name: str = "monthly") -> BudgetUse:
    return BudgetUse(Budget(name, "main", Unit.MONTH, usd("100.00")), window, usd(spent))


def standing(rank: int, since: datetime) -> dict[tuple[str, str], Standing]:
    return {("budget", "budget:monthly"): Standing(Severity.WARNING, "", rank, since)}


def judged(finding: Finding) -> tuple[Status, str, Severity]:
    return finding.status, finding.step, finding.severity


@pytest.mark.parametrize(
    ("spent", "step", "severity"),
    [
        pytest.param("49.999999999", "", Severity.INFO, id="one nano before half it is clear"),
        pytest.param("50.00", "50%", Severity.INFO, id="at half it is an info"),
        pytest.param("75.00", "75%", Severity.INFO, id="at 75 % it is another info"),
        pytest.param("89.999999999", "75%", Severity.INFO, id="one nano before 90 % still"),
        pytest.param("90.00", "90%", Severity.WARNING, id="at 90 % it is a warning"),
        pytest.param("99.999999999", "90%", Severity.WARNING, id="one nano before all still"),
        pytest.param("100.00", "100%", Severity.CRITICAL, id="at 100 % it is critical"),
        pytest.param("250.00", "100%", Severity.CRITICAL, id="beyond it too"),
        pytest.param("-1.00", "", Severity.INFO, id="a correction below zero is clear"),
    ],
)
def test_steps_of_a_hundred(
    facts: Callable[..., AccountFacts], spent: str, step: str, severity: Severity
) -> None:
    [finding] = BudgetSpent().evaluate(facts(budgets=(use(spent),)))
    assert (finding.rule, finding.subject) == ("budget", "budget:monthly")
    assert judged(finding) == (Status.FIRING if step else Status.CLEAR, step, severity)


@pytest.mark.parametrize(
    ("spent", "since", "step"),
    [
        pytest.param("85.01", JUNE.start, "90%", id="within 5 points of 90 % it stays"),
        pytest.param("85.00", JUNE.start, "75%", id="5 points below 90 % it falls back"),
        pytest.param("46.00", JUNE.start, "50%", id="within 5 points of half it stays"),
        pytest.param("46.00", MAY.start, "", id="what was reached last month holds nothing"),
    ],
)
def test_leaving_takes_five_points(
    facts: Callable[..., AccountFacts], spent: str, since: datetime, step: str
) -> None:
    known = facts(budgets=(use(spent),), standing=standing(9, since))
    [finding] = BudgetSpent().evaluate(known)
    assert finding.step == step


def test_a_step_of_the_last_window_is_held_as_well(facts: Callable[..., AccountFacts]) -> None:
    known = facts(budgets=(use("86.00", MAY), use("0.00")), standing=standing(8, MAY.start))
    [finding] = BudgetSpent().evaluate(known)
    assert (finding.step, finding.rank) == ("90%", 8)


@pytest.mark.parametrize(
    ("may", "june", "step", "current"),
    [
        pytest.param("100.00", "10.00", "100%", False, id="the last one while it is worse"),
        pytest.param("50.00", "90.00", "90%", True, id="the present one when it is worse"),
        pytest.param("90.00", "90.00", "90%", True, id="the present one when both are alike"),
        pytest.param("10.00", "20.00", "", True, id="the present one when both are clear"),
    ],
)
def test_of_two_windows_it_tells(
    facts: Callable[..., AccountFacts],
    may: str,
    june: str,
    step: str,
    current: bool,  # noqa: FBT001
) -> None:
    both = (use(may, MAY), use(june, JUNE))
    for uses in (both, both[::-1]):
        [finding] = BudgetSpent().evaluate(facts(budgets=uses))
        assert (finding.step, finding.values["current"]) == (step, current)


def test_a_second_window_over_its_budget_is_a_rise(facts: Callable[..., AccountFacts]) -> None:
    last = BudgetSpent().evaluate(facts(budgets=(use("100.00", MAY), use("99.00"))))[0]
    both = BudgetSpent().evaluate(facts(budgets=(use("100.00", MAY), use("100.00"))))[0]
    assert (last.step, both.step) == ("100%", "100%")
    assert both.rank > last.rank


@pytest.mark.parametrize(
    ("spent", "polls", "status"),
    [
        pytest.param("0.00", Polls(), Status.UNKNOWN, id="an account never read is unknown"),
        pytest.param("0.00", IN_MAY, Status.UNKNOWN, id="a window not read yet is unknown"),
        pytest.param("100.00", IN_MAY, Status.FIRING, id="what is spent stays spent"),
    ],
)
def test_without_a_reading_of_the_window(
    facts: Callable[..., AccountFacts], spent: str, polls: Polls, status: Status
) -> None:
    [finding] = BudgetSpent().evaluate(facts(budgets=(use(spent),), polls=polls))
    assert finding.status is status


def test_an_unread_window_does_not_clear_what_the_last_one_left(
    facts: Callable[..., AccountFacts],
) -> None:
    known = facts(budgets=(use("10.00", MAY), use("0.00")), polls=IN_MAY)
    assert BudgetSpent().evaluate(known)[0].status is Status.UNKNOWN


def test_each_budget_is_a_subject_and_none_is_no_finding(
    facts: Callable[..., AccountFacts],
) -> None:
    known = facts(budgets=(use("60.00", name="b"), use("10.00", name="a")))
    found = [(one.subject, one.status) for one in BudgetSpent().evaluate(known)]
    assert found == [("budget:a", Status.CLEAR), ("budget:b", Status.FIRING)]
    assert BudgetSpent().evaluate(facts()) == []


def test_the_values_name_the_budget_and_its_window(
    facts: Callable[..., AccountFacts], now: datetime
) -> None:
    budget = Budget("monthly", "main", Unit.MONTH, usd("100.00"), project="proj_1")
    [finding] = BudgetSpent().evaluate(facts(budgets=(BudgetUse(budget, JUNE, usd("91.50")),)))
    assert finding.values == {
        "budget": "monthly",
        "account": "main",
        "project": "proj_1",
        "window": "month",
        "window_start": JUNE.start,
        "window_end": JUNE.end,
        "current": True,
        "amount": usd("100.00"),
        "spent": usd("91.50"),
        "left": usd("8.50"),
        "percent": 91,
        "read_at": now - timedelta(minutes=5),
        "data_age": timedelta(minutes=5),
    }


def foreseen(spent: str, expected: str, **known: object) -> BudgetUse:
    return replace(use(spent), expected=usd(expected), **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spent", "expected", "step", "severity"),
    [
        pytest.param("20.00", "100.01", "forecast", Severity.WARNING, id="above it is a warning"),
        pytest.param("20.00", "100.00", "", Severity.INFO, id="just reaching it is not"),
        pytest.param("76.00", "130.00", "forecast", Severity.WARNING, id="worse than a note"),
        pytest.param(
            "91.00", "130.00", "90%", Severity.WARNING, id="but what is spent comes first"
        ),
        pytest.param("100.00", "130.00", "100%", Severity.CRITICAL, id="and more so at the end"),
    ],
)
def test_what_is_foreseen_at_the_windows_end(
    facts: Callable[..., AccountFacts], spent: str, expected: str, step: str, severity: Severity
) -> None:
    [finding] = BudgetSpent().evaluate(facts(budgets=(foreseen(spent, expected),)))
    assert (finding.step, finding.severity) == (step, severity)


def test_a_budget_that_is_used_up_as_foreseen_rises(facts: Callable[..., AccountFacts]) -> None:
    ranks = [
        BudgetSpent().evaluate(facts(budgets=(foreseen(spent, expected),)))[0].rank
        for spent, expected in [("76", "90"), ("76", "130"), ("91", "130"), ("100", "130")]
    ]
    assert ranks == sorted(set(ranks))


@pytest.mark.parametrize(
    ("expected", "step"),
    [
        pytest.param("95.01", "forecast", id="within 5 points it stays"),
        pytest.param("95.00", "", id="below it is over"),
    ],
)
def test_a_forecast_is_left_five_points_lower(
    facts: Callable[..., AccountFacts], expected: str, step: str
) -> None:
    held = {("budget", "budget:monthly"): Standing(Severity.WARNING, "forecast", 7, JUNE.start)}
    known = facts(budgets=(foreseen("46.00", expected),), standing=held)
    assert BudgetSpent().evaluate(known)[0].step == step
