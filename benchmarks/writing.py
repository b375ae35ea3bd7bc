"""Aims 5 to 8: what it costs to keep a poll, beside the bare sqlite3 that writes the same rows.

Each run keeps days that were not read before, in a transaction of its own that is on the disk at
its end. What is not ours to choose is the same on both sides: the schema, the rows, the pragmas.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.frame import BUILD, Figure, Line, Scale, functions, short
from benchmarks.history import seeded
from spendguard.core.money import Money
from spendguard.core.readings import Spend, SpendRead, Usage, UsageRead
from spendguard.core.windows import DAY, HOUR, Window, utc_day
from spendguard.store import readings, schema, usage
from spendguard.store.connect import Store, Tx
from spendguard.store.migrate import upgrade
from spendguard.store.types import to_microseconds

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 31
PARTS = {1000: 32, 31: 1}
"""How many parts of each day make a poll of about so many rows."""

BYTES = 23

_SPEND = """
INSERT INTO spend (account_id, day, dimension_id, currency, nanos) VALUES (1, ?, ?, 'USD', ?)
ON CONFLICT (account_id, day, dimension_id, currency) DO UPDATE SET nanos = excluded.nanos
"""
_SPEND_DAYS = """
INSERT INTO spend_days (account_id, day, currency, nanos, first_read_at) VALUES (1, ?, 'USD', ?, 0)
ON CONFLICT (account_id, day, currency) DO UPDATE SET nanos = spend_days.nanos + excluded.nanos
"""
_HOURS = """
INSERT INTO usage_hours (account_id, hour, dimension_id, nanos, requests, unpriced)
VALUES (1, ?, ?, ?, 1, 0)
ON CONFLICT (account_id, hour, dimension_id) DO UPDATE SET nanos = excluded.nanos,
    requests = excluded.requests, unpriced = excluded.unpriced
"""
_USAGE_DAYS = """
INSERT INTO usage_days (account_id, day, dimension_id, nanos, requests, unpriced)
VALUES (1, ?, ?, ?, 1, 0)
ON CONFLICT (account_id, day, dimension_id) DO UPDATE SET
    nanos = usage_days.nanos + excluded.nanos, requests = usage_days.requests + excluded.requests
"""
_USAGE_TOTALS = """
INSERT INTO usage_totals (account_id, hour, nanos, requests, unpriced)
VALUES (1, ?, ?, 1, 0)
ON CONFLICT (account_id, hour) DO UPDATE SET
    nanos = usage_totals.nanos + excluded.nanos, requests = usage_totals.requests + excluded.requests
