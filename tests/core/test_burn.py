from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from spendguard.core.burn import burn, runway
from spendguard.core.facts import Burn
from spendguard.core.ledger import DaySpend
from spendguard.core.money import Money
from spendguard.core.windows import DAY, utc_day

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def days(*amounts: int) -> list[DaySpend]:
    """Spend of today and of the days before it, told newest first."""
    told = [
        DaySpend(utc_day(NOW - DAY * back), Money(amount, "USD"))
        for back, amount in enumerate(amounts)
    ]
    return told[::-1]


@pytest.mark.parametrize(
    ("spent", "expected"),
    [
        pytest.param(days(0, 7, 7, 7, 7, 7, 7, 7, 99), (7, 7), id="the last seven complete days"),
        pytest.param(days(0, 3, 3), (3, 2), id="two days are enough"),
        pytest.param(days(0, 3), None, id="one day is not"),
        pytest.param(days(9, 3, 3), (9, 2), id="today counts where it is higher already"),
        pytest.param(days(1, 3, 3), (3, 2), id="today does not lower it"),
        pytest.param(days(0, 4, 0, 4, 0, 0), (3, 3), id="days before the first cost do not count"),
        pytest.param(days(0, 0, 0, 0), None, id="nothing was ever spent"),
    ],
)
def test_burn_is_the_mean_of_complete_days(
    spent: list[DaySpend], expected: tuple[int, int] | None
) -> None:
    rate = burn(spent, NOW)

    assert (rate and (rate.per_day.nanos, rate.days)) == expected


def test_runway_is_the_balance_over_the_burn() -> None:
    rate = Burn(Money.parse("1.50", "USD"), 7)

    assert runway(Money.parse("3.00", "USD"), rate) == timedelta(days=2)
    assert runway(Money.parse("-3.00", "USD"), rate) == timedelta(0)
    assert runway(Money.parse("3.00", "USD"), Burn(Money.zero("USD"), 7)) is None
    assert runway(Money.parse("3.00", "USD"), None) is None
