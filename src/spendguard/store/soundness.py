"""Soundness: whether a database says what this program can have written, beyond being whole."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from spendguard.core.findings import decode_values
from spendguard.store.encoding import decoded
from spendguard.store.history import History

_WHOLE = frozenset({"BIGINT", "INTEGER", "BOOLEAN"})
_SUMS = """
SELECT parts.day
FROM (
    SELECT account_id, day, currency, nanos FROM spend_days
    UNION ALL
    SELECT account_id, day, currency, -nanos FROM spend
) AS parts
GROUP BY parts.account_id, parts.day, parts.currency
HAVING SUM(parts.nanos) <> 0
"""
QUESTIONS = {
    "days whose total is not the sum of their parts": _SUMS,
    "days with parts and without a total": """
        SELECT spend.day FROM spend
        LEFT JOIN spend_days
            ON spend_days.account_id = spend.account_id
            AND spend_days.day = spend.day
            AND spend_days.currency = spend.currency
        WHERE spend_days.day IS NULL
    """,
    "days that do not begin at midnight": """
        SELECT day FROM spend_days WHERE day % 86400000000 <> 0
        UNION ALL
        SELECT day FROM spend WHERE day % 86400000000 <> 0
    """,
    "spend under the dimensions of another account": """
        SELECT spend.day FROM spend
        JOIN dimensions ON dimensions.id = spend.dimension_id
        WHERE dimensions.account_id <> spend.account_id
    """,
    "entries of a kind or an outcome that there is not": """
        SELECT id FROM entries
        WHERE kind NOT IN ('checkpoint', 'deposit', 'grant', 'refund', 'charge')
           OR source NOT IN ('manual', 'api', 'receipt', 'card', 'inferred')
           OR (kind = 'charge') <> (outcome IS NOT NULL)
    """,
    "entries in another currency than their account's": """
        SELECT entries.id FROM entries
        JOIN accounts ON accounts.id = entries.account_id
        WHERE entries.currency <> accounts.currency AND entries.voided_at IS NULL
    """,
    "alerts that are over and are not": """
        SELECT id FROM alerts WHERE (state = 'resolved') <> (ended_at IS NOT NULL)
    """,
    "messages in a state that there is not": """
        SELECT id FROM outbox WHERE state NOT IN ('owed', 'delivered', 'given_up', 'folded')
    """,
}


def problems(history: History) -> list[str]:
    """Return what is wrong with a database, nothing when it is whole and sound."""
    damage = history.damage()
    return damage or [
        *_strangers(history),
        *_fractions(history),
        *_asked(history),
        *_texts(history),
    ]


def _strangers(history: History) -> Iterator[str]:
    found = {(row[0], row[2]) for row in history.select("PRAGMA foreign_key_check")}
    for table, parent in sorted(found):
        yield f"{table}: rows that refer to nothing in {parent}"


def _fractions(history: History) -> Iterator[str]:
    """Yield the tables in which money, or an instant, is no whole number."""
    for table in history.rows():
        columns = history.select(f'PRAGMA table_info("{table}")')
        whole = [row["name"] for row in columns if row["type"].upper() in _WHOLE]
        odd = " OR ".join(f"typeof(\"{name}\") NOT IN ('integer', 'null')" for name in whole)
        if odd and history.select(f'SELECT 1 FROM "{table}" WHERE {odd} LIMIT 1'):  # noqa: S608
            yield f"{table}: something else than a whole number where one belongs"


def _asked(history: History) -> Iterator[str]:
    for problem, question in QUESTIONS.items():
        found = history.select(f"SELECT COUNT(*) FROM ({question}) AS found")  # noqa: S608
        if found[0][0]:
            yield f"{problem}: {found[0][0]}"


def _texts(history: History) -> Iterator[str]:
    """Yield what does not read back as it was written."""
    yield from _unreadable(
        history,
        "messages that are owed and cannot be read",
        "SELECT topic, items, channel FROM outbox WHERE state = 'owed'",
        lambda row: decoded(row["topic"], row["items"], row["channel"]),
    )
    yield from _unreadable(
        history,
        "alerts whose values cannot be read",
        "SELECT details FROM alerts",
        lambda row: decode_values(json.loads(row["details"])),
    )
    for table, column in (("scopes", "evaluation"), ("configuration", "effective")):
        yield from _unreadable(
            history,
            f"{table}: what cannot be read",
            f"SELECT {column} AS held FROM {table}",  # noqa: S608  both are written above
            lambda row: json.loads(row["held"]),
        )
    yield from _unreadable(
        history,
        "replies that cannot be unpacked",
        "SELECT body FROM raw_replies",
        lambda row: zlib.decompress(row["body"]).decode(),
    )


def _unreadable(
    history: History, problem: str, question: str, read: Callable[[Any], object]
) -> Iterator[str]:
    count = 0
    for row in history.select(question):
        try:
            read(row)
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, zlib.error):
            count += 1
    if count:
        yield f"{problem}: {count}"
