"""Gather: what is known, as the facts that rules look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from spendguard.core.accounts import Card
from spendguard.core.alerts import Alert
from spendguard.core.cards import held, latest_statement
from spendguard.core.charges import Charge, Strikes
from spendguard.core.charges import strikes as count_strikes
from spendguard.core.errors import ErrorKind
from spendguard.core.facts import (
    AccountFacts,
    CardFacts,
    ChannelUse,
    CreditSeen,
    GuardFacts,
    Health,
    Payer,
    Standing,
    Witness,
)
from spendguard.core.money import Money
from spendguard.core.outlook import Outlook
from spendguard.core.rates import rate_between
from spendguard.core.recharge import Course
from spendguard.core.windows import DAY
from spendguard.pipeline.ceilings import budget_uses, limit_uses, setting_changes
from spendguard.pipeline.known import Known, Plan, burn_of, succeeded, usage_stopped_at
from spendguard.pipeline.watch import newcomers, stale_since, unpriced_since, usage_facts
from spendguard.store import alerts, cards, due, mails, outbox, scopes
from spendguard.store.alerts import Stored
from spendguard.store.connect import Tx

Standings = Mapping[tuple[str, str], Standing]
ASKING = frozenset({"recharge-missing", "recharge-unexpected", "checkpoint-stale"})


def payer(known: Known, card: Card, here: Course | None, outlook: Outlook | None = None) -> Payer:
    """Return an account as its card sees it; its charges are not known without a rate for them."""
    account = known.plan.account
    if rate_between(card.rates, account.currency, card.currency) is None:
        here = outlook = None
    return Payer(account.name, account.recharge, here, outlook)


def card_facts(
    tx: Tx,
    card: Card,
    charged: Sequence[Charge],
    payers: Sequence[Payer],
    standing: Mapping[tuple[str, str], Stored],
    now: datetime,
    *,
    changed: bool,
) -> CardFacts:
    """Return everything that is known of a card, read inside the caller's transaction."""
    stated = latest_statement(cards.statements(tx, card.name))
    return card_known(
        card,
        None if stated is None else stated.at,
        held(card, stated, charged),
        charged,
        payers,
        _standings(standing),
        now,
        changed=changed,
    )


def card_known(
    card: Card,
    stated_at: datetime | None,
    balance: Money | None,
    charged: Sequence[Charge],
    payers: Sequence[Payer],
    standing: Standings,
    now: datetime,
    *,
    changed: bool,
) -> CardFacts:
    """Return the facts of a card out of what it holds and what was charged."""
    return CardFacts(
        now=now,
        card=card,
        balance=balance,
        stated_at=stated_at,
        strikes=count_strikes(charged, card.strikes_to_ban),
        payers=tuple(payers),
        standing=standing,
        ledger_changed=changed,
    )


def account_facts(
    tx: Tx,
    known: Known,
    strikes: Strikes,
    standing: Mapping[tuple[str, str], Stored],
    now: datetime,
    *,
    card_short: bool,
    changed: bool,
) -> AccountFacts:
    """Return everything that is known of an account, read inside the caller's transaction."""
    plan, row = known.plan, known.row
    return account_known(
        known,
        strikes,
        _standings(standing),
        now,
        card_short=card_short,
        changed=changed,
        polls=due.polls(row),
        unexplained=_unexplained(tx, known, now),
        asked_at=alerts.last_said(tx, known.name, ASKING),
        budgets=tuple(
            use for budget in plan.budgets for use in budget_uses(tx, row, budget, plan.zone, now)
        ),
        limits=limit_uses(tx, row, now) if row.limits_known else None,
        changes=setting_changes(tx, row),
        usage=usage_facts(tx, row, now),
        newcomers=newcomers(tx, row, now),
        unpriced=0
        if known.position is None
        else unpriced_since(tx, row, known.position.checkpoint.at),
        stale_since=stale_since(tx, row, now),
        own_key_known=row.own_key_known,
        own_key_expires_at=row.own_key_expires_at,
        **_witness(tx, plan, row, now),
    )


