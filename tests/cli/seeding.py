"""A database with some life in it, written through the store's own tables."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
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


@dataclass
class Seed:
    """A configuration file and the database it points to."""

    config: Path
    database: Path

    def __post_init__(self) -> None:
        self.config.write_text(
            f'timezone = "UTC"\n[database]\nurl = "sqlite:///{self.database}"\n', encoding="utf-8"
        )

    def empty(self) -> Seed:
        """Create the tables, and nothing in them."""
        store = Store(f"sqlite:///{self.database}")
        upgrade(store)
        store.close()
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

    def spent(self, day: datetime, nanos: int, account: int = 1, currency: str = "USD") -> Seed:
        """Store what a UTC day cost, without saying what spent it."""
        row = {"account_id": account, "day": day, "currency": currency, "nanos": nanos}
        self.insert(schema.spend_days, {**row, "first_read_at": NOW})
        return self

    def spent_by(self, day: datetime, nanos: int, **dims: str) -> Seed:
        """Store what a dimension cost on a UTC day, the rollup aside."""
        blank = {"project": "", "api_key": "", "line_item": "", "model": ""}
        store = Store(f"sqlite:///{self.database}")
        with store.begin() as tx:
            known = sa.insert(schema.dimensions).values(account_id=1, **{**blank, **dims})
            key = tx.execute(known).inserted_primary_key
            assert key is not None
            row = {"account_id": 1, "day": day, "currency": "USD", "nanos": nanos}
            tx.execute(sa.insert(schema.spend).values(**row, dimension_id=key[0]))
        store.close()
        return self
