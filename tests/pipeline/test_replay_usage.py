"""A replay of stored usage says what the guard said live: who leaked, who is new, what is left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from freezegun.api import real_monotonic

from spendguard.app.benches import Benches
from spendguard.app.trial import default_configuration
from spendguard.config.configuration import Configuration
from spendguard.core.accounts import Budget
from spendguard.core.alerts import NotifyReason
from spendguard.core.ledger import Kind
from spendguard.core.money import Money
from spendguard.core.routing import Channel
from spendguard.core.windows import DAY, HOUR, Unit, Window
from spendguard.pipeline.evaluate import evaluate_family
from spendguard.pipeline.poll import poll
from spendguard.pipeline.replay import Played, Told, read_cards, read_stored, recorded
from spendguard.providers.base import Clients, Deadline
from spendguard.providers.openai import OpenAI
from spendguard.simulator import Simulator, Stream, World, feed
from spendguard.store import due, ledger, scopes, silences, spenders, usage
from spendguard.store.connect import Store
from spendguard.store.encoding import decode
from spendguard.store.history import History
from spendguard.store.ledger import Stated
from spendguard.store.schema import outbox as outbox_table
from spendguard.store.schema import scopes as scopes_table
from tests.databases import opened

BEGIN = datetime(2026, 3, 16, tzinfo=UTC)
"""When the account is read first; it was used for ten days before."""
LAG = HOUR * 3
HOURS = 64
STATED = BEGIN + timedelta(hours=7, minutes=40)
LEAK, NEWCOMER = BEGIN + HOUR * 26, BEGIN + HOUR * 44
A_DAY = Money.parse("24.00", "USD")
STREAMS = [
    Stream("web", "key_web", "gpt-4o", A_DAY),
    Stream("bot", "key_bot", "gpt-4o-mini", A_DAY),
]
KEY = "sk-admin-canary-0123456789def"
Said = tuple[datetime, str, str, str, str, str]


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def configuration() -> Configuration:
    """An account without a recharge, and budgets of an api key, a model and a project."""
    made = default_configuration()
    (account,) = made.accounts
    of_key = Budget("key", account.name, Unit.DAY, usd("20.00"), api_key="the web shop")
    of_model = Budget("model", account.name, Unit.WEEK, usd("60.00"), model="gpt-4o-mini")
    of_project = Budget("project", account.name, Unit.MONTH, usd("600.00"), project="bot")
    return replace(
        made,
        accounts=(replace(account, recharge=None),),
        budgets=(of_key, of_model, of_project),
        channels=(Channel("ops"),),
    )


def world() -> World:
    """Two keys as ever, one of which leaks for two hours; and a third that is new."""
    world = World(BEGIN, lag=LAG)
    world.purchase(BEGIN - DAY * 40, "9000.00")
    for name, key, called in (("web", "key_web", "the web shop"), ("bot", "key_bot", "the robot")):
        world.project(name, name.title())
        world.api_key(key, name, called)
    feed(world, STREAMS, Window(BEGIN - DAY * 10, BEGIN + HOUR * HOURS))
    leak = Stream("bot", "key_bot", "gpt-4o-mini", usd("480.00"), bursts=30)
    feed(world, [leak], Window(LEAK, LEAK + HOUR * 2))
    new = Stream("bot", "key_new", "gpt-4o", usd("48.00"), bursts=3)
    feed(world, [new], Window(NEWCOMER, NEWCOMER + HOUR * 3))
    return world


@dataclass
class Live:
    """What was said, and what was thought to be left, look by look."""

    database: Path
    said: list[Said] = field(default_factory=list)
    floors: list[Money | None] = field(default_factory=list)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Live:
    """The account read each hour over HTTP, and judged; it is left as it is."""
    told = Live(tmp_path_factory.mktemp("live") / "spendguard.db")
    watched, clients = world(), Clients()
    with opened(told.database) as store, Simulator(watched, KEY) as simulator:

        def openai() -> OpenAI:
            deadline = Deadline(real_monotonic, timedelta(seconds=30))
            url = simulator.url
            return OpenAI(clients.get(None), KEY, base_url=url, currency="USD", deadline=deadline)

        _watch(store, watched, openai, told)
    clients.close()
    return told


def _watch(store: Store, watched: World, openai: Callable[[], OpenAI], told: Live) -> None:
    made = configuration()
    (account,), family = made.accounts, Benches(made).family_of(made.accounts[0])
    with store.begin() as tx:
        due.register(tx, [account])
    for hour in range(HOURS + 1):
        watched.now = now = BEGIN + HOUR * hour
        assert poll(store, account, openai(), now).error is None
        with store.begin() as tx:
            if now - HOUR < STATED <= now:
                stated = Stated(Kind.CHECKPOINT, usd("180.00"), STATED)
                ledger.record(tx, due.load(tx, account.name).id, stated, now)
            evaluate_family(tx, family, now)
            told.floors.append(_floor(tx, account.name))
    with store.begin() as tx:
        told.said = [*_owed(tx)]


def _floor(tx: sa.Connection, name: str) -> Money | None:
    table = scopes_table.c
    query = sa.select(table.evaluation).where(table.name == scopes.account_scope(name))
    balance = json.loads(tx.execute(query).scalar_one())["balance"]
    return None if balance is None else usd(balance["floor"])


def _owed(tx: sa.Connection) -> Iterator[Said]:
    for row in tx.execute(sa.select(outbox_table).order_by(outbox_table.c.id)):
        for item in decode(row).items:
            if item.reason is not NotifyReason.STANDING:
                told = (item.rule, item.subject, item.severity.label, item.step, item.reason.value)
                yield (row.created_at, *told)


def replayed(database: Path) -> Played:
    """Play what is stored, at the same instants."""
    made = configuration()
    name = made.accounts[0].name
    with History(database) as history:
        stored, cards = read_stored(history, [name]), read_cards(history)
    family = Benches(made).family_of(made.accounts[0])
    looks = [BEGIN + HOUR * hour for hour in range(HOURS + 1)]
    return recorded(family, stored, cards.get("", []), looks, LAG, forecasts=lambda _at: True)


def said(played: Played) -> list[Said]:
    return [
        (one.at, one.rule, one.subject, one.severity.label, one.step, one.reason.value)
        for one in played.alerts
    ]


def told(played: Played, rule: str) -> list[Told]:
    return [one for one in played.alerts if one.rule == rule]


def test_a_replay_says_what_was_said_live(live: Live) -> None:
    played = replayed(live.database)

    assert [one.floor for one in played.forecasts] == live.floors
    assert sorted(said(played)) == sorted(live.said)
    assert {"spend-spike", "key-unknown", "budget", "runway-short"} <= {one[1] for one in live.said}


def test_it_names_who_leaked_and_who_is_new(live: Live) -> None:
    played = replayed(live.database)

    first, *_ = told(played, "spend-spike")
    assert first.at == LEAK + HOUR
    assert "the robot" in first.summary
    assert [one.subject for one in told(played, "key-unknown")] == ["trace/key:key_new"]
    assert {one.subject for one in told(played, "budget")} == {
        "budget:key",
        "budget:model",
        "budget:project",
    }


@pytest.mark.parametrize(("kept", "hours"), [(timedelta(minutes=15), 5), (HOUR, 4)])
def test_where_minutes_are_gone_quarters_and_hours_tell_of_a_spike(
    kept: timedelta, hours: int, live: Live, tmp_path: Path
) -> None:
    database = tmp_path / "older.db"
    shutil.copy(live.database, database)
    store, later = Store(f"sqlite:///{database}"), BEGIN + DAY * 100
    usage.drop_fine(store, later, BEGIN if kept < HOUR else later)
    store.close()
    played = replayed(database)

    first, *_, last = told(played, "spend-spike")
    assert first.at == LEAK + HOUR
    assert "the robot" in first.summary
    assert (last.reason, last.at) == (NotifyReason.RESOLVED, LEAK + HOUR * hours)


def test_acknowledging_and_silencing_are_left_out(live: Live, tmp_path: Path) -> None:
    database = tmp_path / "acknowledged.db"
    shutil.copy(live.database, database)
    store = Store(f"sqlite:///{database}")
    with store.begin() as tx:
        row = due.load(tx, "trace")
        spenders.accept(tx, row.id, "api_key", "key_new", BEGIN + HOUR * HOURS)
        due.update(tx, row.id, spike_accepted_at=LEAK + HOUR, spike_accepted_nanos=10**12)
        silences.add(tx, frozenset({"spend-spike"}), frozenset({"trace"}), BEGIN, BEGIN + DAY * 30)
    store.close()

    assert said(replayed(database)) == said(replayed(live.database))
