from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.spread import divide, falls_on, pieces
from spendguard.core.windows import DAY, HOUR, Window, share

START = datetime(2026, 11, 23, tzinfo=UTC)
TODAY = Window(START, START + DAY)
NANOS = st.integers(-(10**15), 10**15)
HOURS = st.lists(st.integers(0, 10**12), max_size=24)
INSTANTS = st.integers(0, 86_400_000_000).map(lambda n: START + timedelta(microseconds=n))


def at(hours: float) -> datetime:
    return START + HOUR * hours


def test_a_day_is_divided_as_it_was_used() -> None:
    hours = (0, 0, 3, 0, 1)
    assert pieces(TODAY, 800, hours) == [
        (Window(at(2), at(3)), 600),
        (Window(at(4), at(5)), 200),
    ]


def test_a_day_whose_usage_is_not_known_is_spread_evenly() -> None:
    assert pieces(TODAY, 800, ()) == [(TODAY, 800)]
    assert falls_on(Window(at(6), at(12)), TODAY, 800) == 200


def test_an_hour_is_divided_evenly() -> None:
    assert falls_on(Window(at(0), at(2.25)), TODAY, 800, (0, 0, 3, 0, 1)) == 150


def test_a_part_of_a_day_takes_the_part_of_its_hours() -> None:
    part = Window(at(2.5), at(5))
    assert pieces(part, 100, (9, 9, 2, 0, 1)) == [
        (Window(at(2.5), at(3)), 50),
        (Window(at(4), at(5)), 50),
    ]


@given(NANOS, st.lists(st.integers(0, 10**12), min_size=1).filter(any))
def test_parts_sum_to_the_amount(nanos: int, weights: list[int]) -> None:
    assert sum(divide(nanos, weights)) == nanos


@given(NANOS, HOURS, st.lists(INSTANTS, max_size=5))
def test_windows_that_tile_a_day_share_it_to_the_nano(
    nanos: int, hours: list[int], cuts: list[datetime]
) -> None:
    edges = sorted({TODAY.start, TODAY.end, *cuts})
    windows = [Window(*pair) for pair in pairwise(edges)]
    assert sum(falls_on(window, TODAY, nanos, hours) for window in windows) == nanos


@given(st.integers(0, 10**15), HOURS, INSTANTS)
def test_no_part_is_negative(nanos: int, hours: list[int], cut: datetime) -> None:
    assert 0 <= falls_on(Window(START, cut), TODAY, nanos, hours) <= nanos


@given(NANOS, HOURS.filter(any), st.data())
def test_finer_parts_sum_to_coarser_ones(
    nanos: int, weights: list[int], data: st.DataObject
) -> None:
    parts = divide(nanos, weights)
    cut = data.draw(st.integers(0, len(weights)))
    coarser = divide(nanos, [sum(weights[:cut]), sum(weights[cut:])])
    assert coarser == [sum(parts[:cut]), sum(parts[cut:])]


@given(NANOS, st.lists(st.integers(1, 10**9), min_size=1, max_size=9))
def test_weights_that_are_lengths_divide_as_share_does(nanos: int, lengths: list[int]) -> None:
    ends = [START + timedelta(microseconds=sum(lengths[:n])) for n in range(len(lengths) + 1)]
    whole = Window(START, ends[-1])
    even = [share(nanos, whole, Window(*pair)) for pair in pairwise(ends)]
    assert divide(nanos, lengths) == even


@given(NANOS, st.lists(st.integers(0, 10**12), min_size=24, max_size=24).filter(any))
def test_a_whole_day_divides_hour_by_hour_as_its_pieces_do(nanos: int, hours: list[int]) -> None:
    told = {part.start: amount for part, amount in pieces(TODAY, nanos, hours)}
    assert divide(nanos, hours) == [told.get(at(place), 0) for place in range(24)]
