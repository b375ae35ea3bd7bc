from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.money import MOST, NANOS, Amount, Money, currency_code

nanos = st.integers(min_value=-MOST, max_value=MOST)


@given(nanos)
def test_an_exact_string_reads_back_as_the_same_money(value: int) -> None:
    money = Money(value, "USD")

    assert Money.parse(money.exact(), "USD") == money
    assert len(money.exact().partition(".")[2]) >= 2


@given(st.lists(st.integers(-(10**15), 10**15)), st.randoms(use_true_random=False))
def test_nine_decimals_survive_any_order_of_summing(values: list[int], random: object) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    def total(parts: list[int]) -> Money:
        return sum((Money(part, "USD") for part in parts), start=Money.zero("USD"))

    assert total(values) == total(shuffled) == Money(sum(values), "USD")


@given(nanos)
def test_a_balance_rounds_down_and_spend_rounds_up_by_less_than_a_cent(value: int) -> None:
    money = Money(value, "USD")

    assert money.floored() <= money <= money.ceiled()
    assert (money.ceiled().nanos - money.floored().nanos) in {0, NANOS // 100}


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        pytest.param("12", "12.00", id="a whole number has two decimals"),
        pytest.param("12.5", "12.50", id="one decimal has two"),
        pytest.param("0.123456789", "0.123456789", id="nine decimals stay"),
        pytest.param("-12.00", "-12.00", id="a negative balance is normal"),
        pytest.param("1.000000000000", "1.00", id="zeros beyond the ninth are nothing"),
    ],
)
def test_reads_a_plain_decimal(text: str, exact: str) -> None:
    assert Money.parse(text, "USD").exact() == exact


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1e3",
        "1,000",
        "$5",
        "NaN",
        "inf",
        ".5",
        "5.",
        "0.1234567891",
        "9" * 12,
        "٣",
        "1_0",
    ],
)
def test_refuses_what_is_not_a_plain_decimal(text: str) -> None:
    with pytest.raises(ValueError, match=r"decimal|large"):
        Amount.parse(text)


def test_takes_a_providers_number_to_the_nearest_nano() -> None:
    assert Money.of(Decimal("0.0600000000049"), "USD").nanos == 60_000_000


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), Decimal(10**12)])
def test_refuses_a_number_that_is_no_amount(value: Decimal) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        Money.of(value, "USD")


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="do not mix"):
        Money(1, "USD") + Money(1, "CNY")


@pytest.mark.parametrize("text", ["us", "dollar", "U$D"])
def test_refuses_what_is_no_currency(text: str) -> None:
    assert currency_code("usd") == "USD"
    with pytest.raises(ValueError, match="currency"):
        currency_code(text)
