from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from spendguard.core.money import Money
from spendguard.core.spikes import Usual, by_the_hour
from spendguard.core.windows import DAY, HOUR, Window

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
END = NOW - timedelta(hours=26)
START = END - DAY * 28


def usual(hours: dict[datetime, int], start: datetime = START) -> int | None:
    found = Usual.of(hours, Window(start, END))
    return None if found is None else found.hour(NOW)


def every_day(nanos: int, days: int = 28, hour: int = 3) -> dict[datetime, int]:
    """So much in one hour of each of the last days."""
    last = END.replace(hour=0)
    return {last - DAY * back + HOUR * hour: nanos for back in range(days)}


def test_three_days_of_use_must_be_known() -> None:
    assert usual({}) is None
    assert usual({START: 0}) is None
    assert usual(every_day(5, days=2)) is None
    assert usual(every_day(5, days=3)) == 5


def test_the_usual_is_a_busy_hour_of_nine_days_in_ten() -> None:
    assert usual(every_day(5)) == 5
    assert usual(every_day(5) | every_day(50, days=2)) == 5
    assert usual(every_day(5) | every_day(50, days=6)) == 50


def test_days_before_the_first_use_are_no_history() -> None:
    assert usual(every_day(5, days=4)) == 5


def weekly(weeks: int, nanos: int = 90, off: int = 0) -> dict[datetime, int]:
    """A job that ends at this hour of the week, or so many hours beside it."""
    return {NOW - HOUR * (1 + off) - DAY * 7 * back: nanos for back in range(1, weeks + 1)}


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_weekly_job_is_usual_at_its_hour(off: int) -> None:
    assert usual(every_day(5) | weekly(4, off=off)) == 90


def test_a_single_spike_does_not_teach() -> None:
    assert usual(every_day(5) | weekly(1)) == 5


def test_a_weekly_job_is_not_usual_at_another_hour() -> None:
    assert usual(every_day(5) | weekly(2, off=4)) == 5


@pytest.mark.parametrize(
    ("seen", "pace"),
    [
        pytest.param({"spent": "6.00"}, "6.00", id="an hour is its own pace"),
        pytest.param({"spent": "6.00", "burst": "2.00"}, "24.00", id="five minutes go on"),
        pytest.param({"spent": "6.00", "rush": "2.00"}, "60.00", id="and so do two"),
        pytest.param(
            {"spent": "6.00", "burst": None}, "6.00", id="what is not told counts for none"
        ),
        pytest.param({}, "0.00", id="nothing is no pace"),
    ],
)
def test_what_is_accepted_is_a_pace_and_not_what_was_spent_so_far(
    seen: dict[str, str | None], pace: str
) -> None:
    values = {name: text and Money.parse(text, "USD") for name, text in seen.items()}

    assert Money(by_the_hour(values), "USD") == Money.parse(pace, "USD")
