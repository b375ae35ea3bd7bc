"""A real systemd: the service as it is installed, in a machine of its own."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from spendguard.app.clock import utc_now
from spendguard.simulator import Simulator, World
from tests.ends import HttpEnd
from tests.system.machine import HOME, Machine, Ran, UnbootableError, wanting
from tests.system.program import KEY

SPENDGUARD = HOME / "bin" / "spendguard"
CONFIG = "/etc/spendguard/config.toml"
CREDENTIALS = "/etc/spendguard/credentials"
STATE = "/var/lib/spendguard"
DROPIN = "/etc/systemd/system/spendguard.service.d/test.conf"
LOADED = f"""
[Service]
LoadCredential=openai_admin_key:{CREDENTIALS}/openai_admin_key
LoadCredential=ops_url:{CREDENTIALS}/ops_url
"""
LOW = "WARNING balance-low openai-main"
LOWER = "CRITICAL balance-low openai-main"
OF_SYSTEMD = ("/var/lib/systemd", "/var/log", "/etc/machine-id")  # its own books
MADE = {"/etc", "/var", "/var/lib", "/var/tmp"}  # noqa: S108 - directories of what comes and goes
WATCHDOG = 4.0
RESTART = 1.0
ENDED = "Watchdog request"

pytestmark = pytest.mark.skipif(
    bool(wanting()), reason=f"NOT TESTED with a real systemd: {wanting()}"
)


@dataclass
class Guarded:
    """A machine with an account to guard, the world it is in, and the far end of its messages."""

    machine: Machine
    world: World
    simulator: Simulator
    hook: HttpEnd
    control: tuple[str, ...] = ("systemctl",)
    user: str = ""
    dropin: str = DROPIN

    def configuration(self, *lines: str, key: str = "credential:openai_admin_key") -> str:
        return "\n".join(
            (
                "[[accounts]]",
                'name = "openai-main"',
                'provider = "openai"',
                f'key = "{key}"',
                f'base_url = "{self.simulator.url}"',
                'poll_interval = "1s"',
                "[[channels]]",
                'name = "ops"',
                'url = "credential:ops_url"',
                *lines,
                "",
            )
        )

    def spendguard(self, *arguments: str, user: str = "") -> Ran:
        return self.machine.run(SPENDGUARD, *arguments, user=user or self.user)

    def systemctl(self, *arguments: str) -> str:
        return self.machine.do(*self.control, *arguments, user=self.user)

    def start(self) -> float:
        """Start the service, and return how many seconds it took to be ready."""
        return self.machine.until(
            "it is started", lambda: self.systemctl("start", "spendguard") == ""
        )

    def shown(self, name: str) -> str:
        return self.systemctl("show", "--value", f"--property={name}", "spendguard").strip()

    def ready_at(self) -> float:
        """Return when it was last ready, in seconds of the machine's steady clock."""
        return int(self.shown("ActiveEnterTimestampMonotonic")) / 1e6

    def settings(self, *lines: str) -> None:
        """Change settings of the unit, as `systemctl edit` does."""
        self.machine.write(self.dropin, "\n".join((LOADED, *lines, "")))
        self.systemctl("daemon-reload")

    def journal(self) -> str:
        return self.machine.do("journalctl", "--no-pager", "--output=cat", "--unit=spendguard")

    def logged(self, phrase: str) -> bool:
        return phrase in self.journal()

    @contextmanager
    def hung(self, pipe: str) -> Iterator[float]:
        """Wait until somebody reads from a pipe, and keep it waiting; yield when that began."""
        path = self.machine.seen / "root" / pipe[1:]
        ends: list[int] = []

        def read() -> bool:
            with suppress(OSError):  # nobody reads yet
                ends.append(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
            return bool(ends)

        self.machine.until("somebody reads", read)
        try:
            yield time.monotonic()
        finally:
            os.close(ends[0])

    def logged_at(self, phrase: str) -> float:
        """Return when a phrase was logged first, in seconds of the steady clock."""
        entries = self.machine.do("journalctl", "--no-pager", "--output=json", "--unit=spendguard")
        each = map(json.loads, entries.splitlines())
        return next(
            int(one["__MONOTONIC_TIMESTAMP"]) / 1e6 for one in each if phrase in one["MESSAGE"]
        )

    @property
    def titles(self) -> list[str]:
        """What arrived so far."""
        return [str(message["title"]) for message in self.hook.messages]

    def until_told(self, title: str) -> None:
        """Wait for a message with a title."""
        self.machine.until(f"{title} is told", lambda: title in self.titles)

    def spend(self, amount: str) -> None:
        self.world.spend(utc_now(), amount, line_item="gpt-6-astra, input_tokens")


@pytest.fixture
def outside() -> Iterator[Guarded]:
    """A machine on which nothing is installed yet."""
    world = World(utc_now(), clock=utc_now)
    world.spend(utc_now() - timedelta(days=3), "1.50", line_item="gpt-6-astra, input_tokens")
    with ExitStack() as stack:
        simulator = stack.enter_context(Simulator(world, KEY))
        hook = stack.enter_context(HttpEnd())
        try:
            machine = stack.enter_context(Machine())
        except UnbootableError as error:
            pytest.skip(f"NOT TESTED with a real systemd, which does not boot here: {error}")
        yield Guarded(machine, world, simulator, hook)


@pytest.fixture
def guarded(outside: Guarded) -> Guarded:
    """A machine on which the service is installed as the hints say, and not started."""
    machine = outside.machine
    machine.do(SPENDGUARD, "service", "install")
    machine.write(f"{CREDENTIALS}/openai_admin_key", KEY, 0o600)
    machine.write(f"{CREDENTIALS}/ops_url", outside.hook.url, 0o600)
    machine.write(CONFIG, outside.configuration())
    outside.settings()
    machine.user("ada", "spendguard")
    return outside


@pytest.fixture
def low(guarded: Guarded) -> Guarded:
    """One whose account is low, in a database that root has made."""
    guarded.machine.do(SPENDGUARD, "balance", "set", "openai-main", "4.00")
    return guarded


def written(machine: Machine) -> dict[str, tuple[int, int]]:
    """Return what was changed in the machine's root since it was booted, and when."""
    found = {}
    for directory, _, names in os.walk(machine.written):
        for path in (Path(directory), *(Path(directory, name) for name in names)):
            about = path.lstat()
            place = f"/{path.relative_to(machine.written)}"
            found[place] = (about.st_mtime_ns, about.st_ctime_ns)
    return found


def balance_of(ran: Ran) -> str:
    assert (ran.code, ran.err) == (0, "")
    return str(json.loads(ran.out)["accounts"][0]["balance"]["floor"])


def test_it_guards_as_installed_and_whoever_is_in_its_group_may_ask(low: Guarded) -> None:
    machine = low.machine
    machine.user("eve")
    low.systemctl("enable", "--quiet", "spendguard")
    before = written(machine)

    low.start()
    low.until_told(LOW)
    assert low.shown("ActiveState") == "active"
    machine.until(
        "systemd knows how it fares",
        lambda: low.shown("StatusText") == "1 of 1 account read, 1 alert firing",
    )
    assert low.shown("User") == "spendguard"
    assert balance_of(low.spendguard("status", "--json", user="ada")) == "4.00"
    assert "permission denied" in low.spendguard("status", user="eve").err
    machine.do("systemd-analyze", "security", "--threshold=11", "spendguard")
    assert KEY not in low.journal()
    assert KEY not in machine.do("cat", f"/proc/{low.shown('MainPID')}/environ")

    took = machine.until("it is stopped", lambda: low.systemctl("stop", "spendguard") == "")
    assert took < 10
    assert (low.shown("ActiveState"), low.shown("Result")) == ("inactive", "success")
    assert low.shown("ExecMainStatus") == "0"
    assert balance_of(low.spendguard("status", "--json", user="ada")) == "4.00"
    left = {path.name for path in (machine.written / STATE[1:]).iterdir()}
    assert left == {"spendguard.db", "spendguard.db.lock", "spendguard.db.daemon"}

    after = written(machine)
    changed = {path for path in after if before.get(path) != after[path]}
    assert {path for path in changed if not path.startswith((STATE, *OF_SYSTEMD))} <= MADE
    assert f"{STATE}/spendguard.db" in changed

    machine.do(SPENDGUARD, "service", "uninstall")
    assert "could not be found" in machine.run("systemctl", "status", "spendguard").err
    assert not machine.run("ls", "/etc/systemd/system/multi-user.target.wants").out.count("spendg")
    assert balance_of(low.spendguard("status", "--json", user="ada")) == "4.00"


def test_nothing_but_its_state_is_open_to_it(guarded: Guarded) -> None:
    """The settings of the unit, with a shell in the place of the daemon."""
    look = (
        "for place in / /etc /etc/spendguard /home /opt /root /run /run/lock /run/user /srv /usr "
        "/dev/shm /var /var/lib /var/log /opt/spendguard /tmp /var/tmp /var/lib/spendguard; do "
        "if touch $$place/probe 2>/dev/null; then echo open $$place; fi; done; "
        "ls /home /root /proc/1 2>&1 | sed s/^/seen:/; cat $$CREDENTIALS_DIRECTORY/ops_url; "
        "cat /etc/spendguard/credentials/ops_url"
    )
    guarded.settings(
        "Type=oneshot",
        "Restart=no",
        "ExecStartPre=",
        "ExecStart=",
        f"ExecStart=-/bin/sh -c '{look}'",
    )
    guarded.start()
    refused = "cat: /etc/spendguard/credentials/ops_url: Permission denied"
    guarded.machine.until("all of it is in the journal", lambda: guarded.logged(refused))
    said = guarded.journal()
    assert re.findall(r"^open (.*)$", said, re.MULTILINE) == [
        *("/tmp", "/var/tmp"),  # noqa: S108 - its own
        STATE,
    ]
    assert guarded.hook.url in said
    assert "ada" not in said
    assert not (guarded.machine.written / "var/tmp/probe").exists()


def test_a_reload_takes_what_holds_and_refuses_what_does_not(low: Guarded) -> None:
    machine = low.machine
    low.start()
    low.until_told(LOW)
    pid = low.shown("MainPID")

    machine.write(CONFIG, low.configuration("[accounts.rules.balance-lo]"))
    low.systemctl("reload", "spendguard")
    machine.until("it is refused", lambda: low.logged("configuration refused"))
    machine.until(
        "systemd knows", lambda: low.shown("StatusText").startswith("configuration refused")
    )
    low.spend("2.00")
    low.until_told(LOWER)

    second = f'[[channels]]\nname = "second"\nurl = "{low.hook.url}"'
    machine.write(CONFIG, low.configuration(second))
    low.systemctl("reload", "spendguard")
    machine.until("it is taken", lambda: low.logged("reloaded accounts=1 channels=2"))
    low.spend("2.50")
    machine.until("the new channel is told too", lambda: low.titles.count(LOWER) == 3)
    assert (low.shown("ActiveState"), low.shown("MainPID")) == ("active", pid)


def test_a_job_that_hangs_is_ended_and_it_is_ready_again_soon(low: Guarded) -> None:
    """The key is on a file system that stopped answering: a pipe into which nothing is written."""
    machine = low.machine
    machine.write(f"{STATE}/key", KEY, 0o644)
    machine.write(CONFIG, low.configuration(key=f"file:{STATE}/key"))
    low.settings(f"WatchdogSec={WATCHDOG}", f"RestartSec={RESTART}")
    to_ready = low.start()
    low.until_told(LOW)
    first = low.ready_at()

    machine.do("sh", "-c", f"cd {STATE} && mkfifo -m 644 pipe && mv key kept && mv pipe key")
    with low.hung(f"{STATE}/key") as hung_at:
        machine.until("the watchdog ends it", lambda: low.logged(ENDED))
        machine.do("mv", f"{STATE}/kept", f"{STATE}/key")
    machine.until("it is ready again", lambda: low.ready_at() != first)
    ended_at, ready_at = low.logged_at(ENDED), low.ready_at()

    told = f"ended after {ended_at - hung_at:.2f} s, ready {ready_at - hung_at:.2f} s after it hung"
    print(f"{told}; at first it took {to_ready:.2f} s")  # noqa: T201
    slow = max(0.0, to_ready - 1.0)  # on a machine that has other things to do
    assert ended_at - hung_at <= WATCHDOG + 0.2 + slow, told
    assert ready_at - hung_at <= WATCHDOG + RESTART + 1.5 + 2 * slow, told
    where = low.journal()
    assert "Fatal Python error: Aborted" in where
    assert re.search(r"config/secrets\.py\", line \d+ in _from_file", where)
    low.spend("2.00")
    low.until_told(LOWER)


def test_killed_it_can_still_be_asked_and_goes_on_where_it_was(low: Guarded) -> None:
    machine = low.machine
    low.settings("RestartSec=1h")  # time enough to look at it while it is down
    low.start()
    machine.until("it knows that it has told", lambda: low.logged("message delivered"))
    low.systemctl("kill", "--signal=KILL", "spendguard")
    machine.until("it is down", lambda: low.shown("SubState") == "auto-restart")
    assert (machine.written / STATE[1:] / "spendguard.db-wal").exists()
    assert balance_of(low.spendguard("status", "--json", user="ada")) == "4.00"
    low.systemctl("restart", "spendguard")
    low.spend("2.00")
    low.until_told(LOWER)
    assert low.titles == [LOW, LOWER]


def test_a_user_has_a_guard_without_root(outside: Guarded) -> None:
    machine = outside.machine
    machine.user("ada")
    uid = machine.do("id", "--user", "ada").strip()
    machine.do("systemctl", "start", "dbus.socket", "systemd-logind.service", f"user@{uid}.service")
    runtime = ("env", f"XDG_RUNTIME_DIR=/run/user/{uid}")
    machine.do(*runtime, SPENDGUARD, "service", "install", "--user", user="ada")
    home = "/home/ada/.config"
    guarded = Guarded(
        *(machine, outside.world, outside.simulator, outside.hook),
        control=(*runtime, "systemctl", "--user"),
        user="ada",
        dropin=f"{home}/systemd/user/spendguard.service.d/test.conf",
    )
    secrets = f"{home}/spendguard/credentials"
    machine.write(f"{secrets}/openai_admin_key", KEY, 0o600, user="ada")
    machine.write(f"{secrets}/ops_url", outside.hook.url, 0o600, user="ada")
    machine.write(f"{home}/spendguard/config.toml", guarded.configuration(), user="ada")
    machine.write(guarded.dropin, LOADED.replace(CREDENTIALS, "%h/.config/spendguard/credentials"))
    guarded.systemctl("daemon-reload")
    assert guarded.spendguard("balance", "set", "openai-main", "4.00").code == 0
    guarded.start()
    guarded.until_told(LOW)
    assert balance_of(guarded.spendguard("status", "--json")) == "4.00"
    machine.do(*runtime, SPENDGUARD, "service", "uninstall", "--user", user="ada")
    assert guarded.systemctl("list-units", "--all", "--no-legend", "spendguard.service") == ""
