"""The timeline: what was told of a card and of all its accounts, played in the order of time.

Accounts that share a card are played together, since a charge of one decides whether there is
money for the next. An account without a card has a timeline of its own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from spendguard.core.world_account import (
    Event,
    Lot,
    Purchase,
    Recharging,
    Retry,
    Spending,
    SpendLimit,
    State,
    Terms,
    pass_time,
    step,
)
from spendguard.core.world_card import (
    PAR,
    CardEvent,
    CardState,
    CardTerms,
    Charged,
    Declining,
    Filling,
    Holding,
    step_card,
)
from spendguard.core.world_recharge import Account, charge, settle, wakes

# At one instant: money first, then what may charge it. A retry comes before what may fail, so
# that it never tries again what failed at its own instant.
ORDER = (Holding, Filling, Declining, Lot, SpendLimit, Retry, Recharging, Purchase, Spending)
RANK = {kind: rank for rank, kind in enumerate(ORDER)}


@dataclass(frozen=True, slots=True)
class Told:
    """An event, the account it happens to (None is the card), and its place in the order of time."""

    event: Event | CardEvent
    account: str | None
    turn: tuple[datetime, int, str]


@dataclass(frozen=True, slots=True)
class Moment:
    """A card and its accounts after an event, and what came of it: usage let through, charges."""

    accounts: Mapping[str, State]
    card: CardState
    taken: int = 0
    charged: tuple[Charged, ...] = ()


BEFORE = Moment({}, CardState())


class Machine:
    """A card and its accounts as a machine: a moment and what happens give the next moment."""

    def __init__(self, card: CardTerms | None = None) -> None:
        self.card = card
        self._terms: dict[str, Terms] = {}

    def join(self, name: str, terms: Terms) -> None:
        """Let an account pay with the card.

        Raises:
            ValueError: when another account has this name, or the card another currency.
        """
        if name in self._terms:
            raise ValueError(f"two accounts called {name!r} share a card")
        if self.card and self.card.currency != terms.currency and terms.rate == PAR:
            raise ValueError(f"the card is in {self.card.currency}, not {terms.currency}")
        self._terms[name] = terms

    def wait(self, moment: Moment, until: datetime, *, inclusive: bool = False) -> Moment:
        """Let time pass since an event: credit expires, a month begins, a charge is retried."""
        moment = Moment(moment.accounts, moment.card)
        while self.card and moment.accounts:
            at, name = min((wakes(one, moment.card), name) for name, one in moment.accounts.items())
            if at > until or (at == until and not inclusive):
                break
            moment = self._settle(moment, name, pass_time(moment.accounts[name], at))
        return moment

    def happen(self, moment: Moment, told: Told) -> Moment:
        """Return the moment after an event, with what it charged and let through."""
        event, name = told.event, told.account
        if isinstance(event, Holding | Filling | Declining):
            return replace(moment, card=step_card(moment.card, event))
        if name is None:
            raise TypeError("only a card's event happens to no account")
        before = pass_time(moment.accounts.get(name, State(event.at)), event.at)
        state, taken = step(before, event, self._terms[name])
        if isinstance(event, Purchase):
            moment, state = self._buy(moment, name, state, event)
        return self._settle(moment, name, state, taken)

    def _buy(
        self, moment: Moment, name: str, state: State, event: Purchase
    ) -> tuple[Moment, State]:
        """Charge the card by hand; a banned account cannot even try."""
        if state.standing.banned_at or self.card is None:
            return moment, state
        account = Account(name, self._terms[name], self.card)
        nanos = event.amount.nanos
        state, card, one = charge(account, state, moment.card, nanos, automatic=False)
        return replace(moment, card=card, charged=(*moment.charged, one)), state

    def _settle(self, moment: Moment, name: str, state: State, taken: int = 0) -> Moment:
        charged, card = moment.charged, moment.card
        if self.card:
            account = Account(name, self._terms[name], self.card)
            state, card, new = settle(account, state, card)
            charged = (*charged, *new)
        return Moment({**moment.accounts, name: state}, card, taken, charged)


class Timeline:
    """Events of a card and its accounts, told in any order and played in that of time."""

    def __init__(self, card: CardTerms | None = None) -> None:
        self._machine = Machine(card)
        self.version = 0  # grows with each event, so that what is derived can be kept until then
        self._told: list[Told] = []
        self._trail: list[Moment] = []

    def join(self, name: str, terms: Terms) -> None:
        """Let an account pay with the card.

        Raises:
            ValueError: when another account has this name, or the card another currency.
        """
        self._machine.join(name, terms)

    def tell(self, event: Event | CardEvent, account: str | None) -> None:
        """Take an event of any instant; what was already played after it is played again."""
        told = Told(event, account, (event.at, RANK[type(event)], account or ""))
        place = bisect_right(self._told, told.turn, key=lambda one: one.turn)
        self._told.insert(place, told)
        del self._trail[place:]
        self.version += 1

    def state(self, account: str, at: datetime) -> State:
        """Return an account as it truly is at an instant."""
        return pass_time(self._at(at).accounts.get(account, State(at)), at)

    def card_state(self, at: datetime) -> CardState:
        """Return the card as it truly is at an instant."""
        return self._at(at).card

    def charged(self, until: datetime) -> Iterator[Charged]:
        """Yield every charge up to and at an instant, in the order of time."""
        last = self._at(until)
        for moment in (*self._trail[: self._count(until)], last):
            yield from moment.charged

    def spent(self, account: str) -> Iterator[tuple[Spending, int]]:
        """Yield each spending of an account, with the nanos of it that were let through."""
        self._play(len(self._told))
        for told, moment in zip(self._told, self._trail, strict=True):
            if isinstance(told.event, Spending) and told.account == account:
                yield told.event, moment.taken

    def _count(self, at: datetime) -> int:
        return bisect_right(self._told, at, key=lambda one: one.event.at)

    def _at(self, at: datetime) -> Moment:
        """Return the moment of an instant, with only the charges since the last event."""
        count = self._count(at)
        self._play(count)
        return self._machine.wait(self._trail[count - 1] if count else BEFORE, at, inclusive=True)

    def _play(self, count: int) -> None:
        moment = self._trail[-1] if self._trail else BEFORE
        for told in self._told[len(self._trail) : count]:
            moment = self._machine.happen(self._machine.wait(moment, told.event.at), told)
            self._trail.append(moment)
