from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.facts import AccountFacts, Witness
from spendguard.core.findings import Severity, Status
from spendguard.core.money import NANOS, Money
from spendguard.core.recharge import Coming
from spendguard.rules.runway_short import RunwayShort
from tests.rules.charging import DAY, HOUR, NOW, ON, due, outlook, standing, struck

INFO, WARNING, CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL
Facts = Callable[..., AccountFacts]


def lasting(facts: Facts, balance: str, per_day: str = "1.00", **known: object) -> AccountFacts:
    return facts(balance, outlook=outlook(balance, per_day, per_day, per_day), **known)


@pytest.mark.parametrize(
    ("balance", "step", "severity"),
    [
        pytest.param("7.00", "", INFO, id="a week to the dot is clear"),
        pytest.param("6.99", "7d", INFO, id="a little less is an info"),
        pytest.param("3.00", "7d", INFO, id="three days still"),
        pytest.param("2.99", "3d", WARNING, id="less is a warning"),
        pytest.param("0.99", "24h", CRITICAL, id="less than a day is critical"),
        pytest.param("-2.00", "24h", CRITICAL, id="as is a debt"),
    ],
)
def test_it_speaks_by_how_long_the_floor_lasts(
    facts: Facts, balance: str, step: str, severity: Severity
) -> None:
    [finding] = RunwayShort().evaluate(lasting(facts, balance))
    assert finding.status is (Status.FIRING if step else Status.CLEAR)
    assert (finding.step, finding.severity, finding.quiet) == (step, severity, False)


def test_it_judges_by_what_is_expected_and_tells_how_sure_that_is(facts: Facts) -> None:
    known = facts("6.00", outlook=outlook("6.00", "6.00", "3.00", "0.10"))
    [finding] = RunwayShort().evaluate(known)
    assert finding.step == "3d"
    assert finding.values["ends_at"] == NOW + 2 * DAY
    assert (finding.values["earliest"], finding.values["latest"]) == (NOW + DAY, None)


def test_what_is_nearly_certain_needs_no_interval(facts: Facts) -> None:
    [finding] = RunwayShort().evaluate(lasting(facts, "5.00"))
    assert not {"earliest", "latest"} & finding.values.keys()


@pytest.mark.parametrize(
    ("known", "severity", "quiet"),
    [
        pytest.param({}, INFO, True, id="only noted while it can be relied on"),
        pytest.param(
            {"overdue": True, "witness": Witness.HEALTHY},
            CRITICAL,
            False,
            id="not once it should have been seen",
        ),
        pytest.param({"strikes": struck("main failed")}, CRITICAL, False, id="nor after a failure"),
        pytest.param({"card_short": True}, CRITICAL, False, id="nor while the card is short"),
    ],
)
def test_a_recharge_softens_it(
    facts: Facts,
    known: dict[str, Any],
    severity: Severity,
    quiet: bool,  # noqa: FBT001
) -> None:
    [finding] = RunwayShort().evaluate(lasting(facts, "0.50", recharge=ON, **known))
    assert (finding.severity, finding.quiet) == (severity, quiet)


@pytest.mark.parametrize(
    ("unpaid", "step"),
    [
        pytest.param(due(50), "3d", id="with the charge that fails"),
        pytest.param(due(0), "24h", id="which may be due now"),
        pytest.param(due(24 * 9), "", id="even where the credit ends before: it is recharged"),
    ],
)
def test_with_recharge_the_runway_ends_with_the_first_charge_that_fails(
    facts: Facts, unpaid: Coming, step: str
) -> None:
    known = lasting(facts, "5.00", recharge=ON, card_short=True, unpaid=unpaid)
    [finding] = RunwayShort().evaluate(known)
    assert (finding.step, finding.values["fails"]) == (step, True)
    assert finding.values["ends_at"] == unpaid.at


def test_leaving_takes_five_percent_more(facts: Facts) -> None:
    known = lasting(facts, "3.10", standing=standing("runway-short", 2))
    assert RunwayShort().evaluate(known)[0].step == "3d"
    assert RunwayShort().evaluate(replace(known, ledger_changed=True))[0].step == "7d"
    assert RunwayShort().evaluate(replace(known, standing={}))[0].step == "7d"


def test_steps_of_your_own(facts: Facts) -> None:
    rule = RunwayShort(steps=(DAY * 10, HOUR * 36))
    assert [one.step for one in rule.evaluate(lasting(facts, "9.00"))] == ["10d"]
    [finding] = rule.evaluate(lasting(facts, "1.40"))
    assert (finding.step, finding.severity) == ("36h", CRITICAL)


@pytest.mark.parametrize(
    ("known", "missing"),
    [
        pytest.param({"costs_read": False}, "costs", id="costs not read"),
        pytest.param({}, "burn", id="nothing known of the spend"),
    ],
)
def test_it_is_unknown_for_want_of(facts: Facts, known: dict[str, object], missing: str) -> None:
    [finding] = RunwayShort().evaluate(facts("5.00", **known))
    assert (finding.status, finding.values["missing"]) == (Status.UNKNOWN, missing)


def test_an_account_that_spends_nothing_lasts(facts: Facts) -> None:
    [finding] = RunwayShort().evaluate(lasting(facts, "5.00", "0.00"))
    assert finding.status is Status.CLEAR
    assert finding.values["ends_at"] is None


nanos = st.integers(0, 20 * NANOS)


@given(nanos, nanos, nanos)
def test_more_spend_never_lengthens_a_runway(
    facts: Facts, balance: int, rate: int, more: int
) -> None:
    held = Money(balance, "USD").exact()
    slow, fast = (
        RunwayShort().evaluate(lasting(facts, held, Money(one, "USD").exact()))[0]
        for one in (rate, rate + more)
    )
    assert fast.rank >= slow.rank
    if slow.values["ends_at"] is not None:
        assert fast.values["ends_at"] <= slow.values["ends_at"]  # type: ignore[operator]
