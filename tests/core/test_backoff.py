from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.backoff import FIRST, LONGEST, delivery_delay, poll_delay
from spendguard.core.errors import ErrorKind

FIVE = timedelta(minutes=5)


@given(st.integers(0, 10**6))
def test_delivery_backs_off_further_each_time_and_never_beyond_a_quarter_of_an_hour(
    attempts: int,
) -> None:
    assert FIRST <= delivery_delay(attempts) <= delivery_delay(attempts + 1) <= LONGEST


def test_delivery_waits_as_long_as_the_far_end_asks_within_a_day() -> None:
    assert delivery_delay(1, timedelta(minutes=40)) == timedelta(minutes=40)
    assert delivery_delay(1, timedelta(days=400)) == timedelta(days=1)


@pytest.mark.parametrize(
    ("kind", "asked", "failures", "pause"),
    [
        pytest.param(ErrorKind.UNAVAILABLE, None, 9, 5, id="an outage is tried at the interval"),
        pytest.param(ErrorKind.RATE_LIMITED, 40, 1, 40, id="a rate limit is obeyed"),
        pytest.param(ErrorKind.RATE_LIMITED, 1, 1, 5, id="but never hurried"),
        pytest.param(ErrorKind.RATE_LIMITED, 10**6, 1, 24 * 60, id="nor kept longer than a day"),
        pytest.param(ErrorKind.AUTH, None, 1, 5, id="a refused key is asked about once more"),
        pytest.param(ErrorKind.AUTH, None, 2, 15, id="and then every quarter of an hour"),
        pytest.param(ErrorKind.SCOPE, None, 2, 15, id="as is a missing scope"),
    ],
)
def test_polls_wait(kind: ErrorKind, asked: int | None, failures: int, pause: int) -> None:
    wanted = None if asked is None else timedelta(minutes=asked)

    assert poll_delay(kind, FIVE, wanted, failures) == timedelta(minutes=pause)


@pytest.mark.parametrize("kind", [ErrorKind.AUTH, ErrorKind.SCOPE])
def test_a_refusal_by_this_machine_is_tried_at_its_interval(kind: ErrorKind) -> None:
    second = timedelta(seconds=1)

    assert poll_delay(kind, second, None, 9) == second
