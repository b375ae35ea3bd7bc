"""kill -9 at random points of the daemon and of what a person states beside it, again and again.

A daemon polls every second, judges, and tells two channels, while commands write to the same
database; either is killed anywhere, from its first instruction on. Short in the suite; for longer:
`KILLS=2000 pytest -n 0 tests/system/test_daemon_kill.py`.
"""

from __future__ import annotations

import logging
import os
import re
import signal
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from math import inf
from pathlib import Path
from time import perf_counter

import pytest

from spendguard.app.clock import utc_now
from spendguard.core.money import Money
from tests.system import books
from tests.system.forked import Child
from tests.system.life import Life

KILLS = int(os.environ.get("KILLS", "16"))
LIVES = 1 if KILLS < 100 else 4
NAME = "openai-main"
EVERY_SECOND = 'poll_interval = "1s"\n'
WRONG = re.compile("work failed|Traceback|cannot be written")
LEDGER = """
SELECT DISTINCT kind, nanos, currency, at, source, external_id, outcome, reason
FROM entries ORDER BY kind, at, nanos, external_id
"""
UNBOOKED = "SELECT nanos FROM unbooked"

log = logging.getLogger(__name__)


@dataclass
class Entry:
    """A command that a person gives until it is done, and what it is worth once it is."""

    words: list[str]
    worth: Money
    both: bool = True  # to the calm guard too


