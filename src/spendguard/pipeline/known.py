"""Known: what the database knows of an account, its ledger and its days, and what follows from them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from spendguard.core.accounts import Account, Budget
from spendguard.core.burn import burn
from spendguard.core.charges import Charge, Outcome, Strikes
from spendguard.core.facts import Burn
from spendguard.core.inference import proven_at, proven_by_hour, stopped_at, stopped_by_hour
from spendguard.core.ledger import DaySpend, Entry, Kind, Position, derive, latest_checkpoint
from spendguard.core.money import Amount, Money
from spendguard.core.recharge import Course
from spendguard.core.reconcile import Books, TopUp, reconcile
from spendguard.core.windows import DAY, utc_day, utc_month
from spendguard.pipeline.estimated import (
    hours_used,
    last_days,
    late_beyond_usage,
    settle_split,
    splits,
    with_usage,
)
from spendguard.store import balances, due, ledger, readings
from spendguard.store.connect import Tx
from spendguard.store.ledger import Stated
from spendguard.store.usage import Used

LOOK_BACK = DAY * 60
LATE_CUT_OFF = Amount.parse("2.00")  # where the configuration says nothing of recharge
LEAST, MOST = Amount.parse("5.00"), Amount.parse("50.00")  # what can be bought at once


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
    hours: list[Used] | None = None  # the last days by the hour; None while usage is not known

    @property
    def name(self) -> str:
        """The name of the account."""
        return self.plan.account.name

    @property
    def charges(self) -> tuple[Charge, ...]:
        """Every charge; where the API states the balance, the recharges it shows are among them.

        It shows credit and no card: they count for what is due, never for strikes or a card.
        """
        model = self.plan.account.recharge
        if not self.plan.states_balance or model is None or not model.enabled:
            return self.books.charges
        shown = (top.chief for top in self.books.top_ups if _automatic(top))
        came = (
            Charge(one.id, self.name, None, one.amount, one.at, Outcome.SUCCEEDED, source="api")
            for one in shown
        )
        return (*self.books.charges, *came)


def _automatic(top: TopUp) -> bool:
    return "api" in top.sources and "manual" not in top.sources and top.charge is None


def know(tx: Tx, plan: Plan, now: datetime) -> Known:
    """Read what is known of an account inside the caller's transaction."""
    account = plan.account
    row = due.load(tx, account.name)
    books = reconcile(ledger.live(tx, row.id))
    days, _ = readings.day_spend(tx, row.id, account.currency, now - LOOK_BACK)
    stated = latest_checkpoint(books.entries)
    position = position_at(tx, row, books.entries, now, levels=levels(account))
    if plan.states_balance and position is not None:
        position = replace(position, under=_under(tx, row, position.under))
    return Known(
        plan,
        row,
        books,
        tuple(with_usage(tx, row, days, last_days(now))),
        None if books.proofs else position,
        stated is not None and _costs_read(row, stated.at),
        books.proofs[-1].at if books.proofs else None,
        hours_used(tx, row, now),
    )


def infer(tx: Tx, known: Known, now: datetime) -> Known:
    """Enter the credit that usage proves, where nobody told of any, and return what is known then."""
    settle_split(tx, known.row, known.books.entries)
    proven = credit_proven_at(known)
    if proven is None:
        return known
    stated = Stated(
        Kind.DEPOSIT, None, proven, source="inferred", currency=known.plan.account.currency
    )
    ledger.record(tx, known.row.id, stated, now)
    return know(tx, known.plan, now)


def _under(tx: Tx, row: Any, derived: Mapping[Money, datetime]) -> dict[Money, datetime]:
    """Return since when the stated balance is under each level: its checkpoint moves along."""
    return {
        level: balances.under_since(tx, row.id, level) or since for level, since in derived.items()
    }


def credit_proven_at(known: Known) -> datetime | None:
    """Return when usage proved that credit came which nobody told of, None while it does not."""
    if known.position is None or not known.costs_read or known.plan.states_balance:
        return None
    exhausted_at = known.position.under.get(-overdraft(known.plan.account))
    by_day = proven_at(exhausted_at, known.days)
    if known.hours is None:
        return by_day
    used = [one.at for one in known.hours if one.nanos or one.unpriced]
    by_hour = proven_by_hour(exhausted_at, used)
    return min((at for at in (by_hour, by_day) if at is not None), default=None)


