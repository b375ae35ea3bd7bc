from __future__ import annotations

from collections.abc import Callable, Collection, Container
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa

from spendguard.core.errors import ErrorKind, Problem, ProviderError
from spendguard.core.ledger import Kind
from spendguard.core.money import Money
from spendguard.core.readings import Balance, Extras, RawReply, Spend, SpendRead, UsageRead
from spendguard.core.windows import DAY, HOUR, Window, utc_day
from spendguard.pipeline.poll import PollOutcome, poll, refuse
from spendguard.pipeline.retain import retain
from spendguard.simulator import Fault, Simulator, Stream, World, feed
from spendguard.simulator.openai import OpenAI
from spendguard.store import due, ledger, readings
from spendguard.store.connect import Store
from spendguard.store.ledger import Stated
from spendguard.store.schema import (
    dimensions,
    names,
    provider_settings,
    raw_replies,
    restatements,
    spend,
    spend_days,
)
from tests.databases import account

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = utc_day(NOW).start
MINUTES = timedelta(minutes=5)
COSTS = "/organization/costs"
INPUT = "gpt-6-astra, input_tokens"

PollAt = Callable[..., PollOutcome]


@dataclass
class Scripted:
    """A provider that knows what a day cost, for as many calls as it is given."""

    per_day: str = "1"
    calls: int = 99
    leaves_out: slice | None = None
    dies: bool = False
    windows: list[Window] = field(default_factory=list)
    states_balance: ClassVar[bool] = False
    usage_series: ClassVar[frozenset[str]] = frozenset()
    default_base_url: ClassVar[str] = ""

    @staticmethod
    def key_problem(_key: str) -> Problem | None:
        return None

    def costs(self, window: Window, *, ended: bool = False) -> SpendRead:
        if len(self.windows) == self.calls:
            raise ProviderError(ErrorKind.UNAVAILABLE, "no time is left")
        self.windows.append(window)
        amount = Money.parse(self.per_day, "USD")
        starts = [window.start + DAY * n for n in range(window.length // DAY)]
        rows = tuple(Spend(Window(start, start + DAY), amount) for start in starts)
        unnamed = frozenset() if self.leaves_out is None else frozenset(starts[self.leaves_out])
        told = tuple(row for row in rows if row.window.start not in unnamed)
        return SpendRead(window, told, unnamed)

    def usage(
        self, window: Window, width: timedelta, series: Collection[str] | None = None
    ) -> UsageRead:
        raise AssertionError("a provider without usage was asked for it")

    def balance(self) -> Balance:
        raise NotImplementedError

    def extras(self, *, names: bool, projects: Collection[str]) -> Extras:
        if self.dies:
            raise KeyboardInterrupt
        return Extras()

    def replies(self, but: Container[str] = ()) -> list[RawReply]:
        return []


def row(store: Store) -> Any:
    with store.begin() as tx:
        return due.load(tx, "main")


def days(store: Store) -> dict[int, str]:
    """What each known day cost, by how many days before today it was."""
    with store.begin() as tx:
        known, _ = readings.day_spend(tx, due.load(tx, "main").id, "USD", TODAY - DAY * 999)
    return {(TODAY - one.day.start) // DAY: one.amount.exact() for one in known}


def dump(store: Store, *tables: sa.Table) -> list[Any]:
    with store.begin() as tx:
        return [tx.execute(sa.select(table)).all() for table in tables]


def checkpoint(store: Store, at: datetime) -> None:
    with store.begin() as tx:
        stated = Stated(Kind.CHECKPOINT, Money.parse("50", "USD"), at)
        ledger.record(tx, due.load(tx, "main").id, stated, NOW)


def asked(simulator: Simulator, now: datetime = NOW) -> list[int]:
    """How many days before today each request for costs began; forget them."""
    today = utc_day(now).start
    starts = [one.number("start_time") for one in simulator.requests if one.path == COSTS]
    simulator.requests.clear()
    return [(today - datetime.fromtimestamp(start, UTC)) // DAY for start in starts]


def spending(world: World, *days_ago: int, amount: str = "1") -> None:
    for ago in days_ago:
        at = max(NOW - DAY * ago - HOUR * 3, TODAY - DAY * ago)
        world.spend(at, amount, project="proj_a", api_key="key_a", line_item=INPUT)


class TestTheFirstPoll:
    def test_reads_back_180_days(self, store: Store, world: World, poll_at: PollAt) -> None:
        spending(world, 0, 1, 8, 36, 97, 179, 200)

        outcome = poll_at(NOW)

        assert (outcome.polled, outcome.error) == ("ok", None)
        assert {ago: cost for ago, cost in days(store).items() if cost != "0.00"} == dict.fromkeys(
            (0, 1, 8, 36, 97, 179), "1.00"
        )
        assert {*range(180)} <= days(store).keys()

    def test_reads_the_newest_first_and_a_chunk_at_a_time(
        self, simulator: Simulator, poll_at: PollAt
    ) -> None:
        poll_at(NOW)

        starts = asked(simulator)
        assert starts == sorted(starts)
        assert starts[0] == 35
        assert max(new - old for old, new in pairwise(starts)) <= 60

    def test_tells_its_progress_up_to_the_whole(self, poll_at: PollAt) -> None:
        told: dict[str, list[tuple[int, int]]] = {"cost": [], "usage": []}

        poll_at(NOW, lambda read, wanted, what: told[what].append((read, wanted)))

        for steps, least in ((told["cost"], 180), (told["usage"], 31)):
            assert len(steps) > 2
            assert steps == sorted(steps)
            assert len({wanted for _, wanted in steps}) == 1
            assert steps[-1][0] == steps[-1][1] >= least

    def test_corrects_nothing(self, store: Store, world: World, poll_at: PollAt) -> None:
        spending(world, 0, 1, 50)
        poll_at(NOW)

        assert dump(store, restatements) == [[]]

    def test_reads_back_to_a_checkpoint_that_is_older(
        self, store: Store, world: World, poll_at: PollAt
    ) -> None:
        spending(world, 250, 299)
        checkpoint(store, NOW - DAY * 300)

        poll_at(NOW)

        assert days(store)[250] == days(store)[299] == "1.00"
        assert row(store).read_from == TODAY - DAY * 300

    def test_that_finds_no_time_for_history_is_good_and_the_next_goes_on(
        self, store: Store
    ) -> None:
        first, second = Scripted(calls=2), Scripted()

        assert poll(store, account(), first, NOW).polled == "ok"
        reached = row(store).read_from
        assert reached == TODAY - DAY * 95

        poll(store, account(), second, NOW + MINUTES)

        assert days(store).keys() >= {*range(180)}
        assert second.windows[1].end == reached

    def test_that_is_killed_is_taken_up_again_without_a_gap(self, store: Store) -> None:
        with pytest.raises(KeyboardInterrupt):
            poll(store, account(), Scripted(calls=1, dies=True), NOW - DAY * 100)
        assert row(store).last_ok_at is None

        poll(store, account(), Scripted(), NOW)

        assert days(store).keys() >= {*range(180)}


class TestLaterPolls:
    def test_read_the_last_8_days_again(
        self, store: Store, world: World, simulator: Simulator, poll_at: PollAt
    ) -> None:
        poll_at(NOW)
        asked(simulator)
        spending(world, 7, 20)

        poll_at(NOW + MINUTES)

        assert asked(simulator) == [8]
        assert (days(store)[7], days(store)[20]) == ("1.00", "0.00")

    def test_read_35_once_a_day(self, simulator: Simulator, poll_at: PollAt) -> None:
        deep = []
        for hours in (0, 6, 12, 18, 24, 30, 36, 42, 48):
            now = NOW + HOUR * hours
            poll_at(now)
            deep.append(asked(simulator, now)[0])

        assert deep == [35, 8, 8, 8, 35, 8, 8, 8, 35]

    def test_fill_a_gap_after_an_outage(self, store: Store, world: World, poll_at: PollAt) -> None:
        spending(world, *range(70))
        poll_at(NOW - DAY * 60)

        poll_at(NOW)

        assert [days(store)[ago] for ago in range(70)] == ["1.00"] * 70

    def test_fill_one_of_a_week(self, store: Store, world: World, poll_at: PollAt) -> None:
        spending(world, *range(20))
        poll_at(NOW - DAY * 12)
        poll_at(NOW - DAY * 11)
        with store.begin() as tx:  # the deep look has just been taken
            due.update(tx, due.load(tx, "main").id, deep_read_at=NOW - HOUR)

        poll_at(NOW)

        assert [days(store)[ago] for ago in range(20)] == ["1.00"] * 20

    def test_read_back_to_the_checkpoint_after_an_outage_of_a_year(self, store: Store) -> None:
        checkpoint(store, NOW - DAY * 365)
        poll(store, account(), Scripted(), NOW - DAY * 364)

        poll(store, account(), Scripted(), NOW)

        assert days(store).keys() >= {*range(366)}

    def test_read_back_to_an_older_checkpoint_entered_since(
        self, store: Store, simulator: Simulator, poll_at: PollAt
    ) -> None:
        poll_at(NOW)
        checkpoint(store, NOW - DAY * 300)
        asked(simulator)

        poll_at(NOW + MINUTES)
        assert asked(simulator)[-1] == 300

        poll_at(NOW + MINUTES * 2)
        assert asked(simulator) == [8]

    def test_that_find_nothing_new_write_no_spend(
        self, store: Store, world: World, poll_at: PollAt
    ) -> None:
        stream = Stream("proj_a", "key_a", "gpt-6-astra", Money.parse("5", "USD"))
        feed(world, [stream], Window(NOW - DAY * 12, NOW))
        tables = (spend, spend_days, restatements, dimensions, names, provider_settings)
        poll_at(NOW)
        before = dump(store, *tables)

        outcomes = [poll_at(NOW + timedelta(seconds=minute)) for minute in (1, 2)]

        assert [(one.added, one.restated) for one in outcomes] == [(0, 0)] * 2
        assert dump(store, *tables) == before

    def test_overwrite_what_was_restated(self, store: Store, world: World, poll_at: PollAt) -> None:
        spending(world, 2)
        poll_at(NOW)
        dims = {"project": "proj_a", "api_key": "key_a", "line_item": INPUT}
        world.restate(NOW + MINUTES, NOW - DAY * 2, "0.25", **dims)

        outcome = poll_at(NOW + MINUTES * 2)

        assert (outcome.added, outcome.restated) == (0, 1)
        assert days(store)[2] == "1.25"
        [[kept]] = dump(store, restatements)
        assert (kept.old_nanos, kept.new_nanos) == (10**9, 125 * 10**7)
        assert kept.observed_at == NOW + MINUTES * 2

    def test_make_a_row_that_is_gone_zero(
        self, store: Store, world: World, poll_at: PollAt
    ) -> None:
        spending(world, 2)
        poll_at(NOW)
        world.erase(NOW + MINUTES, NOW - DAY * 2, line_item=INPUT)

        assert poll_at(NOW + MINUTES).restated == 1

        assert days(store)[2] == "0.00"

    @pytest.mark.parametrize("leaves_out", [slice(0, -1), slice(1, 2), slice(-2, None)])
    def test_keep_what_is_known_of_a_day_left_out(self, store: Store, leaves_out: slice) -> None:
        poll(store, account(), Scripted(), NOW)
        known = days(store)

        outcome = poll(store, account(), Scripted(leaves_out=leaves_out), NOW + MINUTES)

        assert outcome.error is None
        assert days(store) == known

    def test_do_not_take_silence_for_zero(self, store: Store) -> None:
        poll(store, account(), Scripted(), NOW)

        outcome = poll(store, account(), Scripted(leaves_out=slice(None)), NOW + MINUTES)

        assert outcome.error is ErrorKind.MALFORMED
        assert days(store)[1] == "1.00"

    def test_take_days_without_spend_for_zero(self, store: Store) -> None:
        poll(store, account(), Scripted(), NOW)

        assert poll(store, account(), Scripted(per_day="0"), NOW + MINUTES).error is None

        assert days(store)[1] == "0.00"


class TestARefusedPoll:
    def test_keeps_what_was_known(
        self, store: Store, world: World, simulator: Simulator, poll_at: PollAt
    ) -> None:
        spending(world, 1, 50)
        poll_at(NOW)
        before = dump(store, spend, spend_days, names)
        simulator.fault(Fault.SERVER_ERROR, path=COSTS)

        outcome = poll_at(NOW + MINUTES)

        assert outcome.polled == "unavailable"
        assert dump(store, spend, spend_days, names) == before
        assert row(store).last_ok_at == NOW

    def test_counts_until_the_next_good_one(
        self, store: Store, simulator: Simulator, poll_at: PollAt
    ) -> None:
        poll_at(NOW)
        simulator.fault(Fault.BAD_GATEWAY, path=COSTS)
        for minutes in (5, 10, 15):
            poll_at(NOW + timedelta(minutes=minutes))

        held = row(store)
        assert (held.failures, held.error_kind) == (3, "unavailable")
        assert held.failing_since == NOW + MINUTES
        assert held.error_text
        assert (held.last_ok_at, held.last_poll_at) == (NOW, NOW + MINUTES * 3)

        simulator.clear()
        poll_at(NOW + MINUTES * 4)

        held = row(store)
        assert (held.failures, held.failing_since) == (0, None)
        assert (held.error_kind, held.error_text) == (None, None)
        assert (held.first_ok_at, held.last_ok_at) == (NOW, NOW + MINUTES * 4)

    def test_asks_for_nothing_more(self, simulator: Simulator, poll_at: PollAt) -> None:
        simulator.fault(Fault.REVOKED, path=COSTS)

        outcome = poll_at(NOW)

        assert outcome.error is ErrorKind.AUTH
        assert outcome.message
        assert outcome.hint
        assert {one.path for one in simulator.requests} == {COSTS}

    def test_comes_back_when_it_was_told_to(
        self, store: Store, simulator: Simulator, poll_at: PollAt
    ) -> None:
        simulator.fault(Fault.RATE_LIMITED, path=COSTS, retry_after=1800)

        assert poll_at(NOW).polled == "rate_limited"

        asked = timedelta(minutes=30)
        assert NOW + asked <= row(store).next_poll_at < NOW + asked + MINUTES

    def test_is_otherwise_tried_again_at_the_interval(self, store: Store, poll_at: PollAt) -> None:
        poll_at(NOW)
        first = row(store).next_poll_at
        poll_at(first)

        assert NOW < first <= NOW + MINUTES
        assert row(store).next_poll_at == first + MINUTES

    def test_keeps_the_reply_that_refused(
        self, store: Store, simulator: Simulator, poll_at: PollAt
    ) -> None:
        simulator.fault(Fault.MISSING_SCOPES, path=COSTS)
        poll_at(NOW)

        [replies] = dump(store, raw_replies)
        assert [(one.path, one.status) for one in replies] == [(COSTS, 403)]

    def test_that_could_not_even_be_tried_is_a_failure_too(self, store: Store) -> None:
        error = ProviderError(ErrorKind.AUTH, "KEY is not set", "export it")

        outcomes = [refuse(store, account(), error, NOW + MINUTES * n) for n in range(2)]

        assert outcomes[0] == PollOutcome("main", ErrorKind.AUTH, "KEY is not set", "export it")
        assert (row(store).failures, row(store).failing_since) == (2, NOW)
        quarter = NOW + MINUTES + timedelta(minutes=15)
        assert quarter <= row(store).next_poll_at < quarter + MINUTES


class TestTheRest:
    """Limits, alerts, names and the key's expiry: none of it is needed to guard."""

    EVERYTHING = ("spend_limit", "spend_alerts", "admin_api_keys", "projects")

    @pytest.mark.parametrize("what", EVERYTHING)
    def test_may_be_forbidden(
        self, store: Store, simulator: Simulator, poll_at: PollAt, what: str
    ) -> None:
        simulator.fault(Fault.MISSING_SCOPES, path=f"/organization/{what}")

        assert poll_at(NOW).polled == "ok"

        held = row(store)
        assert held.limits_known is (what != "spend_limit")
        assert held.alerts_known is (what != "spend_alerts")
        assert held.own_key_known is (what != "admin_api_keys")
        assert (held.names_read_at is None) is (what == "projects")

    def test_that_is_not_found_is_not_set(
        self, store: Store, simulator: Simulator, poll_at: PollAt
    ) -> None:
        for what in ("spend_limit", "spend_alerts"):
            simulator.fault(Fault.NOT_FOUND, path=f"/organization/{what}")

        assert poll_at(NOW).polled == "ok"

        assert (row(store).limits_known, row(store).alerts_known) == (True, True)
        assert settings(store) == {}

    def test_that_fails_later_is_unknown_and_not_forgotten(
        self, store: Store, world: World, simulator: Simulator, poll_at: PollAt
    ) -> None:
        world.limit(NOW - DAY, "100")
        poll_at(NOW)
        simulator.fault(Fault.OVERLOADED, path="/organization/spend_limit")

        poll_at(NOW + MINUTES)

        assert not row(store).limits_known
        assert settings(store) == {("limit", "", ""): "100.00"}

    def test_tells_when_our_key_expires(
        self, store: Store, simulator: Simulator, poll_at: PollAt
    ) -> None:
        poll_at(NOW)
        assert (row(store).own_key_known, row(store).own_key_expires_at) == (True, None)

        assert isinstance(simulator.api, OpenAI)
        simulator.api.key_expires_at = NOW + DAY * 20
        poll_at(NOW + MINUTES)
        assert row(store).own_key_expires_at == NOW + DAY * 20

    def test_names_are_read_once_a_day(self, simulator: Simulator, poll_at: PollAt) -> None:
        read = []
        for hours in (0, 1, 12, 24, 25):
            poll_at(NOW + HOUR * hours)
            read.append("/organization/projects" in {one.path for one in simulator.requests})
            simulator.requests.clear()

        assert read == [True, False, False, True, False]

    def test_names_of_newcomers_are_read_within_the_hour(
        self, store: Store, world: World, simulator: Simulator, poll_at: PollAt
    ) -> None:
        poll_at(NOW)
        spending(world, 0)
        world.project("proj_a", "Alpha")
        world.api_key("key_a", "proj_a", "the robot")
        poll_at(NOW + MINUTES)
        poll_at(NOW + HOUR)
        poll_at(NOW + HOUR * 2)

        [known] = dump(store, names)
        assert {(one.provider_id, one.name) for one in known} == {
            ("proj_a", "Alpha"),
            ("key_a", "the robot"),
        }

    def test_a_project_heard_of_later_is_no_change_of_its_limit(
        self, store: Store, world: World, poll_at: PollAt
    ) -> None:
        for hours, project in ((0, "proj_a"), (25, "proj_b")):
            world.project(project, "Alpha")
            world.limit(NOW - DAY, "30", project)
            world.alert("alert_1", "80", project)
            poll_at(NOW + HOUR * hours)
            poll_at(NOW + HOUR * hours + MINUTES)

        [held] = dump(store, provider_settings)
        assert {("limit", "proj_a", ""), ("limit", "proj_b", "")} <= settings(store).keys()
        assert [one for one in held if one.nanos != one.accepted_nanos] == []


def settings(store: Store) -> dict[tuple[str, str, str], str]:
    [held] = dump(store, provider_settings)
    return {
        (one.kind, one.project, one.provider_id): Money(one.nanos, one.currency).exact()
        for one in held
        if one.nanos is not None
    }


class TestReplies:
    def test_are_kept_without_people_and_keys(
        self, store: Store, world: World, poll_at: PollAt
    ) -> None:
        spending(world, 0)
        world.project("proj_a", "Alpha")
        world.api_key("key_a", "proj_a", "the robot")
        world.alert("alert_1", "80.00")

        poll_at(NOW)

        [replies] = dump(store, raw_replies)
        kept = "".join(one.body for one in replies)
        assert {COSTS, "/organization/spend_alerts"} <= {one.path for one in replies}
        assert {one.at for one in replies} == {NOW}
        assert INPUT in kept
        for private in ("@", "First Last", "Alpha", "the robot", "sk-"):
            assert private not in kept

    def test_good_ones_are_kept_once_an_hour_and_refusals_always(
        self, store: Store, world: World, simulator: Simulator, poll_at: PollAt
    ) -> None:
        for minutes in (0, 20, 40, 60):
            spending(world, 0)
            poll_at(NOW + timedelta(minutes=minutes))
        for minutes, fault in ((61, Fault.SERVER_ERROR), (62, Fault.WRONG_AMOUNT)):
            simulator.fault(fault, path=COSTS, times=1)
            poll_at(NOW + timedelta(minutes=minutes))

        [replies] = dump(store, raw_replies)
        kept = {(one.at - NOW) // timedelta(minutes=1) for one in replies if one.path == COSTS}
        assert kept == {0, 60, 61, 62}

    def test_good_ones_are_kept_also_after_a_clock_that_ran_ahead(
        self, store: Store, world: World, poll_at: PollAt
    ) -> None:
        for at in (NOW + DAY, NOW):
            spending(world, 0)
            poll_at(at)

        [replies] = dump(store, raw_replies)
        assert {one.at for one in replies if one.path == COSTS} == {NOW, NOW + DAY}

    def test_are_dropped_after_seven_days(self, store: Store, poll_at: PollAt) -> None:
        poll_at(NOW)
        poll_at(NOW + DAY * 3)

        retain(store, NOW + DAY * 8)

        assert {one.at for one in dump(store, raw_replies)[0]} == {NOW + DAY * 3}


def test_accounts_are_read_apart(store: Store) -> None:
    with store.begin() as tx:
        due.register(tx, [account("other")])

    poll(store, account("other"), Scripted(), NOW)

    assert days(store) == {}
    assert row(store).last_poll_at is None
