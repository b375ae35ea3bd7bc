"""A card a driver holds: what is on it, what its bank declines, and whose account it pays."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from threading import RLock

from spendguard.core.money import Money
from spendguard.core.world import CardTerms, Charged, Declining, Filling, Funding, Holding


class Card:
    """One card, given to the worlds whose accounts it pays; it begins empty.

    Its worlds are one world in all that the card decides, so they also share its lock.
    """

    def __init__(
        self,
        name: str,
        *,
        currency: str = "USD",
        tax_percent: str = "0",
        strikes_to_ban: int = 2,
    ) -> None:
        self.name = name
        self.lock = RLock()
        terms = CardTerms(name, currency, Decimal(tax_percent), strikes_to_ban)
        self.funding = Funding(terms)

    @property
    def last4(self) -> str:
        """The digits that mails show: those of its name."""
        return "".join(filter(str.isdecimal, self.name))[-4:].rjust(4, "0")

    def hold(self, at: datetime, amount: Money | str) -> None:
        """Let the card hold exactly this from an instant on."""
        with self.lock:
            self.funding.add(Holding(at, self._money(amount)))

    def fill(self, at: datetime, amount: Money | str) -> None:
        """Put money on the card."""
        with self.lock:
            self.funding.add(Filling(at, self._money(amount)))

    def decline(self, at: datetime, charges: int = 1) -> None:
        """Let the bank decline the next charges, whatever the card holds."""
        with self.lock:
            self.funding.add(Declining(at, charges))

    def balance_at(self, instant: datetime) -> Money:
        """Return what the card truly holds at an instant."""
        with self.lock:
            return self.funding.balance(instant)

    def charges_until(self, instant: datetime) -> tuple[Charged, ...]:
        """Return the charges of all its accounts up to and at an instant, in the order of time."""
        with self.lock:
            return self.funding.charges(instant)

    def strikes_at(self, instant: datetime) -> int:
        """Return its failed charges in a row, over all accounts."""
        with self.lock:
            return self.funding.strikes(instant)

    def banned_at(self, instant: datetime) -> bool:
        """Tell whether it is unusable for all its accounts at an instant."""
        with self.lock:
            return self.funding.banned(instant)

    def _money(self, amount: Money | str) -> Money:
        currency = self.funding.terms.currency
        return amount if isinstance(amount, Money) else Money.parse(amount, currency)
