"""Forecasts: the fan as a value, and when its lines reach a level."""

from __future__ import annotations

import json
from array import array
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.forecasts import HOURS, LEVELS, WEEK, Forecast, History, Passage, Path
from spendguard.core.windows import DAY, HOUR, Window

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)

lines = st.lists(st.integers(0, 10**12), min_size=14, max_size=14).map(
    lambda steps: tuple(accumulate(step for step in steps for _ in range(HOURS // 14)))
)


def even(per_hour: int) -> array[int]:
    return array("q", [per_hour * hour for hour in range(1, HOURS + 1)])


def fan(per_hour: int) -> Forecast:
    """A forecast whose median is `per_hour`, each line as much faster as its percent tells."""
    known = History(Window(NOW - DAY * 30, NOW), 0, 30, "booked")
    lines = {level: even(per_hour * level // 50) for level in LEVELS}
    return Forecast(NOW, NOW, "USD", known, lines)


def test_a_level_is_passed_within_the_hour_in_which_the_line_reaches_it() -> None:
    path = Path(NOW, even(100))
    assert path.reaches(250) == NOW + HOUR * 2.5
    assert path.until(NOW + HOUR * 2.5) == 250
    assert path.until(NOW - DAY) == 0
    assert path.reaches(0) == path.reaches(-5) == NOW


def test_past_the_horizon_the_last_week_repeats() -> None:
    path = Path(NOW, (*even(0)[:-1], 700))  # all of it in the last hour of the second week
    assert path.until(NOW + DAY * 21) == 1400
    assert path.until(NOW + DAY * 20) == 700
    assert path.reaches(1400) == NOW + DAY * 21
    assert path.reaches(1050) == NOW + DAY * 21 - HOUR / 2


def test_a_level_is_never_reached_where_nothing_is_spent() -> None:
    assert Path(NOW, even(0)).reaches(1) is None


def test_the_early_end_of_a_passage_is_where_the_upper_line_reaches_it() -> None:
    found = fan(100).passage(9000)
    assert found == Passage(NOW + HOUR * 50, NOW + HOUR * 90, None)


def test_a_passage_beyond_the_horizon_is_not_told() -> None:
    assert fan(100).passage(100 * HOURS * 2) == Passage(None, None, None)


def test_a_silent_forecast_tells_nothing() -> None:
    silent = Forecast(NOW, NOW, "USD", None, {}, "no-history")
    assert silent.passage(5) == Passage(None, None, None)
    assert silent.path(50) is None


def test_it_comes_back_from_json_as_it_was() -> None:
    for one in (fan(123_456_789), Forecast(NOW, NOW, "USD", None, {}, "no-history")):
        assert Forecast.restored(json.loads(json.dumps(one.stored()))) == one


@given(lines, st.integers(1, 10**15))
def test_a_level_is_reached_no_sooner_than_it_is_spent(line: tuple[int, ...], level: int) -> None:
    path = Path(NOW, line)
    at = path.reaches(level)
    if at is None:
        assert level > line[-1] == line[-WEEK - 1]
        return
    assert path.until(at) >= level
    assert path.until(at - TICK) < level


@given(lines, st.integers(0, 40 * 24 * 60), st.integers(0, 40 * 24 * 60))
def test_what_is_spent_only_adds_up(line: tuple[int, ...], one: int, other: int) -> None:
    path, minute = Path(NOW, line), timedelta(minutes=1)
    early, late = sorted((one, other))
    assert path.until(NOW + early * minute) <= path.until(NOW + late * minute)


@given(lines, lines, st.integers(1, 10**15))
def test_more_spend_never_reaches_a_level_later(
    line: tuple[int, ...], more: tuple[int, ...], level: int
) -> None:
    raised = tuple(a + b for a, b in zip(line, more, strict=True))
    at, sooner = Path(NOW, line).reaches(level), Path(NOW, raised).reaches(level)
    assert at is None or (sooner is not None and sooner <= at)
