"""Usage read by a poll: how much is asked for, what is kept, and what its failure costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from spendguard.core.money import Money
from spendguard.core.windows import DAY, HOUR, Window, utc_day
from spendguard.pipeline.poll import PollOutcome
from spendguard.pipeline.retain import retain
from spendguard.simulator import Fault, Simulator, Stream, World, feed
from spendguard.store import due, estimates, spenders, usage
from spendguard.store.connect import Store
from spendguard.store.schema import (
    settled_days,
    unbooked,
    usage_days,
    usage_hours,
    usage_minutes,
    usage_quarters,
)
from spendguard.store.usage import MINUTE, QUARTER

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = utc_day(NOW)
USAGE = "/organization/usage/"
INPUT = "gpt-4o, input_tokens"
TABLES = (usage_minutes, usage_quarters, usage_hours, usage_days, unbooked, settled_days)

PollAt = Callable[..., PollOutcome]


def row(store: Store) -> Any:
    with store.begin() as tx:
        return due.load(tx, "main")


def spend(world: World, at: datetime, amount: str, key: str = "key_a", item: str = INPUT) -> None:
    world.spend(at, amount, project="proj_a", api_key=key, line_item=item, model="gpt-4o")


def used(store: Store, window: Window, width: timedelta = HOUR) -> dict[datetime, int]:
    with store.begin() as tx:
        found = usage.used(tx, due.load(tx, "main").id, window, width)
    return {one.at: one.nanos for one in found if one.nanos}


def missing(store: Store) -> dict[datetime, str]:
    """What is not booked yet, by UTC day."""
    with store.begin() as tx:
        days = estimates.unbooked_days(tx, due.load(tx, "main").id)
    return {day: Money(nanos, "USD").exact() for day, nanos in days.items()}


def dump(store: Store) -> list[Any]:
    with store.begin() as tx:
        return [tx.execute(sa.select(table)).all() for table in TABLES]


def asked(simulator: Simulator) -> list[tuple[str, str]]:
    """The series and widths asked for since the last look."""
    found = [
        (one.path.removeprefix(USAGE), str(one.one("bucket_width")))
        for one in simulator.requests
        if one.path.startswith(USAGE)
    ]
    simulator.requests.clear()
    return found


class TestTheFirstPoll:
    def test_reads_back_31_days_by_the_hour(
        self, store: Store, world: World, poll_at: PollAt
    ) -> None:
        for back in (0, 1, 9, 30, 32):
            spend(world, NOW - DAY * back - HOUR * 2, "0.50")

        poll_at(NOW)

        hours = used(store, Window(NOW - DAY * 40, NOW))
        assert hours == {NOW - DAY * back - HOUR * 2: 500_000_000 for back in (0, 1, 9, 30)}
        assert row(store).usage_known
        assert row(store).usage_from == TODAY.start - DAY * 30

    def test_reads_by_the_hour_only_what_is_used(
        self, world: World, simulator: Simulator, poll_at: PollAt
    ) -> None:
        spend(world, NOW - DAY, "0.50")

        poll_at(NOW)

        counts = Counter(asked(simulator))
        assert {series for series, width in counts if width != "1d"} == {"completions"}
        assert sum(counts.values()) < 40

    def test_reads_nearly_a_day_of_minutes_a_page_at_a_time(
        self, store: Store, world: World, simulator: Simulator, poll_at: PollAt
    ) -> None:
        minutes = [NOW - HOUR * back - MINUTE * back for back in (1, 6, 7, 13, 18, 22)]
        for minute in minutes:
            spend(world, minute, "0.50")

        poll_at(NOW)

        pages = [one for one in simulator.requests if one.one("bucket_width") == "1m"]
        assert [one.one("page") for one in pages] == [None] * 4
        assert used(store, Window(NOW - DAY, NOW), MINUTE) == dict.fromkeys(minutes, 500_000_000)

    def test_makes_nobody_unknown(self, store: Store, world: World, poll_at: PollAt) -> None:
        spend(world, NOW - DAY * 20, "5.00", key="key_old")
        spend(world, NOW - HOUR, "5.00", key="key_now")

        poll_at(NOW)

        assert newcomers(store) == []

    def test_that_is_cut_short_goes_on_at_the_next(
        self, store: Store, world: World, simulator: Simulator, poll_at: PollAt
    ) -> None:
        spend(world, NOW - DAY * 25, "0.50")
        simulator.fault(Fault.SERVER_ERROR, path=USAGE + "*")
        poll_at(NOW)
        assert not row(store).usage_known

        simulator.clear()
        poll_at(NOW + HOUR)

        assert used(store, Window(NOW - DAY * 26, NOW)) == {NOW - DAY * 25: 500_000_000}


def newcomers(store: Store) -> list[str]:
    with store.begin() as tx:
        found = spenders.unaccepted(tx, due.load(tx, "main").id, NOW - DAY * 30)
    return sorted(one.id for one in found)


class TestEachPoll:
    def test_reads_the_last_hours_by_the_minute_with_one_request_a_series(
        self, store: Store, world: World, simulator: Simulator, poll_at: PollAt
    ) -> None:
        spend(world, NOW - DAY, "0.50")
        poll_at(NOW)
        asked(simulator)
        at = NOW + timedelta(minutes=3)
        spend(world, at, "0.25")

        poll_at(NOW + timedelta(minutes=5))

        first, *looked = asked(simulator)
        assert first == ("completions", "1m")
        assert {width for _, width in looked} == {"1d"}
        assert len(looked) <= 5
        for width in (MINUTE, QUARTER, HOUR):
            start = at - (at - NOW) % width
            assert used(store, Window(NOW, NOW + HOUR), width) == {start: 250_000_000}

    @pytest.mark.parametrize("first", [5, 10])
    def test_finds_a_series_never_used_before_within_two_polls(
        self, store: Store, world: World, poll_at: PollAt, first: int
    ) -> None:
        spend(world, NOW - DAY, "0.50")
        poll_at(NOW)
        item = "text-embedding-3-small, embedding_tokens"
        spend(world, NOW + timedelta(minutes=1), "0.20", item=item)

        poll_at(NOW + timedelta(minutes=first))
        poll_at(NOW + timedelta(minutes=first + 5))

        assert used(store, Window(NOW, NOW + HOUR)) == {NOW: 200_000_000}

    def test_the_same_again_writes_nothing(
        self, store: Store, world: World, poll_at: PollAt
    ) -> None:
        feed(world, [Stream("p", "k", "gpt-4o", Money.parse("4", "USD"), bursts=9)], TODAY)
        poll_at(NOW)
        poll_at(NOW + timedelta(minutes=1))
        before = dump(store)

        poll_at(NOW + timedelta(minutes=1, seconds=10))

        assert dump(store) == before

    def test_takes_what_is_told_late_of_an_hour_that_had_not_changed(
        self, store: Store, world: World, poll_at: PollAt
    ) -> None:
        spend(world, NOW - DAY, "0.50")
        for minutes in (0, 5, 10):
            poll_at(NOW + timedelta(minutes=minutes))
        spend(world, NOW - HOUR * 2 + MINUTE, "0.25")
        poll_at(NOW + timedelta(minutes=15))

        assert used(store, Window(NOW - HOUR * 3, NOW), MINUTE) == {
            NOW - HOUR * 2 + MINUTE: 250_000_000
        }

    def test_takes_everything_where_another_reading_was_kept(
        self, store: Store, world: World, poll_at: PollAt
    ) -> None:
        spend(world, NOW - HOUR * 2, "0.25")
        poll_at(NOW)
        poll_at(NOW + timedelta(minutes=5))
        with store.begin() as tx:  # as a backup from before it was used would have it
            due.update(tx, 1, usage_read_at=NOW)
            tx.execute(sa.delete(usage_minutes))

        poll_at(NOW + timedelta(minutes=10))

        assert used(store, Window(NOW - HOUR * 3, NOW), MINUTE) == {NOW - HOUR * 2: 250_000_000}

    def test_catches_up_after_an_outage(self, store: Store, world: World, poll_at: PollAt) -> None:
        spend(world, NOW - DAY, "0.50")
        poll_at(NOW)
        for hours in (5, 50, 100, 119):
            spend(world, NOW + HOUR * hours, "0.25")

        poll_at(NOW + HOUR * 120)

        assert used(store, Window(NOW, NOW + DAY * 9)) == {
            NOW + HOUR * hours: 250_000_000 for hours in (5, 50, 100, 119)
        }

    def test_without_usage_is_as_good_as_before(
        self, store: Store, world: World, simulator: Simulator, poll_at: PollAt
    ) -> None:
        spend(world, NOW - DAY, "0.50")
        poll_at(NOW)
        simulator.fault(Fault.SERVER_ERROR, path=USAGE + "*")

        outcome = poll_at(NOW + timedelta(minutes=5))

        assert outcome.error is None
        assert row(store).failures == 0
        assert not row(store).usage_known
        assert row(store).usage_error

    def test_names_who_is_new(self, store: Store, world: World, poll_at: PollAt) -> None:
        spend(world, NOW - DAY, "0.50")
        poll_at(NOW)
        spend(world, NOW + timedelta(minutes=2), "0.50", key="key_new")

        poll_at(NOW + timedelta(minutes=5))

        assert newcomers(store) == ["key_new"]

    def test_names_who_was_not_shown_at_first_though_it_had_spent(
        self, store: Store, world: World, poll_at: PollAt
    ) -> None:
        spend(world, NOW - DAY, "0.50")
        poll_at(NOW)
        spend(world, NOW - timedelta(minutes=20), "0.50", key="key_new")
        spend(world, NOW - DAY * 2, "0.50", key="key_late")

        poll_at(NOW + timedelta(minutes=5))
        poll_at(NOW + HOUR * 3)

        assert newcomers(store) == ["key_new"]


class TestWhatIsNotBookedYet:
    @pytest.fixture
    def world(self) -> World:
        """An account whose costs are booked a day late."""
        world = World(NOW, lag=DAY)
        world.purchase(NOW - DAY * 99, "1000.00")
        return world

    def test_is_the_estimate_above_the_bill(
        self, store: Store, world: World, poll_at: PollAt
    ) -> None:
        spend(world, NOW - HOUR, "3.00")
        poll_at(NOW)
        assert missing(store) == {TODAY.start: "3.00"}

        poll_at(NOW + DAY)
        assert missing(store) == {}

    def test_is_dropped_once_the_day_is_settled_and_compared_with_the_bill(
        self, store: Store, world: World, simulator: Simulator, poll_at: PollAt
    ) -> None:
        world.restate(NOW + HOUR, NOW, "-1.00", project="proj_a", api_key="key_a", line_item=INPUT)
        spend(world, NOW - HOUR, "3.00")
        poll_at(NOW)
        poll_at(TODAY.end + HOUR * 47)
        assert missing(store) == {TODAY.start: "1.00"}

        poll_at(TODAY.end + HOUR * 48)

        assert missing(store) == {}
        with store.begin() as tx:
            [day] = estimates.settled(tx, 1, TODAY.start)
        assert (day.estimated, day.booked) == (3_000_000_000, 2_000_000_000)


def test_minutes_and_quarters_are_dropped_and_hours_stay(
    store: Store, world: World, poll_at: PollAt
) -> None:
    spend(world, NOW - HOUR, "3.00")
    poll_at(NOW)
    window = Window(NOW - DAY, NOW)

    retain(store, NOW + DAY * 5)
    assert (used(store, window, MINUTE), used(store, window, QUARTER)) == (
        {},
        {NOW - HOUR: 3_000_000_000},
    )
    retain(store, NOW + DAY * 63)
    assert used(store, window, QUARTER) == {}
    assert used(store, window) == {NOW - HOUR: 3_000_000_000}
