"""A key that leaked is named within two polls of usage showing it, whatever it is used for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from spendguard.core.accounts import Account
from spendguard.core.charges import Strikes
from spendguard.core.facts import AccountFacts
from spendguard.core.findings import Finding, Status
from spendguard.core.money import Money
from spendguard.core.windows import DAY, HOUR, Window
from spendguard.pipeline.gather import account_facts
from spendguard.pipeline.known import Plan, know
from spendguard.pipeline.poll import poll
from spendguard.providers.openai import OpenAI
from spendguard.rules.key_unknown import KeyUnknown
from spendguard.rules.spend_spike import SpendSpike
from spendguard.simulator import Stream, World, feed
from spendguard.store.connect import Store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
A_DAY = Money.parse("24.00", "USD")
NORMAL = 2_000_000_000  # nanos an hour of both streams
STREAMS = [
    Stream("web", "key_web", "gpt-4o", A_DAY, bursts=12),
    Stream("bot", "key_bot", "gpt-4o-mini", A_DAY, bursts=12),
]
TEXT, SPEECH, HEARING = "gpt-4o, output_tokens", "tts-1, characters", "whisper-1, seconds"

OpenAIs = Callable[[], OpenAI]
Look = Callable[[datetime, timedelta], AccountFacts]


@pytest.fixture
def world() -> World:
    """A week of ordinary traffic, of which costs are booked hours late."""
    world = World(NOW, lag=HOUR * 6)
    world.purchase(NOW - DAY * 99, "9000.00")
    feed(world, STREAMS, Window(NOW - DAY * 7, NOW + HOUR))
    return world


@pytest.fixture
def look(store: Store, world: World, openai: OpenAIs) -> Look:
    """A function that polls at an instant, and returns what is known then."""

    def look_now(now: datetime, interval: timedelta) -> AccountFacts:
        world.now = now
        account = Account("main", "openai", "env:KEY", "USD", interval)
        assert poll(store, account, openai(), now).error is None
        with store.begin() as tx:
            known = know(tx, Plan(account, (), ZoneInfo("UTC")), now)
            return account_facts(tx, known, Strikes(2), {}, now, card_short=False, changed=False)

    return look_now


def leak(world: World, since: datetime, item: str, key: str, times: int = 10) -> None:
    """Spend so many times what is normal with a key, every five seconds of half an hour."""
    amount, model = Money(NORMAL * times // 720, "USD"), item.partition(",")[0]
    for n in range(360):
        at = since + SECOND * 5 * n
        world.spend(at, amount, project="bot", api_key=key, line_item=item, model=model)


def fired(facts: AccountFacts) -> list[Finding]:
    found = [*SpendSpike().evaluate(facts), *KeyUnknown().evaluate(facts)]
    return [one for one in found if one.status is Status.FIRING]


def named(finding: Finding) -> set[object]:
    return {finding.subject.rpartition(":")[2], *finding.values.values()}


def polls(
    look: Look, leaked_at: datetime, minutes: int, first: datetime = NOW
) -> Iterator[AccountFacts]:
    """Poll in order, and yield what is known at each poll that the leak can be seen at."""
    interval, now = MINUTE * minutes, first - MINUTE * minutes
    assert fired(look(now, interval)) == []
    while True:
        now += interval
        facts = look(now, interval)
        if now > leaked_at:
            yield facts


@pytest.mark.parametrize(
    ("minutes", "after", "item", "key"),
    [
        pytest.param(5, -1, TEXT, "key_bot", id="begun a second before a poll"),
        pytest.param(5, 100, TEXT, "key_bot", id="begun between two polls"),
        pytest.param(15, -1, TEXT, "key_bot", id="polled four times an hour"),
        pytest.param(5, 200, TEXT, "key_new", id="a key that is new"),
        pytest.param(5, -1, SPEECH, "key_bot", id="used for what never was used"),
        pytest.param(5, 100, HEARING, "key_bot", id="or for that, begun between two polls"),
    ],
)
def test_a_key_at_ten_times_the_normal_hour_is_named_within_two_polls(
    world: World, look: Look, minutes: int, after: int, item: str, key: str
) -> None:
    leaked_at = NOW + SECOND * after
    leak(world, leaked_at, item, key)

    watched = polls(look, leaked_at, minutes)
    found = [*fired(next(watched)), *fired(next(watched))]

    assert any(key in named(finding) for finding in found)


class TestPolledEachMinute:
    """Where the minimum is spent within a minute, two polls are two minutes."""

    @pytest.fixture
    def world(self) -> World:
        """Two keys that spend evenly, and a third that spends most of an hour within five minutes."""
        world = World(NOW, lag=HOUR * 6)
        world.purchase(NOW - DAY * 99, "9000.00")
        start = NOW - DAY * 5
        use(world, start, "0.10", "key_old")
        for n in range(5 * 24 * 12 + 12):
            at = start + MINUTE * 5 * n
            use(world, at, "0.50", "key_web")
            use(world, at + MINUTE, "0.25", "key_bot")
            if n % 12 == 1:
                for minute in range(5):
                    use(world, at + MINUTE * minute, "3.00", "key_job")
        return world

    @pytest.mark.parametrize(
        ("minutes", "after", "item", "key"),
        [
            pytest.param(1, -1, TEXT, "key_bot", id="begun a second before a poll"),
            pytest.param(1, 30, TEXT, "key_web", id="begun between two polls"),
            pytest.param(1, -1, TEXT, "key_old", id="a key that was not used for long"),
            pytest.param(1, -1, SPEECH, "key_bot", id="used for what never was used"),
            pytest.param(2, -1, TEXT, "key_bot", id="polled every other minute"),
        ],
    )
    def test_a_key_at_ten_times_the_normal_hour_is_named_within_two(
        self, world: World, look: Look, minutes: int, after: int, item: str, key: str
    ) -> None:
        leaked_at = NOW + SECOND * (20 + after)
        leak(world, leaked_at, item, key, times=120)

        watched = polls(look, leaked_at, minutes, NOW + SECOND * 20)
        found = [*fired(next(watched)), *fired(next(watched))]

        assert [one.values["api_key"] for one in found if one.rule == "spend-spike"][-1:] == [key]

    def test_a_job_as_it_comes_every_hour_is_no_spike(self, world: World, look: Look) -> None:
        look(NOW - MINUTE, MINUTE)

        for n in range(16):
            facts = look(NOW + MINUTE * n, MINUTE)
            assert fired(facts) == []
        assert facts.usage is not None
        assert facts.usage.pace is not None
        rushed = [one.rush for one in facts.usage.pace.moments if one.rush is not None]
        assert {one.api_key for one in rushed} == {"key_job"}


def use(world: World, at: datetime, amount: str, key: str) -> None:
    """Spend on text with a key."""
    world.spend(at, amount, project="bot", api_key=key, line_item=TEXT, model="gpt-4o")


class TestABurst:
    def test_as_it_comes_every_day_is_no_spike(self, world: World, look: Look) -> None:
        for days in range(7, -1, -1):
            at = NOW - DAY * days
            world.spend(
                at, "2.00", project="bot", api_key="key_bot", line_item=TEXT, model="gpt-4o"
            )
        look(NOW - MINUTE * 5, MINUTE * 5)

        facts = look(NOW + MINUTE, MINUTE * 5)

        assert facts.usage is not None
        assert facts.usage.pace is not None
        assert facts.usage.pace.moments[-1].burst >= 2_000_000_000
        assert fired(facts) == []

    def test_lasts_until_two_calm_hours_have_passed(self, world: World, look: Look) -> None:
        look(NOW - MINUTE * 5, MINUTE * 5)
        for n in range(4):
            at = NOW + MINUTE * n
            world.spend(
                at, "0.60", project="bot", api_key="key_bot", line_item=TEXT, model="gpt-4o"
            )

        for after in (MINUTE * 4, MINUTE * 23, HOUR + MINUTE * 59):
            [finding] = fired(look(NOW + after, MINUTE * 5))
            assert finding.values["api_key"] == "key_bot"
        assert fired(look(NOW + HOUR * 2 + MINUTE * 20, MINUTE * 5)) == []
