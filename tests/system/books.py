"""What a database holds, read as any SQLite tool would, and what must always hold of it."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

from spendguard.simulator import World

Cell: TypeAlias = tuple[datetime, str, str, str]  # day, project, api key, line item
CELLS = """
SELECT s.day, d.project, d.api_key, d.line_item, s.nanos
FROM spend s JOIN dimensions d ON d.id = s.dimension_id
"""

# an episode of these rules ends without a word where somebody acknowledges it
OVER = """
SELECT id FROM alerts WHERE ended_at NOTNULL AND NOT (
    rule IN ('recharge-unexpected', 'key-unknown', 'spend-spike', 'config-drift')
    AND id IN (SELECT alert_id FROM alert_events WHERE what = 'acknowledged')
)
"""


def ask(database: Path, query: str) -> list[Any]:
    """Return the rows of a query."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(query).fetchall()


def whole(database: Path) -> bool:
    """Tell whether the file is sound and every reference in it leads somewhere."""
    sound = [row[0] for row in ask(database, "PRAGMA integrity_check")] == ["ok"]
    return sound and not ask(database, "PRAGMA foreign_key_check")


def made(database: Path) -> bool:
    """Tell whether the schema is there: its one transaction has been committed."""
    return database.exists() and bool(
        ask(database, "SELECT name FROM sqlite_master WHERE name = 'outbox'")
    )


def spend(database: Path) -> dict[Cell, int]:
    """Return what is booked, to the nano; a row that came to nothing is none."""
    return {
        (instant(row["day"]), row["project"], row["api_key"], row["line_item"]): row["nanos"]
        for row in ask(database, CELLS)
        if row["nanos"]
    }


def booked(world: World, days: Iterable[datetime]) -> dict[Cell, int]:
    """Return what the world shows for days."""
    return {
        (day, cell.project, cell.api_key, cell.line_item): nanos
        for day in days
        for cell, nanos in world.booked(day).items()
    }


def rolled_up(database: Path) -> bool:
    """Tell whether each day's sum is that of its rows."""
    key = "account_id, day, currency"
    rows = ask(database, f"SELECT {key}, SUM(nanos) FROM spend GROUP BY {key}")  # noqa: S608
    days = ask(database, f"SELECT {key}, nanos FROM spend_days")  # noqa: S608
    return {tuple(row) for row in rows if row[3]} == {tuple(row) for row in days if row[3]}


def trail_fits(database: Path) -> bool:
    """Tell whether each correction starts where the last one ended, and the last is what is held."""
    held = {
        (row["day"], row["dimension_id"]): row["nanos"]
        for row in ask(database, "SELECT day, dimension_id, nanos FROM spend")
    }
    trail: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for row in ask(database, "SELECT * FROM restatements ORDER BY id"):
        trail[row["day"], row["dimension_id"]].append((row["old_nanos"], row["new_nanos"]))
    return all(_linked(links) and links[-1][1] == held[cell] for cell, links in trail.items())


def _linked(links: list[tuple[int, int]]) -> bool:
    changed = all(old != new for old, new in links)
    return changed and all(one[1] == other[0] for one, other in pairwise(links))


def outbox(database: Path) -> list[Any]:
    """Return every message that was ever owed."""
    return ask(database, "SELECT * FROM outbox ORDER BY id")


def unresolved(database: Path, channel: str) -> set[str]:
    """Return the alerts that a channel was warned of and not yet told to be over."""
    rows = ask(database, "SELECT * FROM outbox WHERE state = 'delivered' ORDER BY done_at, id")
    warned: set[str] = set()
    for row in rows:
        told = json.loads(row["items"])["items"] if row["channel"] == channel else []
        for item in told:
            if item["reason"] == "resolved":
                warned.discard(item["alert"])
            elif item["severity"] != "info":
                warned.add(item["alert"])
    return warned


def said(database: Path) -> set[str]:
    """Return the alerts of which anything was to be said."""
    rows = ask(database, "SELECT DISTINCT alert_id FROM alert_events WHERE what LIKE 'said%'")
    return {str(row[0]) for row in rows}


def told(database: Path, channel: str) -> set[str]:
    """Return the alerts that a channel has heard of."""
    rows = ask(database, "SELECT * FROM outbox WHERE state = 'delivered'")
    items = [json.loads(row["items"])["items"] for row in rows if row["channel"] == channel]
    return {item["alert"] for each in items for item in each}


def ended(database: Path) -> set[str]:
    """Return the alerts that are over; not those that somebody closed by acknowledging them."""
    return {str(row[0]) for row in ask(database, OVER)}


def instant(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC)
