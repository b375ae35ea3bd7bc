"""A real database for a test, searched afterwards for instants that no test supplied."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from spendguard.core.accounts import Account
from spendguard.store import migrate
from spendguard.store.connect import Store
from spendguard.store.schema import metadata
from spendguard.store.types import Instant


def account(name: str = "main", currency: str = "USD") -> Account:
    """An account as the configuration gives it."""
    return Account(name, "openai", "env:KEY", currency, timedelta(minutes=5))


@contextmanager
def opened(path: Path) -> Iterator[Store]:
    """Yield a store at the newest schema; fail if it read the wall clock, frozen at 1999."""
    store = Store(f"sqlite:///{path}")
    try:
        migrate.upgrade(store)
        yield store
        with store.begin() as tx:
            for table in metadata.sorted_tables:
                for column in (one for one in table.c if isinstance(one.type, Instant)):
                    oldest = tx.execute(sa.select(sa.func.min(column))).scalar_one()
                    assert oldest is None or oldest.year > 2000, f"{column} read the wall clock"
    finally:
        store.close()
