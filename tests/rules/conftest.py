"""Facts as short as a row of a table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from spendguard.core.facts import AccountFacts, Polls
from spendguard.core.ledger import Checkpoint, Position
from spendguard.core.money import Money

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
READ = Polls(first_ok_at=NOW - timedelta(days=3), last_ok_at=NOW - timedelta(minutes=5))


def _facts(floor: str | None = None, base: str | None = None, **known: Any) -> AccountFacts:
    """An account that was read five minutes ago, with a balance when `floor` is given."""
    position = None
    if floor is not None:
        money = Money.parse(floor, "USD")
        position = Position(
            floor=money,
            billed=money,
            as_of=NOW - timedelta(minutes=5),
            checkpoint=Checkpoint(
                "1", NOW - timedelta(days=1), Money.parse("20.00", "USD"), "manual"
            ),
            base=None if base is None else Money.parse(base, "USD"),
            credited_at=None if base is None else NOW - timedelta(days=1),
            credit=Money.zero("USD"),
            expired=Money.zero("USD"),
            spent=Money.parse("20.00", "USD") - money,
            late=Money.zero("USD"),
            lots=(),
        )
    return AccountFacts(
        **{
            "now": NOW,
            "account": "main",
            "currency": "USD",
            "polls": READ,
            "position": position,
            "costs_read": True,
            **known,
        }
    )


@pytest.fixture(scope="session")
def facts() -> Callable[..., AccountFacts]:
    """A function that makes facts: `facts("4.20", ledger_changed=True)`."""
    return _facts


@pytest.fixture(scope="session")
def now() -> datetime:
    """The instant at which everything is judged."""
    return NOW
