"""Watch: whether anybody wrote to the database, asked so cheaply that it can be every second."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path


class Watch:
    """Looks at an SQLite database from a connection of its own, which never writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._version: object = None
        self._ledger: object = None

    def changed(self) -> bool:
        """Tell whether anybody committed anything since the last time."""
        version = self._ask("PRAGMA data_version")
        before, self._version = self._version, version
        return version != before

    def ledger_changed(self) -> bool:
        """Tell whether an entry or a statement came or was voided since the last time."""
        ledger = self._ask(
            "SELECT (SELECT MAX(id) FROM entries), (SELECT COUNT(voided_at) FROM entries), "
            "(SELECT MAX(id) FROM card_statements), (SELECT COUNT(voided_at) FROM card_statements)"
        )
        before, self._ledger = self._ledger, ledger
        return before is not None and ledger != before

    def _ask(self, query: str) -> object:
        """Return one row, None when the database does not answer now."""
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(
                    f"{self._path.absolute().as_uri()}?mode=ro",
                    uri=True,
                    timeout=0,
                    isolation_level=None,
                    check_same_thread=False,  # another thread closes it when the daemon ends
                )
            return self._connection.execute(query).fetchone()
        except sqlite3.Error:
            self.close()
            return None

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None
