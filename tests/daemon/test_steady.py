from __future__ import annotations

from datetime import timedelta

import pytest

from spendguard.daemon.steady import ClockWatch
from tests.daemon.conftest import Time

YEAR = timedelta(days=365)
SECOND = timedelta(seconds=1)


@pytest.fixture
def watch(time: Time) -> ClockWatch:
    return ClockWatch(time.clock, time.steady)


@pytest.mark.parametrize(
    "length",
    [
        pytest.param(SECOND, id="a second"),
        pytest.param(timedelta(days=1), id="a day asleep"),
        pytest.param(10 * YEAR, id="ten years"),
    ],
)
def test_time_that_passes_is_no_jump(time: Time, watch: ClockWatch, length: timedelta) -> None:
    time.pass_(length)
    assert watch.look() is None
    assert watch.jumped is None


@pytest.mark.parametrize("by", [YEAR, -YEAR, 6 * SECOND, -6 * SECOND])
def test_a_clock_that_is_set_is_noticed_once(time: Time, watch: ClockWatch, by: timedelta) -> None:
    time.pass_(SECOND)
    time.now += by
    assert watch.look() == by
    assert watch.look() is None
    assert watch.jumped == by


def test_it_is_remembered_for_an_hour_and_the_largest_counts(time: Time, watch: ClockWatch) -> None:
    time.now += YEAR
    watch.look()
    time.now -= timedelta(seconds=10)
    watch.look()
    time.pass_(timedelta(minutes=59))
    assert watch.jumped == YEAR
    time.pass_(timedelta(minutes=2))
    assert watch.jumped is None


def test_a_clock_that_is_slewed_is_no_jump(time: Time, watch: ClockWatch) -> None:
    for _ in range(100):
        time.pass_(SECOND)
        time.now += timedelta(milliseconds=50)
        assert watch.look() is None
