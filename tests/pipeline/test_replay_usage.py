"""A replay of stored usage says what the guard said live: who leaked, who is new, what is left."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

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
from spendguard.pipeline.replay import Played, read_cards, read_stored, recorded
from spendguard.providers.openai import OpenAI
from spendguard.simulator import Stream, World, feed
from spendguard.store import due, ledger, scopes
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
STREAMS = [Stream("web", "key_web", "gpt-4o", A_DAY), Stream("bot", "key_bot", "gpt-4o-mini", A_DAY)]
LATER = {"checkpoint-stale"}
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


@pytest.fixture
def world() -> World:
    """Two keys as ever, one of which leaks for two hours; and a third that begins to spend."""
    world = World(BEGIN, lag=LAG)
    world.purchase(BEGIN - DAY * 40, "9000.00")
    world.project("web", "Web")
    world.project("bot", "Bot")
    world.api_key("key_web", "web", "the web shop")
    world.api_key("key_bot", "bot", "the robot")
    feed(world, STREAMS, Window(BEGIN - DAY * 10, BEGIN + HOUR * HOURS))
    leak = Stream("bot", "key_bot", "gpt-4o-mini", usd("480.00"), bursts=30)
    feed(world, [leak], Window(LEAK, LEAK + HOUR * 2))
    new = Stream("bot", "key_new", "gpt-4o", usd("48.00"), bursts=3)
    feed(world, [new], Window(NEWCOMER, NEWCOMER + HOUR * 3))
    return world


@dataclass
class Live:
    """What was said, and what was thought to be left, look by look."""

    said: list[Said] = field(default_factory=list)
    floors: list[Money | None] = field(default_factory=list)


def live(store: Store, world: World, openai: Callable[[], OpenAI], made: Configuration) -> Live:
    """Read the account each hour, and judge it."""
    family, told = Benches(made).family_of(made.accounts[0]), Live()
    (account,) = made.accounts
    with store.begin() as tx:
        due.register(tx, [account])
    for hour in range(HOURS + 1):
        world.now = now = BEGIN + HOUR * hour
        assert poll(store, account, openai(), now).error is None
        with store.begin() as tx:
            if now - HOUR < STATED <= now:
                stated = Stated(Kind.CHECKPOINT, usd("180.00"), STATED)
                ledger.record(tx, due.load(tx, account.name).id, stated, now)
            evaluate_family(tx, family, now)
            told.floors.append(_floor(tx, account.name))
    with store.begin() as tx:
        told.said = [*_owed(tx)]
    return told


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


def replayed(database: Path, made: Configuration) -> Played:
    """Play what is stored, at the same instants."""
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


def test_a_replay_says_what_was_said_live(
    tmp_path: Path, world: World, openai: Callable[[], OpenAI]
) -> None:
    made, database = configuration(), tmp_path / "live.db"
    with opened(database) as store:
        lived = live(store, world, openai, made)
    played = replayed(database, made)

    assert [one.floor for one in played.forecasts] == lived.floors
    assert sorted(said(played)) == sorted(lived.said)


def test_dbg(tmp_path: Path, world: World, openai: Callable[[], OpenAI]) -> None:
    made, database = configuration(), tmp_path / "live.db"
    with opened(database) as store:
        lived = live(store, world, openai, made)
    import shutil
    shutil.copy(database, "/tmp/stored/live.db")
    played = replayed(database, made)
    a, b = set(said(played)), set(lived.said)
    for x in sorted(a ^ b):
        print("replay" if x in a else "live  ", x[0].isoformat(), *x[1:])
    print("BOTH")
    for x in sorted(a & b):
        print(x[0].isoformat(), *x[1:])
    assert 0
