"""A daemon on a machine that is suspended for nearly a day, with everything under way that can be."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from spendguard.app.clock import utc_now
from spendguard.app.program import WORKERS
from spendguard.core.pace import phase
from spendguard.simulator import Fault, Simulator, World
from spendguard.simulator.openai import OpenAI
from spendguard.simulator.wire import Reply, Request
from tests.system import books
from tests.system.daemon import armed, until
from tests.system.program import KEY, account
from tests.system.slept import Sleeper
from tests.system.test_daemon import Guarded

ASLEEP = timedelta(hours=23)  # what was told is not due to be repeated yet
INTERVAL = timedelta(seconds=20)
MANY = [f"a{number:02}" for number in range(16)]
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MOMENT = 0.05
LOW = "WARNING balance-low main"


class Slow(OpenAI):
    """An API that takes its time over each answer, so that polls overlap."""

    def answer(self, request: Request, key: str | None, body: bytes = b"") -> Reply:
        """Answer as the API does, a moment later."""
        threading.Event().wait(MOMENT)
        return super().answer(request, key, body)


class Suspended:
    """An account with a message to tell, many beside it, and one whose provider is slow."""

    def __init__(self, directory: Path, ends: ExitStack) -> None:
        self.off = timedelta(0)
        self.most = 0
        self.guarded = Guarded(directory, ends, "main")
        self.guarded.state("10.00")
        self.guarded.spend("6.00")
        world = World(utc_now(), clock=lambda: utc_now() + self.off)
        many = ends.enter_context(Simulator(world, KEY, api=Slow(world, KEY, None)))
        patience = timedelta(seconds=1.5)
        self.slow = ends.enter_context(Simulator(world, KEY, patience=patience))
        every = f'poll_interval = "{INTERVAL.seconds}s"\n'
        rest = "".join(account(many.url, name=name) + every for name in MANY)
        rest += account(self.slow.url, name="slow") + every
        former = self.guarded.run
        tables = rest + self.guarded.tables + self.guarded.chat
        self.run = Sleeper(former.directory, tables, former.env)

    def ask(self, query: str) -> list[Any]:
        return books.ask(self.run.database, query)

    def read_since(self, at: datetime) -> set[str]:
        """Return the accounts that were read since an instant, having seen how many are claimed."""
        rows = self.ask("SELECT name, claim, COALESCE(last_ok_at, 0) AS at FROM accounts")
        self.most = max(self.most, sum(row["claim"] is not None for row in rows))
        return {row["name"] for row in rows if books.instant(row["at"]) >= at}


@pytest.fixture
def suspended(tmp_path: Path) -> Iterator[Suspended]:
    with ExitStack() as ends:
        yield Suspended(tmp_path, ends)


def test_what_was_due_is_done_once_and_not_all_at_a_time(suspended: Suspended) -> None:
    guarded, slow = suspended.guarded, suspended.slow
    guarded.hook.down = True
    slow.fault(Fault.TIMEOUT)
    with armed(suspended.run) as daemon:
        until(lambda: suspended.read_since(LONG_AGO) >= {*MANY, "main"})
        until(lambda: guarded.hook.requests and slow.requests)
        # a message waits for its next try, and a poll for its answer: what it claimed lapses
        suspended.most = 0
        slow.clear()
        guarded.hook.down = False
        suspended.off = ASLEEP
        suspended.run.sleep(daemon, ASLEEP)
        woken_at = utc_now() + ASLEEP - timedelta(seconds=2)
        until(lambda: suspended.read_since(woken_at) >= {*MANY, "slow"})
        until(lambda: LOW in guarded.hook.titles)
        until(lambda: not suspended.ask("SELECT 1 FROM outbox WHERE state = 'owed'"))
        assert daemon.stop() == 0

    assert 1 < suspended.most <= WORKERS
    for row in suspended.ask("SELECT * FROM accounts"):
        assert (row["name"], row["failures"]) == (row["name"], 0)
        if row["name"] in MANY and row["claim"] is None:  # they are spread again as before
            shifted = row["next_poll_at"] - phase(row["name"], INTERVAL) // MICROSECOND
            assert shifted % (INTERVAL // MICROSECOND) == 0
    assert guarded.hook.titles.count(LOW) == 1
    others = [title for title in guarded.hook.titles if title != LOW]
    assert [title.startswith("spendguard is watching") for title in others] == [True] * len(others)
    assert daemon.logged("clock was set") == []
    assert daemon.logged("rule=blind") == daemon.logged("rule=guard") == []
