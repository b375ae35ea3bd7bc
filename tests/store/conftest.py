from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from spendguard.store import due
from spendguard.store.connect import Store
from tests.databases import account, opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A real database with the accounts 'main' and 'other'."""
    with opened(tmp_path / "spendguard.db") as store:
        with store.begin() as tx:
            due.register(tx, [account("main"), account("other")])
        yield store


@pytest.fixture
def main(store: Store) -> int:
    """The id of the account 'main'."""
    with store.begin() as tx:
        return int(due.load(tx, "main").id)


@pytest.fixture
def other(store: Store) -> int:
    """The id of the account 'other'."""
    with store.begin() as tx:
        return int(due.load(tx, "other").id)
