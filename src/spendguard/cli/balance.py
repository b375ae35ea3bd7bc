"""balance: what is left, and what was stated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from spendguard.cli.entries import list_entries, void_entry, when
from spendguard.cli.instants import rfc3339
from spendguard.cli.output import Cell, Column, emit, say, table, warn
from spendguard.cli.parser import Options
from spendguard.cli.reading import Source, known_account, source, stored_money
from spendguard.cli.status import AccountStatus, balance_json, evaluated_at, statuses

if TYPE_CHECKING:
    from spendguard.app.program import App
    from spendguard.core.money import Money
    from spendguard.pipeline.record import Checkpointed


def show(options: Options) -> int:
    """Print the derived balance of one account or of all."""
    with source(options) as asked:
        accounts = statuses(asked)
        name = known_account(options.account, [account.name for account in accounts])
        chosen = [account for account in accounts if name in {None, account.name}]
        if options.json:
            _emit(asked, chosen)
        else:
            _print(asked, chosen)
    return 0


def _emit(asked: Source, accounts: Sequence[AccountStatus]) -> None:
    as_of = evaluated_at(asked)
    emit(
        {
            "as_of": None if as_of is None else rfc3339(as_of),
            "accounts": [
                {
                    "name": account.name,
                    "currency": account.currency,
                    "balance": balance_json(account.evaluation),
                }
                for account in accounts
            ],
        }
    )


def _print(asked: Source, accounts: Sequence[AccountStatus]) -> None:
    columns = (
        Column("account"),
        Column("balance", right=True),
        Column("billed", right=True),
        Column("as of"),
        Column("stated by"),
        Column("", folds=True),
    )
    table(columns, [_row(asked, account) for account in accounts])
    for account in accounts:
        if account.evaluation.get("balance") is None:
            say()
            say(f"spendguard balance set {account.name} <figure on the billing page>", "dim")


def _row(asked: Source, account: AccountStatus) -> list[str | Cell]:
    balance = account.evaluation.get("balance")
    if balance is None:
        return [account.name, "unknown", "", "", "", "nobody stated it yet"]
    unread = not balance.get("costs_read", True)
    return [
        account.name,
        _down(stored_money(balance["floor"], account.currency)),
        _down(stored_money(balance["billed"], account.currency)),
        asked.local(datetime.fromisoformat(balance["as_of"])),
        balance["source"],
        "the costs since have not been read yet" if unread else "",
    ]


def _down(money: Money | None) -> str:
    return "unknown" if money is None else str(money.floored())


def listed(options: Options) -> int:
    """Print every balance that was stated."""
    return list_entries(options, "checkpoints", {"checkpoint"})


def state(options: Options) -> int:
    """Write a checkpoint, and print how far the derived balance had drifted."""
    from spendguard.cli.writing import program
    from spendguard.core.ledger import Kind
    from spendguard.providers import PROVIDERS
    from spendguard.store.ledger import Stated

    with program(options) as app:
        account = app.account(options.account)
        at, typed = when(app, options.at)
        amount = options.amount.of(account.currency)
        stated = Stated(Kind.CHECKPOINT, amount, at, at_stated=typed)
        done = app.set_balance(account.name, stated)
        if PROVIDERS[account.provider].states_balance:
            warn(f"{account.provider} states the balance itself: the next poll supersedes this one")
        if options.json:
            _emit_checkpoint(account.name, amount, at, done)
        else:
            _print_checkpoint(app, account.name, amount, at, done)
    return 0


def _emit_checkpoint(account: str, amount: Money, at: datetime, done: Checkpointed) -> None:
    later, derived = done.superseded_by, done.derived
    emit(
        {
            "id": done.entry.id,
            "account": account,
            "amount": amount.exact(),
            "currency": amount.currency,
            "at": rfc3339(at),
            "derived": None
            if derived is None
            else {"floor": derived.floor.exact(), "billed": derived.billed.exact()},
            "drift": None if done.drift is None else done.drift.exact(),
            "superseded_by": None if later is None else rfc3339(later),
        }
    )


def _print_checkpoint(
    app: App, account: str, amount: Money, at: datetime, done: Checkpointed
) -> None:
    zone = app.configuration.zone
    say(f"{account}: {amount} at {at.astimezone(zone):%Y-%m-%d %H:%M %Z}")
    if done.derived is None or done.drift is None:
        say("the first balance of this account: nothing to compare it with", "dim")
    elif done.drift:
        more = "more" if done.drift.nanos > 0 else "less"
        drift = done.drift if done.drift.nanos > 0 else -done.drift
        say(f"drift: {drift} {more} than the {done.expected} derived for that instant")
    else:
        say("drift: none, it is what was derived for that instant")
    if done.superseded_by is not None:
        later = f"{done.superseded_by.astimezone(zone):%Y-%m-%d %H:%M %Z}"
        say(f"the balance stated for {later} is later, and goes on to count")


def void(options: Options) -> int:
    """Take back a balance that was stated."""
    from spendguard.core.ledger import Kind

    return void_entry(options, frozenset({Kind.CHECKPOINT}))
