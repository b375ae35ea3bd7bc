"""A daemon whose clock is set while it runs: in this process, by a clock that is an argument."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from spendguard.app.clock import utc_now
from spendguard.core.windows import DAY
from spendguard.daemon.life import Life
from spendguard.simulator import Simulator, World
from tests.system import books
from tests.system.daemon import PATIENCE, until
from tests.system.program import KEY, Program, account, channel
from tests.system.webhook import Webhook

YEAR = timedelta(days=365)
HOUR = timedelta(hours=1)


class Clock:
    """The real clock, off by as much as somebody set it."""

    def __init__(self) -> None:
        self.off = timedelta(0)

    def __call__(self) -> datetime:
        return utc_now() + self.off


class Watched:
    """A daemon in this process, and what it reads and tells."""

    def __init__(self, directory: Path, ends: ExitStack) -> None:
        self.clock = Clock()
        self.world = World(utc_now(), clock=self.clock)
        self.world.purchase(utc_now() - DAY * 40, "100000.00", expires_at=utc_now() + 3 * YEAR)
        self.world.spend(utc_now() - DAY, "3.00", line_item="gpt, input")
        self.simulator = ends.enter_context(Simulator(self.world, KEY))
        self.hook = ends.enter_context(Webhook())
        table = account(self.simulator.url, name="main") + 'poll_interval = "1s"\n'
        self.program = Program(directory / "guard", table + channel("ops", self.hook.url))
        self.life = Life(str(self.program.config), self.program.env, os.getpid(), clock=self.clock)
        self.life.begin()

    def polled_again(self, times: int = 1) -> None:
        """Look as the main loop does, until the account was read so often again."""
        wanted = len(self.reads()) + times

        def read() -> bool:
            self.life.look()
            return len(self.reads()) >= wanted

        # What is due by a clock that was half a minute ahead comes half a minute later.
        until(read, PATIENCE * 2)

    def reads(self) -> list[Any]:
        return [one for one in self.simulator.requests if one.path.endswith("/costs")]

    def told(self, title: str) -> None:
        def arrived() -> bool:
            self.life.look()
            return title in self.hook.titles

        until(arrived)


@contextmanager
def watched(directory: Path) -> Iterator[Watched]:
    with ExitStack() as ends:
        made = Watched(directory, ends)
        try:
            yield made
        finally:
            made.life.stop().wait(60)


@pytest.mark.parametrize("by", [YEAR, -YEAR], ids=["a year ahead", "a year back"])
def test_a_clock_that_is_set_is_told_and_harmless(tmp_path: Path, by: timedelta) -> None:
    with watched(tmp_path) as daemon:
        daemon.polled_again(2)
        daemon.clock.off = by
        daemon.polled_again(2)
        daemon.told("CRITICAL guard guard")
        daemon.clock.off = timedelta(0)
        daemon.polled_again(4)  # one may be under way by the old clock, another not written yet

    database = daemon.program.database
    assert books.whole(database)
    [row] = books.ask(database, "SELECT failures, next_poll_at FROM accounts")
    assert row["failures"] == 0
    assert books.instant(row["next_poll_at"]) <= utc_now() + timedelta(seconds=2)
    [late] = books.ask(database, "SELECT MAX(evaluated_at) AS at FROM scopes")
    assert books.instant(late["at"]) <= utc_now()
    kept = books.ask(database, "SELECT SUM(nanos) AS nanos FROM spend_days")
    assert kept[0]["nanos"] == 3 * 10**9
    said = [one for one in daemon.hook.messages if one.title == "CRITICAL guard guard"]
    assert [one.body.startswith("Still: ") for one in said] in ([False], [False, True])


def test_a_small_correction_is_nothing_to_tell(tmp_path: Path) -> None:
    with watched(tmp_path) as daemon:
        daemon.polled_again()
        daemon.clock.off = -timedelta(seconds=30)
        daemon.polled_again(2)
        daemon.clock.off = timedelta(seconds=30)
        daemon.polled_again(2)
    assert "CRITICAL guard guard" not in daemon.hook.titles
