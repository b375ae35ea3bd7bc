"""db: looking the database over, copying it, pruning it; and a schema from the future."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from spendguard.cli.parser import COMMANDS
from spendguard.store import schema
from tests.cli.conftest import Run
from tests.cli.guarded import Guarded, guarded
from tests.cli.seeding import DAY, NOW, Seed

# Those that have no use for the database, or make one of their own.
WITHOUT = {
    *("init", "demo", "completion", "providers", "config check", "channel test", "doctor"),
    *("service install", "service uninstall"),
}
ARGUMENTS = {
    "balance set": ("main", "5.00"),
    "balance void": ("1",),
    "deposit add": ("main", "5.00"),
    "deposit refund": ("main", "5.00"),
    "deposit void": ("1",),
    "charge add": ("main", "5.00", "--failed"),
    "charge void": ("1",),
    "card set": ("visa-1881", "5.00"),
    "card void": ("1",),
    "preflight": ("main", "5.00"),
    "alerts show": ("1",),
    "alerts ack": ("1",),
    "alerts silence": ("--rule", "blind", "--for", "4h"),
    "alerts unsilence": ("1",),
}


@pytest.fixture
def both(seed: Seed, tmp_path: Path) -> Iterator[Guarded]:
    """The simulator and the webhook, configured; no database yet."""
    with guarded(seed, tmp_path / "key") as ends:
        yield ends


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize(
    "command", [name for name, one in COMMANDS.items() if one.code and name not in WITHOUT]
)
def test_a_database_of_a_newer_program_is_refused_by_every_command_and_left_alone(
    run: Run, seed: Seed, tmp_path: Path, command: str
) -> None:
    seed.empty()
    with closing(sqlite3.connect(seed.database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
        connection.execute("PRAGMA journal_mode = DELETE")
    before = seed.database.read_bytes()
    arguments = ARGUMENTS.get(command, (str(tmp_path / "f"),) if command == "db backup" else ())

    ran = run(*command.split(), *arguments)

    assert ran.code == 1, ran.out
    assert "has schema 9999, newer than this program's" in ran.err
    assert "hint:  install the newer spendguard-daemon again" in ran.err
    with closing(sqlite3.connect(seed.database)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    assert seed.database.read_bytes()[100:] == before[100:]


def test_every_problem_is_a_pair_of_lines(run: Run, seed: Seed) -> None:
    seed.empty().configured("main").alert()
    assert run("db", "check").code == 0
    seed.change(schema.alerts, details="[]", state="resolved")

    ran = run("db", "check")
    assert ran.code == 1
    assert [line[:6] for line in ran.err.splitlines()] == ["error:", "hint: "] * 2
    told = run("db", "check", "--json")
    assert (told.code, told.json["whole"], len(told.json["damage"])) == (1, False, 2)


def test_a_backup_is_made_and_not_replaced_unasked(run: Run, seed: Seed, tmp_path: Path) -> None:
    seed.empty().configured("main", "b")
    file = str(tmp_path / "copy.db")

    told = run("db", "backup", file, "--json")
    assert (told.code, told.json["path"], told.json["rows"]["accounts"]) == (0, file, 2)
    assert told.json["bytes"] == Path(file).stat().st_size
    refused = run("db", "backup", file)
    assert (refused.code, "--force" in refused.err) == (1, True)
    assert ", verified" in run("db", "backup", file, "--force").out


@pytest.mark.usefixtures("both")
def test_pruning_counts_first_and_then_drops(run: Run, seed: Seed) -> None:
    assert run("db", "prune", "--dry-run").code == 1  # there is nothing yet, and nothing is made
    run("check")
    reply = {"account_id": 1, "path": "/costs", "status": 200, "body": "{}"}
    seed.insert(schema.raw_replies, {**reply, "at": NOW - DAY * 8})

    for dry_run, count in ((True, 1), (True, 1), (False, 1), (False, 0)):
        ran = run("db", "prune", "--json", *(["--dry-run"] if dry_run else []))
        assert ran.json["dry_run"] is dry_run
        assert ran.json["dropped"]["raw_replies"] == count
    assert "would be dropped" in run("db", "prune", "--dry-run").out
