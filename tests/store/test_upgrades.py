"""Upgrades keep every row of every table, whatever schema they begin at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from spendguard.store import migrate
from spendguard.store.connect import Store

Rows = dict[str, list[dict[str, Any]]]


def config(tx: sa.Connection | None = None) -> Config:
    made = Config()
    made.set_main_option("script_location", str(migrate.scripts()))
    made.attributes["connection"] = tx
    return made


OLDER = [
    script.revision
    for script in ScriptDirectory.from_config(config()).walk_revisions()
    if script.revision != migrate.HEAD
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path}/spendguard.db")
    yield made
    made.close()


def value(column: sa.Column[Any], number: int) -> Any:
    """Return something that the column takes and that another row does not hold."""
    if column.foreign_keys:
        return 1
    kind = column.type.python_type
    if kind is int:
        return number
    return kind(number % 2) if kind is bool else f"{column.name} {number}".encode()


def fill(store: Store) -> None:
    """Write three rows into every table, or one where a key refers to another table."""
    with store.begin() as tx:
        tables = sa.MetaData()
        tables.reflect(tx)
        for table in tables.sorted_tables:
            if table.name == "alembic_version":
                continue
            keyed = all(column.foreign_keys for column in table.primary_key)
            for number in (1,) if keyed else (1, 2, 3):
                row = {
                    column.name: told.decode() if isinstance(told, bytes) else told
                    for column in table.c
                    for told in [value(column, number)]
                }
                if "body" in row:
                    row["body"] = bytes([number])
                tx.execute(sa.insert(table).values(row))


def rows(store: Store, columns: dict[str, list[str]]) -> Rows:
    """Return what the tables hold, of some columns only."""
    held: Rows = {}
    with store.begin() as tx:
        for table, names in columns.items():
            listed = ", ".join(names)
            query = f'SELECT {listed} FROM "{table}" ORDER BY {listed}'  # noqa: S608
            held[table] = [dict(row._mapping) for row in tx.exec_driver_sql(query)]  # noqa: SLF001
    return held


def columns(store: Store) -> dict[str, list[str]]:
    with store.begin() as tx:
        looked = sa.inspect(tx)
        return {
            table: [column["name"] for column in looked.get_columns(table)]
            for table in looked.get_table_names()
            if table != "alembic_version"
        }


@pytest.mark.parametrize("revision", OLDER)
def test_every_row_of_every_table_is_kept(store: Store, revision: str) -> None:
    with store.begin() as tx:
        command.upgrade(config(tx), revision)
    fill(store)
    held = columns(store)
    before = rows(store, held)
    assert all(before.values())

    assert migrate.upgrade(store)

    assert rows(store, held) == before
    with store.begin() as tx:
        assert tx.exec_driver_sql("PRAGMA foreign_key_check").all() == []


@pytest.mark.parametrize("revision", OLDER)
def test_an_upgrade_that_fails_half_way_changes_nothing(store: Store, revision: str) -> None:
    with store.begin() as tx:
        command.upgrade(config(tx), revision)
    fill(store)
    held = columns(store)
    before = rows(store, held)

    def fail(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "UPDATE alembic_version" in statement:
            raise KeyboardInterrupt

    sa.event.listen(store.engine, "before_cursor_execute", fail)
    with pytest.raises(KeyboardInterrupt):
        migrate.upgrade(store)
    sa.event.remove(store.engine, "before_cursor_execute", fail)

    assert (columns(store), rows(store, held)) == (held, before)
    assert migrate.revision(store) == revision
