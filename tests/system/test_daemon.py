"""The daemon as a real process, against the simulator and a webhook."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest

from spendguard.app.clock import utc_now
from spendguard.app.program import App, configure
from spendguard.core.ledger import Kind
from spendguard.core.money import Money
from spendguard.core.windows import DAY, utc_day
from spendguard.simulator import Fault, Simulator, World
from spendguard.store.ledger import Stated
from tests.ends import HttpEnd
from tests.system import books
from tests.system.daemon import Daemon, armed, kill, manager, until
from tests.system.program import KEY, Program, account, channel
from tests.system.webhook import Webhook

EVERY_SECOND = 'poll_interval = "1s"\n'
ITEM = "gpt-6-astra, input_tokens"


class Guarded:
    """Accounts of a simulated provider, watched every second, and the chat that hears of them."""

    def __init__(self, directory: Path, ends: ExitStack, *names: str) -> None:
        self.world = World(utc_now(), clock=utc_now)
        self.world.purchase(utc_now() - DAY * 40, "100000.00")
        self.simulator = ends.enter_context(Simulator(self.world, KEY))
        self.hook = ends.enter_context(Webhook())
        self.tables = "".join(
            account(self.simulator.url, name=name) + EVERY_SECOND for name in names
        )
        self.chat = channel("ops", self.hook.url)
        self.run = Program(directory / "guard", self.tables + self.chat)

    def state(self, amount: str) -> None:
        """Read the account, and state its balance as of yesterday: today's cost is taken from it."""
        at = utc_day(utc_now()).start - DAY
        with App(configure(str(self.run.config), self.run.env), self.run.env) as app:
            app.prepare()
            assert app.poll(app.account("main")).error is None
            stated = Stated(Kind.CHECKPOINT, Money.parse(amount, "USD"), at)
            app.set_balance("main", stated)

    def spend(self, amount: str) -> None:
        self.world.spend(utc_now(), amount, line_item=ITEM)

    def told(self, title: str, times: int = 1) -> None:
        """Wait until a message has arrived so often."""
        until(lambda: self.hook.titles.count(title) == times)

    def polls(self) -> int:
        return sum(one.path.endswith("/costs") for one in self.simulator.requests)

    def polled_again(self) -> None:
        before = self.polls()
        until(lambda: self.polls() > before)

    def rewrite(self, rest: str) -> None:
        """Write another configuration, with the same database."""
        self.run = Program(self.run.directory, rest, self.run.env)


@pytest.fixture
def ends() -> Iterator[ExitStack]:
    """Whatever is opened for a test."""
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def guarded(tmp_path: Path, ends: ExitStack) -> Guarded:
    """One account with ten dollars left."""
    made = Guarded(tmp_path, ends, "main")
    made.state("10.00")
    return made


def test_what_is_crossed_is_told_at_once_and_nothing_twice(guarded: Guarded) -> None:
    with armed(guarded.run) as daemon:
        assert "accounts=1 channels=1" in daemon.said(" armed ")
        guarded.polled_again()
        guarded.spend("6.00")
        began = monotonic()
        guarded.told("WARNING balance-low main")
        assert monotonic() - began < 11  # one poll interval plus ten seconds
        daemon.said("info alert firing rule=balance-low subject=main severity=warning step=trigger")
        daemon.said("info message delivered channel=ops")
        guarded.polled_again()
        guarded.polled_again()

        assert daemon.stop() == 0
        assert guarded.hook.titles == ["WARNING balance-low main"]
        assert daemon.lines[-1].endswith("info stopped")


def test_an_entry_is_judged_and_its_message_sent_while_the_daemon_runs(guarded: Guarded) -> None:
    guarded.spend("6.00")
    with armed(guarded.run) as daemon:
        guarded.told("WARNING balance-low main")
        assert guarded.run("deposit", "add", "main", "50").code == 0
        guarded.told("RESOLVED balance-low main")
        assert guarded.run("check").err == ""
        assert daemon.stop() == 0


def test_what_became_true_while_it_was_down_is_told(guarded: Guarded) -> None:
    with armed(guarded.run) as daemon:
        guarded.polled_again()
        assert daemon.stop() == 0
    guarded.spend("9.00")
    with armed(guarded.run) as daemon:
        guarded.told("CRITICAL balance-low main")
        assert daemon.stop() == 0
    with armed(guarded.run) as daemon:
        guarded.polled_again()
        guarded.polled_again()
        assert daemon.stop() == 0
    assert guarded.hook.titles == ["CRITICAL balance-low main"]


