"""card: what the cards hold, and what they must hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from spendguard.cli.instants import rfc3339
from spendguard.cli.output import Cell, Column, emit, say, table
from spendguard.cli.parser import Options
from spendguard.cli.reading import Source, instant_text, source, stored_money
from spendguard.cli.status import card_json, print_cards
from spendguard.cli.status import cards as held
from spendguard.core.money import Money
from spendguard.store.history import to_column, to_instant

NOBODY = "what is coming is not known: an account of it lacks a balance or recharge settings"


def listed(options: Options) -> int:
    """Print every card, and what was stated of it."""
    with source(options) as asked:
        cards = held(asked)
        rows = asked.history.ask("card_statements")
        if options.json:
            emit({"cards": [_json(card, rows) for card in cards]})
        elif cards:
            _print(asked, cards, rows)
        else:
            say("no card is configured: add a [[cards]] section, and its name to the account")
    return 0


def _json(card: Mapping[str, Any], rows: Sequence[Any]) -> dict[str, Any]:
    return {
        **card_json(card),
        "currency": card["currency"],
        "statements": [
            {
                "id": str(row["id"]),
                "amount": Money(row["nanos"], row["currency"]).exact(),
                "currency": row["currency"],
                "at": instant_text(row["at"]),
                "recorded_at": instant_text(row["recorded_at"]),
                "voided_at": instant_text(row["voided_at"]),
            }
            for row in rows
            if row["card"] == card["name"]
        ],
    }


def _print(asked: Source, cards: Sequence[Mapping[str, Any]], rows: Sequence[Any]) -> None:
    print_cards(asked, cards)
    known = [row for row in rows if row["card"] in {card["name"] for card in cards}]
    if known:
        columns = (
            Column("id", right=True),
            Column("card"),
            Column("stated", right=True),
            Column("at"),
            Column(""),
        )
        say()
        table(columns, [_statement_row(asked, row) for row in known])
    unknown = [card["name"] for card in cards if card["balance"] is None]
    if unknown:
        say()
    for name in unknown:
        say(f"nobody stated what is on {name}: spendguard card set {name} <what is on it>", "dim")


def _statement_row(asked: Source, row: Any) -> list[str | Cell]:
    return [
        str(row["id"]),
        row["card"],
        str(Money(row["nanos"], row["currency"])),
        asked.local(to_instant(row["at"])),
        "" if row["voided_at"] is None else Cell("voided", "dim"),
    ]


def state(options: Options) -> int:
    """Write what is on a card, and tell what follows."""
    from spendguard.cli.entries import when
    from spendguard.cli.writing import program, written

    with program(options) as app:
        card = app.card(options.card)
        at, _ = when(app, options.at)
        amount = options.amount.of(card.currency)
        key = app.set_card(card.name, amount, at)
        with written(app) as asked:
            (now,) = (one for one in held(asked) if one["name"] == card.name)
            later = _later(asked, card.name, at)
            if options.json:
                _emit(key, amount, at, now, later)
            else:
                zone = app.configuration.zone
                say(f"{card.name}: {amount} at {at.astimezone(zone):%Y-%m-%d %H:%M %Z}")
                _follow(asked, now, amount, later)
    return 0


def _later(asked: Source, card: str, at: datetime) -> datetime | None:
    """Return the instant of a later statement, which goes on to count."""
    rows = asked.history.ask("card_statements")
    ahead = [
        row["at"]
        for row in rows
        if row["card"] == card and row["voided_at"] is None and row["at"] > to_column(at)
    ]
    return to_instant(max(ahead)) if ahead else None


def _emit(
    key: str, amount: Money, at: datetime, card: Mapping[str, Any], later: datetime | None
) -> None:
    told = card_json(card)
    emit(
        {
            "id": key,
            "card": card["name"],
            "amount": amount.exact(),
            "currency": amount.currency,
            "at": rfc3339(at),
            **{name: told[name] for name in ("balance", "needed", "short_by", "strikes")},
            "superseded_by": None if later is None else rfc3339(later),
        }
    )


def _follow(asked: Source, card: Mapping[str, Any], stated: Money, later: datetime | None) -> None:
    if later is not None:
        say(f"what was stated for {asked.local(later)} is later, and goes on to count")
    balance = stored_money(card["balance"], stated.currency)
    if balance is not None and balance != stated:
        say(f"after the charges since: {balance.floored()}")
    needed, short = card["needed"] or {}, stored_money(card["short_by"], stated.currency)
    amount = stored_money(needed.get("amount"), stated.currency)
    if card["unusable"]:
        say("it counts as banned: pay with another card", "bold red")
    elif amount is None:
        say(NOBODY, "dim")
    else:
        until = asked.local(datetime.fromisoformat(needed["until"]))
        lacks = f"short by {short.ceiled()}" if short else "which it covers"
        covered = f"needed until {until}: {amount.ceiled()}, {lacks}"
        say(covered if amount else f"no charge is expected until {until}")


def void(options: Options) -> int:
    """Take back what was stated of a card."""
    from spendguard.cli.writing import program

    with program(options) as app:
        voided = app.void_card(options.id)
        if options.json:
            emit(
                {
                    "id": voided.id,
                    "card": voided.card,
                    "amount": voided.amount.exact(),
                    "currency": voided.amount.currency,
                    "at": rfc3339(voided.at),
                    "new": voided.new,
                }
            )
        else:
            done = "voided" if voided.new else "was voided already:"
            say(f"{done} statement {voided.id}: {voided.amount} on {voided.card}")
    return 0
