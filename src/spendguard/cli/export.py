"""export: an account's spend as a trace that `replay` plays, or its history with the ledger."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from spendguard.cli.entries import entry_json
from spendguard.cli.instants import resolve, rfc3339
from spendguard.cli.output import emit
from spendguard.cli.parser import Options
from spendguard.cli.reading import Source, instant_text, known_account, source
from spendguard.core.errors import SpendguardError, UsageError
from spendguard.core.money import Money
from spendguard.core.nanos import exact
from spendguard.core.windows import Window
from spendguard.store.history import to_column
from spendguard.store.spending import Question, Row, Spending

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_UTC = ZoneInfo("UTC")


def run(options: Options) -> int:
    """Print the history, as comma-separated values unless JSON is asked for."""
    if options.json and options.csv:
        raise UsageError("--json and --csv are two forms", "give one of them")
    with source(options) as asked:
        window = _window(options, asked)
        name = known_account(options.account, asked.account_names())
        held = [row for row in asked.history.ask("accounts") if name in {None, row["name"]}]
        if options.json:
            _emit(asked, window, options.by, held, whole=name is None)
        else:
            _trace(asked, window, options.by, [row["name"] for row in held])
    return 0


def _window(options: Options, asked: Source) -> Window:
    zone, now = asked.zone, asked.now
    since, until = BEGINNING, now
    if options.since is not None:
        since = resolve(options.since, "--since", zone, now)
    if options.until is not None:
        until = resolve(options.until, "--until", zone, now)
    if since >= until:
        raise UsageError("--since is not before --until", "give a window that holds something")
    return Window(since, until)


def _spend(asked: Source, account: str, window: Window, by: str) -> list[Row]:
    """Return what was spent in each UTC day or hour: a trace does not depend on anybody's zone."""
    spending = Spending(asked.history, _UTC, asked.now)
    return spending.answer(Question(account, window, by))


def _trace(asked: Source, window: Window, by: str, names: Sequence[str]) -> None:
    if len(names) > 1:
        known = ", ".join(sorted(names))
        raise UsageError("a trace is of one account", f"choose it with --account: {known}")
    rows = _spend(asked, names[0], window, by) if names else []
    currencies = sorted({row.currency for row in rows if row.nanos})
    if len(currencies) > 1:
        told = " and ".join(currencies)
        raise SpendguardError(
            f"'{names[0]}' spent {told}, and a trace is of one currency", "use --json"
        )
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["timestamp", "amount"])
    spent: dict[datetime, int] = {}  # what is booked, and what is estimated beside it
    for row in rows:
        if not currencies or row.currency == currencies[0]:
            spent[row.window.start] = spent.get(row.window.start, 0) + row.nanos
    writer.writerows([rfc3339(start), exact(nanos)] for start, nanos in sorted(spent.items()))


def _emit(asked: Source, window: Window, by: str, held: Sequence[Any], *, whole: bool) -> None:
    entries = [
        row
        for row in asked.history.ask("entries", account=None)
        if to_column(window.start) <= row["at"] < to_column(window.end)
    ]
    content: dict[str, Any] = {
        "since": None if window.start == BEGINNING else rfc3339(window.start),
        "until": rfc3339(window.end),
        "accounts": [
            {
                "name": one["name"],
                "provider": one["provider"],
                "currency": one["currency"],
                "spend": [_spend_json(row) for row in _spend(asked, one["name"], window, by)],
                "entries": [_entry(row) for row in entries if row["account"] == one["name"]],
            }
            for one in held
        ],
    }
    if whole:
        stated = asked.history.ask("card_statements")
        content["card_statements"] = [_statement(row) for row in stated]
    emit(content)


def _spend_json(row: Row) -> dict[str, Any]:
    return {
        "start": rfc3339(row.window.start),
        "end": rfc3339(row.window.end),
        "amount": exact(row.nanos),
        "currency": row.currency,
        "kind": row.kind,
    }


def _entry(row: Any) -> dict[str, Any]:
    told = {name: row[name] for name in ("outcome", "card", "reason", "origin")}
    return {**entry_json(row), **told}


def _statement(row: Any) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "card": row["card"],
        "amount": Money(row["nanos"], row["currency"]).exact(),
        "currency": row["currency"],
        "at": instant_text(row["at"]),
        "recorded_at": instant_text(row["recorded_at"]),
        "voided_at": instant_text(row["voided_at"]),
    }