def test_a_second_daemon_refuses_and_a_check_beside_the_first_works(guarded: Guarded) -> None:
    with armed(guarded.run) as daemon:
        second = guarded.run("run")
        assert second.code == 1
        assert "another daemon guards" in second.err
        assert "hint:  stop it first" in second.err
        assert guarded.run("check", "--json").json["accounts"][0]["polled"] == "ok"
        assert guarded.run("doctor", "--alive").code == 0
        assert daemon.stop() == 0
    stopped = guarded.run("doctor", "--alive")
    assert (stopped.code, stopped.err.splitlines()[0]) == (1, "error: no daemon is at work")


class TestAReload:
    def test_takes_over_what_is_new(self, guarded: Guarded) -> None:
        with armed(guarded.run) as daemon:
            more = account(guarded.simulator.url, name="second") + EVERY_SECOND
            guarded.rewrite(guarded.tables + more + guarded.chat)
            daemon.send(signal.SIGHUP)
            assert "accounts=2 channels=1" in daemon.said("info reloaded")
            until(lambda: len(_read(guarded)) == 2)
            assert daemon.stop() == 0

    @pytest.mark.parametrize(
        ("wrong", "problem"),
        [
            pytest.param("wrong = 1\n", "wrong: unknown key", id="a key nobody knows"),
            pytest.param(
                channel("more", "env:NOWHERE"),
                "'NOWHERE' is not set",
                id="a secret that is not there",
            ),
            pytest.param(channel("more", "slack://x"), "does not understand", id="a useless URL"),
        ],
    )
    def test_keeps_what_works_where_it_cannot(
        self, guarded: Guarded, tmp_path: Path, wrong: str, problem: str
    ) -> None:
        with manager(tmp_path, abstract=False) as (name, told):
            guarded.run.env["NOTIFY_SOCKET"] = name
            with armed(guarded.run) as daemon:
                until(lambda: told.has("READY=1"))
                guarded.rewrite(
                    f"{wrong if '[' not in wrong else ''}{guarded.tables}"
                    f"{guarded.chat}{wrong if '[' in wrong else ''}"
                )
                daemon.send(signal.SIGHUP)
                daemon.said("error configuration refused, the former one holds", problem)
                until(lambda: told.has("STATUS=configuration refused"))
                assert told.assignments().count("READY=1") == 2
                assert told.has("RELOADING=1")
                assert told.has("MONOTONIC_USEC=")
                guarded.spend("6.00")
                guarded.told("WARNING balance-low main")
                assert daemon.stop() == 0


def _read(guarded: Guarded) -> list[str]:
    with closing(sqlite3.connect(guarded.run.database)) as database:
        found = database.execute("SELECT name FROM accounts WHERE last_ok_at IS NOT NULL")
        return [row[0] for row in found]


class TestTheEnd:
    def test_waits_ten_seconds_at_most_for_an_account_that_hangs(
        self, tmp_path: Path, ends: ExitStack
    ) -> None:
        guarded = Guarded(tmp_path, ends, "main")
        with armed(guarded.run) as daemon:
            guarded.polled_again()
            guarded.simulator.fault(Fault.TIMEOUT, path="/organization/costs")
            guarded.polled_again()
            began = monotonic()
            assert daemon.stop() == 0
            assert monotonic() - began < 10.5
            assert daemon.logged("stopped")

    def test_comes_at_once_with_the_second_signal(self, tmp_path: Path, ends: ExitStack) -> None:
        guarded = Guarded(tmp_path, ends, "main")
        with armed(guarded.run) as daemon:
            guarded.polled_again()
            guarded.simulator.fault(Fault.TIMEOUT, path="/organization/costs")
            guarded.polled_again()
            began = monotonic()
            assert daemon.leave(signal.SIGINT) == 0
            assert monotonic() - began < 5


def test_what_a_killed_daemon_had_claimed_is_taken_back(guarded: Guarded) -> None:
    guarded.hook.down = True
    guarded.spend("6.00")
    with armed(guarded.run) as daemon:
        daemon.said("warning channel takes no message channel=ops")
        kill(daemon.process)
    with closing(sqlite3.connect(guarded.run.database)) as database, database:
        hour = timedelta(hours=1) // timedelta(microseconds=1)
        database.execute(f"UPDATE outbox SET claim = 'dead', due_at = due_at + {hour}")  # noqa: S608
        database.execute(
            f"UPDATE accounts SET claim = 'dead', next_poll_at = next_poll_at + {hour}"  # noqa: S608
        )
    guarded.hook.down = False
    before = guarded.polls()
    with armed(guarded.run) as daemon:
        guarded.told("WARNING balance-low main")
        until(lambda: guarded.polls() > before)
        assert daemon.stop() == 0
    assert guarded.hook.titles == ["WARNING balance-low main"]


def test_a_suspended_daemon_goes_on_where_it_was(guarded: Guarded) -> None:
    with armed(guarded.run) as daemon:
        guarded.polled_again()
        daemon.send(signal.SIGSTOP)
        guarded.spend("6.00")
        began = monotonic()
        until(lambda: monotonic() - began > 2.5)
        assert guarded.hook.titles == []
        daemon.send(signal.SIGCONT)
        guarded.told("WARNING balance-low main")
        assert daemon.logged("clock was set") == []
        assert daemon.stop() == 0


