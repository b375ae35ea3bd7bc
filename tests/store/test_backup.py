"""A backup is of one moment, whole, and there or not there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from spendguard.core.errors import StoreError
from spendguard.store.backup import back_up
from spendguard.store.connect import Store
from spendguard.store.history import History
from spendguard.store.migrate import upgrade


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database at head, with a table pair that each transaction writes together."""
    path = tmp_path / "spendguard.db"
    store = Store(f"sqlite:///{path}")
    upgrade(store)
    with store.begin() as tx:
        for name in ("left", "right"):
            tx.exec_driver_sql(f"CREATE TABLE pair_{name} (number INTEGER, filler TEXT)")
    store.close()
    return path


@pytest.fixture
def history(database: Path) -> Iterator[History]:
    with History(database) as opened:
        yield opened


def write(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for name in ("left", "right"):
        row = (number, "x" * 2000)
        connection.execute(f"INSERT INTO pair_{name} VALUES (?, ?)", row)  # noqa: S608
    connection.execute("COMMIT")


def pairs(path: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(path)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        counts = [copy.execute(f"SELECT COUNT(*) FROM pair_{name}") for name in ("left", "right")]  # noqa: S608
        left, right = (count.fetchone()[0] for count in counts)
        return left, right


def test_it_is_readable_by_its_owner_and_stands_alone(history: History, tmp_path: Path) -> None:
    done = back_up(history, tmp_path / "copy.db")

    assert done.path.stat().st_mode & 0o777 == 0o600
    assert done.size == done.path.stat().st_size
    assert done.rows == history.rows()
    assert [path.name for path in sorted(tmp_path.glob("*copy*"))] == ["copy.db"]
    with History(done.path) as copy:
        assert copy.damage() == []


def test_whoever_writes_meanwhile_neither_waits_nor_is_in_it(
    database: Path, tmp_path: Path
) -> None:
    written, done = [0], Event()

    def work() -> None:
        with closing(sqlite3.connect(database, isolation_level=None)) as writer:
            while not done.is_set() and written[0] < 2000:
                write(writer, written[0])
                written[0] += 1

    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        for number in range(300):
            write(writer, number)
    with History(database) as here:
        thread = Thread(target=work)
        thread.start()
        seen: list[tuple[int, int]] = []

        def told(copied: int, whole: int) -> None:
            while written[0] < 20 * (len(seen) + 1) and thread.is_alive():
                continue  # so that there is writing between any two pieces
            seen.append((copied, whole))

        back_up(here, tmp_path / "copy.db", told=told)
        done.set()
        thread.join()

    assert pairs(tmp_path / "copy.db") == (300, 300)
    assert written[0] >= 20
    assert seen[-1][0] == seen[-1][1]


def test_a_file_that_is_there_is_replaced_only_when_told(history: History, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("mine")

    with pytest.raises(StoreError, match="exists"):
        back_up(history, target)
    assert target.read_text() == "mine"

    back_up(history, target, force=True)
    assert pairs(target) == (0, 0)


def test_a_file_that_comes_there_meanwhile_is_not_replaced(
    history: History, tmp_path: Path
) -> None:
    target = tmp_path / "copy.db"

    def meanwhile(_copied: int, _whole: int) -> None:
        target.write_text("mine")

    with pytest.raises(StoreError, match="exists"):
        back_up(history, target, told=meanwhile)

    assert target.read_text() == "mine"
    assert not list(tmp_path.glob(".copy*"))


@pytest.mark.parametrize("end", ["", "-wal", "-shm", ".lock"])
def test_the_database_is_never_its_own_backup(
    history: History, database: Path, tmp_path: Path, end: str
) -> None:
    (tmp_path / "other").symlink_to(database.with_name(database.name + end))

    for target in (database.with_name(database.name + end), tmp_path / "other"):
        with pytest.raises(StoreError, match="database itself"):
            back_up(history, target, force=True)
    assert history.damage() == []


def test_one_that_is_interrupted_leaves_what_was_there(history: History, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    back_up(history, target)
    before = target.read_bytes()

    def interrupt(_copied: int, _whole: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(history, target, force=True, told=interrupt)

    assert target.read_bytes() == before
    assert not list(tmp_path.glob(".copy*"))


def test_a_place_that_cannot_be_written_is_told(history: History, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    for place in (tmp_path / "nowhere" / "copy.db", tmp_path / "file" / "copy.db"):
        with pytest.raises(StoreError, match="cannot write"):
            back_up(history, place)
    with pytest.raises(StoreError, match="is a directory"):
        back_up(history, tmp_path)


def test_a_copy_that_lacks_a_row_is_none(history: History, tmp_path: Path) -> None:
    def steal(copied: int, whole: int) -> None:
        if copied == whole:
            counts = history.rows()
            history.rows = lambda: {**counts, "pair_left": 1}  # type: ignore[method-assign]

    with pytest.raises(StoreError, match="every row"):
        back_up(history, tmp_path / "copy.db", told=steal)
    assert not list(tmp_path.glob("*copy*"))
