from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.pace import FARTHEST, due, following, phase

names = st.text(st.characters(codec="ascii", categories=("Ll", "Nd")), min_size=1, max_size=20)
intervals = st.timedeltas(timedelta(seconds=1), timedelta(days=1))
instants = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
MICROSECOND = timedelta(microseconds=1)


@given(names, intervals)
def test_a_phase_is_a_part_of_the_interval_and_always_the_same(
    name: str, interval: timedelta
) -> None:
    assert timedelta(0) <= phase(name, interval) < interval
    assert phase(name, interval) == phase(name, interval)


@given(names, intervals, instants)
def test_the_next_reading_is_within_the_interval_and_never_now(
    name: str, interval: timedelta, now: datetime
) -> None:
    assert now < following(name, interval, now, interval) <= now + interval


@given(names, intervals, instants, st.timedeltas(timedelta(0), timedelta(days=1)))
def test_a_longer_pause_is_kept_whole_and_not_stretched_by_more_than_the_interval(
    name: str, interval: timedelta, now: datetime, more: timedelta
) -> None:
    pause = interval + MICROSECOND + more
    assert now + pause <= following(name, interval, now, pause) < now + pause + interval


@given(names, intervals, instants, st.timedeltas(timedelta(0), timedelta(seconds=1) - MICROSECOND))
def test_a_reading_that_is_late_does_not_make_the_next_one_so(
    name: str, interval: timedelta, now: datetime, late: timedelta
) -> None:
    first = following(name, interval, now, interval)
    assert following(name, interval, first + late, interval) == first + interval


def test_a_year_with_a_leap_day_is_read_evenly() -> None:
    interval, now = timedelta(hours=6), datetime(2027, 12, 31, 23, tzinfo=UTC)
    read = [following("main", interval, now, interval)]
    while read[-1] < datetime(2029, 1, 1, tzinfo=UTC):
        read.append(following("main", interval, read[-1] + timedelta(seconds=30), interval))
    assert {later - earlier for earlier, later in pairwise(read)} == {interval}
    assert any((at.month, at.day) == (2, 29) for at in read)


def test_many_accounts_are_spread_over_the_interval() -> None:
    minutes = [
        phase(f"account-{n}", timedelta(minutes=5)) // timedelta(minutes=1) for n in range(1000)
    ]
    assert all(150 < minutes.count(minute) < 250 for minute in range(5))


@given(instants, st.timedeltas(timedelta(days=-5000), timedelta(days=5000)))
def test_what_is_put_off_for_longer_than_anything_ever_is_was_not_meant(
    now: datetime, ahead: timedelta
) -> None:
    assert due(now + ahead, now) is not (timedelta(0) < ahead <= FARTHEST)
