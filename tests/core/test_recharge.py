"""Recharge: which automatic charges come, when, and of how much."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from spendguard.core.accounts import Recharge
from spendguard.core.money import NANOS, Money
from spendguard.core.recharge import MOST, Coming, Course, charges, next_charge

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONTH_END = datetime(2026, 12, 1, tzinfo=UTC)


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def model(
    amount: str | None = "10.00",
    *,
    trigger: str = "5.00",
    restore_to: str | None = None,
    limit: str | None = None,
    enabled: bool = True,
) -> Recharge:
    target = None if restore_to is None else usd(restore_to)
    fixed = None if amount is None or target is not None else usd(amount)
    monthly = None if limit is None else usd(limit)
    return Recharge(enabled, usd(trigger), fixed, target, monthly, usd("2.00"))


def course(
    balance: str, per_day: str | None = "2.00", *, recharged: str = "0", retried: bool = False
) -> Course:
    rate = None if per_day is None else usd(per_day)
    return Course(
        "main", NOW, usd(balance), rate, usd(recharged), usd("5.00"), usd("50.00"), retried
    )


def told(found: tuple[Coming, ...] | None) -> list[tuple[float, str]] | None:
    """Return in how many hours which charge comes."""
    if found is None:
        return None
    return [((one.at - NOW) / HOUR, one.amount.exact()) for one in found]


@pytest.mark.parametrize(
    ("recharge", "here", "expected"),
    [
        pytest.param(model(), course("9.00"), [(48, "10.00")], id="when the trigger is reached"),
        pytest.param(
            model(),
            course("7.00", "5.00"),
            [(9.6, "10.00"), (57.6, "10.00")],
            id="and again when that is used up",
        ),
        pytest.param(model(), course("12.00"), [], id="not when it is reached later"),
        pytest.param(model(), course("4.99", None), [(0, "10.00")], id="now, while under it"),
        pytest.param(
            model(), course("-12.00", None), [(0, "10.00"), (0, "10.00")], id="a debt takes two"
        ),
        pytest.param(
            model(), course("5.00", "0.00"), [], id="at the trigger is not under it, and stays so"
        ),
        pytest.param(
            model(), course("5.00", "1.00"), [(0, "10.00")], id="at the trigger, any spend does"
        ),
        pytest.param(
            model(restore_to="15.00"),
            course("9.00"),
            [(48, "10.00")],
            id="up to the target, from the trigger on",
        ),
        pytest.param(
            model(restore_to="15.00"),
            course("-12.00", None),
            [(0, "27.00")],
            id="up to the target, the debt included",
        ),
        pytest.param(
            model(restore_to="60.00"),
            course("-12.00", None),
            [(0, "50.00")],
            id="never more at once than may be bought",
        ),
        pytest.param(
            model(restore_to="60.00"),
            course("-70.00", None),
            [(0, "50.00"), (0, "50.00")],
            id="but again where that is not enough",
        ),
        pytest.param(
            model(restore_to="8.00"),
            course("4.00", None),
            [(0, "5.00")],
            id="never less at once than may be bought",
        ),
        pytest.param(
            model("10.00", limit="100.00"),
            course("4.00", None, recharged="93.00"),
            [(0, "7.00")],
            id="a last one may be partial",
        ),
        pytest.param(
            model("10.00", limit="100.00"),
            course("4.00", None, recharged="95.01"),
            [],
            id="not below what may be bought",
        ),
        pytest.param(
            model(), course("20.00", None, retried=True), [(0, "10.00")], id="now, after a failure"
        ),
        pytest.param(model(enabled=False), course("-3.00"), [], id="never while it is off"),
        pytest.param(model(), course("20.00", None), None, id="nobody knows without a burn"),
        pytest.param(model(None), course("-3.00"), None, id="nor without an amount"),
    ],
)
def test_in_three_days_it_charges(
    recharge: Recharge, here: Course, expected: list[tuple[float, str]] | None
) -> None:
    assert told(charges(recharge, here, NOW, NOW + 3 * DAY)) == expected
    first = next_charge(recharge, here, NOW)
    if expected:
        assert first is not None
        assert told((first,)) == expected[:1]


def test_a_charge_at_the_very_end_is_counted() -> None:
    assert told(charges(model(), course("9.00"), NOW, NOW + 2 * DAY)) == [(48, "10.00")]
    early = NOW + 2 * DAY - timedelta(microseconds=1)
    assert told(charges(model(), course("9.00"), NOW, early)) == []


def test_what_should_have_come_before_is_due_now() -> None:
    here = replace(course("5.10"), at=NOW - DAY)

    assert told(charges(model(), here, NOW, NOW)) == [(0, "10.00")]


def test_what_was_spent_since_is_part_of_the_amount() -> None:
    here = replace(course("6.00"), at=NOW - DAY)

    assert told(charges(model(restore_to="15.00"), here, NOW, NOW)) == [(0, "11.00")]


class TestTheMonthsLimit:
    limited = model("10.00", limit="20.00")

    def test_holds_back_what_is_above_it_until_the_next_month(self) -> None:
        here = course("5.00", "5.00", recharged="10.00")

        found = charges(self.limited, here, NOW, MONTH_END + DAY)

        assert found is not None
        assert [(one.at, one.amount) for one in found] == [
            (NOW, usd("10.00")),
            (MONTH_END, usd("10.00")),
            (MONTH_END, usd("10.00")),
        ]

    def test_is_of_months_in_utc(self) -> None:
        here = course("4.00", None, recharged="20.00")

        assert next_charge(self.limited, here, NOW) == Coming("main", MONTH_END, usd("10.00"))

    def test_that_never_lets_one_come_lets_none_come(self) -> None:
        assert next_charge(model("10.00", limit="4.00"), course("4.00"), NOW) is None


def test_a_charge_of_a_far_future_is_none() -> None:
    assert next_charge(model(), course("500000.00", "0.000000001"), NOW) is None
    assert next_charge(model(), course("20.00", "0.00"), NOW) is None


def test_the_course_goes_down_with_time_and_never_back() -> None:
    here = course("9.00")

    assert here.left(NOW, usd("9.00").nanos, NOW + DAY / 2) == usd("8.00").nanos
    assert here.left(NOW, usd("9.00").nanos, NOW - DAY) == usd("9.00").nanos


amounts = st.integers(5, 60).map(lambda dollars: f"{dollars}.00")
models = st.builds(
    model,
    amounts,
    restore_to=st.none() | amounts.filter(lambda text: text != "5.00"),
    limit=st.none() | st.integers(0, 200).map(str),
)
cents = st.integers(-6000, 6000).map(lambda number: Money(number * NANOS // 100, "USD"))
rates = st.integers(0, 4000).map(lambda number: Money(number * NANOS // 100, "USD"))
courses = st.builds(
    Course,
    st.just("main"),
    st.integers(0, 72).map(lambda hours: NOW - HOUR * hours),
    cents,
    st.none() | rates,
    st.integers(0, 200).map(lambda dollars: usd(str(dollars))),
    st.just(usd("5.00")),
    st.just(usd("50.00")),
    st.booleans(),
)
days = st.integers(0, 70)


@given(models, courses, days)
def test_every_charge_lies_in_what_may_be_bought(
    recharge: Recharge, here: Course, length: int
) -> None:
    for one in charges(recharge, here, NOW, NOW + DAY * length) or ():
        assert here.least <= one.amount <= here.most
        assert NOW <= one.at <= NOW + DAY * length


@given(models, courses, days)
def test_the_charges_of_a_month_never_exceed_its_limit(
    recharge: Recharge, here: Course, length: int
) -> None:
    assume(recharge.monthly_limit is not None)
    assert recharge.monthly_limit is not None
    months: dict[tuple[int, int], int] = {(NOW.year, NOW.month): here.recharged.nanos}
    for one in charges(recharge, here, NOW, NOW + DAY * length) or ():
        month = (one.at.year, one.at.month)
        months[month] = months.get(month, 0) + one.amount.nanos
        assert months[month] <= recharge.monthly_limit.nanos


@given(models, courses, rates)
def test_more_spend_never_makes_the_next_charge_later(
    recharge: Recharge, here: Course, more: Money
) -> None:
    assume(here.per_day is not None)
    assert here.per_day is not None
    faster = replace(here, per_day=here.per_day + more)
    before, after = next_charge(recharge, here, NOW), next_charge(recharge, faster, NOW)

    assert before is None or (after is not None and after.at <= before.at)


@given(models, courses, rates, days)
def test_more_spend_never_makes_a_charge_later_where_no_month_is_limited(
    recharge: Recharge, here: Course, more: Money, length: int
) -> None:
    assume(here.per_day is not None)
    assert here.per_day is not None
    free = replace(recharge, monthly_limit=None)
    faster = replace(here, per_day=here.per_day + more)
    until = NOW + DAY * length
    before, after = charges(free, here, NOW, until), charges(free, faster, NOW, until)

    assert before is not None
    assert after is not None
    assert len(after) >= len(before)
    assert all(late.at >= soon.at for late, soon in zip(before, after, strict=False))


@given(models, courses, days)
def test_charges_come_in_order_and_a_longer_look_only_adds(
    recharge: Recharge, here: Course, length: int
) -> None:
    found = charges(recharge, here, NOW, NOW + DAY * length)
    longer = charges(recharge, here, NOW, NOW + DAY * (length + 5))

    assert (found is None) == (longer is None)
    assert list(found or ()) == sorted(found or (), key=lambda one: one.at)
    assert len(found or ()) <= MOST
    assert (longer or ())[: len(found or ())] == (found or ())


@given(models, courses)
def test_what_is_due_now_lifts_the_balance_to_the_trigger(recharge: Recharge, here: Course) -> None:
    free, still = replace(recharge, monthly_limit=None), replace(here, per_day=None, at=NOW)
    due = charges(free, still, NOW, NOW)

    if due is not None:
        lifted = still.balance.nanos + sum(one.amount.nanos for one in due)
        assert lifted >= free.trigger.nanos
        assert all(one.at == NOW for one in due)
