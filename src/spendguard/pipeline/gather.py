"""Gather: what the database knows, as the facts that rules look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from spendguard.core.accounts import Account, Budget, Card
from spendguard.core.burn import burn
from spendguard.core.cards import held, latest_statement
from spendguard.core.charges import Charge, Outcome, Strikes
from spendguard.core.charges import strikes as count_strikes
from spendguard.core.errors import ErrorKind
from spendguard.core.facts import (
    AccountFacts,
    Burn,
    CardFacts,
    ChannelUse,
    CreditSeen,
    GuardFacts,
    Health,
    Payer,
    Standing,
    Witness,
)
from spendguard.core.inference import proven_at, stopped_at
from spendguard.core.ledger import DaySpend, Entry, Kind, Position, derive, latest_checkpoint
from spendguard.core.money import Amount, Money
from spendguard.core.recharge import Course, next_charge
from spendguard.core.reconcile import Books, reconcile
from spendguard.core.windows import DAY, utc_day, utc_month
from spendguard.pipeline.ceilings import budget_uses, limit_uses, setting_changes
from spendguard.store import alerts, cards, due, ledger, mails, outbox, readings, scopes
from spendguard.store.alerts import Stored
from spendguard.store.connect import Tx
from spendguard.store.ledger import Stated

LOOK_BACK = DAY * 60
LATE_CUT_OFF = Amount.parse("2.00")  # where the configuration says nothing of recharge
LEAST, MOST = Amount.parse("5.00"), Amount.parse("50.00")  # what can be bought at once
ASKING = frozenset({"recharge-missing", "recharge-unexpected", "checkpoint-stale"})


@dataclass(frozen=True, slots=True)
class Plan:
    """What the configuration says of an account, as far as facts depend on it.

    `mailboxes` are those that would show a charge of it, each with the age at which its last
    reading proves nothing any more; `grace` is that of recharge-missing.
    """

    account: Account
    budgets: tuple[Budget, ...]
    zone: ZoneInfo
    states_balance: bool = False
    mailboxes: Mapping[str, timedelta] = field(default_factory=dict)
    grace: timedelta = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Known:
    """What the database knows of an account, before any rule looks at it."""

    plan: Plan
    row: Any
    books: Books
    days: tuple[DaySpend, ...]  # the last weeks
    position: Position | None  # None too while usage contradicts what was derived
    costs_read: bool
    proven_at: datetime | None  # since when it does

    @property
    def name(self) -> str:
        """The name of the account."""
        return self.plan.account.name


def know(tx: Tx, plan: Plan, now: datetime) -> Known:
    """Read what is known of an account inside the caller's transaction."""
    account = plan.account
    row = due.load(tx, account.name)
    books = reconcile(ledger.live(tx, row.id))
    days, _ = readings.day_spend(tx, row.id, account.currency, now - LOOK_BACK)
    stated = latest_checkpoint(books.entries)
    return Known(
        plan,
        row,
        books,
        tuple(days),
        None if books.proofs else position_at(tx, row, books.entries, now, levels=_levels(account)),
        stated is not None and _costs_read(row, stated.at),
        books.proofs[-1].at if books.proofs else None,
    )


def infer(tx: Tx, known: Known, now: datetime) -> Known:
    """Enter the credit that usage proves, where nobody told of any, and return what is known then."""
    if known.position is None or not known.costs_read or known.plan.states_balance:
        return known
    beyond = known.position.under.get(-_overdraft(known.plan.account))
    proven = proven_at(beyond, known.days)
    if proven is None:
        return known
    stated = Stated(
        Kind.DEPOSIT, None, proven, source="inferred", currency=known.plan.account.currency
    )
    ledger.record(tx, known.row.id, stated, now)
    return know(tx, known.plan, now)


def _levels(account: Account) -> tuple[Money, ...]:
    exhausted = -_overdraft(account)
    return (exhausted,) if account.recharge is None else (account.recharge.trigger, exhausted)


def _overdraft(account: Account) -> Money:
    if account.recharge is None:
        return LATE_CUT_OFF.of(account.currency)
    return account.recharge.overdraft


def course(known: Known, strikes: Strikes, now: datetime) -> Course | None:
    """Return how the balance goes on from here, None while it is not known."""
    position, account = known.position, known.plan.account
    if position is None or not known.costs_read:
        return None
    rate = _burn(known, now)
    month = utc_month(now)
    came = (one for one in _succeeded(known) if one.at in month and one.amount is not None)
    recharged = sum(one.amount.nanos for one in came if one.amount is not None)
    return Course(
        account=account.name,
        at=position.as_of,
        balance=position.floor,
        per_day=None if rate is None else rate.per_day,
        recharged=Money(recharged, account.currency),
        least=account.topup_min or LEAST.of(account.currency),
        most=account.topup_max or MOST.of(account.currency),
        retried=strikes.own(account.name) > 0,
    )


