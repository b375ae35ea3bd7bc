"""Peers: the programs that aims 2 and 3 compare with, and something for each of them to read."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.frame import BUILD
from spendguard.app import utc_now

VNSTAT_DAYS = 400


class MissingError(Exception):
    """A peer that is not on this machine, and how it is had."""


def find(program: str, how: str, variable: str = "") -> str:
    """Return the path of a program.

    Raises:
        MissingError: when it is not on this machine.
    """
    paths = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    found = os.environ.get(variable) or shutil.which(program, path=paths)
    if found is None:
        raise MissingError(f"{program} is not on this machine: {how}")
    return found


def ccusage(events: int) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the command that sums so many events by day, and its environment.

    Raises:
        MissingError: when ccusage is not on this machine.
    """
    how = "unpack the native program of its npm package, and name it in $CCUSAGE"
    program = find("ccusage", how, "CCUSAGE")
    home = BUILD / f"events-{events}-{utc_now():%Y-%m-%d}"
    if not home.exists():
        _write_events(home, events)
    command, env = (program, "daily", "--offline", "--json"), {"CLAUDE_CONFIG_DIR": str(home)}
    told = subprocess.run(command, env={**os.environ, **env}, capture_output=True, check=False)  # noqa: S603
    if told.returncode or not json.loads(told.stdout)["totals"]["totalTokens"]:
        raise MissingError("ccusage does not read the events that were written for it")
    return command, env


def _write_events(home: Path, count: int) -> None:
    draft = home.with_suffix(".part")
    shutil.rmtree(draft, ignore_errors=True)
    for session in range(50):
        path = draft / "projects" / "work" / f"session-{session}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            file.writelines(_events(session, count))
    draft.rename(home)


def _events(session: int, count: int) -> Iterator[str]:
    """Yield every fiftieth of `count` events of the last thirty days."""
    now = utc_now()
    for number in range(session, count, 50):
        at = now - timedelta(days=30) * number / count
        usage = {"input_tokens": 1000 + number % 977, "output_tokens": 100 + number % 89}
        cached = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": number % 5000}
        event = {
            "type": "assistant",
            "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "sessionId": f"session-{session}",
            "requestId": f"req_{number}",
            "message": {
                "id": f"msg_{number}",
                "model": "claude-sonnet-4-20250514",
                "usage": usage | cached,
            },
        }
        yield json.dumps(event, separators=(",", ":")) + "\n"  # it looks for these very signs


def vnstat() -> tuple[str, ...]:
    """Return the command that prints thirty days of traffic.

    Raises:
        MissingError: when vnstat or its daemon is not on this machine.
    """
    how = "install Debian's package vnstat"
    program, daemon = find("vnstat", how), find("vnstatd", how)
    folder = BUILD / "vnstat"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = folder / "vnstat.conf"
    settings.write_text(f'DatabaseDir "{folder}"\n')
    made = subprocess.run(  # noqa: S603
        [daemon, "--initdb", "--config", str(settings)], check=False, capture_output=True
    )
    if made.returncode:
        raise MissingError("vnstatd could not make a database")
    _write_traffic(folder / "vnstat.db", utc_now())
    return (program, "--dbdir", str(folder), "-i", "bench0", "-d", "30")


def _write_traffic(path: Path, now: datetime) -> None:
    days = [f"{now - timedelta(days=back):%Y-%m-%d}" for back in range(VNSTAT_DAYS)]
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "INSERT INTO interface VALUES (1, 'bench0', '', 1, ?, ?, 0, 0, 0, 0)",
            (days[-1], days[0]),
        )
        database.executemany(
            "INSERT INTO day (interface, date, rx, tx) VALUES (1, ?, 1000000, 2000000)",
            [(day,) for day in days],
        )


def sqlite_shell(database: Path, query: str) -> tuple[str, ...]:
    """Return the command that asks the same of the same database with the shell of SQLite.

    Raises:
        MissingError: when the shell is not on this machine.
    """
    program = find("sqlite3", "install Debian's package sqlite3")
    return (program, "-readonly", str(database), query)