def account_known(
    known: Known,
    strikes: Strikes,
    standing: Standings,
    now: datetime,
    *,
    card_short: bool,
    changed: bool,
    **beside: Any,
) -> AccountFacts:
    """Return the facts of an account: what follows from its ledger and its costs, and others."""
    account, model = known.plan.account, known.plan.account.recharge
    position = known.position
    due_since = _due_since(known)
    usual = burn_of(known, now, 14)
    return AccountFacts(
        now=now,
        account=account.name,
        currency=account.currency,
        states_balance=known.plan.states_balance,
        recharge=model,
        position=position,
        costs_read=known.costs_read,
        burn=burn_of(known, now),
        card=account.card,
        card_short=card_short,
        strikes=strikes,
        charges=tuple(one for one in known.charges if now - one.at < DAY * 35),
        confirmed_at=max(
            (one.at for one in succeeded(known) if one.source != "manual"), default=None
        ),
        due_since=due_since,
        overdue=due_since is not None and now - due_since > known.plan.grace,
        proven_at=known.proven_at,
        stopped_at=usage_stopped_at(known),
        frequent_per_day=None if usual is None else usual.per_day,
        standing=standing,
        ledger_changed=changed,
        **beside,
    )


def _due_since(known: Known) -> datetime | None:
    """Return since when a recharge is due: the floor is under the trigger, and no charge came."""
    model, position = known.plan.account.recharge, known.position
    if model is None or not model.enabled or position is None:
        return None
    since = position.under.get(model.trigger)
    if since is None:
        return None
    return max(since, max((one.at for one in known.charges), default=since))


def _unexplained(tx: Tx, known: Known, now: datetime) -> tuple[CreditSeen, ...]:
    accepted = known.row.credit_accepted_at

    def seen(recorded_at: datetime | None) -> bool:
        return accepted is not None and recorded_at is not None and bool(recorded_at <= accepted)

    found = [
        CreditSeen(one.at, one.amount, one.source, accepted=seen(one.recorded_at))
        for one in known.books.unexplained
    ]
    found += [
        CreditSeen(
            mail.recorded_at,
            None if mail.nanos is None else Money(mail.nanos, mail.currency),
            "mail",
            accepted=seen(mail.recorded_at),
            forged=True,
        )
        for mail in mails.forged(tx, known.name, now)
    ]
    return tuple(sorted(found, key=lambda one: one.at))


def _witness(tx: Tx, plan: Plan, row: Any, now: datetime) -> dict[str, Any]:
    """Return whether some source would show a charge of the account, and how it does."""
    if plan.states_balance:
        healthy = row.failures == 0 and row.last_ok_at is not None
        return {"witness": Witness.HEALTHY if healthy else Witness.FAILING}
    rows = {name: mails.load(tx, name) for name in plan.mailboxes}
    if not rows:
        return {"witness": Witness.NONE}
    for name, box in rows.items():
        if not box.failures and box.last_ok_at and now - box.last_ok_at <= plan.mailboxes[name]:
            return {"witness": Witness.HEALTHY}
    worst = max(rows.values(), key=lambda box: int(box.failures))
    return {
        "witness": Witness.FAILING,
        "witness_error": None if worst.error_kind is None else ErrorKind(worst.error_kind),
        "witness_failing_since": worst.failing_since,
    }


def _standings(stored: Mapping[tuple[str, str], Stored]) -> Standings:
    return {key: standing_of(one.alert) for key, one in stored.items()}


def standing_of(alert: Alert) -> Standing:
    """Return what a rule may know of an alert that is open."""
    return Standing(alert.severity, alert.step, alert.level.rank, alert.since)


def guard_facts(
    tx: Tx,
    channel_errors: Mapping[str, str],
    standing: Mapping[tuple[str, str], Stored],
    now: datetime,
    disk_free: int | None,
    health: Health,
) -> GuardFacts:
    """Return what the guard knows of itself; `channel_errors` says which channels are unusable."""
    rows, owed = outbox.channel_rows(tx), outbox.owed_since(tx)
    return GuardFacts(
        now=now,
        channels=tuple(
            _channel(name, error, rows.get(name), owed.get(name))
            for name, error in channel_errors.items()
        ),
        latest_seen_at=scopes.latest(tx),
        disk_free=disk_free,
        standing=_standings(standing),
        health=health,
    )


def _channel(name: str, error: str, row: Any, owed: datetime | None) -> ChannelUse:
    return ChannelUse(
        name=name,
        usable=not error,
        owed_since=owed,
        refused=row is not None and row.refused_at is not None,
        lost_at=None if row is None else row.lost_at,
        error=error or ("" if row is None else row.error),
    )
