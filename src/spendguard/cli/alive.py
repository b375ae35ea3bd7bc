"""doctor --alive: whether the daemon works, by what it last wrote down: no key, no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from spendguard.cli.instants import rfc3339
from spendguard.cli.output import complain, emit, say
from spendguard.cli.parser import Options
from spendguard.cli.reading import Source, lasting, source
from spendguard.store.history import to_instant

CYCLE = "cycle"
INTERVALS = 3
AHEAD = timedelta(minutes=5)
"""A row so far in the future is of another clock."""


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of work: when the daemon last finished it, and how often it is to be expected."""

    name: str
    finished_at: datetime
    every: timedelta

    def done(self, now: datetime) -> bool:
        """Tell whether it was finished in time."""
        return -AHEAD <= now - self.finished_at <= INTERVALS * self.every


def run(options: Options) -> int:
    """Look for the cause when something does not work; or only whether the daemon is alive."""
    if options.alive:
        return _alive(options)
    from spendguard.cli.doctor import run as look

    return look(options)


def _alive(options: Options) -> int:
    with source(options) as here:
        works = _works(here)
    late = [work for work in works if not work.done(here.now)]
    alive = not late and any(work.name == CYCLE for work in works)
    if options.json:
        emit({"alive": alive, "jobs": [_row(work, here.now) for work in works]})
    elif alive:
        newest = max(work.finished_at for work in works)
        say(f"alive: work was last finished {here.ago(newest)}")
    else:
        complain(*_why(here, late))
    return 0 if alive else 1


def _works(here: Source) -> list[Work]:
    return [
        Work(row["name"], to_instant(row["finished_at"]), timedelta(seconds=row["every_seconds"]))
        for row in here.history.ask("jobs")
    ]


def _row(work: Work, now: datetime) -> dict[str, Any]:
    return {
        "name": work.name,
        "finished_at": rfc3339(work.finished_at),
        "every_seconds": int(work.every.total_seconds()),
        "in_time": work.done(now),
    }


def _why(here: Source, late: Sequence[Work]) -> tuple[str, str]:
    if not late:
        return "no daemon is at work", "start it: `spendguard run`, or its service"
    work = late[0]
    age = lasting(abs(here.now - work.finished_at))
    expected = lasting(work.every)
    return (
        f"the daemon last finished its work '{work.name}' {age} ago, expected every {expected}",
        "see its log; a daemon that hangs is restarted by systemd's watchdog, or by you",
    )