class DaemonLife(Life):
    """A life in which the daemon is killed at some point, and so are the commands beside it."""

    def __init__(self, seed: int, directory: Path, ends: ExitStack) -> None:
        super().__init__(seed, directory, ends, EVERY_SECOND)
        self.lasts, self.events = 1.5, 8
        self.entry: Entry | None = None
        self.credit_stated = self.credit
        self.numbers = count(1)

    @property
    def begun(self) -> bool:
        """Tell whether the account was read and its balance stated."""
        return self.asked("SELECT 1 FROM entries")

    def read(self) -> bool:
        """Tell whether the account was read."""
        return self.asked("SELECT 1 FROM accounts WHERE first_ok_at IS NOT NULL")

    def asked(self, query: str) -> bool:
        return books.made(self.run.database) and bool(books.ask(self.run.database, query))

    # what a person states

    def next_entry(self) -> Entry:
        """Return what a person states next: of each kind some."""
        worth = Money(self.chance.randrange(50, 400) * 10_000_000, "USD")
        amount, none = worth.exact(), Money(0, "USD")
        signed = ["--at", utc_now().isoformat(), "--id", f"typed-{next(self.numbers)}"]
        way = self.chance.randrange(6)
        if way == 0:
            alert = self.alert()
            if alert is not None:
                return Entry(["alerts", "ack", alert], none, both=False)
        if way == 1:
            stated = self.credit_stated + worth
            at = self.stated_at.isoformat()
            return Entry(["balance", "set", NAME, stated.exact(), "--at", at], worth)
        if way == 2:
            return Entry(["charge", "add", NAME, amount, "--succeeded", *signed], worth)
        if way == 3:
            told = ["--failed", "--reason", "card declined"]
            return Entry(["charge", "add", NAME, amount, *told, *signed], none)
        if way == 4:
            return Entry(["deposit", "refund", NAME, amount, *signed], -worth)
        return Entry(["deposit", "add", NAME, amount, *signed], worth)

    def alert(self) -> str | None:
        """Return an alert that is open and that nobody has acknowledged."""
        rows = books.ask(
            self.run.database,
            "SELECT id FROM alerts WHERE ended_at IS NULL AND acknowledged_severity IS NULL",
        )
        return str(self.chance.choice(rows)[0]) if rows else None

    def state(self) -> Child | None:
        """Begin what a person states now: the same again where it was killed before."""
        if self.begun and self.entry is None and self.chance.random() < 0.6:
            self.entry = self.next_entry()
        return None if self.entry is None else Child(self.run, *self.entry.words)

    def stated(self, code: int) -> None:
        """Take down how that ended; what was done is stated to the calm guard as well."""
        if code == -signal.SIGKILL:
            self.counts["kills"] += 1
            self.counts["kills of commands"] += 1
            return
        entry, self.entry = self.entry, None
        assert entry is not None
        if entry.both:
            assert code == 0, (self.run.directory / "log").read_text()
            assert Child(self.calmly, *entry.words).end() == 0
            self.counts["commands"] += 1
        self.credit += entry.worth
        if entry.words[0] == "balance":
            self.credit_stated += entry.worth

    # what is done to the daemon

    def turn(self) -> None:
        """Let a daemon begin, let a person state something beside it, and kill either or both."""
        daemon = Child(self.run, "run")
        if self.chance.random() < 0.3:
            self.wait(daemon.over, self.chance.uniform(0, self.lasts))
        command = self.state()
        self.until_some_point(daemon)
        if command is not None and self.chance.random() < 0.5:
            self.stated(command.end())
            command = None
            self.until_some_point(daemon, self.chance.uniform(0, 0.3))
        assert daemon.end(signal.SIGKILL) == -signal.SIGKILL
        self.counts["kills"] += 1
        if command is not None:
            self.stated(command.end(signal.SIGKILL))
        self.account_for(killed=True)

    def until_some_point(self, daemon: Child, longest: float = inf) -> None:
        """Wait for some time, some request, some message or some write, and a little longer."""
        way, longest = self.chance.random(), min(longest, self.lasts)
        begun = perf_counter()
        if way < 0.2:
            self.wait(daemon.over, self.chance.uniform(0, longest))
        elif way < 0.4:
            self.wait(daemon.over, longest, until=self.seen + self.chance.randint(1, self.events))
            self.wait(daemon.over, self.chance.uniform(0, 0.03))
        elif way < 0.7:
            self.wait(daemon.over, longest, taken=self.taken + 1)
            self.wait(daemon.over, self.chance.uniform(0, 0.01))
        else:
            writes, before = self.chance.randint(1, 40), self.written_at()
            while writes and perf_counter() - begun < longest:
                daemon.over(0.0005)
                if self.written_at() != before:
                    writes, before = writes - 1, self.written_at()
            self.wait(daemon.over, self.chance.uniform(0, 0.002))

    def written_at(self) -> int:
        """Return when the database was last written, as the file system has it."""
        try:
            return (self.run.database.parent / (self.run.database.name + "-wal")).stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    # what must be so in the end

    def rest(self) -> None:
        """End all trouble, and let a daemon that nobody kills come to rest."""
        while self.entry is not None:
            self.stated(Child(self.run, *self.entry.words).end())
        self.simulator.clear()
        for hook in self.hooks.values():
            hook.down = False
        self.deposit("40.00")
        self.spend_down_to(Money.parse("4.00", "USD"))
        began_at, begun = utc_now(), perf_counter()
        daemon = Child(self.run, "run")
        while not self.rests(began_at):
            assert not daemon.over(0.1)
            assert perf_counter() - begun < 90
        assert daemon.end(signal.SIGTERM) == 0
        self.account_for(killed=False)
        self.calm.check()

    def rests(self, since: datetime) -> bool:
        """Tell whether the account was read since an instant, and nothing is owed."""
        since_column = int(since.timestamp() * 1_000_000)
        (read,) = books.ask(self.run.database, "SELECT last_ok_at FROM accounts")
        owed = books.ask(self.run.database, "SELECT 1 FROM outbox WHERE state = 'owed'")
        told = books.ask(
            self.run.database,
            "SELECT 1 FROM alerts WHERE rule = 'balance-low' AND ended_at IS NULL",
        )
        return (read[0] or 0) > since_column and not owed and bool(told)

    def compare(self) -> None:
        """Find the same in both databases and in the world, and nothing that went wrong unsaid."""
        self.same_books()
        ledgers = [
            [tuple(row) for row in books.ask(each, LEDGER)]
            for each in (self.run.database, self.calmly.database)
        ]
        assert ledgers[0] == ledgers[1]
        floor, billed = self.balance(self.run)
        assert (floor, billed) == self.balance(self.calmly)
        # a correction downwards leaves what was used unbooked until its day is settled
        unbooked = sum(row["nanos"] for row in books.ask(self.run.database, UNBOOKED))
        assert billed == "4.00"
        assert floor == (Money.parse(billed, "USD") - Money(unbooked, "USD")).exact()
        assert not WRONG.search((self.run.directory / "log").read_text())


@pytest.mark.parametrize("seed", range(LIVES))
def test_a_daemon_that_is_killed_anywhere_loses_nothing_and_counts_nothing_twice(
    seed: int, tmp_path: Path
) -> None:
    begun = perf_counter()
    with ExitStack() as ends:
        life = DaemonLife(seed, tmp_path, ends)
        while life.counts["kills"] < KILLS // LIVES // 10 or not life.read():
            life.turn()  # in the midst of creating the database and of reading 180 days
        life.state_balance()
        while life.counts["kills"] < KILLS // LIVES:
            life.happen()
            life.turn()
            if life.chance.random() < 0.1:
                life.calm.check()
        life.rest()
        life.compare()
        life.nothing_is_owed()
        log.info("life %d: %.0f s, %s", seed, perf_counter() - begun, dict(life.counts))
