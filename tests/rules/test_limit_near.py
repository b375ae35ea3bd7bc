from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from spendguard.core.facts import AccountFacts, LimitUse, Polls, Standing
from spendguard.core.findings import Severity, Status
from spendguard.core.money import Money
from spendguard.rules.limit_near import LimitNear

LAST_MONTH = Polls(last_ok_at=datetime(2026, 5, 31, 23, 59, tzinfo=UTC))


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def limit(
    used: str, threshold: str = "200.00", scope: str = "org", *, enforcing: bool = False
) -> LimitUse:
    return LimitUse(scope, usd(threshold), usd(used), enforcing)


@pytest.mark.parametrize(
    ("used", "step", "severity"),
    [
        pytest.param("149.999999999", "", Severity.INFO, id="one nano before 75 % it is clear"),
        pytest.param("150.00", "75%", Severity.WARNING, id="at 75 % it is a warning"),
        pytest.param("179.999999999", "75%", Severity.WARNING, id="one nano before 90 % still"),
        pytest.param("180.00", "90%", Severity.CRITICAL, id="at 90 % it is critical"),
        pytest.param("200.00", "100%", Severity.CRITICAL, id="at 100 % it is used up"),
        pytest.param("260.00", "100%", Severity.CRITICAL, id="late enforcement goes beyond"),
    ],
)
def test_steps_of_two_hundred(
    facts: Callable[..., AccountFacts], used: str, step: str, severity: Severity
) -> None:
    [finding] = LimitNear().evaluate(facts(limits=(limit(used),)))
    assert (finding.rule, finding.subject) == ("limit-near", "main")
    assert finding.status is (Status.FIRING if step else Status.CLEAR)
    assert (finding.step, finding.severity) == (step, severity)


@pytest.mark.parametrize(
    ("limits", "scope", "step"),
    [
        pytest.param(
            (limit("10.00"), limit("9.00", "10.00", "web")), "web", "90%", id="the fullest one"
        ),
        pytest.param(
            (limit("199.00"), limit("1.00", "10.00", "web", enforcing=True)),
            "web",
            "enforcing",
            id="the enforcing one before a fuller one",
        ),
        pytest.param(
            (limit("1.00"), limit("7.00", "10.00", "web")), "web", "", id="the fullest when clear"
        ),
        pytest.param((limit("0.00", "0.00"),), "org", "100%", id="a limit of nothing is used up"),
    ],
)
def test_of_several_it_tells(
    facts: Callable[..., AccountFacts], limits: tuple[LimitUse, ...], scope: str, step: str
) -> None:
    for order in (limits, limits[::-1]):
        [finding] = LimitNear().evaluate(facts(limits=order))
        assert (finding.values["scope"], finding.step) == (scope, step)


def test_enforcing_is_a_step_above_all_others(facts: Callable[..., AccountFacts]) -> None:
    [full] = LimitNear().evaluate(facts(limits=(limit("300.00"),)))
    [enforcing] = LimitNear().evaluate(facts(limits=(limit("300.00", enforcing=True),)))
    assert enforcing.severity is Severity.CRITICAL
    assert enforcing.rank > full.rank


@pytest.mark.parametrize(
    ("used", "step"),
    [
        pytest.param("140.000000001", "75%", id="within 5 points of 75 % it stays"),
        pytest.param("140.00", "", id="5 points below 75 % it ends"),
    ],
)
def test_leaving_takes_five_points(
    facts: Callable[..., AccountFacts], now: datetime, used: str, step: str
) -> None:
    former = {("limit-near", "main"): Standing(Severity.WARNING, "75%", 1, now)}
    [finding] = LimitNear().evaluate(facts(limits=(limit(used),), standing=former))
    assert finding.step == step


@pytest.mark.parametrize(
    ("limits", "polls", "status"),
    [
        pytest.param(None, None, Status.UNKNOWN, id="limits that cannot be read are unknown"),
        pytest.param((), None, Status.CLEAR, id="no limits are clear"),
        pytest.param(
            (limit("0.00"),), LAST_MONTH, Status.UNKNOWN, id="a month not read yet is unknown"
        ),
        pytest.param((limit("0.00"),), Polls(), Status.UNKNOWN, id="costs never read are unknown"),
        pytest.param(
            (limit("0.00", enforcing=True),), LAST_MONTH, Status.FIRING, id="enforcing fires anyway"
        ),
    ],
)
def test_what_is_known(
    facts: Callable[..., AccountFacts],
    limits: tuple[LimitUse, ...] | None,
    polls: Polls | None,
    status: Status,
) -> None:
    known = facts(limits=limits) if polls is None else facts(limits=limits, polls=polls)
    [finding] = LimitNear().evaluate(known)
    assert finding.status is status


@pytest.mark.parametrize(
    ("used", "severity"),
    [
        pytest.param("118.00", Severity.WARNING, id="the first of two own steps warns"),
        pytest.param("190.00", Severity.CRITICAL, id="the last of them is critical"),
    ],
)
def test_own_steps(facts: Callable[..., AccountFacts], used: str, severity: Severity) -> None:
    [finding] = LimitNear(steps=(95, 59)).evaluate(facts(limits=(limit(used),)))
    assert finding.severity is severity


def test_the_values_say_when_the_limit_begins_anew(
    facts: Callable[..., AccountFacts], now: datetime
) -> None:
    [finding] = LimitNear().evaluate(facts(limits=(limit("151.00"),)))
    assert finding.values == {
        "scope": "org",
        "threshold": usd("200.00"),
        "used": usd("151.00"),
        "left": usd("49.00"),
        "percent": 75,
        "enforcing": False,
        "limits": 1,
        "window_start": datetime(2026, 6, 1, tzinfo=UTC),
        "window_end": datetime(2026, 7, 1, tzinfo=UTC),
        "read_at": now - timedelta(minutes=5),
        "data_age": timedelta(minutes=5),
    }
