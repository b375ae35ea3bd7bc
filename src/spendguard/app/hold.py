"""Hold: an operating system's lock beside the database that dies with its process."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def delivering(database: Path) -> Iterator[bool]:
    """Mark that this process delivers; yield whether no other process did at that moment.

    If none did, every claim in the database is that of a process that is no more.
    """
    with database.with_name(database.name + ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield False
        else:
            yield True
