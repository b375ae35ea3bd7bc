"""The floor and what watches usage, against the true balance of a simulated world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from spendguard.core.accounts import Budget
from spendguard.core.charges import Strikes
from spendguard.core.facts import AccountFacts
from spendguard.core.findings import Finding, Severity, Status
from spendguard.core.ledger import Kind, Position
from spendguard.core.money import Money
from spendguard.core.windows import DAY, HOUR, Unit, Window, utc_day
from spendguard.pipeline.gather import account_facts
from spendguard.pipeline.known import Plan, infer, know
from spendguard.pipeline.poll import PollOutcome
from spendguard.rules.blind import Blind
from spendguard.rules.key_unknown import KeyUnknown
from spendguard.rules.spend_spike import SpendSpike
from spendguard.rules.unpriced import Unpriced
from spendguard.simulator import Stream, World, feed, leaked
from spendguard.store import due, estimates, ledger, spenders
from spendguard.store.connect import Store
from spendguard.store.history import History
from spendguard.store.ledger import Stated
from spendguard.store.spending import Question, Spending
from tests.databases import account

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = utc_day(NOW)
MINUTE = timedelta(minutes=1)
INPUT = "gpt-4o, input_tokens"

PollAt = Callable[..., PollOutcome]


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


@dataclass
class Watched:
    """An account of a world, polled and judged at an instant of it."""

    store: Store
    world: World
    poll_at: PollAt

    def spend(self, at: datetime, amount: str, key: str = "key_a", item: str = INPUT) -> None:
        model = item.partition(",")[0]
        self.world.spend(at, amount, project="web", api_key=key, line_item=item, model=model)

    def state(self, at: datetime, amount: Money | None = None) -> None:
        """State the true balance, or another."""
        stated = Stated(Kind.CHECKPOINT, amount or self.world.balance_at(at), at)
        with self.store.begin() as tx:
            ledger.record(tx, due.load(tx, "main").id, stated, at)

    def at(self, now: datetime, *budgets: Budget, zone: str = "UTC") -> AccountFacts:
        """Poll, and return what is known then."""
        assert self.poll_at(now).error is None
        plan = Plan(account(), budgets, ZoneInfo(zone))
        with self.store.begin() as tx:
            known = infer(tx, know(tx, plan, now), now)
            return account_facts(tx, known, Strikes(2), {}, now, card_short=False, changed=False)

    def position(self, now: datetime) -> Position:
        position = self.at(now).position
        assert position is not None
        return position

    def floor(self, now: datetime) -> str:
        return self.position(now).floor.exact()


@pytest.fixture
def world() -> World:
    """An account whose costs are booked a day late."""
    world = World(NOW, lag=DAY)
    world.purchase(NOW - DAY * 99, "1000.00")
    return world


@pytest.fixture
def watched(store: Store, world: World, poll_at: PollAt) -> Watched:
    return Watched(store, world, poll_at)


class TestTheFloor:
    def test_counts_what_usage_shows_and_is_not_booked(self, watched: Watched) -> None:
        watched.at(NOW)
        watched.state(NOW, usd("20"))
        watched.spend(NOW + HOUR, "3.00")

        position = watched.position(NOW + HOUR * 2)

        assert (position.floor, position.billed) == (usd("17"), usd("20"))
        assert position.unbooked == usd("3")

    def test_does_not_jump_at_midnight_nor_when_the_bill_comes(self, watched: Watched) -> None:
        watched.at(NOW)
        watched.state(NOW, usd("20"))
        for hours in (1, 11, 13):
            watched.spend(NOW + HOUR * hours, "3.00")

        before = watched.floor(TODAY.end - MINUTE)
        assert [before, watched.floor(TODAY.end), watched.floor(TODAY.end + MINUTE)] == [
            "14.00"
        ] * 3
        assert [watched.floor(NOW + HOUR * hours) for hours in (14, 26, 40, 100)] == ["11.00"] * 4

    def test_splits_the_day_of_a_checkpoint_by_its_usage(self, watched: Watched) -> None:
        watched.spend(NOW - HOUR, "6.00")
        watched.spend(NOW + MINUTE * 10, "2.00")
        watched.at(NOW + MINUTE * 20)
        watched.state(NOW + MINUTE * 5, usd("20"))

        open_still = watched.position(NOW + HOUR * 2)
        booked = watched.position(NOW + DAY * 2)
        settled = watched.position(TODAY.end + HOUR * 49)

        assert (open_still.floor, open_still.billed) == (usd("18"), usd("20"))
        assert (booked.floor, booked.billed) == (usd("18"), usd("18"))
        assert (settled.floor, settled.billed) == (usd("18"), usd("18"))

    def test_keeps_how_a_settled_day_divides_for_when_minutes_are_gone(
        self, watched: Watched
    ) -> None:
        watched.spend(NOW - HOUR, "6.00")
        watched.spend(NOW + MINUTE * 10, "2.00")
        watched.at(NOW + MINUTE * 20)
        watched.state(NOW + MINUTE * 5, usd("20"))
        watched.at(TODAY.end + HOUR * 49)

        with watched.store.begin() as tx:
            kept = estimates.kept_splits(tx, ["1"])["1"]
        assert (kept.after, kept.whole) == (2_000_000_000, 8_000_000_000)

    def test_without_usage_of_its_day_the_checkpoint_leaves_an_interval(
        self, watched: Watched
    ) -> None:
        item = "vector store storage"
        watched.spend(NOW - HOUR, "6.00", item=item)
        watched.at(NOW)
        watched.state(NOW, usd("20"))

        position = watched.position(NOW + DAY * 2)

        assert (position.floor, position.billed) == (usd("14"), usd("20"))

    def test_counts_a_tool_once_though_usage_tells_its_model_and_the_bill_does_not(
        self, watched: Watched
    ) -> None:
        watched.at(NOW)
        watched.state(NOW, usd("20"))
        search = "web search tool calls, high"
        at, who = NOW + HOUR, {"project": "web", "api_key": "key_a"}
        watched.world.spend(at, "3.00", line_item=search, model="gpt-4o", **who)
        watched.world.spend(at, "1.00", line_item="vector store storage", **who)

        shown, booked = watched.position(NOW + HOUR * 2), watched.position(NOW + DAY + HOUR * 2)

        assert (shown.floor, shown.billed) == (usd("17"), usd("20"))
        assert (booked.floor, booked.billed) == (usd("16"), usd("16"))

    def test_says_how_many_requests_have_no_price(self, watched: Watched) -> None:
        watched.at(NOW)
        watched.state(NOW, usd("20"))
        watched.spend(NOW + HOUR, "4.00", item="dall-e-3, images, 1024x1024")

        facts = watched.at(NOW + HOUR * 2)

        assert facts.position is not None
        assert (facts.position.floor, facts.unpriced) == (usd("20"), 1)
        [finding] = Unpriced().evaluate(facts)
        assert (finding.subject, finding.severity) == ("main/model:dall-e-3", Severity.INFO)


USAGE_LAG = timedelta(minutes=7)


class TestAgainstTheTruth:
    @pytest.fixture(params=[3, 26])
    def world(self, request: pytest.FixtureRequest) -> World:
        """Random traffic; costs are booked hours late, usage is shown minutes late."""
        hours: int = request.param
        world = World(NOW, lag=HOUR * hours, usage_lag=USAGE_LAG)
        world.purchase(NOW - DAY * 99, "1000.00")
        streams = [
            Stream("web", "key_web", "gpt-4o", usd("17"), bursts=6),
            Stream("bot", "key_bot", "gpt-4o-mini", usd("4")),
        ]
        feed(world, streams, Window(NOW - DAY * 2, NOW + DAY * 3), seed=hours)
        return world

    def test_the_floor_is_above_it_by_what_usage_has_not_shown(self, watched: Watched) -> None:
        chance = Random(watched.world.balance_at(NOW).nanos)  # noqa: S311
        stated, now = NOW + timedelta(seconds=chance.randrange(80_000)), NOW
        watched.at(now)
        watched.state(stated)
        while now < NOW + DAY * 3:
            now += timedelta(minutes=chance.randint(100, 700), seconds=chance.randint(0, 59))
            position, truth = watched.at(now).position, watched.world.balance_at(now)
            if position is None:  # not stated yet
                continue
            unseen = watched.world.balance_at(now - USAGE_LAG) - truth
            assert position.floor <= truth + unseen
            assert position.floor + position.late >= truth - usd("0.25")
            assert position.billed >= position.floor


class TestACorrection:
    """What is added to a day that is over is spent when it is added, as far as one can know."""

    CORRECTED_AT = TODAY.end + HOUR * 30

    def correct(self, watched: Watched, day: datetime, amount: str, key: str = "key_a") -> None:
        watched.world.restate(
            self.CORRECTED_AT, day, amount, project="web", api_key=key, line_item=INPUT
        )

    def test_of_the_checkpoints_own_day_counts_whole(self, watched: Watched) -> None:
        watched.spend(NOW - HOUR, "6.00")
        watched.spend(NOW + MINUTE * 10, "2.00")
        watched.at(NOW)
        watched.state(NOW + MINUTE * 5)
        self.correct(watched, NOW, "1.00")

        for hours in (1, 30, 60):
            now = self.CORRECTED_AT + HOUR * hours
            assert watched.position(now).floor == watched.world.balance_at(now)

    def test_of_a_day_before_counts_whole_though_another_key_is_not_booked_yet(
        self, watched: Watched
    ) -> None:
        watched.spend(NOW - DAY, "6.00")
        watched.spend(TODAY.start - MINUTE, "4.00", key="key_b")
        watched.at(TODAY.start + HOUR)
        watched.state(TODAY.start + HOUR * 2)
        watched.world.restate(
            NOW + HOUR, NOW - DAY, "1.00", project="web", api_key="key_a", line_item=INPUT
        )

        for now in (NOW + HOUR * 2, NOW + DAY * 2):
            assert watched.position(now).floor == watched.world.balance_at(now)

    def test_inside_a_checkpoint_lowers_nothing(self, watched: Watched) -> None:
        watched.spend(NOW - DAY, "6.00")
        watched.at(NOW)
        self.correct(watched, NOW - DAY, "1.00")
        now = self.CORRECTED_AT + HOUR
        watched.at(now)
        watched.state(now)

        assert watched.position(now + HOUR).floor == watched.world.balance_at(now)

    def test_cannot_be_told_from_costs_that_are_missing(self, watched: Watched) -> None:
        watched.at(NOW)
        watched.state(NOW)
        watched.spend(NOW + HOUR, "6.00")
        watched.spend(TODAY.end - MINUTE, "4.00")
        watched.world.restate(
            TODAY.end + HOUR * 14, NOW, "1.00", project="web", api_key="key_a", line_item=INPUT
        )

        hidden, known = TODAY.end + HOUR * 15, TODAY.end + DAY

        assert watched.position(hidden).floor == watched.world.balance_at(hidden) + usd("1")
        assert watched.position(known).floor == watched.world.balance_at(known)


class TestMidnights:
    @pytest.fixture(params=[5, 30])
    def world(self, request: pytest.FixtureRequest) -> World:
        """Traffic over five midnights, billed hours late."""
        world = World(NOW, lag=HOUR * request.param, usage_lag=USAGE_LAG)
        world.purchase(NOW - DAY * 99, "1000.00")
        streams = [Stream("web", "key_web", "gpt-4o", usd("17"), bursts=2)]
        feed(world, streams, Window(NOW - DAY, NOW + DAY * 3))
        return world

    def test_never_lift_the_floor(self, watched: Watched) -> None:
        watched.at(NOW)
        watched.state(NOW + MINUTE)

        floors = [
            watched.position(midnight + beside).floor
            for midnight in (TODAY.end + DAY * n for n in range(5))
            for beside in (-MINUTE, timedelta(0), MINUTE, HOUR * 7)
        ]

        assert floors == sorted(floors, reverse=True)
        assert floors[-1] == watched.world.balance_at(NOW + DAY * 9)


class TestALocalDay:
    def test_takes_its_part_of_a_utc_day_as_that_was_used(self, watched: Watched) -> None:
        tokyo_midnight = TODAY.start + HOUR * 15
        watched.spend(tokyo_midnight - HOUR * 2, "3.00")
        watched.spend(tokyo_midnight + HOUR, "1.00")
        budget = Budget("daily", "main", Unit.DAY, usd("10"))
        watched.at(NOW)

        facts = watched.at(tokyo_midnight + HOUR * 2, budget, zone="Asia/Tokyo")
        later = watched.at(NOW + DAY * 3, budget, zone="Asia/Tokyo")

        assert facts.budgets[-1].spent == usd("1")
        assert [use.spent for use in facts.budgets[:-1]] == [usd("3")]
        assert later.budgets[-1].spent == usd("0")

    def test_is_divided_as_spend_divides_it(self, watched: Watched, tmp_path: Path) -> None:
        kolkata_midnight = TODAY.start + HOUR * 18 + MINUTE * 30
        for minutes, amount, key in ((-200, "3.00", "key_a"), (-10, "1.00", "key_b")):
            watched.spend(kolkata_midnight + MINUTE * minutes, amount, key=key)
        for minutes, amount, key in ((10, "2.00", "key_a"), (50, "5.00", "key_b")):
            watched.spend(kolkata_midnight + MINUTE * minutes, amount, key=key)
        who = {"project": "web", "api_key": "key_b", "line_item": INPUT}
        watched.world.restate(TODAY.end + HOUR * 9, NOW, "4.00", **who)
        budget = Budget("daily", "main", Unit.DAY, usd("10"))
        zone = ZoneInfo("Asia/Kolkata")

        for now in (kolkata_midnight + HOUR, TODAY.end + HOUR * 10, NOW + DAY * 3):
            uses = watched.at(now, budget, zone=zone.key).budgets
            with History(tmp_path / "spendguard.db") as history:
                spending = Spending(history, zone, now)
                for use in uses:
                    window = Window(use.window.start, min(use.window.end, now))
                    told = sum(row.nanos for row in spending.answer(Question("main", window)))
                    assert use.spent.nanos == told


class TestInference:
    def test_usage_six_hours_after_the_credit_must_have_ended_proves_credit(
        self, watched: Watched
    ) -> None:
        watched.at(NOW)
        watched.state(NOW, usd("1"))
        for hours in (0, 1, 6):
            watched.spend(NOW + HOUR * hours + MINUTE * 30, "2.00")

        assert watched.at(NOW + HOUR * 7).proven_at is None

        watched.spend(NOW + HOUR * 8 + MINUTE * 30, "0.10")
        assert watched.at(NOW + HOUR * 9).proven_at == NOW + HOUR * 8

    def test_usage_that_stops_near_zero_is_a_cut_off_after_six_hours(
        self, watched: Watched
    ) -> None:
        watched.at(NOW)
        watched.state(NOW, usd("2.20"))
        watched.spend(NOW + MINUTE * 30, "2.00")

        assert watched.at(NOW + HOUR * 6).stopped_at is None
        assert watched.at(NOW + HOUR * 7).stopped_at == NOW + HOUR


STREAMS = [
    Stream("web", "key_web", "gpt-4o", usd("12"), bursts=6),
    Stream("bot", "key_bot", "gpt-4o-mini", usd("12"), bursts=6),
]


def judged(facts: AccountFacts) -> Finding:
    [finding] = SpendSpike().evaluate(facts)
    return finding


class TestALeakedKey:
    @pytest.fixture
    def leaking(self, watched: Watched) -> Watched:
        """Days of ordinary traffic of $1 an hour, then somebody spends ten times that."""
        span = Window(NOW - DAY * 9, NOW + HOUR * 3)
        watched.world.project("bot", "robots")
        watched.world.api_key("key_bot", "bot", "the robot")
        feed(watched.world, STREAMS, span)
        leak = leaked(STREAMS, project="bot", api_key="key_bot", model="gpt-4o")
        feed(watched.world, [leak], Window(NOW, NOW + HOUR))
        assert judged(watched.at(NOW)).status is Status.CLEAR
        return watched

    def test_is_named_within_a_quarter_of_an_hour(self, leaking: Watched) -> None:
        found = [judged(leaking.at(NOW + MINUTE * 5 * n)) for n in (1, 2, 3, 4)]

        first = next(finding for finding in found if finding.status is Status.FIRING)
        assert found.index(first) <= 3
        assert (first.values["api_key"], first.values["project"]) == ("the robot", "robots")

    def test_is_critical_once_it_is_nine_times_the_usual(self, leaking: Watched) -> None:
        finding = judged(leaking.at(NOW + HOUR))

        assert finding.severity >= Severity.WARNING
        assert isinstance(finding.values["times"], int)
        assert finding.values["times"] >= 3

    def test_is_over_after_two_calm_hours(self, leaking: Watched) -> None:
        assert judged(leaking.at(NOW + HOUR * 2)).status is Status.FIRING
        assert judged(leaking.at(NOW + HOUR * 4)).status is Status.CLEAR

    def test_says_nothing_more_once_it_is_accepted(self, leaking: Watched) -> None:
        spent = judged(leaking.at(NOW + HOUR)).values["spent"]
        assert isinstance(spent, Money)
        with leaking.store.begin() as tx:
            due.update(
                tx,
                due.load(tx, "main").id,
                spike_accepted_at=NOW + HOUR,
                spike_accepted_nanos=spent.nanos,
            )

        assert judged(leaking.at(NOW + HOUR + MINUTE * 5)).status is Status.CLEAR


class TestANewcomer:
    def test_is_told_above_a_dollar_a_day_and_forgotten_once_accepted(
        self, watched: Watched
    ) -> None:
        watched.spend(NOW - DAY * 3, "5.00", key="key_old")
        watched.at(NOW)
        watched.spend(NOW + MINUTE, "1.00", key="key_new")
        assert KeyUnknown().evaluate(watched.at(NOW + MINUTE * 5)) == []

        watched.spend(NOW + MINUTE * 6, "0.01", key="key_new")
        [finding] = KeyUnknown().evaluate(watched.at(NOW + MINUTE * 10))
        assert finding.subject == "main/key:key_new"
        assert finding.values["spent"] == usd("1.01")

        with watched.store.begin() as tx:
            spenders.accept(tx, due.load(tx, "main").id, "api_key", "key_new", NOW)
        assert KeyUnknown().evaluate(watched.at(NOW + MINUTE * 15)) == []

    def test_is_known_after_a_week(self, watched: Watched) -> None:
        watched.at(NOW)
        watched.spend(NOW + MINUTE, "2.00", key="key_new")
        assert len(KeyUnknown().evaluate(watched.at(NOW + MINUTE * 35))) == 2
        assert KeyUnknown().evaluate(watched.at(NOW + DAY * 7 + MINUTE * 35)) == []


class TestCostsThatStandStill:
    @pytest.fixture
    def world(self) -> World:
        """An account whose costs of a month are missing."""
        world = World(NOW, lag=DAY * 30)
        world.purchase(NOW - DAY * 99, "1000.00")
        return world

    def test_are_told_when_usage_has_moved_for_36_hours(self, watched: Watched) -> None:
        watched.spend(NOW - DAY * 40, "5.00")
        for hours in (1, 20, 36):
            watched.spend(NOW + HOUR * hours, "0.50")
        watched.at(NOW)

        assert watched.at(NOW + HOUR * 35).stale_since is None
        facts = watched.at(NOW + HOUR * 37)

        assert facts.stale_since == NOW
        [finding] = Blind().evaluate(facts)
        assert (finding.step, finding.severity) == ("stale", Severity.WARNING)
