"""The billing machine: credit in lots, the late cut-off, spend limits, recharges, cards and bans.

What happens to an account or a card is told as events, in any order; they are played in the order
of time. So the true balance is known at every instant, whoever asks and however often.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from spendguard.core.money import Money
from spendguard.core.world_account import (
    NEVER,
    Event,
    Held,
    Lot,
    Purchase,
    Recharging,
    Retry,
    Spending,
    SpendLimit,
    Standing,
    State,
    Terms,
    check,
    enforced,
)
from spendguard.core.world_card import (
    CardEvent,
    CardState,
    CardTerms,
    Charged,
    Declining,
    Filling,
    Holding,
    check_card,
)
from spendguard.core.world_timeline import Timeline

__all__ = [
    "NEVER",
    "Billing",
    "CardEvent",
    "CardState",
    "CardTerms",
    "Charged",
    "Declining",
    "Event",
    "Filling",
    "Funding",
    "Held",
    "Holding",
    "Lot",
    "Purchase",
    "Recharging",
    "Retry",
    "SpendLimit",
    "Spending",
    "Standing",
    "State",
    "Terms",
]


class Funding:
    """One card's funding of its accounts: tell it events, ask it for any instant."""

    def __init__(self, terms: CardTerms) -> None:
        self.terms = terms
        self.timeline = Timeline(terms)

    def add(self, event: CardEvent) -> None:
        """Take an event of any instant; what was already played after it is played again.

        Raises:
            ValueError: when the amount is negative, or of another currency than the card.
        """
        check_card(event, self.terms.currency)
        self.timeline.tell(event, None)

    def state(self, at: datetime) -> CardState:
        """Return the card as it truly is at an instant."""
        return self.timeline.card_state(at)

    def balance(self, at: datetime) -> Money:
        """Return what the card holds at an instant."""
        return Money(self.state(at).left, self.terms.currency)

    def strikes(self, at: datetime) -> int:
        """Return the failed charges in a row, over all accounts of the card."""
        return self.state(at).strikes

    def banned(self, at: datetime) -> bool:
        """Tell whether the card is unusable, for all its accounts."""
        return self.state(at).banned_at is not None

    def charges(self, until: datetime) -> tuple[Charged, ...]:
        """Return every charge of the card up to and at an instant, in the order of time."""
        return tuple(self.timeline.charged(until))


class Billing:
    """One account's billing: tell it events, ask it for any instant.

    Accounts of one funding share its card; each has a name there.
    """

    def __init__(self, terms: Terms, *, name: str = "", funding: Funding | None = None) -> None:
        self.terms = terms
        self.name = name
        self.funding = funding
        self._timeline = funding.timeline if funding else Timeline()
        self._timeline.join(name, terms)

    @property
    def version(self) -> int:
        """A number that grows with each event, so that what is derived can be kept until then."""
        return self._timeline.version

    def add(self, event: Event) -> None:
        """Take an event of any instant; what was already played after it is played again.

        Raises:
            ValueError: when the amount is negative, or of another currency than the account, or
                when there is no card to charge.
        """
        check(event, self.terms.currency)
        if self.funding is None and isinstance(event, Recharging | Purchase | Retry):
            raise ValueError("the account has no card")
        self._timeline.tell(event, self.name)

    def state(self, at: datetime) -> State:
        """Return the account as it truly is at an instant."""
        return self._timeline.state(self.name, at)

    def balance(self, at: datetime) -> Money:
        """Return the true balance at an instant."""
        return Money(self.state(at).balance, self.terms.currency)

    def limit(self, at: datetime, project: str = "") -> Money | None:
        """Return the spend limit of a project, or of all, None when there is none."""
        nanos = self.state(at).limits.get(project)
        return None if nanos is None else Money(nanos, self.terms.currency)

    def enforcing(self, at: datetime, project: str = "") -> bool:
        """Tell whether the limit of a project, or of all, refuses usage at an instant."""
        return enforced(self.state(at), at, project, self.terms)

    def spent(self) -> Iterator[tuple[Spending, int]]:
        """Yield each spending in the order of time, with the nanos of it that were let through."""
        return self._timeline.spent(self.name)

    def charges(self, until: datetime) -> tuple[Charged, ...]:
        """Return the account's charges up to and at an instant, in the order of time."""
        return tuple(one for one in self._timeline.charged(until) if one.account == self.name)

    def strikes(self, at: datetime) -> int:
        """Return the account's own failed charges in a row with its card."""
        return self.state(at).standing.strikes

    def banned(self, at: datetime) -> bool:
        """Tell whether the provider refuses all usage since a charge too many failed."""
        return self.state(at).standing.banned_at is not None
