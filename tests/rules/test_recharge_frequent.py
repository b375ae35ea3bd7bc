from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from spendguard.core.charges import Charge
from spendguard.core.facts import AccountFacts
from spendguard.core.findings import Severity, Status
from spendguard.rules.recharge_frequent import RechargeFrequent
from tests.rules.charging import HOUR, NOW, charge, recharge, standing, usd

Facts = Callable[..., AccountFacts]


def came(*hours: float) -> tuple[Charge, ...]:
    return tuple(charge(number, "main paid", one) for number, one in enumerate(hours))


@pytest.mark.parametrize(
    ("hours", "known", "step"),
    [
        pytest.param([], {}, "", id="without a charge it is clear"),
        pytest.param([1, 2], {}, "", id="two in 24 h are no news"),
        pytest.param([1, 2, 3], {}, "often", id="three are"),
        pytest.param([1, 2, 24], {}, "", id="not what is 24 h ago"),
        pytest.param([1, 2, 23.99], {}, "often", id="but what is less"),
        pytest.param(
            [1, 2, 3], {"frequent_per_day": usd("15.00")}, "", id="not where the burn explains half"
        ),
        pytest.param(
            [1, 2, 3], {"frequent_per_day": usd("14.99")}, "often", id="where it explains less"
        ),
        pytest.param(
            [1, 100, 200],
            {"recharge": recharge(limit="30.00")},
            "",
            id="at the monthly limit it is clear",
        ),
        pytest.param(
            [1, 100, 200], {"recharge": recharge(limit="29.99")}, "limit", id="above it is not"
        ),
        pytest.param(
            [30, 100, 200],
            {"recharge": recharge(limit="29.99")},
            "",
            id="unless 24 h have passed without any",
        ),
        pytest.param(
            [1, 400],
            {"recharge": recharge(limit="15.00")},
            "",
            id="those of the month before do not count",
        ),
        pytest.param(
            [1, 2, 3],
            {"recharge": recharge(limit="20.00")},
            "often",
            id="both at once are the first",
        ),
    ],
)
def test_steps(facts: Facts, hours: list[float], known: dict[str, Any], step: str) -> None:
    [finding] = RechargeFrequent().evaluate(facts(charges=came(*hours), **known))

    assert (finding.rule, finding.subject) == ("recharge-frequent", "main")
    assert finding.status is (Status.FIRING if step else Status.CLEAR)
    assert finding.step == step
    assert finding.severity is (Severity.CRITICAL if step else Severity.INFO)


def test_only_charges_that_succeeded_count(facts: Facts) -> None:
    tried = [charge(number, "main failed", 1) for number in range(3)]
    tried += [charge(number, "main unknown", 1) for number in range(3, 6)]

    assert RechargeFrequent().evaluate(facts(charges=tuple(tried)))[0].status is Status.CLEAR


@pytest.mark.parametrize(
    ("hours", "status"),
    [
        pytest.param([23], Status.FIRING, id="it stands while one came in 24 h"),
        pytest.param([24], Status.CLEAR, id="and ends when none did"),
    ],
)
def test_it_ends(facts: Facts, hours: list[float], status: Status) -> None:
    known = facts(charges=came(*hours), standing=standing("recharge-frequent", 2))

    assert RechargeFrequent().evaluate(known)[0].status is status


def test_it_rises_at_each_doubling_and_never_falls(facts: Facts) -> None:
    def rank(count: int, held: int = 0) -> int:
        former = standing("recharge-frequent", held) if held else {}
        charges = came(*(1 + number / 100 for number in range(count)))
        return RechargeFrequent().evaluate(facts(charges=charges, standing=former))[0].rank

    assert [rank(count) for count in (3, 4, 7, 8, 15, 16)] == [2, 3, 3, 4, 4, 5]
    assert rank(3, held=4) == 4


def test_the_values_tell_how_much(facts: Facts) -> None:
    known = facts(
        charges=came(1, 2, 3, 100),
        recharge=recharge(limit="35.00"),
        frequent_per_day=usd("2.00"),
        card="visa",
    )
    values = RechargeFrequent().evaluate(known)[0].values

    assert (values["count"], values["total"], values["month"]) == (3, usd("30.00"), usd("40.00"))
    assert (values["limit"], values["usual"]) == (usd("35.00"), usd("2.00"))
    assert values["card"] == "visa"


def test_a_month_is_one_of_utc(facts: Facts) -> None:
    first = NOW.replace(day=1, hour=0)
    before, after = ((NOW - first) / HOUR + offset for offset in (0.01, -0.01))
    known = facts(
        now=first + timedelta(hours=1),
        charges=came(before, after),
        recharge=recharge(limit="5.00"),
    )

    assert RechargeFrequent().evaluate(known)[0].values["month"] == usd("10.00")