def usage_stopped_at(known: Known) -> datetime | None:
    """Return since when the account, near zero, is not used any more."""
    position, row = known.position, known.row
    if position is None or not known.costs_read:
        return None
    if known.hours is None:
        return stopped_at(position.floor, known.days, row.last_ok_at)
    return stopped_by_hour(position.floor, [one.at for one in known.hours], row.usage_read_at)


def levels(account: Account) -> tuple[Money, ...]:
    """Return the levels of which it matters since when the floor is under them."""
    exhausted = -overdraft(account)
    return (exhausted,) if account.recharge is None else (account.recharge.trigger, exhausted)


def overdraft(account: Account) -> Money:
    """Return how far below zero the late cut-off lets usage run."""
    if account.recharge is None:
        return LATE_CUT_OFF.of(account.currency)
    return account.recharge.overdraft


def course(known: Known, strikes: Strikes, now: datetime) -> Course | None:
    """Return how the balance goes on from here, None while it is not known."""
    position, account = known.position, known.plan.account
    if position is None or not known.costs_read:
        return None
    rate = burn_of(known, now)
    month = utc_month(now)
    came = (one for one in succeeded(known) if one.at in month and one.amount is not None)
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


def succeeded(known: Known) -> list[Charge]:
    """Return the charges that succeeded."""
    return [one for one in known.charges if one.outcome is Outcome.SUCCEEDED]


def burn_of(known: Known, now: datetime, look_back: int = 7) -> Burn | None:
    """Return the burn by the days that were read whole, and today."""
    days, whole = known.days, _read_whole(known)
    today = [day for day in days[whole.stop :] if now in day.day]
    return burn([*days[whole], *today], now, look_back)


def position_at(
    tx: Tx,
    row: Any,
    entries: Sequence[Entry],
    now: datetime,
    at: datetime | None = None,
    levels: Sequence[Money] = (),
) -> Position | None:
    """Return the derived balance, None without a checkpoint or where currencies would mix.

    What an API states is true for its last poll, and what was spent until then is inside it.
    """
    stated = latest_checkpoint(entry for entry in entries if at is None or entry.at <= at)
    if stated is None:
        return None
    since = min(entry.at for entry in entries)
    days, _ = readings.day_spend(tx, row.id, row.currency, since)
    if stated.source == "api":
        days, entries = [], _confirmed(entries, stated, row.last_ok_at, at or now)
    _, foreign = readings.day_spend(tx, row.id, row.currency, stated.at)
    if foreign or any(entry.amount.currency != row.currency for entry in entries):
        return None
    late = None if stated.source == "api" else late_beyond_usage(tx, row, stated.at)
    as_of = max(stated.at, row.last_ok_at) if row.last_ok_at else stated.at
    return derive(
        entries,
        with_usage(tx, row, days, last_days(now)),
        now,
        as_of=min(as_of, now),
        late=late,
        at=at,
        levels=levels,
        splits=splits(tx, row, [entry for entry in entries if at is None or entry.at <= at]),
    )


def _confirmed(
    entries: Sequence[Entry], stated: Entry, read_at: datetime | None, until: datetime
) -> list[Entry]:
    """Return the entries with an API's checkpoint at the last poll, which said the same."""
    last = stated.at if read_at is None or read_at > until else max(stated.at, read_at)
    return [replace(entry, at=last) if entry is stated else entry for entry in entries]


def _costs_read(row: Any, stated_at: datetime) -> bool:
    read_from, last_ok_at = row.read_from, row.last_ok_at
    return (
        last_ok_at is not None
        and last_ok_at >= stated_at
        and read_from is not None
        and read_from <= utc_day(stated_at).start
    )


def _read_whole(known: Known) -> slice:
    """Return which days were read whole; what a balance fell by was not, before it was asked for."""
    days, row, first = known.days, known.row, 0
    if row.last_ok_at is None:
        return slice(0, 0)
    if known.plan.states_balance:
        first = bisect_left(days, row.first_ok_at, key=lambda day: day.day.start)
    return slice(first, bisect_right(days, row.last_ok_at, key=lambda day: day.day.end))
