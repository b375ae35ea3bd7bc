"""Read commands in processes of their own: beside a writer, after it, and with no right to write."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from spendguard.app.clock import utc_now
from spendguard.simulator import Fault, Simulator, World
from tests.system.program import KEY, Program, account, channel
from tests.system.webhook import Webhook

READS = (
    "status --json",
    "balance --json",
    "balance list --json",
    "spend --json",
    "deposit list --json",
    "alerts --json",
    "alerts show 1 --json",
    "rules --json",
    "providers --json",
    "db check --json",
)
NOWHERE = "http://127.0.0.1:9"  # whoever asks the network is refused


@pytest.fixture
def world() -> World:
    now = utc_now()
    world = World(now, clock=utc_now)
    world.spend(now - timedelta(days=3), "1.50", project="proj_web", api_key="key_prod")
    return world


@pytest.fixture
def simulator(world: World) -> Iterator[Simulator]:
    with Simulator(world, KEY) as simulator:
        yield simulator


@pytest.fixture
def run(simulator: Simulator, tmp_path: Path) -> Program:
    """A program that has checked once, and has one alert."""
    with Webhook() as hook:
        tables = account(simulator.url) + channel("ops", hook.url)
        run = Program(tmp_path / "guard", tables)
        assert run("check").code == 0
        assert run("balance", "set", "openai-main", "4.00").code == 0
        assert run("check").code == 2
        assert hook.titles[1:] == ["WARNING balance-low openai-main"]
    return run


def read(run: Program, *prefix: str) -> None:
    """Run every read command without a secret and a network, and find what is known."""
    env = {name: value for name, value in run.env.items() if name != "OPENAI_ADMIN_KEY"}
    env |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), NOWHERE)
    for command in READS:
        done = subprocess.run(  # noqa: S603
            [*prefix, *run.command(*command.split())],
            cwd=run.directory,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, ""), command
        assert json.loads(done.stdout)["jsonversion"] == 1
        if command == READS[0]:
            told = json.loads(done.stdout)
            assert told["accounts"][0]["balance"]["floor"] == "4.00"
            assert [alert["rule"] for alert in told["alerts"]] == ["balance-low"]


@pytest.fixture
def powerless() -> list[str]:
    """What makes a command obey the modes of files, also when root runs it."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root without setpriv may write everywhere")
    taken = "-dac_override,-dac_read_search"
    return ["setpriv", f"--bounding-set={taken}", f"--inh-caps={taken}"]


def sealed(path: Path) -> None:
    """Let nobody write to a directory and to what is in it."""
    for each in path.iterdir():
        each.chmod(0o444)
    path.chmod(0o555)


def test_beside_a_writer_in_the_midst_of_a_transaction(run: Program) -> None:
    with closing(sqlite3.connect(run.database, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM alert_events")
        read(run)
        writer.execute("ROLLBACK")


def test_beside_a_check_that_waits_for_its_provider(run: Program, simulator: Simulator) -> None:
    simulator.fault(Fault.TIMEOUT)
    asked = len(simulator.requests)
    with run.start("check") as child:
        while len(simulator.requests) == asked and child.poll() is None:
            os.sched_yield()
        read(run)
        assert child.poll() is None
        os.killpg(child.pid, signal.SIGKILL)
    read(run)


@pytest.mark.parametrize("last_writer", ["ended", "killed"])
def test_in_a_directory_that_the_reader_may_not_write_to(
    last_writer: str, run: Program, simulator: Simulator, powerless: list[str]
) -> None:
    """Also when the last writer was killed, and left its side files behind."""
    if last_writer == "killed":
        kill_in_the_midst(run, simulator)
    state = run.database.parent
    assert run.database.with_name("spendguard.db-wal").exists() == (last_writer == "killed")
    sealed(state)
    before = contents(state)

    read(run, *powerless)

    assert contents(state) == before
    refused = subprocess.run(  # noqa: S603
        [*powerless, *run.command("deposit", "add", "openai-main", "5.00")],
        cwd=run.directory,
        env=run.env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("error: the database ")
    state.chmod(0o755)


def kill_in_the_midst(run: Program, simulator: Simulator) -> None:
    simulator.fault(Fault.TIMEOUT)
    asked = len(simulator.requests)
    with run.start("check") as child:
        while len(simulator.requests) == asked and child.poll() is None:
            os.sched_yield()
        os.killpg(child.pid, signal.SIGKILL)


def contents(directory: Path) -> dict[str, bytes]:
    """Return every file that matters: the index of the WAL is a reader's too."""
    files = (path for path in directory.iterdir() if not path.name.endswith("-shm"))
    return {path.name: path.read_bytes() for path in files}
