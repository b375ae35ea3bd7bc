"""Entries: what balance and deposit share: lists of the ledger, and writing into it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from spendguard.cli.instants import NOW, Typed, resolve, rfc3339
from spendguard.cli.output import Cell, Column, emit, say, table
from spendguard.cli.reading import Source, instant_text, known_account, source
from spendguard.core.money import Money
from spendguard.store.history import to_instant

if TYPE_CHECKING:
    from spendguard.app.program import App
    from spendguard.core.ledger import Kind


def list_entries(options: Namespace, name: str, kinds: Collection[str]) -> int:
    """Print the entries of some kinds, voided ones marked; JSON calls the list `name`."""
    with source(options) as asked:
        account = known_account(options.account, asked.account_names())
        rows = asked.history.ask("entries", account=account)
        chosen = [row for row in rows if row["kind"] in kinds]
        if options.json:
            emit({name: [_json(row) for row in chosen]})
        elif chosen:
            _table(asked, chosen)
        else:
            say(f"no {name} yet")
    return 0


def _json(row: Any) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "account": row["account"],
        "kind": row["kind"],
        "amount": Money(row["nanos"], row["currency"]).exact(),
        "currency": row["currency"],
        "at": instant_text(row["at"]),
        "expires_at": instant_text(row["expires_at"]),
        "source": row["source"],
        "external_id": row["external_id"],
        "recorded_at": instant_text(row["recorded_at"]),
        "voided_at": instant_text(row["voided_at"]),
    }


def _table(asked: Source, rows: Sequence[Any]) -> None:
    columns = (
        Column("id", right=True),
        Column("account"),
        Column("kind"),
        Column("amount", right=True),
        Column("at"),
        Column("expires"),
        Column("source"),
        Column("external id", folds=True),
        Column(""),
    )
    table(columns, [_row(asked, row) for row in rows])


def _row(asked: Source, row: Any) -> list[str | Cell]:
    expires = row["expires_at"]
    return [
        str(row["id"]),
        row["account"],
        row["kind"],
        str(Money(row["nanos"], row["currency"])),
        asked.local(to_instant(row["at"])),
        "" if expires is None else asked.local(to_instant(expires)),
        row["source"],
        row["external_id"] or "",
        "" if row["voided_at"] is None else Cell("voided", "dim"),
    ]


def when(app: App, typed: Typed | None) -> tuple[datetime, bool]:
    """Return the instant that was typed, the present one without, and whether one was typed."""
    given = NOW if typed is None else typed
    return resolve(given, "--at", app.configuration.zone, app.clock()), given != NOW


def void_entry(options: Namespace, kinds: frozenset[Kind]) -> int:
    """Take an entry of some kinds out of every calculation."""
    from spendguard.cli.writing import program

    with program(options) as app:
        voided = app.void(options.id, kinds)
        if options.json:
            emit(
                {
                    "id": voided.id,
                    "account": voided.account,
                    "kind": voided.kind.value,
                    "amount": voided.amount.exact(),
                    "currency": voided.amount.currency,
                    "at": rfc3339(voided.at),
                    "new": voided.new,
                }
            )
        else:
            done = "voided" if voided.new else "was voided already:"
            say(f"{done} {voided.kind.value} {voided.id}: {voided.amount} on {voided.account}")
    return 0
