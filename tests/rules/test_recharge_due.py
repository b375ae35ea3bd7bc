from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from spendguard.core.facts import AccountFacts, Burn
from spendguard.core.findings import Severity, Status
from spendguard.rules.recharge_due import RechargeDue
from tests.rules.charging import (
    DAY,
    HOUR,
    NOW,
    OFF,
    ON,
    due,
    recharge,
    standing,
    struck,
    usd,
)

Facts = Callable[..., AccountFacts]
BURN = Burn(usd("2.00"), 7)


@pytest.mark.parametrize(
    ("hours", "status"),
    [
        pytest.param(0, Status.FIRING, id="when it is due now"),
        pytest.param(24, Status.FIRING, id="a day before"),
        pytest.param(24.001, Status.CLEAR, id="not earlier"),
    ],
)
def test_the_lead(facts: Facts, hours: float, status: Status) -> None:
    [finding] = RechargeDue().evaluate(facts("6.00", recharge=ON, next_charge=due(hours)))

    assert (finding.rule, finding.subject) == ("recharge-due", "main")
    assert (finding.status, finding.severity) == (status, Severity.INFO)
    assert finding.step == ("due" if status is Status.FIRING else "")


def test_the_lead_is_a_parameter(facts: Facts) -> None:
    known = facts("6.00", recharge=ON, next_charge=due(24))

    assert RechargeDue(lead=12 * HOUR).evaluate(known)[0].status is Status.CLEAR


@pytest.mark.parametrize(
    ("hours_ago", "credited_ago", "status"),
    [
        pytest.param(3, None, Status.FIRING, id="it stays, though it moved away"),
        pytest.param(3, 2, Status.CLEAR, id="until credit came since it was said"),
        pytest.param(3, 5, Status.FIRING, id="credit of before does not end it"),
        pytest.param(30, None, Status.CLEAR, id="a new checkpoint ends it too"),
    ],
)
def test_what_was_said_is_not_taken_back(
    facts: Facts, hours_ago: float, credited_ago: float | None, status: Status
) -> None:
    known = facts(
        "9.00",
        recharge=ON,
        next_charge=due(48),
        standing=standing("recharge-due", hours=hours_ago),
    )
    assert known.position is not None
    credited_at = None if credited_ago is None else NOW - HOUR * credited_ago
    known = replace(known, position=replace(known.position, credited_at=credited_at))

    assert RechargeDue().evaluate(known)[0].status is status


@pytest.mark.parametrize(
    "known",
    [
        pytest.param({"recharge": OFF}, id="while recharge is off"),
        pytest.param({"strikes": struck("main failed")}, id="after a failed charge"),
        pytest.param(
            {"strikes": struck("other failed", "other failed")}, id="while the card is banned"
        ),
        pytest.param(
            {"overdue": True, "due_since": NOW - DAY, "next_charge": due()}, id="once it is overdue"
        ),
        pytest.param({"next_charge": None, "burn": BURN}, id="where none is expected"),
    ],
)
def test_it_is_clear(facts: Facts, known: dict[str, Any]) -> None:
    told = {"recharge": ON, "next_charge": due(1), **known}
    [finding] = RechargeDue().evaluate(facts("6.00", **told))

    assert finding.status is Status.CLEAR


def test_it_is_told_of_a_charge_that_waited_for_the_next_month(facts: Facts) -> None:
    known = facts(
        "3.00",
        recharge=recharge(limit="50.00"),
        due_since=NOW - 9 * DAY,
        overdue=True,
        next_charge=due(12),
    )

    assert RechargeDue().evaluate(known)[0].status is Status.FIRING


@pytest.mark.parametrize(
    ("floor", "known", "missing"),
    [
        pytest.param("6.00", {"recharge": None}, "recharge", id="without recharge settings"),
        pytest.param(None, {}, "checkpoint", id="without a checkpoint"),
        pytest.param("6.00", {"costs_read": False}, "costs", id="before costs were read"),
        pytest.param("6.00", {}, "burn", id="without a burn"),
        pytest.param(None, {"proven_at": NOW}, "credit", id="while usage contradicts it"),
    ],
)
def test_it_is_unknown(
    facts: Facts, floor: str | None, known: dict[str, Any], missing: str
) -> None:
    [finding] = RechargeDue().evaluate(facts(floor, **{"recharge": ON, **known}))

    assert (finding.status, finding.values["missing"]) == (Status.UNKNOWN, missing)


def test_the_values_are_the_amount_the_instant_and_the_card(facts: Facts) -> None:
    known = facts("6.00", recharge=ON, next_charge=due(12), card="visa")
    values = RechargeDue().evaluate(known)[0].values

    assert (values["amount"], values["expected_at"]) == (usd("10.00"), NOW + 12 * HOUR)
    assert (values["card"], values["trigger"]) == ("visa", usd("5.00"))
