"""A fleet on days unlike others: when clocks change, after a day asleep, when the clock is set."""

from __future__ import annotations

import time as clocks
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from spendguard.core.windows import DAY, HOUR
from tests.daemon.conftest import Time
from tests.daemon.fleet import Fleet, fleet

MINUTE = timedelta(minutes=1)
YEAR = timedelta(days=365)
LATE = 60.0
"""Seconds after its instant at which an account is begun to be read at the latest."""


@pytest.fixture(autouse=True)
def local_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose own clock changes twice a year."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    clocks.tzset()
    yield
    monkeypatch.delenv("TZ")
    clocks.tzset()


def gaps(guarded: Fleet, name: str, since: float = 0.0) -> list[int]:
    """Return the seconds between reads of an account, by the clock that nobody sets."""
    begun = [one.seconds for one in guarded.reads[name] if one.seconds >= since]
    return [round(later - earlier) for earlier, later in pairwise(begun)]


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(datetime(2027, 10, 31, 0, 30, tzinfo=UTC), id="an hour comes twice"),
        pytest.param(datetime(2028, 3, 26, 0, 30, tzinfo=UTC), id="an hour is left out"),
        pytest.param(datetime(2028, 2, 28, 23, 30, tzinfo=UTC), id="into the leap day"),
        pytest.param(datetime(2028, 2, 29, 23, 30, tzinfo=UTC), id="out of the leap day"),
        pytest.param(datetime(2027, 12, 31, 23, 30, tzinfo=UTC), id="into another year"),
    ],
)
def test_a_day_that_is_unlike_others_is_read_as_any(tmp_path: Path, start: datetime) -> None:
    time = Time(start)
    names = [f"account-{n}" for n in range(3)]
    with fleet(tmp_path, time, dict.fromkeys(names, "5m")) as guarded:
        guarded.go(HOUR)
        assert {len(guarded.reads[name]) for name in names} == {13}
        assert all(set(gaps(guarded, name)[1:]) == {300} for name in names)


class TestADayAsleep:
    NAMES = tuple(f"account-{n:03}" for n in range(80))

    def test_is_caught_up_with_once_and_not_all_at_once(self, tmp_path: Path) -> None:
        time = Time()
        with fleet(tmp_path, time, dict.fromkeys(self.NAMES, "5m")) as guarded:
            guarded.go(10 * MINUTE)
            time.pass_(DAY)
            woken = time.seconds
            guarded.go(12 * MINUTE)

            assert guarded.watch.jumped is None
            assert guarded.hands.most == 8  # connections at once
            drained = 2.0 * len(self.NAMES) / 8 + 2
            first = [self.first(guarded, name, woken) for name in self.NAMES]
            assert max(first) <= woken + drained
            assert all(
                gap <= 300 + LATE for name in self.NAMES for gap in gaps(guarded, name, woken)
            )
            self.spread(guarded, woken + 300)

    def test_leaves_room_for_those_that_answer(self, tmp_path: Path) -> None:
        time, hung = Time(), self.NAMES[:25]
        lasts = dict.fromkeys(hung, 60.0)
        with fleet(
            tmp_path, time, dict.fromkeys(self.NAMES, "5m"), lasts=lasts, failing=hung
        ) as guarded:
            guarded.go(10 * MINUTE)
            time.pass_(DAY)
            woken = time.seconds
            guarded.go(10 * MINUTE)

            well = self.NAMES[25:]
            first = [self.first(guarded, name, woken) for name in well]
            assert max(first) <= woken + 2.0 * len(well) / 2 + 60  # two hands are kept for them
            assert all(gap <= 300 + LATE for name in well for gap in gaps(guarded, name, woken))

    def first(self, guarded: Fleet, name: str, since: float) -> float:
        return next(one.seconds for one in guarded.reads[name] if one.seconds >= since)

    def spread(self, guarded: Fleet, since: float) -> None:
        """Find the reads of an interval even: no half a minute has more than twice its share."""
        reads = [one.seconds for one in guarded.since(since) if one.seconds < since + 300]
        assert len(reads) == len(self.NAMES)
        parts = Counter(int(one - since) // 30 for one in reads)
        assert max(parts.values()) <= 2 * len(self.NAMES) / 10


@pytest.mark.parametrize("by", [YEAR, -YEAR])
def test_a_clock_that_is_set_costs_one_read_of_each_and_no_stampede(
    tmp_path: Path, by: timedelta
) -> None:
    time = Time()
    names = [f"account-{n:03}" for n in range(40)]
    with fleet(tmp_path, time, dict.fromkeys(names, "5m")) as guarded:
        guarded.go(10 * MINUTE)
        time.now += by
        moved = time.seconds
        guarded.go(MINUTE)
        after = Counter(
            name for name in names for one in guarded.reads[name] if one.seconds >= moved
        )
        assert set(after) == set(names)
        assert set(after.values()) <= {1, 2}  # at once, and at its own instant
        guarded.go(10 * MINUTE)

        assert guarded.watch.jumped == by
        assert guarded.hands.most == 8
        assert all(gap <= 300 + LATE for name in names for gap in gaps(guarded, name))
        reads = len(guarded.since(moved))
        assert reads <= len(names) * (1 + 11 / 5 + 1)