def _succeeded(known: Known) -> list[Charge]:
    return [one for one in known.books.charges if one.outcome is Outcome.SUCCEEDED]


def _burn(known: Known, now: datetime, look_back: int = 7) -> Burn | None:
    read = [day for day in known.days if _complete(known.row, day) or now in day.day]
    return burn(read, now, look_back)


def payer(known: Known, card: Card, here: Course | None) -> Payer:
    """Return an account as its card sees it; where currencies differ its charges are not known."""
    account = known.plan.account
    return Payer(
        account.name, account.recharge, here if account.currency == card.currency else None
    )


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
    return CardFacts(
        now=now,
        card=card,
        balance=held(card, stated, charged),
        stated_at=None if stated is None else stated.at,
        strikes=count_strikes(charged, card.strikes_to_ban),
        payers=tuple(payers),
        standing={key: _standing(stored) for key, stored in standing.items()},
        ledger_changed=changed,
    )


def account_facts(
    tx: Tx,
    known: Known,
    strikes: Strikes,
    here: Course | None,
    standing: Mapping[tuple[str, str], Stored],
    now: datetime,
    *,
    card_short: bool,
    changed: bool,
) -> AccountFacts:
    """Return everything that is known of an account, read inside the caller's transaction."""
    plan, row = known.plan, known.row
    account, model = plan.account, plan.account.recharge
    position = known.position
    due_since = _due_since(known)
    usual = _burn(known, now, 14)
    return AccountFacts(
        now=now,
        account=account.name,
        currency=account.currency,
        polls=due.polls(row),
        states_balance=plan.states_balance,
        recharge=model,
        position=position,
        costs_read=known.costs_read,
        burn=_burn(known, now),
        card=account.card,
        card_short=card_short,
        strikes=strikes,
        charges=tuple(one for one in known.books.charges if now - one.at < DAY * 35),
        confirmed_at=max(
            (one.at for one in _succeeded(known) if one.source != "manual"), default=None
        ),
        next_charge=None
        if model is None or here is None or strikes.unusable
        else next_charge(model, here, now),
        due_since=due_since,
        overdue=due_since is not None and now - due_since > plan.grace,
        proven_at=known.proven_at,
        stopped_at=stopped_at(position.floor, known.days, row.last_ok_at)
        if position is not None and known.costs_read
        else None,
        unexplained=_unexplained(tx, known, now),
        frequent_per_day=None if usual is None else usual.per_day,
        asked_at=alerts.last_said(tx, account.name, ASKING),
        budgets=tuple(
            use for budget in plan.budgets for use in budget_uses(tx, row, budget, plan.zone, now)
        ),
        limits=limit_uses(tx, row, now) if row.limits_known else None,
        changes=setting_changes(tx, row),
        own_key_known=row.own_key_known,
        own_key_expires_at=row.own_key_expires_at,
        standing={key: _standing(stored) for key, stored in standing.items()},
        ledger_changed=changed,
        **_witness(tx, plan, row, now),
    )


def _due_since(known: Known) -> datetime | None:
    """Return since when a recharge is due: the floor is under the trigger, and no charge came."""
    model, position = known.plan.account.recharge, known.position
    if model is None or not model.enabled or position is None:
        return None
    since = position.under.get(model.trigger)
    if since is None:
        return None
    return max(since, max((one.at for one in known.books.charges), default=since))


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


def position_at(
    tx: Tx,
    row: Any,
    entries: Sequence[Entry],
    now: datetime,
    at: datetime | None = None,
    levels: Sequence[Money] = (),
) -> Position | None:
    """Return the derived balance, None without a checkpoint or where currencies would mix."""
    stated = latest_checkpoint(entry for entry in entries if at is None or entry.at <= at)
    if stated is None:
        return None
    since = min(entry.at for entry in entries)
    days, _ = readings.day_spend(tx, row.id, row.currency, since)
    _, foreign = readings.day_spend(tx, row.id, row.currency, stated.at)
    if foreign or any(entry.amount.currency != row.currency for entry in entries):
        return None
    late = readings.late_spend(tx, row.id, row.currency, stated.at)
    as_of = max(stated.at, row.last_ok_at) if row.last_ok_at else stated.at
    return derive(entries, days, now, as_of=min(as_of, now), late=late, at=at, levels=levels)


def _costs_read(row: Any, stated_at: datetime) -> bool:
    read_from, last_ok_at = row.read_from, row.last_ok_at
    return (
        last_ok_at is not None
        and last_ok_at >= stated_at
        and read_from is not None
        and read_from <= utc_day(stated_at).start
    )


def _complete(row: Any, day: DaySpend) -> bool:
    return row.last_ok_at is not None and bool(day.day.end <= row.last_ok_at)


def _standing(stored: Stored) -> Standing:
    alert = stored.alert
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
        standing={key: _standing(stored) for key, stored in standing.items()},
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