"""
Keep = Callable[[], None]
Statements = list[tuple[str, list[tuple[Any, ...]]]]


def lines(scale: Scale) -> Iterator[Line]:
    """Measure aims 5 to 8."""
    for rows, bound in ((1000, 0.85), (31, 0.8)):
        line = Line("5", f"upsert of {rows} rows and their rollup", "sqlite3", bound, at_least=True)
        yield _measured(line, scale, (_upserts, rows), (_raw_costs, rows))
        for kind, ours, raw in (("costs", _costs, _raw_costs), ("usage", _usage, _raw_usage)):
            what = f"keep {rows} rows of {kind}: compare, then upsert"
            line = Line("5", what, "sqlite3, without comparing", at_least=True)
            yield _measured(line, scale, (ours, rows), (raw, rows))
    for rows, bound in ((1000, 0.8), (31, 0.4)):
        what = f"keep {rows} rows of costs and their rollup"
        line = Line("6", what, "the same without rollup", bound, at_least=True)
        yield _measured(line, scale, (_costs, rows), (_costs_alone, rows))
    yield Line("7", "bytes written by days read again unchanged", "", 0, Figure(_again()))
    what = f"bytes a bucket with its rollup, {short(scale.largest)} buckets"
    yield Line("8", what, f"{BYTES}", 1.3, Figure(_bytes(scale.largest) / BYTES))


def _measured(
    line: Line,
    scale: Scale,
    ours: tuple[Callable[[Store, int, int], Keep], int],
    other: tuple[Callable[[Store, int, int], Keep], int],
) -> Line:
    with empty("ours") as mine, empty("other") as its:
        turns = scale.runs * 3
        keep = ours[0](mine, ours[1], turns + 1)
        compared = other[0](its, other[1], turns + 1)
        figure = functions(keep, compared, turns, speed=True)
    return Line(line.aim, line.what, line.against, line.bound, figure, line.at_least)


@contextmanager
def empty(name: str) -> Iterator[Store]:
    """Yield a store with an account and nothing else."""
    folder = BUILD / "writing" / name
    shutil.rmtree(folder, ignore_errors=True)
    store = Store(f"sqlite:///{folder / 'spendguard.db'}")
    upgrade(store)
    with store.begin() as tx:
        row = {"id": 1, "name": "main", "provider": "openai", "currency": "USD"}
        tx.execute(sa.insert(schema.accounts).values(**row))
    try:
        yield store
    finally:
        store.close()


def _costs_read(turn: int, rows: int) -> SpendRead:
    """Return costs of days that were not read before."""
    start = START + DAYS * DAY * turn
    spent = (
        Spend(
            Window(start + DAY * day, start + DAY * (day + 1)),
            Money(1_000_003 * (part + 1) + day + turn, "USD"),
            api_key=f"key_{part}",
            model="model",
        )
        for day in range(DAYS)
        for part in range(PARTS[rows])
    )
    return SpendRead(Window(start, start + DAYS * DAY), tuple(spent))


def _usage_read(turn: int, rows: int) -> tuple[UsageRead, list[int | None]]:
    """Return usage of hours that were not read before, and what it costs."""
    start = START + DAYS * HOUR * turn
    used = [
        Usage(
            Window(start + HOUR * hour, start + HOUR * (hour + 1)),
            "completions",
            requests=1,
            model="model",
            api_key=f"key_{part}",
        )
        for hour in range(DAYS)
        for part in range(PARTS[rows])
    ]
    window = Window(start, start + DAYS * HOUR)
    costs: list[int | None] = [1_000_003 + turn + place for place, _ in enumerate(used)]
    return UsageRead(window, HOUR, frozenset({"completions"}), tuple(used)), costs


def _costs(store: Store, rows: int, turns: int) -> Keep:
    reads = iter([_costs_read(turn, rows) for turn in range(turns)])
    return _kept(store, lambda tx: readings.put_spend(tx, 1, "USD", next(reads), START))


def _costs_alone(store: Store, rows: int, turns: int) -> Keep:
    keep, roll_up = _costs(store, rows, turns), readings._roll_up  # noqa: SLF001  to leave it out

    def alone() -> None:
        readings._roll_up = lambda *_: None  # noqa: SLF001
        try:
            keep()
        finally:
            readings._roll_up = roll_up  # noqa: SLF001

    return alone


def _usage(store: Store, rows: int, turns: int) -> Keep:
    reads = iter([_usage_read(turn, rows) for turn in range(turns)])
    return _kept(store, lambda tx: usage.put_usage(tx, 1, *next(reads)))


def _kept(store: Store, put: Callable[[Tx], object]) -> Keep:
    def keep() -> None:
        with store.begin() as tx:
            put(tx)

    return keep


def _upserts(store: Store, rows: int, turns: int) -> Keep:
    """Return what writes the next rows as the store does, once it knows which."""
    _costs(store, rows, 1)()
    polls = iter([_costs_rows(_costs_read(turn, rows)) for turn in range(turns)])

    def put(tx: Tx) -> None:
        for statement, values in next(polls):
            tx.exec_driver_sql(statement, values)

    return _kept(store, put)


def _raw_costs(store: Store, rows: int, turns: int) -> Keep:
    return _raw(store, rows, [_costs_rows(_costs_read(turn, rows)) for turn in range(turns)])


def _costs_rows(read: SpendRead) -> Statements:
    parts, days = [], dict[int, int]()
    for row in read.rows:
        day = to_microseconds(row.window.start)
        parts.append((day, _number(row), row.amount.nanos))
        days[day] = days.get(day, 0) + row.amount.nanos
    return [(_SPEND, parts), (_SPEND_DAYS, [*days.items()])]


def _raw_usage(store: Store, rows: int, turns: int) -> Keep:
    return _raw(store, rows, [_usage_rows(*_usage_read(turn, rows)) for turn in range(turns)])


def _usage_rows(read: UsageRead, costs: list[int | None]) -> Statements:
    hours, days, totals = [], dict[tuple[int, int], int](), dict[int, int]()
    for row, nanos in zip(read.rows, costs, strict=True):
        hour = usage.place(row.window.start, HOUR)
        hours.append((hour, _number(row), nanos))
        totals[hour] = totals.get(hour, 0) + (nanos or 0)
        key = (to_microseconds(utc_day(row.window.start).start), _number(row))
        days[key] = days.get(key, 0) + (nanos or 0)
    sums = [(*key, nanos) for key, nanos in days.items()]
    return [(_HOURS, hours), (_USAGE_DAYS, sums), (_USAGE_TOTALS, [*totals.items()])]


def _number(row: Spend | Usage) -> int:
    return int(row.api_key.removeprefix("key_")) + 1


def _raw(store: Store, rows: int, polls: list[Statements]) -> Keep:
    """Return what writes the next rows with nothing but sqlite3, their dimensions being known."""
    _costs(store, rows, 1)()
    _usage(store, rows, 1)()
    turns = iter(polls)
    connection = sqlite3.connect(str(store.path), isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")

    def keep() -> None:
        connection.execute("BEGIN IMMEDIATE")
        for statement, values in next(turns):
            connection.executemany(statement, values)
        connection.execute("COMMIT")

    return keep


def _again() -> int:
    """Return how many bytes the same polls write when they are kept a second time."""
    read, used = _costs_read(0, 1000), _usage_read(0, 1000)
    with empty("again") as store:
        log = Path(f"{store.path}-wal")
        with closing(sqlite3.connect(str(store.path))) as reader:  # so that the log stays
            sizes = []
            for _ in range(2):
                with store.begin() as tx:
                    readings.put_spend(tx, 1, "USD", read, START)
                    usage.put_usage(tx, 1, *used)
                reader.execute("SELECT 1 FROM accounts").fetchall()
                sizes.append(log.stat().st_size)
    return sizes[1] - sizes[0]


def _bytes(size: int) -> float:
    """Return how large a history is for each of its buckets, everything in it included."""
    database = seeded(size).database
    with closing(sqlite3.connect(database)) as connection:
        (buckets,) = connection.execute("SELECT COUNT(*) FROM usage_hours").fetchone()
    return database.stat().st_size / int(buckets)
