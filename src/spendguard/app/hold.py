"""Hold: operating system's locks beside the database that die with their process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from spendguard.core.errors import StoreError, UnwritableError


@contextmanager
def delivering(database: Path, alone: Callable[[], None]) -> Iterator[None]:
    """Mark that this process delivers, having called `alone` if no other process did.

    If none did, every claim in the database is that of a process that is no more. Others wait
    while `alone` runs, and no longer.

    Raises:
        UnwritableError: when the file of the lock cannot be opened.
    """
    lock = _opened(database.with_name(database.name + ".lock"))
    try:
        if _only(lock):
            alone()
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield
    finally:
        os.close(lock)


@contextmanager
def guarding(database: Path, alone: Callable[[], None]) -> Iterator[None]:
    """Be the only daemon of a database, and mark that this process delivers.

    `alone` is called if nobody else delivers either.

    Raises:
        StoreError: when another daemon has the database.
        UnwritableError: when the file of the lock cannot be opened.
    """
    lock = _opened(database.with_name(database.name + ".daemon"))
    try:
        if not _only(lock):
            raise StoreError(
                f"another daemon guards '{database}' already",
                "stop it first, or give this one a database of its own: one daemon is enough for "
                "every account",
            )
        with delivering(database, alone):
            yield
    finally:
        os.close(lock)


def _opened(path: Path) -> int:
    """Open a file for locking: to read it is enough, so that its owner may be another user."""
    try:
        return os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise UnwritableError(
            f"cannot open '{path}': {why}", "check the owner and mode of the file and its directory"
        ) from None


def _only(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
