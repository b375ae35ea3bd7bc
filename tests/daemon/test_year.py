"""A year of claims, through a leap day and clocks that are set: every account is read in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from spendguard.core.pace import following
from spendguard.daemon.steady import ClockWatch
from spendguard.store import claims, due
from spendguard.store.claims import POLLS
from spendguard.store.connect import Store
from tests.daemon.conftest import Time
from tests.databases import account, opened

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
INTERVALS = {
    "often": timedelta(hours=17),
    "daily": DAY,
    "oddly": timedelta(hours=41, minutes=37, seconds=11),
}
MINUTE = timedelta(minutes=1)
BEGIN = datetime(2028, 1, 1, tzinfo=UTC)
YEAR = 366 * DAY


SETS = {60: YEAR, 61: -YEAR, 120: -YEAR, 150: YEAR, 250: HOUR, 300: -HOUR}
"""The days on which somebody sets the clock, and by how much."""


def play(store: Store, time: Time) -> dict[str, list[float]]:
    """Live through a year as the daemon does; return when each account was read, by a steady clock."""
    read: dict[str, list[float]] = {name: [] for name in INTERVALS}
    watch, began, waiting = ClockWatch(time.clock, time.steady), time.seconds, dict(SETS)
    free(store, time)
    while time.seconds - began < YEAR.total_seconds():
        for day in [one for one in waiting if time.seconds - began >= one * DAY.total_seconds()]:
            time.now += waiting.pop(day)
        if watch.look() is not None:
            free(store, time)
        with store.begin() as tx:
            won = claims.claim(
                tx, POLLS, INTERVALS, "us", time.now, time.now + MINUTE, most=8, failing=6
            )
            for name in won:
                read[name].append(time.seconds)
                due.succeeded(tx, due.load(tx, name), time.now, INTERVALS[name], "us")
            soonest = claims.soonest(tx, POLLS, time.now)
        assert soonest is not None
        set_at = min((began + day * DAY.total_seconds() for day in waiting), default=float("inf"))
        pause = min((soonest - time.now).total_seconds(), set_at - time.seconds)
        time.pass_(max(timedelta(seconds=pause), timedelta(milliseconds=1)))
    return read


def free(store: Store, time: Time) -> None:
    with store.begin() as tx:
        claims.free(tx, POLLS, INTERVALS, (), time.now)


def test_every_account_is_read_at_its_interval_whatever_the_clock_says(
    tmp_path: Path, time: Time
) -> None:
    time.now = BEGIN
    with opened(tmp_path / "spendguard.db") as store:
        with store.begin() as tx:
            due.register(tx, [account(name) for name in INTERVALS])
        read = play(store, time)
    for name, interval in INTERVALS.items():
        gaps = [round(later - earlier, 3) for earlier, later in pairwise(read[name])]
        assert max(gaps) == interval.total_seconds()
        extra = 2 * len(SETS) + 1  # each time everything is read at once, then at its next instant
        assert 0 <= len(read[name]) - YEAR // interval <= extra


def test_a_change_to_summer_time_moves_no_reading() -> None:
    """The grid is one of instants; what a clock on the wall in Berlin shows is not asked."""
    berlin = ZoneInfo("Europe/Berlin")
    read = [datetime(2028, 3, 25, 12, tzinfo=berlin)]
    while len(read) < 48:
        read.append(following("main", HOUR, read[-1].astimezone(berlin), HOUR))
    gaps = {(later.astimezone(UTC) - one.astimezone(UTC)) for one, later in pairwise(read[1:])}
    assert gaps == {HOUR}
