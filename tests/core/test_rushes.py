from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.rushes import bound, rushes

ALL = range(1000)
BUCKETS = st.dictionaries(st.integers(1, 998), st.integers(1, 10**6), max_size=30)


@pytest.mark.parametrize(
    ("minutes", "found"),
    [
        pytest.param({}, [], id="nothing spent is none"),
        pytest.param({7: 100}, [], id="a minute alone is none, however dear"),
        pytest.param({7: 50, 8: 50}, [(8, 100)], id="two minutes are one"),
        pytest.param({7: 95, 8: 5}, [(8, 100)], id="also where one has a twentieth of it"),
        pytest.param({7: 96, 8: 4}, [], id="one dear request beside small ones is none"),
        pytest.param({7: 50, 9: 50}, [], id="a pause between them is the end"),
        pytest.param({7: 5, 8: 5, 9: 5}, [(8, 10), (9, 10)], id="three minutes are two"),
    ],
)
def test_two_minutes_that_both_saw_use_are_a_rush(
    minutes: dict[int, int], found: list[tuple[int, int]]
) -> None:
    assert sorted(rushes(minutes)) == found


@pytest.mark.parametrize(
    ("minutes", "quarters", "expected"),
    [
        pytest.param({}, {}, 0, id="anything is unlike a key that was never used"),
        pytest.param({5: 100}, {}, 150, id="half as much again as its dearest minute"),
        pytest.param({5: 60, 6: 40}, {}, 150, id="or its dearest two"),
        pytest.param({5: 60, 7: 40}, {}, 90, id="which touch"),
        pytest.param({5: 10}, dict.fromkeys(ALL, 500), 15, id="what goes on evenly is no leap"),
        pytest.param({5: 10}, {2: 500}, 500, id="a job is"),
        pytest.param({5: 10}, {2: 500, 3: 500}, 500, id="also one that takes half an hour"),
        pytest.param({5: 10}, {0: 500, 999: 500}, 15, id="nobody knows what is beside the ends"),
    ],
)
def test_what_is_unlike_a_key_is_more_than_it_ever_did(
    minutes: dict[int, int], quarters: dict[int, int], expected: int
) -> None:
    assert bound(minutes, quarters, ALL) == expected


@given(minutes=BUCKETS, quarters=BUCKETS)
def test_what_a_key_did_before_is_never_unlike_it(
    minutes: dict[int, int], quarters: dict[int, int]
) -> None:
    most = bound(minutes, quarters, ALL)

    assert all(nanos < most for _, nanos in rushes(minutes))


@given(minutes=BUCKETS, quarters=BUCKETS, more=BUCKETS)
def test_more_history_never_makes_more_unlike_it(
    minutes: dict[int, int], quarters: dict[int, int], more: dict[int, int]
) -> None:
    grown = {number: minutes.get(number, 0) + more.get(number, 0) for number in minutes | more}

    assert bound(grown, quarters, ALL) >= bound(minutes, quarters, ALL)
