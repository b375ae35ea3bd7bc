from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from spendguard.core.accounts import Recharge
from spendguard.core.facts import AccountFacts, CreditSeen
from spendguard.core.findings import Severity, Status
from spendguard.rules.recharge_unexpected import RechargeUnexpected
from tests.rules.charging import DAY, HOUR, NOW, OFF, ON, TICK, usd

Facts = Callable[..., AccountFacts]


def came(
    hours: float = 2,
    amount: str | None = "10.00",
    *,
    accepted: bool = False,
    forged: bool = False,
) -> CreditSeen:
    money = None if amount is None else usd(amount)
    source = "mail" if forged else "receipt"
    return CreditSeen(NOW - HOUR * hours, money, source, accepted=accepted, forged=forged)


@pytest.mark.parametrize(
    ("seen", "step", "severity"),
    [
        pytest.param([], "", Severity.INFO, id="without credit it is clear"),
        pytest.param([came()], "credit-1", Severity.WARNING, id="the first is a warning"),
        pytest.param(
            [came(50), came()], "credit-2", Severity.CRITICAL, id="the second in 7 d is critical"
        ),
        pytest.param([came(24 * 7), came()], "credit-1", Severity.WARNING, id="not after 7 d"),
        pytest.param(
            [came(amount=None)], "credit-1", Severity.WARNING, id="also of no known amount"
        ),
        pytest.param([came(accepted=True)], "", Severity.INFO, id="what was acknowledged is over"),
        pytest.param(
            [came(50, accepted=True), came()],
            "credit-2",
            Severity.CRITICAL,
            id="but counts when another comes",
        ),
        pytest.param([came(forged=True)], "forged", Severity.WARNING, id="a forged mail"),
        pytest.param(
            [came(50, forged=True), came(forged=True)],
            "forged",
            Severity.WARNING,
            id="two forged mails are no credit",
        ),
        pytest.param(
            [came(50), came(forged=True)], "credit-1", Severity.WARNING, id="one forged, one real"
        ),
        pytest.param(
            [came(50, accepted=True), came(forged=True)],
            "forged",
            Severity.WARNING,
            id="a forged one after a real one that was acknowledged",
        ),
    ],
)
def test_steps_while_recharge_is_off(
    facts: Facts, seen: list[CreditSeen], step: str, severity: Severity
) -> None:
    [finding] = RechargeUnexpected().evaluate(facts(recharge=OFF, unexplained=tuple(seen)))

    assert (finding.rule, finding.subject) == ("recharge-unexpected", "main")
    assert finding.status is (Status.FIRING if step else Status.CLEAR)
    assert (finding.step, finding.severity) == (step, severity)


@pytest.mark.parametrize(
    ("recharge", "forged", "status"),
    [
        pytest.param(ON, False, Status.CLEAR, id="while recharge is on credit is expected"),
        pytest.param(None, False, Status.UNKNOWN, id="without settings nobody knows"),
        pytest.param(ON, True, Status.FIRING, id="a forged mail is never expected"),
        pytest.param(None, True, Status.FIRING, id="nor without settings"),
    ],
)
def test_otherwise(
    facts: Facts,
    recharge: Recharge | None,
    forged: bool,  # noqa: FBT001
    status: Status,
) -> None:
    [finding] = RechargeUnexpected().evaluate(
        facts(recharge=recharge, unexplained=(came(forged=forged),))
    )

    assert finding.status is status


@pytest.mark.parametrize(
    ("age", "status"),
    [
        pytest.param(7 * DAY - TICK, Status.FIRING, id="it lasts seven days"),
        pytest.param(7 * DAY, Status.CLEAR, id="and ends then"),
    ],
)
def test_it_lasts(facts: Facts, age: timedelta, status: Status) -> None:
    seen = (came(age / HOUR),)
    at = CreditSeen(NOW - age, seen[0].amount, "receipt")

    assert RechargeUnexpected().evaluate(facts(recharge=OFF, unexplained=(at,)))[0].status is status


def test_each_further_credit_is_a_further_step(facts: Facts) -> None:
    ranks = [
        RechargeUnexpected()
        .evaluate(facts(recharge=OFF, unexplained=tuple(came(hours) for hours in range(count))))[0]
        .rank
        for count in range(5)
    ]

    assert ranks == [0, 1, 2, 3, 4]


def test_the_values_are_of_the_last_real_credit(facts: Facts) -> None:
    seen = (came(1, "99.00", forged=True), came(2, "20.00"), came(3, "10.00"))
    values = RechargeUnexpected().evaluate(facts(recharge=OFF, unexplained=seen))[0].values

    assert (values["amount"], values["came_at"]) == (usd("20.00"), NOW - 2 * HOUR)
    assert (values["count"], values["source"]) == (2, "receipt")


def test_it_is_held_for_an_hour() -> None:
    assert RechargeUnexpected.policy.hold == timedelta(hours=1)
