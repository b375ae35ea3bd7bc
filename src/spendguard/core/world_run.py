"""A run: spend that is known beforehand, played forward through the billing machine, once.

Between two instants at which something can happen the machine only counts, so what was spent there
is taken in one piece: a year of minutes costs no more than its charges.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate

from spendguard.core.money import Money
from spendguard.core.windows import Window
from spendguard.core.world_account import NEVER, Event, Lot, Spending, State, Terms
from spendguard.core.world_card import CardEvent, CardState, CardTerms
from spendguard.core.world_recharge import wakes
from spendguard.core.world_timeline import RANK, Machine, Moment, Told

MICROSECOND = timedelta(microseconds=1)


class Kind(StrEnum):
    """What can happen to an account besides usage."""

    RECHARGED = "recharged"
    CHARGE_FAILED = "charge_failed"
    EXHAUSTED = "exhausted"
    BANNED = "banned"


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to an account, and the true balance after it, if that is known."""

    at: datetime
    account: str
    kind: Kind
    amount: Money | None  # the credit that a charge was for, before tax
    balance: Money | None


@dataclass(frozen=True, slots=True)
class Trace:
    """What an account asks for: instants in order, and the nanos of all up to and with each."""

    at: Sequence[datetime]
    sums: Sequence[int]

    @classmethod
    def of(cls, rows: Iterable[tuple[datetime, int]]) -> Trace:
        """Return the trace of rows in any order; rows of one instant add up."""
        ordered = sorted(rows)
        return cls([at for at, _ in ordered], list(accumulate(nanos for _, nanos in ordered)))

    def until(self, place: int) -> int:
        """Return the nanos of the rows before a place."""
        return self.sums[place - 1] if place else 0


@dataclass(slots=True)
class _Track:
    """How far a trace was played, and which of its rows were refused."""

    trace: Trace
    terms: Terms
    place: int = 0
    refused: int = 0
    starts: list[int] = field(default_factory=list)  # of what was refused, as places
    pieces: list[tuple[int, int, int]] = field(default_factory=list)  # end, before, nanos

    def refuse(self, end: int, nanos: int) -> None:
        self.starts.append(self.place)
        self.pieces.append((end, self.refused, nanos))
        self.refused += nanos

    def accepted(self, place: int) -> int:
        """Return the nanos let through of the rows before a place."""
        last = bisect_left(self.starts, place) - 1
        if last < 0:
            return self.trace.until(place)
        end, before, nanos = self.pieces[last]
        if place < end:  # nothing of this piece was let through
            return self.trace.until(self.starts[last]) - before
        return self.trace.until(place) - before - nanos


