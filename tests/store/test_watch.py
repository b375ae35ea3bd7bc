from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from spendguard.core.ledger import Kind
from spendguard.core.money import Money
from spendguard.store import cards, due, ledger
from spendguard.store.connect import Store
from spendguard.store.ledger import Stated
from spendguard.store.watch import Watch
from tests.databases import account

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def watch(store: Store) -> Iterator[Watch]:
    """Somebody who looks at a database with one account, and has looked before."""
    with store.begin() as tx:
        due.register(tx, [account("watched")])
    found = Watch(Path(str(store.path)))
    found.changed()
    found.ledger_changed()
    yield found
    found.close()


def enter(store: Store) -> str:
    with store.begin() as tx:
        row = due.load(tx, "watched")
        stated = Stated(Kind.DEPOSIT, Money.parse("5.00", "USD"), NOW)
        return ledger.record(tx, row.id, stated, NOW).id


def test_what_anybody_wrote_is_seen_once(store: Store, watch: Watch) -> None:
    assert not watch.changed()
    with store.begin() as tx:
        due.update(tx, due.load(tx, "watched").id, greeted_at=NOW)
    assert watch.changed()
    assert not watch.changed()


def test_only_entries_change_the_ledger(store: Store, watch: Watch) -> None:
    with store.begin() as tx:
        due.update(tx, due.load(tx, "watched").id, greeted_at=NOW)
    assert not watch.ledger_changed()
    enter(store)
    assert watch.ledger_changed()
    assert not watch.ledger_changed()
    with store.begin() as tx:
        cards.state(tx, "visa-1881", Money.parse("9.00", "USD"), NOW, NOW)
    assert watch.ledger_changed()


def test_a_database_that_is_not_there_is_looked_for_again(tmp_path: Path) -> None:
    watch = Watch(tmp_path / "nowhere.db")
    assert [watch.changed(), watch.ledger_changed()] == [False, False]
    watch.close()
