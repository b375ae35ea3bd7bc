from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from spendguard.core.errors import StoreError, UnwritableError
from spendguard.store import migrate
from spendguard.store.connect import Store, explain
from spendguard.store.schema import scopes

NOBODY = 65534


@contextmanager
def nobody() -> Iterator[None]:
    """Be a user whom file modes stop; root they do not."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def foreign() -> Iterator[Path]:
    """A directory that anybody may read and nobody may write to."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        create(directory / "first.db")  # nothing is left to import when the user changes
        directory.chmod(0o555)
        yield directory
        directory.chmod(0o755)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a lock."""
    monkeypatch.setattr("spendguard.store.connect._BUSY_SECONDS", 0)


def create(path: Path | str) -> None:
    store = Store(f"sqlite:///{path}")
    try:
        migrate.upgrade(store)
    finally:
        store.close()


def refusal(path: Path | str) -> StoreError:
    with pytest.raises(StoreError) as caught:
        create(path)
    assert caught.value.hint
    assert caught.value.__suppress_context__
    return caught.value


def add(store: Store, name: str) -> None:
    with store.begin() as tx:
        tx.execute(sa.insert(scopes).values(name=name))


def names(store: Store) -> list[str]:
    with store.begin() as tx:
        return list(tx.execute(sa.select(scopes.c.name)).scalars())


def test_makes_the_directory_of_a_new_database(tmp_path: Path) -> None:
    path = tmp_path / "var" / "lib" / "spendguard.db"

    Store(f"sqlite:///{path}").close()

    assert path.parent.stat().st_mode & 0o007 == 0


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 30000)],
)
def test_a_typed_in_deposit_survives_a_power_cut(store: Store, pragma: str, value: object) -> None:
    with store.begin() as tx:
        assert tx.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() == value


def test_what_fails_is_as_if_it_never_began(store: Store) -> None:
    def half() -> None:
        with store.begin() as tx:
            tx.execute(sa.insert(scopes).values(name="guard"))
            raise KeyError

    with pytest.raises(KeyError):
        half()

    assert names(store) == []


@pytest.mark.usefixtures("impatient")
def test_a_writer_locks_from_its_first_moment(store: Store) -> None:
    second = Store(str(store.url))

    with store.begin(), pytest.raises(StoreError) as caught, second.begin():
        pass

    second.close()
    assert caught.value.message == "the database is locked by another process"
    assert caught.value.hint


@pytest.mark.usefixtures("impatient")
def test_one_that_waits_gets_its_turn(store: Store) -> None:
    second = Store(str(store.url))
    add(second, "guard")
    second.close()

    assert names(store) == ["guard"]


@pytest.mark.usefixtures("impatient")
def test_a_locked_database_is_not_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "spendguard.db"
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("BEGIN IMMEDIATE")
        assert "locked" in refusal(path).message
        other.execute("ROLLBACK")
    other.close()


def test_a_directory_that_cannot_be_made_is_named(foreign: Path) -> None:
    with nobody():
        assert str(foreign / "var") in refusal(foreign / "var" / "spendguard.db").message


def test_a_directory_that_cannot_be_written_to_is_told(foreign: Path) -> None:
    with nobody():
        assert refusal(foreign / "spendguard.db").message == "the database cannot be opened"


@pytest.mark.parametrize("mode", [0o444, 0o000])
def test_a_database_that_cannot_be_written_to_is_told(foreign: Path, mode: int) -> None:
    foreign.chmod(0o755)
    path = foreign / "spendguard.db"
    create(path)
    path.chmod(mode)
    foreign.chmod(0o555)

    with nobody():
        told = refusal(path).message

    assert told in {"the database is not writable", "the database cannot be opened"}


@pytest.mark.parametrize("mode", [0o444, 0o000])
def test_a_database_that_may_be_written_to_again_is_written(foreign: Path, mode: int) -> None:
    path = foreign / "first.db"
    foreign.chmod(0o777)
    path.chmod(mode)
    store = Store(f"sqlite:///{path}")
    with nobody(), pytest.raises(UnwritableError):
        add(store, "guard")
    for each in foreign.iterdir():  # what SQLite made beside it meanwhile has its mode
        each.chmod(0o666)

    with nobody():
        add(store, "guard")
        assert names(store) == ["guard"]
    store.close()


def test_a_place_below_a_file_is_no_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert "cannot create the directory" in refusal(tmp_path / "file" / "spendguard.db").message


def test_a_directory_is_no_database(tmp_path: Path) -> None:
    assert refusal(tmp_path).message == "the database cannot be opened"


def test_a_file_of_another_kind_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but a file of more than a hundred bytes: " * 3)

    assert refusal(path).message == "the file is not a database"


def test_a_bug_is_not_explained_away(store: Store) -> None:
    assert explain(None) is None
    assert explain(KeyError("x")) is None
    with pytest.raises(sa.exc.OperationalError), store.begin() as tx:
        tx.exec_driver_sql("SELECT * FROM nothing")
