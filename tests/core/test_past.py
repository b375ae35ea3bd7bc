"""Past: windows of spend in columns."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from spendguard.core.forecasts import Spent
from spendguard.core.past import Past
from spendguard.core.windows import HOUR, Window

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def hour(number: int) -> Spent:
    window = Window(NOW + HOUR * number, NOW + HOUR * (number + 1))
    return Spent(window, number * 10**9 + 1, estimated=number % 2 == 1)


def test_it_tells_what_it_was_told() -> None:
    told = [hour(number) for number in range(5)]
    assert list(Past.of(reversed(told))) == told
    assert Past.of(told).window() == Window(NOW, NOW + HOUR * 5)


def test_windows_of_any_zone_are_told_in_utc() -> None:
    zone = ZoneInfo("America/New_York")
    here = Window(NOW.astimezone(zone), (NOW + HOUR).astimezone(zone))
    assert Past.of([Spent(here, 7)])[0].window.start.tzinfo is UTC


def test_it_grows_at_its_end_only() -> None:
    past = Past()
    for number in range(3):
        past.append(hour(number))
    assert list(past) == [hour(0), hour(1), hour(2)]
    with pytest.raises(ValueError, match="begins before"):
        past.append(hour(1))


def test_it_is_cut_and_joined_as_a_list_is() -> None:
    past = Past.of([hour(number) for number in range(6)])
    assert list(past[1:3] + past[4:]) == [hour(1), hour(2), hour(4), hour(5)]
    del past[:4]
    assert list(past) == [hour(4), hour(5)]
    assert (past[-1], len(past)) == (hour(5), 2)


def test_hours_that_follow_one_another_are_added_at_once() -> None:
    each, at_once = Past(), Past()
    for number in range(4):
        each.append(Spent(hour(number).window, number, estimated=True))
    at_once.append_hours(NOW, range(4), estimated=True)
    assert list(at_once) == list(each)
    with pytest.raises(ValueError, match="begins before"):
        at_once.append_hours(NOW, [1], estimated=True)
