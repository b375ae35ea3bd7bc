from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.findings import Severity
from spendguard.rules.base import grade, percent, rank_over, rank_under

INFO, WARNING, CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL
nanos = st.integers(-(10**19), 10**19)
falling = st.lists(nanos, max_size=5, unique=True).map(lambda values: sorted(values, reverse=True))
rising = st.lists(st.integers(0, 150), max_size=5, unique=True).map(sorted)
held = st.integers(0, 6)


@pytest.mark.parametrize(
    ("value", "thresholds", "kept", "rank"),
    [
        pytest.param(5000, [5000, 2500], 0, 0, id="at a threshold is not under it"),
        pytest.param(4999, [5000, 2500], 0, 1, id="one nano less is under it"),
        pytest.param(5249, [5000, 2500], 1, 1, id="a held threshold is kept up to 5 %"),
        pytest.param(5250, [5000, 2500], 1, 0, id="5 % above, it is left"),
        pytest.param(2600, [5000, 2500], 2, 2, id="a lower one is held by its own 5 %"),
        pytest.param(2625, [5000, 2500], 2, 1, id="and left while the upper one stays"),
        pytest.param(2600, [5000, 2500], 1, 1, id="what was not entered is not held"),
        pytest.param(0, [0], 1, 0, id="zero has no margin"),
        pytest.param(-96, [-100], 1, 1, id="5 % of a negative threshold lie above it too"),
        pytest.param(-95, [-100], 1, 0, id="and are left above it"),
        pytest.param(0, [0, 0, 1, 0], 0, 3, id="the last threshold counts, not their number"),
        pytest.param(1, [], 3, 0, id="without thresholds nothing is under"),
    ],
)
def test_rank_under(value: int, thresholds: list[int], kept: int, rank: int) -> None:
    assert rank_under(value, thresholds, kept) == rank


@pytest.mark.parametrize(
    ("part", "whole", "steps", "kept", "rank"),
    [
        pytest.param(75, 100, [50, 75], 0, 2, id="at a step it is reached"),
        pytest.param(74_999_999, 100_000_000, [50, 75], 0, 1, id="a hair less, it is not"),
        pytest.param(70_000_001, 100_000_000, [50, 75], 2, 2, id="a held step is kept 5 points"),
        pytest.param(70, 100, [50, 75], 2, 1, id="5 points lower it is left"),
        pytest.param(0, 100, [3], 1, 0, id="a step under 5 % is left at nothing"),
        pytest.param(-10, 100, [50], 1, 0, id="less than nothing reaches no step"),
        pytest.param(0, 0, [50, 100], 0, 2, id="all of nothing is reached"),
    ],
)
def test_rank_over(part: int, whole: int, steps: list[int], kept: int, rank: int) -> None:
    assert rank_over(part, whole, steps, kept) == rank


@given(nanos, nanos, falling, held)
def test_more_money_is_never_a_higher_rank(
    one: int, other: int, thresholds: list[int], kept: int
) -> None:
    less, more = sorted((one, other))
    assert rank_under(less, thresholds, kept) >= rank_under(more, thresholds, kept)


@given(nanos, falling, held)
def test_holding_never_lowers_a_rank_nor_raises_it_above_what_was_held(
    value: int, thresholds: list[int], kept: int
) -> None:
    free, bound = rank_under(value, thresholds), rank_under(value, thresholds, kept)
    assert free <= bound <= max(free, kept)


@given(st.integers(1, 10**18), st.integers(0, 10**18))
def test_leaving_a_threshold_takes_five_percent_more_than_entering(
    threshold: int, above: int
) -> None:
    left = rank_under(threshold + above, [threshold], 1) == 0
    assert left == (above >= threshold // 20)


@given(nanos, nanos, st.integers(1, 10**19), rising, held)
def test_more_spend_is_never_a_lower_rank(
    one: int, other: int, whole: int, steps: list[int], kept: int
) -> None:
    less, more = sorted((one, other))
    assert rank_over(less, whole, steps, kept) <= rank_over(more, whole, steps, kept)


@given(nanos, st.integers(1, 10**19), rising, held)
def test_holding_a_step_never_lowers_a_rank_nor_raises_it_above_what_was_held(
    part: int, whole: int, steps: list[int], kept: int
) -> None:
    free, bound = rank_over(part, whole, steps), rank_over(part, whole, steps, kept)
    assert free <= bound <= max(free, kept)


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        pytest.param(1, 3, 33, id="rounded down"),
        pytest.param(-1, 3, 0, id="not below zero"),
        pytest.param(7, 3, 233, id="above a hundred"),
        pytest.param(0, 0, 100, id="all of nothing"),
    ],
)
def test_percent(part: int, whole: int, shown: int) -> None:
    assert percent(part, whole) == shown


@pytest.mark.parametrize(
    ("count", "graded"),
    [
        pytest.param(1, [CRITICAL], id="a single step is the worst"),
        pytest.param(2, [INFO, CRITICAL], id="the last of two is the worst"),
        pytest.param(3, [INFO, WARNING, CRITICAL], id="as many as the ladder has"),
        pytest.param(5, [INFO, WARNING, CRITICAL, CRITICAL, CRITICAL], id="more than it has"),
    ],
)
def test_grade(count: int, graded: list[Severity]) -> None:
    ladder = (INFO, WARNING, CRITICAL)
    assert [grade(rank, count, ladder) for rank in range(1, count + 1)] == graded
