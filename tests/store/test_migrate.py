from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from spendguard.core.errors import StoreError
from spendguard.store import migrate
from spendguard.store.connect import Store
from spendguard.store.schema import metadata

KILLED = """
import os, sys
import sqlalchemy as sa
from spendguard.store import migrate
from spendguard.store.connect import Store

store, left = Store(sys.argv[1]), [int(sys.argv[2])]

@sa.event.listens_for(store.engine, "after_cursor_execute")
def count(connection, cursor, statement, *_):
    left[0] -= statement.lstrip().startswith("CREATE")
    if left[0] == 0:
        os.kill(os.getpid(), 9)

migrate.upgrade(store)
"""


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Store]:
    """A database that nobody has made yet."""
    store = Store(f"sqlite:///{tmp_path}/spendguard.db")
    yield store
    store.close()


def tables(store: Store) -> set[str]:
    with store.begin() as tx:
        return set(sa.inspect(tx).get_table_names())


def changes(store: Store) -> tuple[int, int]:
    """What any write, by whatever connection, would change."""
    with store.begin() as tx:
        version = tx.exec_driver_sql("PRAGMA data_version").scalar_one()
        return version, tx.exec_driver_sql("PRAGMA schema_version").scalar_one()


def indexes(store: Store) -> set[str]:
    with store.begin() as tx:
        query = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        return set(tx.exec_driver_sql(query).scalars())


def columns(store: Store) -> set[tuple[Any, ...]]:
    """Every column with its type, default, and place in the key."""
    with store.begin() as tx:
        return {
            (table, *column[1:])
            for table in metadata.tables
            for column in tx.exec_driver_sql(f"PRAGMA table_info({table})")
        }


def test_an_empty_database_becomes_what_the_program_expects(empty: Store) -> None:
    assert migrate.upgrade(empty)

    with empty.begin() as tx:
        assert compare_metadata(MigrationContext.configure(tx), metadata) == []
    assert migrate.at_head(empty)


def test_conditions_of_indexes_and_defaults_are_the_same(empty: Store, tmp_path: Path) -> None:
    """Alembic compares neither."""
    migrate.upgrade(empty)
    declared = Store(f"sqlite:///{tmp_path}/declared.db")
    with declared.begin() as tx:
        metadata.create_all(tx)

    assert indexes(empty) == indexes(declared)
    assert columns(empty) == columns(declared)
    declared.close()


def test_the_head_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.scripts()))

    assert ScriptDirectory.from_config(config).get_heads() == [migrate.HEAD]


def test_upgrading_twice_changes_nothing(empty: Store) -> None:
    migrate.upgrade(empty)
    before = changes(empty)

    assert not migrate.upgrade(empty)
    assert changes(empty) == before


def test_a_new_database_is_told_from_one_at_head(empty: Store) -> None:
    assert migrate.revision(empty) is None
    assert not migrate.at_head(empty)


def test_a_database_of_a_newer_program_is_refused(empty: Store) -> None:
    migrate.upgrade(empty)
    with empty.begin() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    for refused in (migrate.upgrade, migrate.at_head):
        with pytest.raises(StoreError) as caught:
            refused(empty)
        assert "9999" in caught.value.message
        assert "newer" in caught.value.message
        assert "restore a backup" in caught.value.hint


@pytest.mark.parametrize("statements", [1, 2, 9, 20])
def test_an_interrupted_creation_leaves_nothing_and_can_be_repeated(
    empty: Store, statements: int
) -> None:
    left = statements

    def interrupt(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal left
        left -= statement.lstrip().startswith("CREATE")
        if left == 0:
            raise KeyboardInterrupt

    sa.event.listen(empty.engine, "after_cursor_execute", interrupt)
    with pytest.raises(KeyboardInterrupt):
        migrate.upgrade(empty)
    sa.event.remove(empty.engine, "after_cursor_execute", interrupt)

    assert tables(empty) == set()
    assert migrate.upgrade(empty)
    assert tables(empty) == {*metadata.tables, "alembic_version"}


def test_a_creation_that_was_killed_can_be_repeated(empty: Store) -> None:
    script = [sys.executable, "-c", KILLED, str(empty.url), "7"]
    killed = subprocess.run(script, check=False, capture_output=True)  # noqa: S603

    assert killed.returncode == -9, killed.stderr
    assert tables(empty) == set()
    assert migrate.upgrade(empty)


def at(store: Store, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.scripts()))
    with store.begin() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, revision)


def test_the_second_schema_keeps_every_row_of_the_first(empty: Store) -> None:
    at(empty, "0001")
    with empty.begin() as tx:
        tx.exec_driver_sql(
            "INSERT INTO accounts (id, name, provider, currency) VALUES (1, 'main', 'openai', 'USD')"
        )
        tx.exec_driver_sql(
            "INSERT INTO entries (id, account_id, kind, nanos, currency, at, at_stated, "
            "expires_stated, source, external_id, recorded_at, voided_at) VALUES "
            "(3, 1, 'checkpoint', 7, 'USD', 1, 1, 0, 'manual', NULL, 2, NULL), "
            "(7, 1, 'deposit', 9, 'USD', 3, 0, 1, 'manual', 'x', 4, 5)"
        )

    assert migrate.upgrade(empty)

    with empty.begin() as tx:
        kept = tx.exec_driver_sql(
            "SELECT id, kind, nanos, at, expires_stated, external_id, voided_at, outcome, origin "
            "FROM entries ORDER BY id"
        ).all()
        tx.exec_driver_sql(
            "INSERT INTO entries (account_id, kind, currency, at, at_stated, expires_stated, "
            "source, recorded_at) VALUES (1, 'charge', 'USD', 1, 1, 0, 'manual', 2)"
        )
        newest = tx.exec_driver_sql("SELECT MAX(id) FROM entries").scalar_one()
    assert kept == [
        (3, "checkpoint", 7, 1, 0, None, None, None, ""),
        (7, "deposit", 9, 3, 1, "x", 5, None, ""),
    ]
    assert newest == 8


def test_who_spent_before_the_third_schema_is_known(empty: Store) -> None:
    at(empty, "0002")
    with empty.begin() as tx:
        tx.exec_driver_sql(
            "INSERT INTO accounts (id, name, provider, currency, first_ok_at) VALUES "
            "(1, 'main', 'openai', 'USD', 5), (2, 'never-read', 'openai', 'USD', NULL)"
        )
        tx.exec_driver_sql(
            "INSERT INTO dimensions (account_id, project, api_key, line_item, model) VALUES "
            "(1, 'p', 'key_a', 'x', 'gpt-6'), (1, 'p', 'key_a', 'y', ''), (2, '', 'key_b', '', '')"
        )

    assert migrate.upgrade(empty)

    with empty.begin() as tx:
        known = tx.exec_driver_sql("SELECT * FROM spenders ORDER BY kind").all()
    assert known == [(1, "api_key", "key_a", 5, 5), (1, "model", "gpt-6", 5, 5)]
