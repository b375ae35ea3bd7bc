"""A database that cannot be written for a while, whatever the reason: told, outlived, made good."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from spendguard.core.windows import utc_day
from tests.system import books, disk
from tests.system.daemon import Daemon, armed
from tests.system.disk import Disk
from tests.system.hurried import Hurried
from tests.system.test_daemon import Guarded

TOLD = ["CRITICAL guard guard", "RESOLVED guard guard", "WARNING balance-low main"]
OBEY = "-dac_override,-dac_read_search"  # so that modes stop root as they stop anybody


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    """One account with ten dollars left, and a program of little patience."""
    with ExitStack() as ends:
        made = Guarded(tmp_path, ends, "main")
        made.state("10.00")
        hurry(made, "")
        yield made


def hurry(guarded: Guarded, settings: str) -> None:
    rest = settings + guarded.tables + guarded.chat
    guarded.run = Hurried(guarded.run.directory, rest, guarded.run.env)


def healed(guarded: Guarded, daemon: Daemon) -> None:
    """Wait until all is made good, and see that each thing was said once."""
    daemon.said("info database can be written again")
    for title in TOLD:
        guarded.told(title)
    guarded.polled_again()
    guarded.polled_again()
    assert sorted(guarded.hook.titles) == TOLD
    assert len(daemon.logged("database cannot be written")) == 1
    assert len(daemon.logged("database can be written again")) == 1
    assert daemon.logged("work failed") == daemon.logged("cannot be read") == []


def nothing_lost(guarded: Guarded, database: Path) -> None:
    """See that the account was read to the end, and that no poll failed."""
    assert books.whole(database)
    [row] = books.ask(database, "SELECT failures, claim FROM accounts")
    assert tuple(row) == (0, None)
    days = {day for day, *_ in books.spend(database)}
    assert books.spend(database) == books.booked(guarded.world, days)
    assert utc_day(guarded.world.now).start in days
    [owed] = books.ask(database, "SELECT COUNT(*) AS n FROM outbox WHERE state = 'owed'")
    assert owed["n"] == 0


def test_locked_by_somebody_for_longer_than_it_waits(guarded: Guarded) -> None:
    database = guarded.run.database
    with armed(guarded.run) as daemon:
        guarded.polled_again()
        with closing(sqlite3.connect(database, isolation_level=None, timeout=30)) as other:
            other.execute("BEGIN EXCLUSIVE")
            guarded.spend("6.00")
            daemon.said("error database cannot be written", "locked by another process")
            guarded.told("CRITICAL guard guard")
            assert guarded.run("status").code == 0
            other.execute("ROLLBACK")
        healed(guarded, daemon)
        assert daemon.stop() == 0
    nothing_lost(guarded, database)


@pytest.mark.parametrize(
    ("file", "directory"),
    [
        pytest.param(0o444, 0o755, id="the file"),
        pytest.param(0o644, 0o555, id="the directory"),
        pytest.param(0o000, 0o755, id="not even to read"),
    ],
)
def test_not_writable_for_its_user(guarded: Guarded, file: int, directory: int) -> None:
    state = guarded.run.database.parent
    guarded.run.database.chmod(file)
    state.chmod(directory)
    guarded.spend("6.00")
    with Daemon(guarded.run, ordinary()) as daemon:
        daemon.said("error database cannot be written", "work=start", "check")
        guarded.told("CRITICAL guard guard")
        state.chmod(0o755)
        for each in state.iterdir():
            each.chmod(0o644)
        healed(guarded, daemon)
        assert daemon.stop() == 0
    nothing_lost(guarded, guarded.run.database)


def ordinary() -> tuple[str, ...]:
    """Return the words before a command that shall be stopped by the modes of files."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("NOT TESTED with a database that is not writable: setpriv is not installed")
    return ("setpriv", f"--bounding-set={OBEY}", "--")


@pytest.mark.skipif(
    bool(disk.wanting()), reason=f"NOT TESTED with a disk that is full: {disk.wanting()}"
)
def test_on_a_disk_that_is_full(guarded: Guarded) -> None:
    hurry(guarded, "[rules.guard]\nminimum_free = 1\n")
    state = guarded.run.database.parent
    kept = guarded.run.directory / "kept.db"
    with Disk(state, "8m") as full:
        shutil.copy(guarded.run.database, full.path)
        with Daemon(guarded.run, full.inside) as daemon:
            daemon.said(" armed ")
            guarded.polled_again()
            full.fill()
            guarded.spend("6.00")
            daemon.said("error database cannot be written", "the disk is full")
            guarded.told("CRITICAL guard guard")
            full.clear()
            healed(guarded, daemon)
            assert daemon.stop() == 0
        shutil.copy(full.path / "spendguard.db", kept)
    nothing_lost(guarded, kept)
