"""History: read-only, of one moment, and light."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from spendguard.core.errors import StoreError
from spendguard.store import history, migrate
from spendguard.store.connect import Store
from spendguard.store.history import History, queries, to_column, to_instant
from spendguard.store.schema import metadata
from spendguard.store.types import to_microseconds
from tests.cli.seeding import NOW

PARAMETERS = {
    "column": "model",
    "account": None,
    "currency": "USD",
    "since": 0,
    "cut": 0,
    "until": 1,
    "id": 1,
    "most": 1,
    "now": 0,
}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database at the newest schema, closed."""
    path = tmp_path / "spendguard.db"
    store = Store(f"sqlite:///{path}")
    migrate.upgrade(store)
    store.close()
    return path


def test_it_reads_the_schema_that_migrations_write() -> None:
    assert history.SCHEMA == migrate.HEAD


def test_instants_are_columns_as_the_store_writes_them() -> None:
    assert to_column(NOW) == to_microseconds(NOW)
    assert to_instant(to_column(NOW)) == NOW


@pytest.mark.parametrize("name", queries())
def test_every_query_runs(database: Path, name: str) -> None:
    with History(database) as opened:
        opened.ask(name, **PARAMETERS)


@pytest.mark.parametrize("name", queries())
def test_every_query_is_text_that_postgresql_takes_too(name: str) -> None:
    text = queries()[name]
    assert not re.search(r"strftime|\bPRAGMA|\bGLOB\b|IFNULL|rowid", text, re.IGNORECASE)
    assert re.sub(r"CAST\(SUM\(", "", text).count("SUM(") == 0
    assert ":account IS" not in text


HISTORY = ("spend", "spend_days", "unbooked", "usage_days", "usage_hours", "usage_minutes")


@pytest.mark.parametrize("name", sorted(queries().keys() - {"days_unlike_their_sum"}))
def test_no_question_looks_through_the_whole_history(database: Path, name: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {queries()[name]}", PARAMETERS).fetchall()
    scanned = {step.split()[1] for *_, step in plan if step.startswith("SCAN")}
    assert scanned.isdisjoint(HISTORY)


def test_it_cannot_write(database: Path) -> None:
    with History(database) as opened, pytest.raises(sqlite3.OperationalError, match="readonly"):
        opened._connection.execute("DELETE FROM accounts")  # noqa: SLF001


def test_what_is_written_meanwhile_is_not_seen(database: Path) -> None:
    store = Store(f"sqlite:///{database}")
    with History(database) as opened:
        assert opened.ask("accounts") == []
        with store.begin() as tx:
            row = {"name": "main", "provider": "openai", "currency": "USD"}
            tx.execute(sa.insert(metadata.tables["accounts"]).values(**row))
        assert opened.ask("accounts") == []
    with History(database) as opened:
        assert [row["name"] for row in opened.ask("accounts")] == ["main"]
    store.close()


def test_a_directory_that_cannot_be_written_is_no_trouble(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    before = sorted(path.name for path in database.parent.iterdir())

    with History(database) as opened:
        opened.ask("accounts")
        assert sorted(path.name for path in database.parent.iterdir()) == before


def test_a_path_with_signs_of_an_address_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "50% of #1?" / "spend guard.db"
    store = Store(f"sqlite:///{path}".replace("?", "%3f"))
    store.close()
    path.parent.mkdir(exist_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
    connection.execute("INSERT INTO alembic_version VALUES (?)", (history.SCHEMA,))
    connection.commit()
    connection.close()

    with History(path) as opened:
        assert opened.ask("revision")[0][0] == history.SCHEMA


def refusal(path: Path) -> tuple[str, str]:
    """Return why a database is not read, and what to do about it."""
    with pytest.raises(StoreError) as caught:
        History(path)
    return caught.value.message, caught.value.hint


def test_a_missing_database_is_made_by_check(tmp_path: Path) -> None:
    message, hint = refusal(tmp_path / "spendguard.db")
    assert message.startswith("there is no database yet at ")
    assert "`spendguard check`" in hint


@pytest.mark.parametrize(
    ("found", "told"),
    [("0000", "older than this program's"), ("9999", "newer than this program's")],
)
def test_another_schema_is_not_read(database: Path, found: str, told: str) -> None:
    connection = sqlite3.connect(database)
    connection.execute("UPDATE alembic_version SET version_num = ?", (found,))
    connection.commit()
    connection.close()

    message, hint = refusal(database)
    assert told in message
    assert "`spendguard db upgrade`" in hint


def test_a_file_without_our_tables_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    assert "does not have this program's" in refusal(tmp_path / "empty.db")[0]


def test_what_is_no_database_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary, " * 100)
    assert refusal(path)[0].endswith("is not a database")


def test_a_directory_is_no_database_either(tmp_path: Path) -> None:
    assert "is a directory" in refusal(tmp_path)[0]


def test_a_locked_database_is_said_so(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_BUSY_SECONDS", 0)
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    connection.execute("BEGIN EXCLUSIVE")
    try:
        assert "is locked by another process" in refusal(database)[0]
    finally:
        connection.close()


def found_damage(path: Path) -> list[str]:
    """Return what is wrong with a file, also where it is too much to look further."""
    try:
        with History(path) as opened:
            return opened.damage(quick=True)
    except StoreError as error:
        return [error.message]


def test_damage_is_found(database: Path) -> None:
    assert found_damage(database) == []
    content = bytearray(database.read_bytes())
    content[4096 * 4 : 4096 * 6] = b"\xff" * 8192
    database.write_bytes(content)
    assert found_damage(database)