class Run:
    """One card with the accounts it pays for, or one account without a card."""

    def __init__(self, card: CardTerms | None, accounts: Mapping[str, tuple[Trace, Terms]]) -> None:
        self._machine = Machine(card)
        self._tracks = {name: _Track(*accounts[name]) for name in sorted(accounts)}
        for name, track in self._tracks.items():
            self._machine.join(name, track.terms)
        self._moment = Moment({}, CardState())
        self.at = datetime.min.replace(tzinfo=NEVER.tzinfo)

    def begin(self, at: datetime, balances: Mapping[str, Money]) -> None:
        """Give each account its balance of an instant; a negative one is a debt."""
        self.at = at
        states: dict[str, State] = {}
        for name, balance in balances.items():
            state = State(at, debt=max(-balance.nanos, 0))
            lot = Lot(at, Money(max(balance.nanos, 0), balance.currency))
            told = Told(lot, name, (at, 0, name))
            states |= self._machine.happen(Moment({name: state}, CardState()), told).accounts
        self._moment = Moment(states, self._moment.card)

    def tell(self, event: Event | CardEvent, account: str | None) -> list[Happening]:
        """Play up to an event, then the event; return all that happened."""
        happened = self.forward(event.at)
        told = Told(event, account, (event.at, RANK[type(event)], account or ""))
        return [*happened, *self._become(self._machine.happen(self._moment, told), event.at)]

    def forward(self, until: datetime) -> list[Happening]:
        """Play up to and with an instant, and return what happened."""
        happened: list[Happening] = []
        while self.at < until:
            stop = min(self._wakes(), *map(self._edge, self._tracks), NEVER)
            if stop > until:
                self._take_until(until)
                self.at = until
                break
            self._take_until(stop - MICROSECOND)
            happened += self._take_each(stop)
            happened += self._become(self._machine.wait(self._moment, stop, inclusive=True), stop)
            self.at = stop
        return happened

    def balance(self, account: str) -> Money:
        """Return the true balance at the instant that was played to."""
        state = self._moment.accounts[account]
        return Money(state.balance, self._tracks[account].terms.currency)

    @property
    def card(self) -> CardState:
        """The card as it truly is."""
        return self._moment.card

    def spent(self, account: str, window: Window) -> int:
        """Return the nanos that were let through in a part of what was played."""
        track = self._tracks[account]
        places = (
            min(bisect_left(track.trace.at, edge), track.place)
            for edge in (window.start, window.end)
        )
        before, after = map(track.accepted, places)
        return after - before

    def _wakes(self) -> datetime:
        """Return the next instant at which time alone may change something."""
        states = self._moment.accounts.values()
        ends = (one.lot.expires_at for state in states for one in state.held if one.left)
        later = [at for at in ends if at is not None and at > self.at]
        later += [at for name in self._tracks if (at := self._cut_off(name)) > self.at]
        if self._machine.card is not None:
            later += [at for one in states if (at := wakes(one, self._moment.card)) > self.at]
        return min(later, default=NEVER)

    def _cut_off(self, name: str) -> datetime:
        since, late = (
            self._moment.accounts[name].exhausted_at,
            self._tracks[name].terms.cut_off_after,
        )
        return since + late if since is not None and late is not None else NEVER

    def _edge(self, name: str) -> datetime:
        """Return the instant of the first row that may do more than be counted."""
        state, track = self._moment.accounts[name], self._tracks[name]
        place = min((track.place + rows for rows in self._rows(state, track)), default=None)
        at = track.trace.at
        return at[place] if place is not None and place < len(at) else NEVER

    def _rows(self, state: State, track: _Track) -> Iterator[int]:
        """Yield after how many rows a level is left: the trigger, zero, what is let through."""
        setting, overdraft = state.standing.recharging, track.terms.overdraft
        if state.standing.banned_at:
            return
        if setting is not None and setting.trigger is not None:
            above = state.balance - setting.trigger.nanos
            if above >= 0:
                yield _rows_over(track, above)
        if state.balance > 0:
            yield _rows_over(track, state.balance - 1)
        elif overdraft is not None and state.balance + overdraft.nanos > 0:
            yield _rows_over(track, state.balance + overdraft.nanos)

    def _take_until(self, until: datetime) -> None:
        """Take in one piece what each account asks for up to an instant."""
        for name, track in self._tracks.items():
            end = bisect_right(track.trace.at, until, lo=track.place)
            if end > track.place:
                self._take(name, track, end)

    def _take_each(self, at: datetime) -> list[Happening]:
        """Take row by row what is asked for at an instant."""
        happened: list[Happening] = []
        for name, track in self._tracks.items():
            while track.place < len(track.trace.at) and track.trace.at[track.place] == at:
                happened += self._take(name, track, track.place + 1)
        return happened

    def _take(self, name: str, track: _Track, end: int) -> list[Happening]:
        asked = track.trace.until(end) - track.trace.until(track.place)
        at = track.trace.at[end - 1]
        event = Spending(at, Money(asked, track.terms.currency))
        told = Told(event, name, (at, RANK[Spending], name))
        moment = self._machine.happen(self._moment, told)
        if moment.taken < asked:
            track.refuse(end, asked - moment.taken)
        track.place = end
        return self._become(moment, at)

    def _become(self, moment: Moment, at: datetime) -> list[Happening]:
        """Go on from a moment, and return what happened in it."""
        before = self._moment.accounts
        happened = [*_charged(moment)]
        for name, state in moment.accounts.items():
            former = before.get(name, State(at))
            balance = Money(state.balance, self._tracks[name].terms.currency)
            if state.exhausted_at and not former.exhausted_at:
                happened.append(Happening(at, name, Kind.EXHAUSTED, None, balance))
            if state.standing.banned_at and not former.standing.banned_at:
                happened.append(Happening(at, name, Kind.BANNED, None, balance))
        kept = {name: _without_empty(state) for name, state in moment.accounts.items()}
        self._moment = Moment(kept, moment.card)
        return happened


def _rows_over(track: _Track, room: int) -> int:
    """Return how many rows can be spent before their sum is more than there is room for."""
    within = track.trace.until(track.place) + room
    return bisect_right(track.trace.sums, within, lo=track.place) - track.place


def _charged(moment: Moment) -> Iterator[Happening]:
    """Yield the charges of a moment, each with the balance right after it."""
    for place, one in enumerate(moment.charged):
        later = moment.charged[place + 1 :]
        since = sum(
            other.amount.nanos
            for other in later
            if other.succeeded and other.account == one.account
        )
        balance = moment.accounts[one.account].balance - since
        kind = Kind.RECHARGED if one.succeeded else Kind.CHARGE_FAILED
        yield Happening(one.at, one.account, kind, one.amount, Money(balance, one.amount.currency))


def _without_empty(state: State) -> State:
    """Return an account without the lots that are used up: nothing is ever given back here."""
    if all(one.left for one in state.held):
        return state
    return replace(state, held=tuple(one for one in state.held if one.left))
