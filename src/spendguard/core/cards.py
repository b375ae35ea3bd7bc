"""Cards: what a card holds, and what the coming charges of all its accounts need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from spendguard.core.accounts import Card, Recharge
from spendguard.core.charges import Charge, Outcome
from spendguard.core.facts import Payer
from spendguard.core.money import NANOS, Money
from spendguard.core.outlook import Outlook, train
from spendguard.core.rates import rate_between
from spendguard.core.recharge import Coming, Course, charges, tries

CENT = NANOS // 100


@dataclass(frozen=True, slots=True)
class Statement:
    """What a card held, as somebody stated it."""

    id: str
    card: str
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class Need:
    """What a card must hold for charges: each with tax, one verification hold and one margin."""

    amount: Money
    charges: tuple[Coming, ...]
    hold: Money
    margin: Money


def taxed(amount: Money, percent: str) -> Money:
    """Return what is taken from the card for a credit: tax included, rounded up to the cent."""
    part, whole = _share(percent)
    return Money(-(-amount.nanos * part // (whole * CENT)) * CENT, amount.currency)


def exchanged(card: Card, amount: Money) -> Money | None:
    """Return an amount in the currency of a card, rounded up to the cent where it has another.

    None where no rate is stated.
    """
    rate = rate_between(card.rates, amount.currency, card.currency)
    if rate is None or amount.currency == card.currency:
        return None if rate is None else amount
    return Money(-(-amount.nanos * rate[0] // (rate[1] * CENT)) * CENT, card.currency)


def taken(card: Card, amount: Money) -> Money | None:
    """Return what is taken from a card for a credit, with tax; None where no rate is stated."""
    return exchanged(card, taxed(amount, card.tax_percent))


def _taken(card: Card, amount: Money) -> Money:
    gross = taken(card, amount)
    if gross is None:
        raise ValueError(f"no rate is stated between {amount.currency} and {card.currency}")
    return gross


def untaxed(amount: Money, percent: str) -> Money | None:
    """Return the credit that a gross amount paid, None where no whole cent gives just that."""
    part, whole = _share(percent)
    credit = Money(amount.nanos * whole // (part * CENT) * CENT, amount.currency)
    return credit if taxed(credit, percent) == amount else None


@lru_cache(maxsize=32)
def _share(percent: str) -> tuple[int, int]:
    """Return what a credit is multiplied with, and divided by, to add the tax exactly."""
    tax, whole = Decimal(percent).as_integer_ratio()
    return 100 * whole + tax, 100 * whole


def latest_statement(statements: Iterable[Statement]) -> Statement | None:
    """Return the statement that counts: the latest by its instant, then by entry."""
    return max(statements, key=lambda one: (one.at, int(one.id)), default=None)


def held(card: Card, stated: Statement | None, charges: Iterable[Charge]) -> Money | None:
    """Return what is on the card, None while that is unknown.

    It is the last stated amount, less every succeeded charge dated after it, tax included; one
    in a currency without a stated rate cannot be taken off.
    """
    if stated is None or stated.amount.currency != card.currency:
        return None
    left = stated.amount
    for charge in charges:
        if charge.outcome is not Outcome.SUCCEEDED or charge.at <= stated.at:
            continue
        gross = None if charge.amount is None else taken(card, charge.amount)
        if gross is None:
            return None
        left -= gross
    return left


def coming(
    payers: Iterable[Payer], now: datetime, until: datetime
) -> tuple[tuple[Coming, ...], bool]:
    """Return the charges that are expected until then, and whether that is all that can come.

    An account without recharge settings, or without a known course, may charge what nobody
    foresees.
    """
    found: list[Coming] = []
    complete = True
    for payer in payers:
        expected: tuple[Coming, ...] | None = None
        if payer.recharge is not None and not payer.recharge.enabled:
            expected = ()
        elif payer.recharge is not None and payer.course is not None:
            expected = _of(payer.recharge, payer.course, payer.outlook, now, until)
        complete = complete and expected is not None
        found += expected or ()
    return tuple(sorted(found, key=_order)), complete


def _of(
    model: Recharge, course: Course, outlook: Outlook | None, now: datetime, until: datetime
) -> tuple[Coming, ...] | None:
    if outlook is None:
        return charges(model, course, now, until)
    return train(model, outlook, now, until, cautious=True)


def pays_all(
    card: Card, balance: Money, payers: Iterable[Payer], now: datetime, until: datetime
) -> bool:
    """Tell whether a card pays all that is known to come until then; when does not matter here."""
    wanted = Money.zero(card.currency)
    for payer in payers:
        if payer.recharge is None or payer.course is None:
            continue
        leading = payer.course if payer.outlook is None else payer.outlook.early
        amounts = Counter(nanos for _, nanos in tries(payer.recharge, leading, now, until) or ())
        for nanos, times in amounts.items():
            wanted += _taken(card, Money(nanos, leading.currency)).part(times, 1)
    return not wanted or balance >= wanted + card.verification_hold + card.margin


def _order(one: Coming) -> tuple[datetime, datetime, str]:
    return one.soonest, one.at, one.account


def need(card: Card, expected: Sequence[Coming]) -> Need:
    """Return what the card must hold for these charges; nothing where there are none."""
    ordered = tuple(sorted(expected, key=_order))
    total = Money.zero(card.currency)
    for charge in ordered:
        total += _taken(card, charge.amount)
    if ordered:
        total += card.verification_hold + card.margin
    return Need(total, ordered, card.verification_hold, card.margin)


def first_unpaid(
    card: Card, balance: Money, wanted: Need, account: str | None = None
) -> Coming | None:
    """Return the first charge, of an account or of any, that the card cannot pay.

    Hold and margin are left on it.
    """
    left = balance - wanted.hold - wanted.margin
    for charge in wanted.charges:
        left -= _taken(card, charge.amount)
        if left.nanos < 0 and account in (None, charge.account):
            return charge
    return None
