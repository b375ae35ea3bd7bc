"""Foresee: what a history of spend makes of the two weeks to come."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spendguard.core.forecasts import HOURS, LEVELS, Forecast, Spent
from spendguard.core.money import NANOS
from spendguard.core.windows import DAY, HOUR, Window
from spendguard.forecast import foresee

NOW = datetime(2026, 11, 23, tzinfo=UTC)  # a Monday, 00:00
WEEK = 7 * 24
Pattern = Callable[[int], float]


def hours(count: int, pattern: Pattern, until: datetime = NOW, times: int = 1) -> list[Spent]:
    """Return hours of spend up to an instant; the pattern tells dollars by the hour back from it."""
    return [
        Spent(
            Window(until - HOUR * (back + 1), until - HOUR * back),
            times * round(pattern(-back - 1) * NANOS),
        )
        for back in reversed(range(count))
    ]


def days(count: int, pattern: Pattern, until: datetime = NOW) -> list[Spent]:
    """Return days of spend up to an instant; the pattern tells dollars by the day back from it."""
    return [
        Spent(
            Window(until - DAY * (back + 1), until - DAY * back), round(pattern(-back - 1) * NANOS)
        )
        for back in reversed(range(count))
    ]


def expected(told: Forecast, hour: int, level: int = 50) -> float:
    """Return the dollars foreseen by an hour from the start."""
    return told.fan[level][hour - 1] / NANOS


def made(spent: Sequence[Spent], now: datetime = NOW) -> Forecast:
    return foresee(spent, now, "USD")


class TestWhatItNeeds:
    @pytest.mark.parametrize(
        ("spent", "why"),
        [
            pytest.param([], "no-history", id="something"),
            pytest.param(hours(23, lambda _: 1), "too-short", id="a day by the hour"),
            pytest.param(hours(24, lambda _: 1), "", id="which is enough"),
            pytest.param(days(1, lambda _: 1), "too-short", id="or two days"),
            pytest.param(days(2, lambda _: 1), "", id="which are enough"),
            pytest.param(days(30, lambda _: 0), "idle", id="and some spend"),
            pytest.param(
                days(30, lambda back: float(back == -1)), "too-short", id="for as long as that"
            ),
        ],
    )
    def test_is_told(self, spent: list[Spent], why: str) -> None:
        told = made(spent)
        assert told.silent == why
        assert bool(told.fan) == (not why)

    def test_is_told_with_what_it_rests_on(self) -> None:
        booked, recent = days(20, lambda _: 24, NOW - DAY * 3), hours(72, lambda _: 1)
        estimated = [Spent(one.window, one.nanos, estimated=True) for one in recent]
        known = made([*booked, *estimated]).history
        assert known is not None
        assert (known.days, known.hours, known.kind) == (20, 72, "mixed")
        assert known.window == Window(NOW - DAY * 23, NOW)

    def test_begins_with_the_first_spend(self) -> None:
        known = made(days(30, lambda back: float(back >= -4))).history
        assert known is not None
        assert known.days == 4
        assert known.window == Window(NOW - DAY * 4, NOW)

    def test_ends_with_what_is_known(self) -> None:
        told = made(hours(100, lambda _: 1, NOW - HOUR * 5))
        assert (told.start, told.made_at) == (NOW - HOUR * 5, NOW)

    def test_leaves_out_what_is_to_come_and_what_is_long_ago(self) -> None:
        spent = hours(100, lambda _: 1)
        later = hours(10, lambda _: 90, NOW + HOUR * 10)
        ago = days(9, lambda _: 90, NOW - DAY * 60)
        assert made([*ago, *spent, *later]) == made(spent)


class TestTheSameSpendEveryDay:
    def test_by_day_goes_on_to_the_nano(self) -> None:
        told = made(days(10, lambda _: 2))
        for level in LEVELS:
            assert told.fan[level][23] == 2 * NANOS
            assert told.fan[level][HOURS - 1] == 28 * NANOS

    def test_is_not_changed_by_a_day_that_is_not_over(self) -> None:
        today = Spent(Window(NOW, NOW + HOUR * 6), NANOS // 10)
        told = made([*days(10, lambda _: 2), today], NOW + HOUR * 6)
        assert told.fan[50][23] == 2 * NANOS

    def test_unless_that_is_already_more(self) -> None:
        today = Spent(Window(NOW, NOW + HOUR * 6), 8 * NANOS)
        told = made([*days(10, lambda _: 2), today], NOW + HOUR * 6)
        assert told.fan[90][23] > 3 * NANOS


def test_nights_and_weekends_are_known() -> None:
    def office(back: int) -> float:
        at = NOW + HOUR * back
        return 1.0 if at.weekday() < 5 and 8 <= at.hour < 18 else 0.0

    told = made(hours(5 * WEEK, office))
    assert expected(told, 8) == 0
    assert expected(told, 18) == expected(told, 24) == pytest.approx(10, rel=0.02)
    assert expected(told, 5 * 24) == expected(told, WEEK) == pytest.approx(50, rel=0.02)


def test_older_days_take_the_shape_that_is_known_by_the_hour() -> None:
    recent = hours(WEEK, lambda back: 2.0 if (NOW + HOUR * back).hour >= 12 else 0.0)
    told = made([*days(21, lambda _: 24, NOW - DAY * 7), *recent])
    assert expected(told, 12) == 0
    assert expected(told, 24) == pytest.approx(24)


def test_a_new_level_is_believed_within_days() -> None:
    told = made(days(40, lambda back: 2 if back < -3 else 10))
    assert expected(told, 24) > 8
    calm = made(days(40, lambda _: 2))
    assert expected(calm, 24) == 2


def test_an_account_that_never_moved_is_not_expected_to() -> None:
    chance = Random(1)  # noqa: S311  no secret
    told = made(hours(56 * 24, lambda _: chance.uniform(0.5, 1.5)))
    assert expected(told, WEEK, 10) > 0.93 * WEEK
    assert expected(told, WEEK, 90) < 1.065 * WEEK


def test_when_in_an_hour_it_is_spent_is_not_known() -> None:
    told = made(hours(4 * WEEK, lambda _: 1.0))
    passed = told.passage(10 * NANOS)
    quarter = timedelta(minutes=15)
    assert passed.p50 == NOW + HOUR * 10
    assert (passed.p10, passed.p90) == (NOW + HOUR * 10 - quarter, NOW + HOUR * 10 + quarter)


class TestASurge:
    """Hours that cost far more than the dearest usually do: they may go on for a day."""

    @staticmethod
    def told(*latest: float) -> Forecast:
        def pattern(back: int) -> float:
            if back >= -len(latest):
                return latest[back]
            return 1.0 if (NOW + HOUR * back).hour >= 12 else 0.2

        return made(hours(28 * 24, pattern))

    def test_is_in_the_cautious_lines_from_its_first_hour_on(self) -> None:
        calm, surging = self.told(), self.told(10.0)
        for level in (90, 95):
            for hour in (1, 6, 24):
                more = expected(surging, hour, level) - expected(calm, hour, level)
                assert more >= 10 * hour
        assert expected(surging, 24, 50) < 2 * expected(calm, 24, 50)

    def test_is_not_expected_for_longer_than_a_day(self) -> None:
        told = self.told(10.0)
        assert expected(told, 72, 90) - expected(told, 24, 90) < 2 * 48

    @pytest.mark.parametrize(
        "latest",
        [
            pytest.param((1.9,), id="less than twice the dearest hour"),
            pytest.param((10.0, 0.2, 0.2), id="two calm hours end it"),
        ],
    )
    def test_is_one_only_while_it_lasts(self, latest: tuple[float, ...]) -> None:
        assert expected(self.told(*latest), 24, 90) < 40

    def test_is_not_seen_where_nothing_is_usual_yet(self) -> None:
        told = made(hours(60, lambda back: 10.0 if back == -1 else 1.0))
        assert expected(told, 24, 90) < 100


@pytest.mark.parametrize("idle", [5, 20, 40])
@pytest.mark.parametrize("since", [3, 9])
def test_an_account_that_begins_anew_is_told_by_what_it_does_since(idle: int, since: int) -> None:
    def anew(back: int) -> float:
        return 0.5 if back < -since - idle else 0.0 if back < -since else 10.0

    told = made(days(since + idle + 1, anew))
    assert expected(told, 24) == pytest.approx(10, rel=0.1)
    assert expected(told, WEEK) == pytest.approx(70, rel=0.15)


def test_one_day_of_spend_is_no_new_beginning() -> None:
    told = made(days(31, lambda back: 10.0 if back in {-1, -31} else 0.0))
    assert expected(told, WEEK) < 35


def test_growth_goes_on_for_a_while() -> None:
    told = made(days(40, lambda back: 10 * 1.05**back))
    assert expected(told, WEEK) > 63
    assert expected(told, WEEK) < 120


def test_one_wild_hour_does_not_double_the_fortnight() -> None:
    told = made(hours(4 * WEEK, lambda back: 40.0 if back == -30 else 1.0))
    assert expected(told, HOURS) < 1.5 * HOURS


def test_a_restless_account_has_a_wider_fan_than_a_steady_one() -> None:
    def width(told: Forecast) -> float:
        return expected(told, WEEK, 90) / expected(told, WEEK, 10)

    steady = made(days(40, lambda back: 10 + 0.2 * (back % 3)))
    restless = made(days(40, lambda back: (3, 17, 30, 1, 9)[back % 5]))
    assert width(restless) > 2 * width(steady)


def test_a_gap_is_not_a_day_without_spend() -> None:
    whole = days(30, lambda _: 10)
    told = made([one for one in whole if one.window.start != NOW - DAY * 12])
    assert expected(told, 24) == pytest.approx(10)


def test_it_is_a_function_of_its_history() -> None:
    spent = hours(3 * WEEK, lambda back: 1 + (back * 7919 % 13) / 13)
    assert made(spent) == made(list(reversed(spent)))


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu"])
def test_zones_and_the_change_of_clocks_change_no_instant(zone: str) -> None:
    end = datetime(2026, 3, 11, tzinfo=UTC)  # three days after New York set its clocks
    spent = hours(2 * WEEK, lambda back: 1 + (back % 24) / 24, end)
    moved = [
        Spent(
            Window(
                one.window.start.astimezone(ZoneInfo(zone)),
                one.window.end.astimezone(ZoneInfo(zone)),
            ),
            one.nanos,
        )
        for one in spent
    ]
    here, there = made(spent, end), made(moved, end.astimezone(ZoneInfo(zone)))
    assert there.fan == here.fan
    assert there.passage(50 * NANOS) == here.passage(50 * NANOS)


amounts = st.lists(st.integers(0, 50), min_size=3, max_size=60)


@given(amounts, st.booleans())
@settings(max_examples=40, deadline=timedelta(seconds=2))
def test_every_line_only_rises_and_none_crosses_another(
    spent: list[int],
    by_hour: bool,  # noqa: FBT001
) -> None:
    known = [float(one) for one in spent]
    told = made((hours if by_hour else days)(len(spent), lambda back: known[back]))
    lines = [told.fan[level] for level in LEVELS] if told.fan else []
    for line in lines:
        assert len(line) == HOURS
        assert line[0] >= 0
        assert all(one <= other for one, other in pairwise(line))
    for low, high in pairwise(lines):
        assert all(one <= other for one, other in zip(low, high, strict=True))


@given(amounts, st.integers(2, 9), st.integers(1, 10**4))
@settings(max_examples=40, deadline=timedelta(seconds=2))
def test_more_spend_never_lengthens_a_runway(spent: list[int], times: int, dollars: int) -> None:
    known = [float(one) for one in spent]
    less = made(hours(len(spent), lambda back: known[back])).passage(dollars * NANOS)
    more = made(hours(len(spent), lambda back: known[back], times=times)).passage(dollars * NANOS)
    for slow, fast in zip(
        (less.p10, less.p50, less.p90), (more.p10, more.p50, more.p90), strict=True
    ):
        assert slow is None or (fast is not None and fast <= slow)


def test_numpy_is_loaded_with_the_first_forecast_that_says_something() -> None:
    code = (
        "import sys; from datetime import datetime, UTC; from spendguard.forecast import foresee; "
        "foresee([], datetime(2026, 1, 1, tzinfo=UTC), 'USD'); print('numpy' in sys.modules)"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "False\n"
