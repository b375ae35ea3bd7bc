"""Outlook: a balance that follows a fan, the charges that come with it, and credit that expires."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.accounts import Recharge
from spendguard.core.cards import coming, need
from spendguard.core.facts import Payer
from spendguard.core.forecasts import HOURS, Passage, Path
from spendguard.core.ledger import Kind, LotLeft
from spendguard.core.money import NANOS, Money
from spendguard.core.outlook import Outlook, lapses, next_of, train
from spendguard.core.recharge import Course, Lapse, Steady, charges, next_charge
from spendguard.core.windows import DAY, HOUR

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
ZERO = Money.zero("USD")


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def even(per_day: str) -> Path:
    nanos = usd(per_day).nanos
    return Path(NOW, tuple(nanos * hour // 24 for hour in range(1, HOURS + 1)))


def course(balance: str, path: Path | None, *expiring: Lapse, per_day: str = "1.00") -> Course:
    return Course(
        "main",
        NOW,
        usd(balance),
        usd(per_day),
        ZERO,
        usd("5.00"),
        usd("50.00"),
        path=path,
        lapses=expiring,
    )


def model(limit: str | None = None, restore_to: str | None = None) -> Recharge:
    return Recharge(
        enabled=True,
        trigger=usd("5.00"),
        amount=None if restore_to else usd("10.00"),
        restore_to=None if restore_to is None else usd(restore_to),
        monthly_limit=None if limit is None else usd(limit),
        overdraft=usd("2.00"),
    )


def outlook(balance: str, *rates: str, until: timedelta = 14 * DAY) -> Outlook:
    early, middle, late = (course(balance, even(rate)) for rate in rates)
    return Outlook(early, middle, late, NOW + until)


def in_hours(at: datetime | None) -> float | None:
    return None if at is None else round((at - NOW) / HOUR, 3)


@pytest.mark.parametrize("limit", [None, "20.00"])
@pytest.mark.parametrize("restore_to", [None, "15.00"])
@pytest.mark.parametrize("balance", ["9.00", "5.00", "2.00", "-12.00"])
def test_an_even_path_charges_as_the_plain_burn_does(
    balance: str, restore_to: str | None, limit: str | None
) -> None:
    recharge, until = model(limit, restore_to), NOW + 13 * DAY
    plain = charges(recharge, course(balance, None, per_day="2.40"), NOW, until)
    along = charges(recharge, course(balance, even("2.40")), NOW, until)
    assert plain is not None
    assert along is not None
    assert [one.amount for one in along] == [one.amount for one in plain]
    for one, other in zip(along, plain, strict=True):
        assert abs(one.at - other.at) <= TICK * 1000  # that of a nano


def test_a_path_waits_where_nothing_is_spent() -> None:
    silent_weekend = Path(NOW, (0,) * 48 + tuple(NANOS * n for n in range(1, HOURS - 47)))
    found = next_charge(model(), course("8.00", silent_weekend), NOW)
    assert found is not None
    assert in_hours(found.at) == 51


def test_a_charge_comes_between_what_the_fast_and_the_slow_course_tell() -> None:
    (found,) = (
        train(model(), outlook("9.00", "4", "2", "1"), NOW, NOW + 2 * DAY, cautious=False) or ()
    )
    assert (in_hours(found.earliest), in_hours(found.at), in_hours(found.latest)) == (24, 48, 96)
    assert found == next_of(model(), outlook("9.00", "4", "2", "1"), NOW)


def test_what_lies_beyond_the_forecast_is_not_told() -> None:
    found = next_of(model(), outlook("9.00", "4", "2", "1", until=3 * DAY), NOW)
    assert found is not None
    assert (in_hours(found.at), found.latest) == (48, None)


def test_a_cautious_train_counts_what_may_come() -> None:
    seen = outlook("9.00", "4", "2", "1")
    assert train(model(), seen, NOW, NOW + DAY, cautious=False) == ()
    assert len(train(model(), seen, NOW, NOW + DAY, cautious=True) or ()) == 1


def test_without_settings_or_spend_nobody_can_tell() -> None:
    unknown = replace(course("9.00", None), per_day=None)
    seen = Outlook(unknown, unknown, unknown)
    assert train(model(), seen, NOW, NOW + DAY, cautious=True) is None
    assert next_of(model(), seen, NOW) is None
    assert train(replace(model(), enabled=False), seen, NOW, NOW + DAY, cautious=True) == ()
    assert seen.falls_to(ZERO, NOW) == Passage(None, None, None)


def test_a_balance_falls_to_a_level_at_three_instants() -> None:
    found = outlook("4.00", "4", "2", "0.10").falls_to(ZERO, NOW)
    assert (in_hours(found.p10), in_hours(found.p50), found.p90) == (24, 48, None)
    assert outlook("-1.00", "4", "2", "1").falls_to(ZERO, NOW) == Passage(NOW, NOW, NOW)


class TestCreditThatExpires:
    def lot(self, left: str, days: float | None, kind: Kind = Kind.DEPOSIT) -> LotLeft:
        expires_at = None if days is None else NOW + DAY * days
        return LotLeft("1", kind, usd(left), NOW - DAY, expires_at)

    def test_is_what_is_not_used_by_then(self) -> None:
        lots = [self.lot("3.00", 2, Kind.GRANT), self.lot("9.00", 6), self.lot("9.00", None)]
        assert lapses(lots, NOW, ZERO, Steady(NANOS)) == (
            Lapse(NOW + 2 * DAY, usd("1.00")),
            Lapse(NOW + 6 * DAY, usd("5.00")),
        )

    def test_is_less_by_what_was_perhaps_spent(self) -> None:
        lots = [self.lot("3.00", 2)]
        assert lapses(lots, NOW, usd("0.25"), Steady(NANOS)) == (Lapse(NOW + 2 * DAY, usd("0.75")),)

    def test_may_bring_the_balance_under_the_trigger(self) -> None:
        here = course("9.00", even("1.00"), Lapse(NOW + 2 * DAY, usd("3.50")))
        found = next_charge(model(), here, NOW)
        assert found is not None
        assert in_hours(found.at) == 48
        assert here.left(NOW, here.balance.nanos, NOW + 3 * DAY) == usd("2.50").nanos

    def test_above_the_trigger_only_brings_it_nearer(self) -> None:
        here = course("9.00", even("1.00"), Lapse(NOW + 2 * DAY, usd("1.50")))
        found = next_charge(model(), here, NOW)
        assert found is not None
        assert in_hours(found.at) == 60

    def test_is_added_up_by_a_restoring_recharge(self) -> None:
        here = course("9.00", even("1.00"), Lapse(NOW + 2 * DAY, usd("3.50")))
        assert [
            one.amount for one in charges(model(restore_to="15.00"), here, NOW, NOW + 2 * DAY) or ()
        ] == [usd("11.50")]


steps = st.lists(st.integers(0, NANOS), min_size=14, max_size=14)


def by_day(hourly: list[int]) -> Path:
    """A path that spends so much in each hour of its days."""
    return Path(NOW, tuple(accumulate(one for one in hourly for _ in range(24))))


balances = st.integers(-20 * NANOS, 60 * NANOS)


@given(steps, steps, balances, st.integers(0, 13))
def test_more_spend_never_makes_a_charge_later(
    spent: list[int], more: list[int], balance: int, days: int
) -> None:
    held = Money(balance, "USD").exact()
    slow, fast = by_day(spent), by_day([a + b for a, b in zip(spent, more, strict=True)])
    until = NOW + DAY * days
    before = charges(model(), course(held, slow), NOW, until)
    after = charges(model(), course(held, fast), NOW, until)
    assert before is not None
    assert after is not None
    assert len(after) >= len(before)
    assert all(soon.at <= late.at for soon, late in zip(after, before, strict=False))


@given(balances, st.integers(0, 3), st.integers(1, 4))
def test_another_account_never_lessens_what_a_card_needs(
    balance: int, rate: int, other: int
) -> None:
    from tests.rules.charging import visa

    seen = outlook(Money(balance, "USD").exact(), str(rate + 2), str(rate + 1), str(rate))
    one = Payer("a", model(), seen.middle, seen)
    second = outlook("9.00", str(other + 1), str(other), "0")
    two = Payer("b", model(), second.middle, second)
    until = NOW + 3 * DAY
    alone, _ = coming([one], NOW, until)
    both, _ = coming([one, two], NOW, until)
    assert need(visa(), both).amount >= need(visa(), alone).amount
