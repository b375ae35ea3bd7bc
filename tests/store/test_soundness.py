"""What `db check` finds, beyond what SQLite finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from spendguard.store import schema
from spendguard.store.history import History
from spendguard.store.soundness import problems
from tests.cli.seeding import DAY, DOLLAR, NOW, TODAY, Seed

DAMAGE = {
    "UPDATE spend_days SET nanos = nanos + 1": "total is not the sum of their parts",
    "DELETE FROM spend_days": "parts and without a total",
    "DELETE FROM spend": "total is not the sum of their parts",
    "UPDATE spend_days SET nanos = 1.5": "spend_days: something else than a whole number",
    "UPDATE entries SET nanos = '12.50'": "entries: something else than a whole number",
    "UPDATE entries SET at = 'yesterday'": "entries: something else than a whole number",
    "UPDATE entries SET kind = 'gift'": "entries of a kind",
    "UPDATE entries SET outcome = 'failed'": "entries of a kind or an outcome",
    "UPDATE entries SET currency = 'EUR'": "entries in another currency",
    "UPDATE entries SET account_id = 99": "entries: rows that refer to nothing in accounts",
    "UPDATE spend_days SET day = day + 1": "do not begin at midnight",
    "UPDATE outbox SET items = '{'": "messages that are owed and cannot be read",
    'UPDATE outbox SET items = \'{"items": [{}], "accounts": []}\'': "cannot be read",
    "UPDATE outbox SET topic = 'gossip'": "messages that are owed and cannot be read",
    "UPDATE outbox SET state = 'lost'": "messages in a state",
    "UPDATE alerts SET details = '[]'": "alerts whose values cannot be read",
    "UPDATE alerts SET ended_at = 7": "alerts that are over and are not",
    "UPDATE configuration SET effective = ''": "configuration: what cannot be read",
    "UPDATE raw_replies SET body = x'00'": "replies that cannot be unpacked",
}


@pytest.fixture
def seeded(tmp_path: Path) -> Seed:
    """A database with a row of each kind that can be wrong."""
    seed = Seed(tmp_path / "spendguard.toml", tmp_path / "spendguard.db").empty()
    seed.configured("main").read().evaluated("main").alert()
    seed.spent(TODAY, DOLLAR, model="m")
    entry = {"account_id": 1, "kind": "deposit", "nanos": DOLLAR, "currency": "USD", "at": NOW}
    told = {"at_stated": True, "expires_stated": False, "source": "manual", "recorded_at": NOW}
    seed.insert(schema.entries, {**entry, **told})
    owed = {"channel": "ops", "topic": "welcome", "state": "owed", "created_at": NOW}
    seed.insert(schema.outbox, {**owed, "due_at": NOW, "items": '{"items": [], "accounts": []}'})
    reply = {"account_id": 1, "at": NOW - DAY, "path": "/costs", "status": 200, "body": "{}"}
    seed.insert(schema.raw_replies, reply)
    return seed


def found(seed: Seed) -> list[str]:
    with History(seed.database) as history:
        return problems(history)


def test_a_sound_database_has_no_problem(seeded: Seed) -> None:
    assert found(seeded) == []


@pytest.mark.parametrize(("statement", "problem"), DAMAGE.items())
def test_what_this_program_cannot_have_written_is_found(
    seeded: Seed, statement: str, problem: str
) -> None:
    import sqlite3

    with sqlite3.connect(seeded.database) as connection:  # no foreign keys by default
        connection.execute(statement)
    connection.close()

    assert any(problem in one for one in found(seeded))
