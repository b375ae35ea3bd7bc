"""History: what read commands ask of the database, over the bare DB-API and read-only.

Nothing here imports what writes, so that a question costs little more than starting Python.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from os import path as paths

from spendguard.core.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

SCHEMA = "0003"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BUSY_SECONDS = 10
_MARK = "-- name: "
_REASONS = {
    sqlite3.SQLITE_BUSY: ("is locked by another process", "try again in a moment"),
    sqlite3.SQLITE_IOERR: ("cannot be read", "look for a full disk beside it, or a failing one"),
    sqlite3.SQLITE_NOTADB: ("is not a database", "set database.url to another file"),
    sqlite3.SQLITE_CORRUPT: ("is damaged", "restore the last backup"),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened",
        "let a user who may write to its directory open it: its last writer did not close it",
    ),
}


@cache
def queries() -> dict[str, str]:
    """Return the named SQL."""
    with open(paths.join(paths.dirname(__file__), "queries.sql"), encoding="utf-8") as file:
        text = file.read()
    blocks = (block.partition("\n") for block in text.split(_MARK)[1:])
    return {name.strip(): body.strip() for name, _, body in blocks}


def to_instant(microseconds: int) -> datetime:
    """Return the instant a column holds."""
    return _EPOCH + microseconds * _MICROSECOND


def maybe_instant(microseconds: int | None) -> datetime | None:
    """Return the instant a column holds, None where it holds none."""
    return None if microseconds is None else to_instant(microseconds)


def to_column(instant: datetime) -> int:
    """Return an instant as a column holds it."""
    return (instant - _EPOCH) // _MICROSECOND


class History:
    """A database opened read-only: everything asked of it is of one moment."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._connection = _open(self.path)
        try:
            self._begin()
        except BaseException:
            self._connection.close()
            raise

    def _begin(self) -> None:
        with self._explained():
            self._connection.execute("BEGIN")
            known = self._connection.execute(
                "SELECT name FROM sqlite_master WHERE name = 'alembic_version'"
            ).fetchone()
        found = [str(row[0]) for row in self.ask("revision")] if known else []
        if found != [SCHEMA]:
            raise _other_schema(self.path, found[0] if found else "")

    def __enter__(self) -> History:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def ask(self, name: str, **parameters: Any) -> list[Any]:
        """Return the rows of a named query.

        Raises:
            StoreError: when the database is locked, damaged or cannot be opened.
        """
        with self._explained():
            return self._connection.execute(queries()[name], parameters).fetchall()

    def select(self, text: str) -> list[Any]:
        """Return the rows of a question that no read command asks."""
        with self._explained():
            return self._connection.execute(text).fetchall()

    def rows(self) -> dict[str, int]:
        """Return how many rows each table holds."""
        return rows_of(self._connection)

    def copy_into(self, target: sqlite3.Connection, told: Callable[[int, int], None]) -> None:
        """Copy all of this moment into another database; `told` hears of pages copied, and of all.

        The read transaction stays open throughout, so whoever writes meanwhile is not in the way.
        """
        self._connection.backup(
            target, pages=1000, progress=lambda _status, left, whole: told(whole - left, whole)
        )

    def damage(self, *, quick: bool = False) -> list[str]:
        """Return what SQLite finds wrong with the file, nothing when it is whole."""
        pragma = "PRAGMA quick_check" if quick else "PRAGMA integrity_check"
        with self._explained():
            found = [str(row[0]) for row in self._connection.execute(pragma)]
        return [] if found == ["ok"] else found

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise _explain(self.path, error) from None


def rows_of(connection: sqlite3.Connection) -> dict[str, int]:
    """Return how many rows each table of a database holds."""
    named = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    tables = sorted(row[0] for row in connection.execute(named))
    counted = ((name, f'SELECT COUNT(*) FROM "{name}"') for name in tables)  # noqa: S608  its own
    return {name: connection.execute(query).fetchone()[0] for name, query in counted}


def _open(path: str) -> sqlite3.Connection:
    _look(path)
    unwritten = not paths.exists(f"{path}-wal")
    immutable = unwritten and not os.access(paths.dirname(path) or ".", os.W_OK)
    mode = "mode=ro&immutable=1" if immutable else "mode=ro"
    try:
        connection = sqlite3.connect(
            f"file:{_in_uri(path)}?{mode}",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
        )
    except sqlite3.DatabaseError as error:
        raise _explain(path, error) from None
    connection.row_factory = sqlite3.Row
    return connection


def _other_schema(path: str, found: str) -> StoreError:
    if found > SCHEMA:
        return StoreError(
            f"the database '{path}' has schema {found}, newer than this program's {SCHEMA}",
            "install the newer spendguard-daemon again: `spendguard db upgrade` only goes forward",
        )
    told = f"has schema {found}, older than" if found else "does not have"
    return StoreError(
        f"the database '{path}' {told} this program's {SCHEMA}",
        "upgrade it: `spendguard db upgrade`",
    )


def _in_uri(path: str) -> str:
    text = paths.join(os.getcwd(), path)
    for sign in "%?#":
        text = text.replace(sign, f"%{ord(sign):02x}")
    return text


def _look(path: str) -> None:
    try:
        with open(path, "rb"):
            return
    except FileNotFoundError:
        raise StoreError(
            f"there is no database yet at '{path}'", "create and fill it: `spendguard check`"
        ) from None
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise StoreError(
            f"cannot read the database '{path}': {why}",
            "its owner and members of its group may; or name another configuration by --config",
        ) from None


def _explain(path: str, error: sqlite3.DatabaseError) -> StoreError:
    """Return our words for a database error.

    Raises:
        sqlite3.DatabaseError: when it is a bug.
    """
    code = getattr(error, "sqlite_errorcode", None)
    reason = None if code is None else _REASONS.get(code & 0xFF)
    if reason is None:
        raise error
    return StoreError(f"the database '{path}' {reason[0]}", reason[1])
