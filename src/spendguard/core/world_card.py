"""A card as values: what it holds, when its bank declines, and what a charge does to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from spendguard.core.money import NANOS, Money

CENT = NANOS // 100
Rate = tuple[int, int]
"""By what an amount is multiplied, and divided, to have it in the card's currency."""
PAR: Rate = (1, 1)


@dataclass(frozen=True, slots=True)
class CardTerms:
    """What a card is called, what tax its charges bear, and how many strikes ban it."""

    name: str
    currency: str = "USD"
    tax_percent: Decimal = Decimal(0)
    strikes_to_ban: int = 2

    def taken(self, nanos: int, rate: Rate = PAR) -> int:
        """Return what a charge takes from the card: tax included, rounded up to the cent.

        In another currency than the card's it is rounded there too, as `rate` has it.
        """
        gross = whole_cents(nanos * (100 + Fraction(self.tax_percent)) / 100)
        return gross if rate == PAR else whole_cents(gross * Fraction(*rate))


@dataclass(frozen=True, slots=True)
class Holding:
    """The card holds exactly this from an instant on."""

    at: datetime
    amount: Money


@dataclass(frozen=True, slots=True)
class Filling:
    """Money is added to the card."""

    at: datetime
    amount: Money


@dataclass(frozen=True, slots=True)
class Declining:
    """The bank declines the next charges, whatever the card holds; 0 ends an earlier one."""

    at: datetime
    charges: int


CardEvent = Holding | Filling | Declining


@dataclass(frozen=True, slots=True)
class CardState:
    """A card after all that happened to it. A card that nobody filled holds nothing."""

    left: int = 0
    declines: int = 0
    strikes: int = 0
    banned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Charged:
    """A charge that was tried: the credit it was for, and what it took or would have taken.

    `strikes` is the worse of the card's and of the account's with the card, after it.
    """

    at: datetime
    account: str
    amount: Money
    succeeded: bool
    card: str
    strikes: int
    paid: Money
    automatic: bool = True


def whole_cents(nanos: int | Fraction) -> int:
    """Return nanos rounded up to the cent."""
    return -(-nanos // CENT) * CENT


def check_card(event: CardEvent, currency: str) -> None:
    """Refuse what cannot happen to a card of a currency.

    Raises:
        ValueError: for a negative amount or number, or another currency.
    """
    if isinstance(event, Declining):
        if event.charges < 0:
            raise ValueError("a negative number of charges")
        return
    if event.amount.currency != currency:
        raise ValueError(f"the card is in {currency}, not {event.amount.currency}")
    if event.amount.nanos < 0:
        raise ValueError("a negative amount")


def step_card(card: CardState, event: CardEvent) -> CardState:
    """Return the card after an event."""
    if isinstance(event, Declining):
        return replace(card, declines=event.charges)
    if isinstance(event, Holding):
        return replace(card, left=event.amount.nanos)
    return replace(card, left=card.left + event.amount.nanos)


def pays(card: CardState, taken: int) -> bool:
    """Tell whether a charge that takes so much would succeed."""
    return card.banned_at is None and not card.declines and card.left >= taken


def paid(card: CardState, taken: int) -> CardState:
    """Return the card after a charge that succeeded: its strikes are gone."""
    return replace(card, left=card.left - taken, strikes=0)


def refused(card: CardState) -> CardState:
    """Return the card after a charge that failed."""
    return replace(card, declines=max(0, card.declines - 1), strikes=card.strikes + 1)
