"""Histories: databases of five years with as many buckets as asked for, written in bulk and kept."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from benchmarks.frame import BUILD, short
from spendguard.app import utc_now
from spendguard.store import schema
from spendguard.store.connect import Store
from spendguard.store.migrate import HEAD, upgrade
from spendguard.store.types import to_microseconds

DAYS = 1826
HOURS = DAYS * 24
DAY = timedelta(days=1)
ZONE = "UTC"
_FORM = 2  # to be raised when what is written below changes

# A bucket is an hour of one dimension: a key and a model. The figures have as many digits as real
# ones; booked is what is estimated, but for the last two days, of which half is not booked yet.
_BULK = """
INSERT INTO usage_dimensions (id, account_id, series, project, api_key, model, tier)
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :dimensions)
SELECT i + 1, 1, 'completions', 'proj_' || (i % 5), 'key_' || (i / 12), 'model-' || (i % 12), ''
FROM n;
INSERT INTO dimensions (id, account_id, project, api_key, line_item, model)
SELECT id, 1, project, api_key, model || ', output', model FROM usage_dimensions;
INSERT INTO usage_hours (account_id, hour, dimension_id, nanos, requests, unpriced)
WITH RECURSIVE hours (h) AS (
    SELECT :first UNION ALL SELECT h + :step FROM hours WHERE h + :step < :first + :hours
)
SELECT 1, h, id, 1000000 + (h * 7919 + id * 104729) % 90000000, 1 + (h + id) % 50, 0
FROM hours CROSS JOIN usage_dimensions;
INSERT INTO usage_days (account_id, day, dimension_id, nanos, requests, unpriced)
SELECT 1, hour / 24 * 86400000000, dimension_id, SUM(nanos), SUM(requests), 0
FROM usage_hours GROUP BY 2, 3;
INSERT INTO usage_totals (account_id, hour, nanos, requests, unpriced)
SELECT 1, hour, SUM(nanos), SUM(requests), 0 FROM usage_hours GROUP BY hour;
INSERT INTO spend (account_id, day, dimension_id, currency, nanos)
SELECT 1, day, dimension_id, 'USD', nanos / (CASE WHEN day < :unsettled THEN 1 ELSE 2 END)
FROM usage_days;
INSERT INTO spend_days (account_id, day, currency, nanos, first_read_at)
SELECT 1, day, 'USD', SUM(nanos), day FROM spend GROUP BY day;
INSERT INTO unbooked (account_id, day, dimension_id, nanos)
SELECT 1, day, dimension_id, nanos - nanos / 2 FROM usage_days WHERE day >= :unsettled;
"""


@dataclass(frozen=True, slots=True)
class History:
    """A database with a history, the configuration that points to it, and when it was written."""

    folder: Path

    @property
    def database(self) -> Path:
        """The file of the database."""
        return self.folder / "spendguard.db"

    @property
    def env(self) -> dict[str, str]:
        """What makes the command use it."""
        return {"SPENDGUARD_CONFIG": str(self.folder / "spendguard.toml")}


def midnight(days: int) -> int:
    """Return the column of the first instant of a UTC day, so many days ago."""
    today = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
    return to_microseconds(today - days * DAY)


def seeded(size: int) -> History:
    """Return a history of so many buckets, which is written once a day."""
    now = utc_now()
    history = History(BUILD / f"history-{size}-{HEAD}-{_FORM}-{now:%Y-%m-%d}")
    if not history.folder.exists():
        start = time.perf_counter()
        _write(history, size, now)
        took = time.perf_counter() - start
        sys.stdout.write(f"wrote a history of {short(size)} buckets in {took:.1f} s\n")
    return history


def _write(history: History, size: int, now: datetime) -> None:
    draft = History(history.folder.with_suffix(f".{os.getpid()}"))
    draft.folder.mkdir(parents=True)
    (draft.folder / "spendguard.toml").write_text(
        f'timezone = "{ZONE}"\n[database]\nurl = "sqlite:///spendguard.db"\n'
        '[[accounts]]\nname = "main"\nprovider = "openai"\nkey = "env:KEY"\n'
    )
    store = Store(f"sqlite:///{draft.database}")
    upgrade(store)
    with store.begin() as tx:
        _write_state(tx, now)
    store.close()
    _write_buckets(draft.database, size)
    draft.folder.rename(history.folder)


def _write_buckets(database: Path, size: int) -> None:
    dimensions = max(1, round(size / HOURS))
    values = {
        "dimensions": dimensions,
        "step": max(1, round(HOURS * dimensions / size)),
        "first": midnight(DAYS - 1) // 3_600_000_000,
        "hours": HOURS,
        "unsettled": midnight(1),
    }
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -200000")
        for statement in _BULK.split(";"):
            connection.execute(statement, values)


def _write_state(tx: sa.Connection, now: datetime) -> None:
    """Write an account that was read and evaluated, and an alert that stands."""
    read = now - timedelta(minutes=2)
    account = {"name": "main", "provider": "openai", "currency": "USD"}
    effective = {
        "timezone": ZONE,
        "accounts": [{**account, "card": "visa-1881"}],
        "cards": [{"name": "visa-1881", "currency": "USD"}],
    }
    balance = {"floor": "4.31", "billed": "4.90", "as_of": read.isoformat(), "source": "manual"}
    evaluation = {"balance": balance, "burn_per_day": "1.50", "runway_hours": 68.9, "findings": []}
    rows = {
        schema.accounts: {**account, "first_ok_at": read, "last_ok_at": read},
        schema.configuration: {"id": 1, "loaded_at": read, "effective": json.dumps(effective)},
        schema.scopes: {
            "name": "account:main",
            "evaluated_at": read,
            "evaluation": json.dumps(evaluation),
        },
        schema.alerts: {
            "rule": "balance-low",
            "subject": "main",
            "scope": "account:main",
            "account": "main",
            "state": "firing",
            "severity": "warning",
            "rank": 1,
            "step": "trigger",
            "since": read,
            "escalated_at": read,
            "fired_at": read,
            "details": "{}",
            "summary": "4.31 USD left",
        },
    }
    for table, row in rows.items():
        tx.execute(sa.insert(table).values(**row))
