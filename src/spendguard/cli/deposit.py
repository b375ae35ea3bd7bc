"""deposit: credit that was bought, granted or paid back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from spendguard.cli.entries import list_entries, void_entry, when
from spendguard.cli.instants import end_of, rfc3339
from spendguard.cli.output import emit, say
from spendguard.cli.parser import Options
from spendguard.core.errors import UsageError

if TYPE_CHECKING:
    from spendguard.app.program import App
    from spendguard.core.accounts import Account
    from spendguard.core.ledger import Kind
    from spendguard.core.money import Money
    from spendguard.store.ledger import Recorded, Stated


def add(options: Options) -> int:
    """Note a purchase of credit, or a grant."""
    from spendguard.core.ledger import Kind

    return _record(options, Kind.GRANT if options.grant else Kind.DEPOSIT)


def refund(options: Options) -> int:
    """Note credit that was paid back."""
    from spendguard.core.ledger import Kind

    options.expires = None
    return _record(options, Kind.REFUND)


def listed(options: Options) -> int:
    """Print every deposit, grant and refund; a charge that succeeded is a deposit."""
    return list_entries(options, "deposits", {"deposit", "grant", "refund"}, charges=True)


def void(options: Options) -> int:
    """Take back a deposit, a grant or a refund."""
    from spendguard.core.ledger import Kind

    return void_entry(options, frozenset({Kind.DEPOSIT, Kind.GRANT, Kind.REFUND}))


def _record(options: Options, kind: Kind) -> int:
    from spendguard.cli.writing import program

    with program(options) as app:
        account = app.account(options.account)
        amount = options.amount.of(account.currency)
        stated = _stated(options, app, account, kind, amount)
        done = app.add_credit(account.name, stated)
        if options.json:
            _emit(account.name, stated, amount, done)
        else:
            _print(app, account.name, stated, done)
    return 0


def _stated(options: Options, app: App, account: Account, kind: Kind, amount: Money) -> Stated:
    from spendguard.store.ledger import Stated

    at, typed = when(app, options.at)
    expires = _expiry(options, app, account, kind, at)
    if expires is not None and expires <= at:
        raise UsageError(
            "--expires is before the credit came", "give the last day on which it is valid"
        )
    return Stated(
        kind,
        amount,
        at,
        at_stated=typed,
        expires_at=expires,
        expires_stated=options.expires is not None,
        external_id=options.external_id,
    )


def _expiry(
    options: Options, app: App, account: Account, kind: Kind, at: datetime
) -> datetime | None:
    if options.expires is not None:
        return end_of(options.expires, app.configuration.zone)
    from spendguard.core.ledger import purchase_expiry

    return purchase_expiry(account.provider, at) if kind.value == "deposit" else None


def _emit(account: str, stated: Stated, amount: Money, done: Recorded) -> None:
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
        }
    )


def _print(app: App, account: str, stated: Stated, done: Recorded) -> None:
    zone = app.configuration.zone
    if not done.new:
        say(f"known already as {stated.kind.value} {done.id}: nothing changed")
        return
    told = f"{stated.kind.value} {done.id}: {stated.amount} on {account}"
    at = f"{stated.at.astimezone(zone):%Y-%m-%d %H:%M %Z}"
    if stated.expires_at is None:
        say(f"{told} at {at}")
    else:
        say(f"{told} at {at}, expires {stated.expires_at.astimezone(zone):%Y-%m-%d %H:%M %Z}")
