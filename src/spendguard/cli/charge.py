"""charge: attempts to take money from a card, as somebody saw them end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spendguard.cli.entries import entry_json, void_entry, when
from spendguard.cli.instants import rfc3339
from spendguard.cli.output import Cell, Column, emit, say, table
from spendguard.cli.parser import Options
from spendguard.cli.reading import Source, instant_text, known_account, source
from spendguard.core.money import Money
from spendguard.store.history import to_instant

if TYPE_CHECKING:
    from spendguard.app.entries import ChargeAdded
    from spendguard.app.program import App
    from spendguard.core.accounts import Account
    from spendguard.core.facts import AccountFacts
    from spendguard.store.ledger import Stated


def add(options: Options) -> int:
    """Note a charge that succeeded, which is also a deposit, or one that failed."""
    from spendguard.cli.writing import program

    with program(options) as app:
        account = app.account(options.account)
        amount = options.amount.of(account.currency)
        stated = _stated(options, app, account, amount)
        done = app.add_charge(account.name, stated)
        if options.json:
            _emit(account.name, stated, amount, done)
        elif not done.new:
            say(f"known already as charge {done.id}: nothing changed")
        else:
            _print(app, account, stated, done)
            _follow(account, stated, done.facts)
    return 0


def _stated(options: Options, app: App, account: Account, amount: Money) -> Stated:
    from spendguard.core.charges import Outcome
    from spendguard.core.ledger import Kind, purchase_expiry
    from spendguard.store.ledger import Stated

    at, typed = when(app, options.at)
    outcome = Outcome.FAILED if options.failed else Outcome.SUCCEEDED
    succeeded = outcome is Outcome.SUCCEEDED
    return Stated(
        Kind.CHARGE,
        amount,
        at,
        at_stated=typed,
        expires_at=purchase_expiry(account.provider, at) if succeeded else None,
        external_id=options.external_id,
        outcome=outcome,
        card=account.card,
        reason=options.reason,
    )


def _emit(account: str, stated: Stated, amount: Money, done: ChargeAdded) -> None:
    emit(
        {
            "id": done.id,
            "new": done.new,
            "account": account,
            "kind": stated.kind.value,
            "amount": amount.exact(),
            "currency": amount.currency,
            "at": rfc3339(stated.at),
            "expires_at": None if stated.expires_at is None else rfc3339(stated.expires_at),
            "external_id": stated.external_id,
            "outcome": None if stated.outcome is None else stated.outcome.value,
            "card": stated.card,
            "reason": stated.reason or None,
            "strikes": done.facts.strikes.shown(account),
        }
    )


def _print(app: App, account: Account, stated: Stated, done: ChargeAdded) -> None:
    zone = app.configuration.zone
    told = f"charge {done.id}: {stated.amount} on {account.name}"
    told += f" {stated.outcome} at {stated.at.astimezone(zone):%Y-%m-%d %H:%M %Z}"
    if stated.expires_at is not None:
        told += f", expires {stated.expires_at.astimezone(zone):%Y-%m-%d %H:%M %Z}"
    say(told)


def _follow(account: Account, stated: Stated, facts: AccountFacts) -> None:
    """Say what follows: the strikes, or what the balance is."""
    from spendguard.core.charges import Outcome

    used = facts.strikes.shown(account.name)
    if used:
        say(_strikes(used, facts.strikes.to_ban, "card" if account.card else "account"))
    elif stated.outcome is Outcome.FAILED:
        say("no strike: a charge after it succeeded")
    if stated.outcome is not Outcome.SUCCEEDED:
        return
    if facts.position is not None and stated.at <= facts.position.checkpoint.at:
        say("the balance that was stated is no older: the credit is inside it")
    if facts.position is None:
        how = f"spendguard balance set {account.name} <figure on the billing page>"
        say(f"the balance is not known: {how}", "dim")
    else:
        say(f"the balance is {facts.position.floor.floored()}")


def _strikes(used: int, to_ban: int, what: str) -> str:
    policy = f"the {what} counts as banned, by the policy strikes_to_ban = {to_ban}"
    if used >= to_ban:
        return f"strike {used} of {to_ban}: {policy}"
    more = "one" if to_ban - used == 1 else str(to_ban - used)
    return f"strike {used} of {to_ban}: {more} more and {policy}"


def listed(options: Options) -> int:
    """Print every charge, voided ones marked, and the mails that became none."""
    with source(options) as asked:
        account = known_account(options.account, asked.account_names())
        rows = asked.history.ask("entries", account=account)
        charges = [row for row in rows if row["kind"] == "charge"]
        mails = asked.history.ask("mails", account=account)
        if options.json:
            emit(
                {"charges": [_json(row) for row in charges], "mails": [_mail(row) for row in mails]}
            )
            return 0
        if charges:
            table(COLUMNS, [_row(asked, row) for row in charges])
        else:
            say("no charges yet")
        for row in mails:
            say(_aside(asked, row), "yellow")
    return 0


def _mail(row: Any) -> dict[str, Any]:
    return {
        "mailbox": row["mailbox"],
        "account": row["account"],
        "state": row["state"],
        "claim": row["claim"],
        "amount": None if row["nanos"] is None else Money(row["nanos"], row["currency"]).exact(),
        "currency": row["currency"],
        "at": instant_text(row["at"]),
        "why": row["why"],
    }


def _aside(asked: Source, row: Any) -> str:
    """Return what a mail claimed, and why it changed nothing."""
    amount = "" if row["nanos"] is None else f" of {Money(row['nanos'], row['currency'])}"
    about = f" for {row['account']}" if row["account"] else ""
    at = asked.local(to_instant(row["at"]))
    return f"not counted: a mail of {at} ({row['claim']}{amount}{about}): {row['why']}"


def _json(row: Any) -> dict[str, Any]:
    told = entry_json(row)
    return {
        "id": told["id"],
        "account": told["account"],
        "card": row["card"],
        "amount": told["amount"],
        "currency": told["currency"],
        "outcome": row["outcome"],
        "at": told["at"],
        "reason": row["reason"] or None,
        "source": told["source"],
        "external_id": told["external_id"],
        "recorded_at": told["recorded_at"],
        "voided_at": told["voided_at"],
    }


COLUMNS = (
    Column("id", right=True),
    Column("account"),
    Column("card"),
    Column("amount", right=True),
    Column("outcome"),
    Column("at"),
    Column("source"),
    Column("reason", folds=True),
    Column(""),
)


def _row(asked: Source, row: Any) -> list[str | Cell]:
    return [
        str(row["id"]),
        row["account"],
        row["card"] or "",
        "unknown" if row["nanos"] is None else str(Money(row["nanos"], row["currency"])),
        Cell(row["outcome"], "yellow" if row["outcome"] == "failed" else ""),
        asked.local(to_instant(row["at"])),
        row["source"],
        row["reason"],
        "" if row["voided_at"] is None else Cell("voided", "dim"),
    ]


def void(options: Options) -> int:
    """Take back a charge; voiding one that succeeded voids its deposit."""
    from spendguard.core.ledger import Kind

    return void_entry(options, frozenset({Kind.CHARGE}))
