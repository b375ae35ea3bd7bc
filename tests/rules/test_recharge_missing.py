from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from spendguard.core.facts import AccountFacts, Burn, Witness
from spendguard.core.findings import Severity, Status
from spendguard.rules.recharge_missing import RechargeMissing
from tests.rules.charging import DAY, HOUR, NOW, OFF, ON, TICK, due, recharge, standing, struck, usd

Facts = Callable[..., AccountFacts]
GRACE = timedelta(hours=2)


def overdue(
    facts: Facts, floor: str = "4.00", since: timedelta = DAY, **known: Any
) -> AccountFacts:
    told = {"recharge": ON, "due_since": NOW - since, "overdue": True, "next_charge": due()}
    return facts(floor, **{**told, **known})


@pytest.mark.parametrize(
    ("since", "status"),
    [
        pytest.param(timedelta(0), Status.CLEAR, id="when it falls due it is clear"),
        pytest.param(GRACE, Status.CLEAR, id="for the whole grace"),
        pytest.param(GRACE + TICK, Status.FIRING, id="a microsecond later it fires"),
    ],
)
def test_the_grace(facts: Facts, since: timedelta, status: Status) -> None:
    [finding] = RechargeMissing().evaluate(overdue(facts, since=since))

    assert (finding.rule, finding.subject) == ("recharge-missing", "main")
    assert finding.status is status


def test_the_grace_is_a_parameter(facts: Facts) -> None:
    rule = RechargeMissing(grace=timedelta(days=2))

    assert rule.evaluate(overdue(facts))[0].status is Status.CLEAR


@pytest.mark.parametrize(
    ("known", "step", "severity"),
    [
        pytest.param({}, "overdue", Severity.WARNING, id="where nobody tells it asks"),
        pytest.param(
            {"witness": Witness.FAILING},
            "overdue",
            Severity.WARNING,
            id="also where the mailbox cannot be read",
        ),
        pytest.param(
            {"witness": Witness.HEALTHY},
            "overdue",
            Severity.CRITICAL,
            id="where it would have been shown it has probably failed",
        ),
        pytest.param(
            {"stopped_at": NOW - 2 * DAY},
            "cut-off",
            Severity.CRITICAL,
            id="where usage stopped near zero it is a cut-off",
        ),
        pytest.param(
            {"stopped_at": NOW - 2 * DAY, "witness": Witness.HEALTHY},
            "cut-off",
            Severity.CRITICAL,
            id="also where it would have been shown",
        ),
    ],
)
def test_it_fires(facts: Facts, known: dict[str, Any], step: str, severity: Severity) -> None:
    [finding] = RechargeMissing().evaluate(overdue(facts, **known))

    assert (finding.status, finding.step, finding.severity) == (Status.FIRING, step, severity)
    assert finding.rank == (2 if step == "cut-off" else 1)
    assert not finding.quiet


@pytest.mark.parametrize(
    "known",
    [
        pytest.param({"recharge": OFF}, id="while recharge is off"),
        pytest.param({"due_since": None}, id="while the floor is not under the trigger"),
        pytest.param(
            {"strikes": struck("main failed")}, id="after a failed charge, which was seen"
        ),
        pytest.param(
            {"strikes": struck("other failed", "other failed")},
            id="while the card counts as banned",
        ),
        pytest.param(
            {"recharge": recharge(limit="100.00"), "next_charge": due(15 * 24)},
            id="while the month's limit lets none come",
        ),
        pytest.param(
            {"stopped_at": NOW - 2 * DAY, "due_since": NOW - HOUR},
            id="within the grace, however idle",
        ),
    ],
)
def test_it_is_clear(facts: Facts, known: dict[str, Any]) -> None:
    [finding] = RechargeMissing().evaluate(overdue(facts, **known))

    assert finding.status is Status.CLEAR


def test_a_strike_of_another_account_does_not_excuse_it(facts: Facts) -> None:
    [finding] = RechargeMissing().evaluate(overdue(facts, strikes=struck("other failed")))

    assert finding.status is Status.FIRING


def test_with_a_monthly_limit_it_is_missing_from_the_first_of_the_month(facts: Facts) -> None:
    limited = recharge(limit="100.00")
    first = NOW.replace(day=1, hour=0)
    known = overdue(facts, since=NOW - first + 9 * DAY, recharge=limited)

    def status(now: timedelta, **more: Any) -> Status:
        at = first + now
        told = facts(
            "4.00",
            **{
                "now": at,
                "recharge": limited,
                "due_since": known.due_since,
                "next_charge": due((at - NOW) / HOUR),
                **more,
            },
        )
        return RechargeMissing().evaluate(told)[0].status

    assert status(GRACE) is Status.CLEAR
    assert status(GRACE + TICK) is Status.FIRING
    assert status(GRACE, standing=standing("recharge-missing")) is Status.FIRING


@pytest.mark.parametrize(
    ("floor", "known", "missing"),
    [
        pytest.param("4.00", {"recharge": None}, "recharge", id="without recharge settings"),
        pytest.param(None, {"recharge": ON}, "checkpoint", id="without a checkpoint"),
        pytest.param(
            "4.00", {"recharge": ON, "costs_read": False}, "costs", id="before costs were read"
        ),
        pytest.param(
            None, {"recharge": ON, "proven_at": NOW}, "credit", id="while usage contradicts it"
        ),
    ],
)
def test_it_is_unknown(
    facts: Facts, floor: str | None, known: dict[str, Any], missing: str
) -> None:
    [finding] = RechargeMissing().evaluate(facts(floor, **known))

    assert (finding.status, finding.values["missing"]) == (Status.UNKNOWN, missing)


def test_credit_that_usage_proved_ends_it(facts: Facts) -> None:
    [finding] = RechargeMissing().evaluate(
        facts(recharge=ON, proven_at=NOW, standing=standing("recharge-missing"))
    )

    assert (finding.status, finding.values["proven"]) == (Status.CLEAR, True)


def test_the_values_say_what_to_enter_and_when_credit_ends(facts: Facts) -> None:
    known = overdue(facts, witness=Witness.FAILING, burn=Burn(usd("2.00"), 7))
    values = RechargeMissing().evaluate(known)[0].values

    assert (values["amount"], values["trigger"]) == (usd("10.00"), usd("5.00"))
    assert (values["due_since"], values["due_for"]) == (NOW - DAY, DAY)
    assert values["empties_at"] == NOW - timedelta(minutes=5) + 2 * DAY
    assert (values["witnessed"], values["unwatched"]) == (False, True)


def test_it_asks_weekly() -> None:
    policy = RechargeMissing.policy

    assert policy.repeat_after(Severity.WARNING, NOW, NOW) == timedelta(days=7)
    assert policy.repeat_after(Severity.CRITICAL, NOW, NOW) == timedelta(hours=4)
