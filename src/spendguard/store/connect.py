"""Store: one database, opened for writing, one transaction at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc

from spendguard.core.errors import StoreError, UnwritableError

Tx = sa.Connection  # a connection inside a write transaction
_BUSY_SECONDS = 30
_REASONS = {
    sqlite3.SQLITE_BUSY: ("the database is locked by another process", "try again in a moment"),
    sqlite3.SQLITE_FULL: ("the disk is full", "free some space beside the database"),
    sqlite3.SQLITE_IOERR: (  # also what a full disk says before a database is open
        "the database cannot be read or written",
        "look for a full disk beside the database, or a failing one",
    ),
    sqlite3.SQLITE_READONLY: (
        "the database is not writable",
        "check owner and mode of the file, of its -wal and -shm, and of their directory",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "the database cannot be opened",
        "check that its directory exists and is writable, or set database.url",
    ),
    sqlite3.SQLITE_NOTADB: ("the file is not a database", "set database.url to another file"),
    sqlite3.SQLITE_CORRUPT: ("the database is damaged", "restore the last backup"),
}


_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
    }
)


class Store:
    """The database, opened for writing. Every write is one short transaction."""

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url)
        if self.path is not None:
            self._make_directory(self.path)
        self.engine = sa.create_engine(
            self.url,
            connect_args={"timeout": _BUSY_SECONDS},
            poolclass=sa.pool.QueuePool,
            pool_size=8,
            max_overflow=-1,  # threads wait for the lock of the database, never for a connection
        )
        event.listen(self.engine, "connect", _prepare)
        event.listen(self.engine, "handle_error", _open_anew)

    @property
    def path(self) -> Path | None:
        """The file of an SQLite database."""
        return Path(self.url.database) if self.url.database else None

    @staticmethod
    def _make_directory(path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        except OSError as error:
            raise StoreError(
                f"cannot create the directory of the database: {path.parent} ({error.strerror})",
                "set database.url to a place this user may write to",
            ) from None

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """Yield a connection inside a write transaction; commit at the end, roll back on error.

        Raises:
            StoreError: when the database cannot be opened, locked or written.
        """
        try:
            with self.engine.begin() as tx:
                # Here, for an event at each beginning would make each statement dearer.
                tx.exec_driver_sql("BEGIN IMMEDIATE")
                yield tx
        except exc.DatabaseError as error:
            known = explain(error.orig)
            if known is None:
                raise
            raise known from None

    def close(self) -> None:
        """Give every connection back to the operating system."""
        self.engine.dispose()


def explain(error: BaseException | None) -> StoreError | None:
    """Return our words for a database error of the known kinds, None for a bug."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    reason = _REASONS.get(code & 0xFF)
    if reason is None:
        return None
    return (UnwritableError if code & 0xFF in _PASSING else StoreError)(*reason)


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say so
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={_BUSY_SECONDS * 1000}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _open_anew(context: Any) -> None:
    """Keep no connection that was opened while the file could only be read: it would stay so."""
    code = getattr(context.original_exception, "sqlite_errorcode", 0)
    if code & 0xFF == sqlite3.SQLITE_READONLY:
        context.is_disconnect = True  # this connection and all in the pool are opened anew
