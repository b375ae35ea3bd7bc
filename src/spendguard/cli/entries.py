"""Entries: what balance, deposit and charge share: lists of the ledger, and writing into it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from spendguard.cli.instants import NOW, Typed, resolve, rfc3339
from spendguard.cli.output import Cell, Column, emit, say, table
from spendguard.cli.parser import Options
from spendguard.cli.reading import Source, instant_text, known_account, source
from spendguard.core.money import Money
from spendguard.store.history import maybe_instant, to_instant

if TYPE_CHECKING:
    from spendguard.app.program import App
    from spendguard.core.ledger import Kind
    from spendguard.core.reconcile import Books


def list_entries(
    options: Options, name: str, kinds: Collection[str], *, charges: bool = False
) -> int:
    """Print the entries of some kinds, voided ones marked; JSON calls the list `name`.

    With `charges`, those that succeeded are among them, and it is told who saw which top-up, and
    which of them may be one or two.
    """
    with source(options) as asked:
        account = known_account(options.account, asked.account_names())
        rows = asked.history.ask("entries", account=account)
        chosen = [row for row in rows if row["kind"] in kinds or (charges and _came(row))]
        seen = _seen(rows) if charges else {}
        conflicts = _conflicts(rows) if charges else []
        if options.json:
            told = [entry_json(row) | _sources(row, seen, charges=charges) for row in chosen]
            emit({name: told} | ({"conflicts": conflicts} if charges else {}))
        elif chosen:
            table(COLUMNS, [_row(asked, row, seen) for row in chosen])
            for one in conflicts:
                ids = " and ".join(one["ids"])
                say(f"{ids} may be one top-up or two: void the one that is wrong", "yellow")
        else:
            say(f"no {name} yet")
    return 0


def _came(row: Any) -> bool:
    return bool(row["kind"] == "charge" and row["outcome"] == "succeeded")


def books_of(asked: Source, account: str) -> Books:
    """Return the ledger of one account, reconciled as the guard does; empty where there is none."""
    from spendguard.core.reconcile import Books

    held = _books(asked.history.ask("entries", account=account))
    return held[0] if held else Books()


def _books(rows: Sequence[Any]) -> list[Books]:
    """Reconcile the entries of each account, as the guard does."""
    from spendguard.core.charges import Outcome
    from spendguard.core.ledger import Kind
    from spendguard.core.reconcile import Statement, reconcile

    by_account: dict[str, list[Statement]] = {}
    for row in rows:
        if row["voided_at"] is None:
            by_account.setdefault(row["account"], []).append(
                Statement(
                    id=str(row["id"]),
                    kind=Kind(row["kind"]),
                    amount=None if row["nanos"] is None else Money(row["nanos"], row["currency"]),
                    at=to_instant(row["at"]),
                    account=row["account"],
                    outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
                    expires_at=maybe_instant(row["expires_at"]),
                    source=row["source"],
                    origin=row["origin"],
                    external_id=row["external_id"],
                )
            )
    return [reconcile(statements) for statements in by_account.values()]


def _seen(rows: Sequence[Any]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return for each entry of a top-up the one that counts, and all who saw it."""
    return {
        one.id: (top.chief.id, top.sources)
        for books in _books(rows)
        for top in books.top_ups
        for one in top.statements
    }


def _conflicts(rows: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {"account": one.account, "ids": [one.id, other.id]}
        for books in _books(rows)
        for one, other in books.conflicts
    ]


def _sources(
    row: Any, seen: Mapping[str, tuple[str, tuple[str, ...]]], *, charges: bool
) -> dict[str, Any]:
    if not charges:
        return {}
    chief, sources = seen.get(str(row["id"]), (str(row["id"]), (row["source"],)))
    return {
        "kind": "deposit" if _came(row) else row["kind"],
        "charge": row["kind"] == "charge",
        "sources": list(sources),
        "same_as": None if chief == str(row["id"]) else chief,
    }


def entry_json(row: Any) -> dict[str, Any]:
    """Return an entry as JSON has it."""
    return {
        "id": str(row["id"]),
        "account": row["account"],
        "kind": row["kind"],
        "amount": None if row["nanos"] is None else Money(row["nanos"], row["currency"]).exact(),
        "currency": row["currency"],
        "at": instant_text(row["at"]),
        "expires_at": instant_text(row["expires_at"]),
        "source": row["source"],
        "external_id": row["external_id"],
        "recorded_at": instant_text(row["recorded_at"]),
        "voided_at": instant_text(row["voided_at"]),
    }


COLUMNS = (
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


def _row(
    asked: Source, row: Any, seen: Mapping[str, tuple[str, tuple[str, ...]]]
) -> list[str | Cell]:
    expires = row["expires_at"]
    chief, sources = seen.get(str(row["id"]), (str(row["id"]), (row["source"],)))
    same = "" if chief == str(row["id"]) else Cell(f"same as {chief}", "dim")
    return [
        str(row["id"]),
        row["account"],
        row["kind"],
        "unknown" if row["nanos"] is None else str(Money(row["nanos"], row["currency"])),
        asked.local(to_instant(row["at"])),
        "" if expires is None else asked.local(to_instant(expires)),
        row["source"] if same else ", ".join(sources),
        row["external_id"] or "",
        same if row["voided_at"] is None else Cell("voided", "dim"),
    ]


def when(app: App, typed: Typed | None) -> tuple[datetime, bool]:
    """Return the instant that was typed, the present one without, and whether one was typed."""
    given = NOW if typed is None else typed
    return resolve(given, "--at", app.configuration.zone, app.clock()), given != NOW


def void_entry(options: Options, kinds: frozenset[Kind]) -> int:
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
                    "amount": None if voided.amount is None else voided.amount.exact(),
                    "currency": None if voided.amount is None else voided.amount.currency,
                    "at": rfc3339(voided.at),
                    "new": voided.new,
                }
            )
        else:
            done = "voided" if voided.new else "was voided already:"
            amount = "an unknown amount" if voided.amount is None else voided.amount
            say(f"{done} {voided.kind.value} {voided.id}: {amount} on {voided.account}")
    return 0
