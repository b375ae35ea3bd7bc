from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.windows import (
    DAY,
    Unit,
    Window,
    calendar_window,
    share,
    tile,
    utc_day,
)

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Shanghai",
    "Asia/Kolkata",
    "Australia/Lord_Howe",  # shifts by half an hour
    "Africa/Cairo",  # midnight itself is skipped in spring
    "Pacific/Chatham",
]
instants = st.integers(0, 12 * 365 * 86_400).map(
    lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("unit", Unit)
def test_windows_tile_a_year_without_gap_or_overlap_through_every_change_of_the_clock(
    zone: str, unit: Unit
) -> None:
    year = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    windows = list(tile(year, unit, ZoneInfo(zone)))

    assert windows[0].start == year.start
    assert windows[-1].end == year.end
    assert all(one.end == two.start for one, two in pairwise(windows))
    assert all(window.start < window.end for window in windows)


@given(instants, st.sampled_from(ZONES), st.sampled_from(Unit))
def test_an_instant_lies_in_its_own_window_and_the_window_agrees_about_both_its_ends(
    instant: datetime, name: str, unit: Unit
) -> None:
    zone = ZoneInfo(name)
    window = calendar_window(instant, unit, zone)

    assert instant in window
    assert calendar_window(window.start, unit, zone) == window
    assert calendar_window(window.end, unit, zone).start == window.end


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        pytest.param(datetime(2026, 3, 29, 12, tzinfo=UTC), 23, id="spring loses an hour"),
        pytest.param(datetime(2026, 10, 25, 12, tzinfo=UTC), 25, id="autumn gains one"),
        pytest.param(datetime(2026, 6, 1, 12, tzinfo=UTC), 24, id="summer is plain"),
    ],
)
def test_a_local_day_has_the_hours_it_has(day: datetime, hours: int) -> None:
    window = calendar_window(day, Unit.DAY, ZoneInfo("Europe/Berlin"))

    assert window.length == timedelta(hours=hours)
    assert len(list(tile(window, Unit.HOUR, ZoneInfo("Europe/Berlin")))) == hours


@given(
    st.integers(-(10**18), 10**18),
    instants,
    st.lists(st.integers(0, 86_400_000_000), max_size=30),
)
def test_the_parts_of_a_day_sum_to_the_day_to_the_nano(
    nanos: int, instant: datetime, cuts: list[int]
) -> None:
    day = utc_day(instant)
    edges = [day.start, *(day.start + timedelta(microseconds=cut) for cut in sorted(cuts)), day.end]
    parts = [Window(one, two) for one, two in pairwise(edges) if one < two]

    assert sum(share(nanos, day, part) for part in parts) == nanos


def test_a_utc_day_that_straddles_a_local_day_is_divided_evenly_over_its_hours() -> None:
    day = utc_day(datetime(2026, 11, 20, tzinfo=UTC))
    shanghai = calendar_window(day.start, Unit.DAY, ZoneInfo("Asia/Shanghai"))

    assert share(24, day, shanghai) == 16
    assert share(24, day, Window(shanghai.end, shanghai.end + DAY)) == 8