def test_an_account_that_hangs_delays_no_other(tmp_path: Path, ends: ExitStack) -> None:
    made = Guarded(tmp_path, ends, "main")
    dead = ends.enter_context(Simulator(World(utc_now(), clock=utc_now), KEY))
    dead.fault(Fault.TIMEOUT)
    hanging = "".join(account(dead.url, name=f"hangs-{n}") + EVERY_SECOND for n in range(3))
    made.rewrite(hanging + made.tables + made.chat)
    with armed(made.run) as daemon:
        until(lambda: len(dead.requests) == 3)
        made.polled_again()
        made.polled_again()
        assert daemon.leave() == 0


def test_a_disk_without_space_is_told_past_the_outbox_and_heals(guarded: Guarded) -> None:
    with armed(guarded.run) as daemon:
        guarded.polled_again()
        limits = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (0, limits[1]))
        guarded.spend("6.00")
        daemon.said("error database cannot be written")
        guarded.told("CRITICAL guard guard")
        assert guarded.run("doctor", "--alive").code == 0  # for three minutes
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, limits)
        daemon.said("info database can be written again")
        guarded.told("RESOLVED guard guard")
        guarded.told("WARNING balance-low main")
        assert daemon.stop() == 0
    assert guarded.hook.titles.count("CRITICAL guard guard") == 1
    assert len(daemon.logged("database cannot be written")) == 1
    assert books.whole(guarded.run.database)


def test_a_daemon_that_cannot_write_when_it_starts_tells_it_and_waits(guarded: Guarded) -> None:
    guarded.spend("6.00")
    more = account(guarded.simulator.url, name="second") + EVERY_SECOND
    guarded.rewrite(guarded.tables + more + guarded.chat)
    no_space = ("sh", "-c", 'ulimit -S -f 0; exec "$@"', "sh")
    with Daemon(guarded.run, no_space) as daemon:
        daemon.said("error database cannot be written", "work=start")
        guarded.told("CRITICAL guard guard")
        assert not daemon.logged(" armed ")
        hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        daemon.said(" armed ")
        guarded.told("RESOLVED guard guard")
        guarded.told("WARNING balance-low main")
        assert daemon.stop() == 0


@pytest.mark.parametrize("abstract", [False, True])
def test_the_service_manager_is_told(guarded: Guarded, tmp_path: Path, abstract: bool) -> None:  # noqa: FBT001
    with manager(tmp_path, abstract=abstract) as (name, told):
        guarded.run.env |= {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "4000000"}
        with armed(guarded.run) as daemon:
            until(lambda: told.has("STATUS=1 of 1 account read, 0 alerts firing"))
            until(lambda: told.assignments().count("WATCHDOG=1") > 2)
            assert daemon.stop() == 0
        assert told.messages[0].startswith("READY=1\nSTATUS=") or "WATCHDOG=1" in told.messages[0]
        assert told.assignments().count("READY=1") == 1
        assert "STOPPING=1" in told.assignments()


def test_the_watchdog_goes_hungry_when_something_hangs(tmp_path: Path, ends: ExitStack) -> None:
    made = Guarded(tmp_path, ends, "main")
    pipe = tmp_path / "key"
    os.mkfifo(pipe)
    made.rewrite(
        made.tables + account(made.simulator.url, name="hangs", key=f"file:{pipe}") + made.chat
    )
    with manager(tmp_path, abstract=True) as (name, told):
        made.run.env |= {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "2000000"}
        with armed(made.run) as daemon:
            made.polled_again()
            made.polled_again()
            fed = told.assignments().count("WATCHDOG=1")
            made.polled_again()
            made.polled_again()
            assert told.assignments().count("WATCHDOG=1") == fed
            assert daemon.leave() == 0


def test_a_heartbeat_follows_once_everything_was_read(guarded: Guarded) -> None:
    with HttpEnd() as watch:
        url = watch.url.replace("json:", "http:")
        guarded.run.env["BEAT"] = f"{url}secret-path"
        guarded.rewrite(guarded.tables + guarded.chat + '[heartbeat]\nurl = "env:BEAT"\n')
        with armed(guarded.run) as daemon:
            until(lambda: watch.requests)
            assert daemon.stop() == 0
        assert [one.path for one in watch.requests] == ["/secret-path"]
        assert not daemon.logged("secret-path")


def test_no_line_has_a_time_of_its_own_under_the_journal(guarded: Guarded) -> None:
    with armed(guarded.run) as daemon:
        assert daemon.said(" armed ")[:2] == "20"
        assert daemon.stop() == 0
