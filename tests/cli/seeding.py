"""A database with some life in it, written through the store's own tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from spendguard.core.forecasts import Forecast
from spendguard.store import schema
from spendguard.store.connect import Store
from spendguard.store.migrate import upgrade

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TODAY = datetime(2026, 11, 23, tzinfo=UTC)
DOLLAR = 1_000_000_000
DEFAULTS: dict[str, Any] = {"enabled": True, "hold": "0s", "repeat": None}


@cache
def _empty() -> bytes:
    """Return a database with its tables, which take longer to make than to copy."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "empty.db"
        store = Store(f"sqlite:///{path}")
        upgrade(store)
        store.close()
        return path.read_bytes()


@dataclass
class Seed:
    """A configuration file and the database it points to."""

    config: Path
    database: Path
    _tx: sa.Connection | None = None

    def __post_init__(self) -> None:
        self.config.write_text(
            f'timezone = "UTC"\n[database]\nurl = "sqlite:///{self.database}"\n', encoding="utf-8"
        )

    def empty(self) -> Seed:
        """Create the tables, and nothing in them."""
        self.database.write_bytes(_empty())
        return self

    def insert(self, table: sa.Table, *rows: dict[str, Any]) -> None:
        """Write rows."""
        store = Store(f"sqlite:///{self.database}")
        with store.begin() as tx:
            for row in rows:
                tx.execute(sa.insert(table).values(**row))
        store.close()

    def change(self, table: sa.Table, **values: Any) -> None:
        """Write into every row of a table."""
        store = Store(f"sqlite:///{self.database}")
        with store.begin() as tx:
            tx.execute(sa.update(table).values(**values))
        store.close()

    def configured(self, *names: str, **more: Any) -> Seed:
        """Store an effective configuration with accounts that were never read."""
        effective = {
            "timezone": "UTC",
            "language": "en",
            "accounts": [
                {"name": name, "provider": "openai", "currency": "USD", "card": None}
                for name in names
            ],
            "cards": [],
            "rules": {name: {"balance-low": {**DEFAULTS, "trigger": "5.00"}} for name in names},
            "guard_rules": {"guard": DEFAULTS},
            **more,
        }
        text = json.dumps(effective)
        self.insert(schema.configuration, {"id": 1, "loaded_at": NOW, "effective": text})
        for name in names:
            self.insert(schema.accounts, {"name": name, "provider": "openai", "currency": "USD"})
        return self

    def read(self, at: datetime = NOW - 2 * HOUR, **more: Any) -> Seed:
        """Let every account have been read."""
        self.change(schema.accounts, first_ok_at=at, last_ok_at=at, last_poll_at=at, **more)
        return self

    def evaluated(
        self, name: str, floor: str | None = "4.31", at: datetime = NOW, **more: Any
    ) -> Seed:
        """Store an evaluation of an account."""
        balance = floor and {
            "floor": floor,
            "billed": floor,
            "as_of": at.isoformat(),
            "source": "manual",
            "costs_read": True,
        }
        evaluation: dict[str, Any] = {
            "balance": balance,
            "burn_per_day": "1.50" if floor else None,
            "runway_hours": 68.9 if floor else None,
            "findings": [],
            **more,
        }
        scope = {"name": f"account:{name}", "evaluated_at": at}
        self.insert(schema.scopes, {**scope, "evaluation": json.dumps(evaluation)})
        return self

    def foreseen(self, forecast: Forecast, account: int = 1) -> Seed:
        """Store a forecast of an account."""
        row = {"account_id": account, "made_at": forecast.made_at}
        self.insert(schema.forecasts, {**row, "forecast": json.dumps(forecast.stored())})
        return self

    def entry(self, kind: str, **more: Any) -> Seed:
        """Write a line into the ledger of the first account, as if it were typed in now."""
        line = {
            "account_id": 1,
            "kind": kind,
            "currency": "USD",
            "at_stated": True,
            "expires_stated": False,
            "source": "manual",
            "recorded_at": NOW,
        }
        self.insert(schema.entries, {**line, **more})
        return self

    def alert(self, rule: str = "balance-low", **more: Any) -> Seed:
        """Store an alert that fires."""
        alert = {
            "rule": rule,
            "subject": "main",
            "scope": "account:main",
            "account": "main",
            "state": "firing",
            "severity": "warning",
            "rank": 1,
            "step": "trigger",
            "since": NOW - HOUR,
            "escalated_at": NOW - HOUR,
            "fired_at": NOW - HOUR,
            "details": json.dumps({"floor": {"money": ["4310000000", "USD"]}}),
            "summary": "4.31 USD left",
        }
        self.insert(schema.alerts, {**alert, **more})
        return self

    def spent(
        self,
        day: datetime,
        nanos: int,
        account: int = 1,
        currency: str = "USD",
        **dims: str,
    ) -> Seed:
        """Store what a UTC day cost, by what spent it or without saying so, the sum included."""
        with self._begin() as tx:
            key = {"account_id": account, "day": day, "currency": currency}
            part = {**key, "dimension_id": _dimension(tx, account, dims)}
            _add(tx, schema.spend, part, nanos)
            _add(tx, schema.spend_days, key, nanos, first_read_at=NOW)
        return self

    def used(self, hour: datetime, nanos: int, api_key: str = "", model: str = "") -> Seed:
        """Store what is estimated of an hour."""
        with self._begin() as tx:
            key = {"hour": int(hour.timestamp()) // 3600}
            _use(tx, schema.usage_hours, key, nanos, api_key, model)
        return self

    def used_in_minute(self, minute: datetime, nanos: int, api_key: str, model: str = "") -> Seed:
        """Store what is estimated of a minute; its hour is told apart."""
        with self._begin() as tx:
            key = {"minute": int(minute.timestamp()) // 60}
            _use(tx, schema.usage_minutes, key, nanos, api_key, model)
        return self

    def unbooked(self, day: datetime, nanos: int, account: int = 1, **dims: str) -> Seed:
        """Store what is estimated of a UTC day above what is booked of it."""
        with self._begin() as tx:
            key = {"account_id": account, "day": day}
            _add(tx, schema.unbooked, {**key, "dimension_id": _dimension(tx, account, dims)}, nanos)
        return self

    @contextmanager
    def at_once(self) -> Iterator[Seed]:
        """Write all that is stored meanwhile in one transaction."""
        with self._begin() as tx:
            self._tx = tx
            try:
                yield self
            finally:
                self._tx = None

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        if self._tx is not None:
            yield self._tx
            return
        store = Store(f"sqlite:///{self.database}")
        with store.begin() as tx:
            yield tx
        store.close()


def _dimension(tx: sa.Connection, account: int, dims: dict[str, str]) -> int:
    blank = {"project": "", "api_key": "", "line_item": "", "model": ""}
    return _row(tx, schema.dimensions, {"account_id": account, **blank, **dims})


def _use(
    tx: sa.Connection, table: sa.Table, key: dict[str, int], nanos: int, api_key: str, model: str
) -> None:
    blank = {"series": "completions", "project": "", "tier": ""}
    told = {"account_id": 1, **blank, "api_key": api_key, "model": model}
    dimension = _row(tx, schema.usage_dimensions, told)
    whole = {"account_id": 1, **key, "dimension_id": dimension}
    _add(tx, table, whole, nanos, requests=1, unpriced=0)


def _row(tx: sa.Connection, table: sa.Table, told: dict[str, Any]) -> int:
    where = [table.c[name] == value for name, value in told.items()]
    found = tx.execute(sa.select(table.c.id).where(*where)).scalar_one_or_none()
    if found is None:
        key = tx.execute(sa.insert(table).values(**told)).inserted_primary_key
        assert key is not None
        found = key[0]
    return int(found)


def _add(tx: sa.Connection, table: sa.Table, key: dict[str, Any], nanos: int, **more: Any) -> None:
    where = [table.c[name] == value for name, value in key.items()]
    held = tx.execute(sa.select(table.c.nanos).where(*where)).scalar_one_or_none()
    if held is None:
        tx.execute(sa.insert(table).values(**key, nanos=nanos, **more))
    else:
        tx.execute(sa.update(table).where(*where).values(nanos=held + nanos))
