from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from spendguard.core.accounts import Recharge
from spendguard.core.facts import AccountFacts, Standing
from spendguard.core.findings import Severity, Status
from spendguard.core.money import Money
from spendguard.rules.deposit_cap import DepositCap


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def recharge(*, enabled: bool) -> Recharge:
    return Recharge(enabled, usd("5.00"), usd("10.00"), None, None, usd("2.00"))


@pytest.mark.parametrize(
    ("floor", "step", "severity"),
    [
        pytest.param("10.000000001", "", Severity.INFO, id="one nano before half it is clear"),
        pytest.param("10.00", "50%", Severity.INFO, id="at half it is an info"),
        pytest.param("5.000000001", "50%", Severity.INFO, id="one nano before 75 % still"),
        pytest.param("5.00", "75%", Severity.WARNING, id="at 75 % it is a warning"),
        pytest.param("2.00", "90%", Severity.CRITICAL, id="at 90 % it is critical"),
        pytest.param("0.000000001", "90%", Severity.CRITICAL, id="the last nano is not all"),
        pytest.param("0.00", "100%", Severity.CRITICAL, id="at zero all is consumed"),
        pytest.param("-3.00", "100%", Severity.CRITICAL, id="below zero more than all is"),
        pytest.param("21.00", "", Severity.INFO, id="more than the base consumes nothing"),
    ],
)
def test_steps_of_a_base_of_twenty(
    facts: Callable[..., AccountFacts], floor: str, step: str, severity: Severity
) -> None:
    [finding] = DepositCap().evaluate(facts(floor, "20.00"))
    assert (finding.rule, finding.subject) == ("deposit-cap", "main")
    assert finding.status is (Status.FIRING if step else Status.CLEAR)
    assert (finding.step, finding.severity) == (step, severity)


@pytest.mark.parametrize(
    ("floor", "held", "changed", "step"),
    [
        pytest.param("5.999999999", 2, False, "75%", id="within 5 points of 75 % it stays"),
        pytest.param("6.00", 2, False, "50%", id="5 points below 75 % it falls back"),
        pytest.param("11.00", 1, False, "", id="5 points below half it ends"),
        pytest.param("5.50", 2, True, "50%", id="after a deposit it falls back at once"),
    ],
)
def test_leaving_takes_five_points(
    facts: Callable[..., AccountFacts],
    now: datetime,
    floor: str,
    held: int,
    changed: bool,  # noqa: FBT001
    step: str,
) -> None:
    former = {("deposit-cap", "main"): Standing(Severity.WARNING, "75%", held, now)}
    known = facts(floor, "20.00", standing=former, ledger_changed=changed)
    [finding] = DepositCap().evaluate(known)
    assert finding.step == step


@pytest.mark.parametrize(
    ("floor", "base", "known", "missing"),
    [
        pytest.param(None, None, {}, "checkpoint", id="without a checkpoint"),
        pytest.param("1.00", "20.00", {"costs_read": False}, "costs", id="before costs were read"),
        pytest.param("1.00", None, {}, "deposit", id="without any credit"),
        pytest.param("1.00", "0.00", {}, "deposit", id="when the last credit paid a debt only"),
        pytest.param("-1.00", "-0.50", {}, "deposit", id="when the base is negative"),
        pytest.param(
            None, None, {"recharge": recharge(enabled=False)}, "checkpoint", id="recharge off too"
        ),
    ],
)
def test_it_is_unknown(
    facts: Callable[..., AccountFacts],
    floor: str | None,
    base: str | None,
    known: dict[str, Any],
    missing: str,
) -> None:
    [finding] = DepositCap().evaluate(facts(floor, base, **known))
    assert (finding.status, finding.values["missing"]) == (Status.UNKNOWN, missing)


@pytest.mark.parametrize(
    ("floor", "enabled", "status"),
    [
        pytest.param("1.00", True, Status.CLEAR, id="clear while recharge is on"),
        pytest.param(None, True, Status.CLEAR, id="clear while recharge is on, balance unknown"),
        pytest.param("1.00", False, Status.FIRING, id="judged while recharge is off"),
    ],
)
def test_with_a_recharge_model_it_is(
    facts: Callable[..., AccountFacts],
    floor: str | None,
    enabled: bool,  # noqa: FBT001
    status: Status,
) -> None:
    known = facts(floor, "20.00", recharge=recharge(enabled=enabled))
    [finding] = DepositCap().evaluate(known)
    assert finding.status is status
    assert finding.values["recharge"] is enabled


def test_own_steps_in_any_order_end_critical(facts: Callable[..., AccountFacts]) -> None:
    rule = DepositCap(steps=(80, 60))
    found = [rule.evaluate(facts(floor, "20.00"))[0] for floor in ("8.00", "4.00")]
    assert [(one.step, one.severity) for one in found] == [
        ("60%", Severity.INFO),
        ("80%", Severity.CRITICAL),
    ]


def test_the_values_hold_the_arithmetic(facts: Callable[..., AccountFacts]) -> None:
    [finding] = DepositCap().evaluate(facts("4.90", "20.00"))
    values = finding.values
    assert (values["base"], values["consumed"]) == (usd("20.00"), usd("15.10"))
    assert (values["percent"], values["floor"]) == (75, usd("4.90"))


@pytest.mark.parametrize(
    ("held", "enabled", "status"),
    [
        pytest.param(2, False, Status.CLEAR, id="ends what was said"),
        pytest.param(0, False, Status.UNKNOWN, id="and then nothing is known"),
        pytest.param(0, True, Status.CLEAR, id="with recharge on it is clear as ever"),
    ],
)
def test_credit_that_usage_proved(
    facts: Callable[..., AccountFacts],
    now: datetime,
    held: int,
    enabled: bool,  # noqa: FBT001
    status: Status,
) -> None:
    former = {("deposit-cap", "main"): Standing(Severity.WARNING, "75%", held, now)}
    known = facts(
        proven_at=now, standing=former if held else {}, recharge=recharge(enabled=enabled)
    )
    [finding] = DepositCap().evaluate(known)
    assert finding.status is status
    assert finding.values.get("missing") == ("credit" if status is Status.UNKNOWN else None)


def test_a_short_card_does_not_make_a_share_of_the_deposit_matter(
    facts: Callable[..., AccountFacts],
) -> None:
    known = facts("1.00", "20.00", recharge=recharge(enabled=True), card_short=True)
    assert DepositCap().evaluate(known)[0].status is Status.CLEAR
