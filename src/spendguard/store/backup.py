"""Backup: a copy of the database of one moment, verified before it takes its name.

It is copied page by page by SQLite itself, inside one read transaction: whoever writes meanwhile
is neither waited for nor in the copy.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from spendguard.core.errors import StoreError
from spendguard.store.history import History, rows_of

Progress = Callable[[int, int], None]  # pages copied, pages in all
_BESIDE = ("", "-wal", "-shm", "-journal", ".lock")


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A backup that is whole: where it is, its bytes, and the rows of each table."""

    path: Path
    size: int
    rows: dict[str, int]


def back_up(
    history: History,
    target: Path,
    *,
    force: bool = False,
    told: Progress = lambda _copied, _all: None,
) -> BackedUp:
    """Copy a database to `target`, readable by its owner only; an old file there needs `force`.

    Until the copy is verified it has another name, so a backup that is there is a good one.

    Raises:
        StoreError: when the file is there, cannot be written, or the copy is not whole.
    """
    _may_become(history, target, force=force)
    draft = target.with_name(f".{target.name}.{os.getpid()}.new")
    with _written(target):
        try:
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            with closing(sqlite3.connect(draft, isolation_level=None)) as copy:
                history.copy_into(copy, told)
                copy.execute("PRAGMA journal_mode=DELETE")  # one file, whoever opens it
            rows = _verified(history, draft)
            _durable(draft)
            _take_name(draft, target, force=force)
        finally:
            for end in ("", "-journal"):
                draft.with_name(draft.name + end).unlink(missing_ok=True)
        _durable(target.parent)
        return BackedUp(target, target.stat().st_size, rows)


def _may_become(history: History, target: Path, *, force: bool) -> None:
    here = Path(history.path).resolve()
    if target.resolve() in {here.with_name(here.name + end) for end in _BESIDE}:
        raise StoreError(f"'{target}' is the database itself", "name another file")
    if target.is_dir():
        raise StoreError(f"'{target}' is a directory", "name a file in it")
    if os.path.lexists(target) and not force:
        raise _exists(target)


def _exists(target: Path) -> StoreError:
    return StoreError(f"'{target}' exists", "replace it with --force, or name another file")


_ELSEWHERE = "name a file in a directory that is there, may be written to, and has room"


@contextmanager
def _written(target: Path) -> Iterator[None]:
    """Say in our words why a file cannot be written."""
    try:
        yield
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise StoreError(f"cannot write '{target}': {why}", _ELSEWHERE) from None
    except sqlite3.DatabaseError as error:
        full = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL
        why = "the disk is full" if full else f"SQLite says {error.sqlite_errorname}"
        raise StoreError(f"cannot write '{target}': {why}", _ELSEWHERE) from None


def _verified(history: History, draft: Path) -> dict[str, int]:
    """Return the rows of each table, which are those of the original."""
    with closing(sqlite3.connect(f"{draft.absolute().as_uri()}?mode=ro", uri=True)) as copy:
        found = [str(row[0]) for row in copy.execute("PRAGMA integrity_check")]
        rows = rows_of(copy)
    if found != ["ok"]:
        raise StoreError(
            f"the copy is damaged: {found[0]}",
            "look whether the database itself is whole: `spendguard db check`",
        )
    if rows != history.rows():
        raise StoreError("the copy does not hold every row", "try again")
    return rows


def _durable(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _take_name(draft: Path, target: Path, *, force: bool) -> None:
    """Give the copy its name at once; a file that came there meanwhile is not replaced unasked."""
    if force:
        draft.replace(target)
        return
    try:
        target.hardlink_to(draft)
    except FileExistsError:
        raise _exists(target) from None
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise _exists(target) from None
        draft.replace(target)
