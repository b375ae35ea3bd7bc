from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest
from freezegun.api import real_monotonic

from spendguard.core.windows import DAY
from spendguard.pipeline.poll import PollOutcome, poll
from spendguard.pipeline.usage import Progress
from spendguard.providers.base import Clients, Deadline
from spendguard.providers.openai import OpenAI
from spendguard.simulator import Simulator, World
from spendguard.store import due
from spendguard.store.connect import Store
from tests.databases import account, opened

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = "sk-admin-canary-0123456789def"
PollAt: TypeAlias = Callable[..., PollOutcome]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A real database with the account 'main'."""
    with opened(tmp_path / "spendguard.db") as store:
        with store.begin() as tx:
            due.register(tx, [account()])
        yield store


@pytest.fixture
def world() -> World:
    """An account with plenty of credit."""
    world = World(NOW)
    world.purchase(NOW - DAY * 700, "100000.00", expires_at=NOW + DAY * 700)
    return world


@pytest.fixture
def simulator(world: World) -> Iterator[Simulator]:
    """The provider of that account."""
    with Simulator(world, KEY, patience=timedelta(seconds=2)) as running:
        yield running


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """A client as the product builds it."""
    clients = Clients()
    yield clients.get(None)
    clients.close()


@pytest.fixture
def openai(simulator: Simulator, http: httpx.Client) -> Callable[[], OpenAI]:
    """A function that makes the provider of one poll."""

    def make() -> OpenAI:
        deadline = Deadline(real_monotonic, timedelta(seconds=30))
        return OpenAI(http, KEY, base_url=simulator.url, currency="USD", deadline=deadline)

    return make


@pytest.fixture
def poll_at(store: Store, world: World, openai: Callable[[], OpenAI]) -> PollAt:
    """A function that polls the account at an instant of its world."""

    def poll_now(
        now: datetime, progress: Progress = lambda _read, _wanted, _what: None
    ) -> PollOutcome:
        world.now = now
        return poll(store, account(), openai(), now, progress)

    return poll_now
