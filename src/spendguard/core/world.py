"""The billing machine: credit in lots, expiry, the late cut-off and monthly spend limits.

What happens to an account is told as events, in any order; they are played in the order of time.
So the true balance is known at every instant, whoever asks and however often.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from spendguard.core.money import Money

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Terms:
    """How late the provider acts.

    Usage after exhaustion goes on until `overdraft` is used up or `cut_off_after` has passed,
    whichever is first; with neither it is never cut off, as on a metered account. A spend limit
    is enforced `enforce_after` it was reached.
    """

    currency: str = "USD"
    overdraft: Money | None = None
    cut_off_after: timedelta | None = None
    enforce_after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Lot:
    """Credit that was bought or granted, and when it expires; None is never."""

    at: datetime
    amount: Money
    expires_at: datetime | None = None
    granted: bool = False


@dataclass(frozen=True, slots=True)
class SpendLimit:
    """A monthly ceiling set at an instant on a project, or on all of them (''); None removes it."""

    at: datetime
    threshold: Money | None
    project: str = ""


@dataclass(frozen=True, slots=True)
class Spending:
    """Usage that is asked for, and what it would cost.

    With `corrects` it restates the spend of that earlier instant: the amount is a difference of
    either sign, and nothing cuts it off.
    """

    at: datetime
    amount: Money
    project: str = ""
    api_key: str = ""
    line_item: str = ""
    model: str = ""
    corrects: datetime | None = None

    @property
    def booked_for(self) -> datetime:
        """The instant whose day this spend belongs to."""
        return self.corrects or self.at


Event = Lot | SpendLimit | Spending


@dataclass(frozen=True, slots=True)
class Held:
    """A lot and what became of it, in nanos; what is neither left nor lost was spent."""

    lot: Lot
    left: int
    lost: int = 0

    @property
    def used(self) -> int:
        """What was spent of it."""
        return self.lot.amount.nanos - self.left - self.lost

    @property
    def turn(self) -> tuple[bool, datetime, datetime]:
        """Its place in the order of use: grants first, then purchases, each by expiry."""
        return (not self.lot.granted, self.lot.expires_at or NEVER, self.lot.at)


@dataclass(frozen=True, slots=True)
class State:
    """An account at an instant. `used` is this UTC month's spend, by project; '' is all of it."""

    at: datetime
    held: tuple[Held, ...] = ()  # in the order of use
    debt: int = 0
    exhausted_at: datetime | None = None
    used: Mapping[str, int] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    reached: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def balance(self) -> int:
        """What is left of all lots, less what was used beyond them."""
        return sum(held.left for held in self.held) - self.debt


class Billing:
    """One account's billing: tell it events, ask it for any instant."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.version = 0  # grows with each event, so that what is derived can be kept until then
        self._events: list[Event] = []
        self._trail: list[tuple[State, int]] = []

    def add(self, event: Event) -> None:
        """Take an event of any instant; what was already played after it is played again.

        Raises:
            ValueError: when the amount is negative, or of another currency than the account.
        """
        _check(event, self.terms.currency)
        place = bisect_right(self._events, _order(event), key=_order)
        self._events.insert(place, event)
        del self._trail[place:]
        self.version += 1

    def state(self, at: datetime) -> State:
        """Return the account as it truly is at an instant."""
        count = bisect_right(self._events, at, key=lambda event: event.at)
        self._play(count)
        before = self._trail[count - 1][0] if count else State(at)
        return _pass_time(before, at)

    def balance(self, at: datetime) -> Money:
        """Return the true balance at an instant."""
        return Money(self.state(at).balance, self.terms.currency)

    def limit(self, at: datetime, project: str = "") -> Money | None:
        """Return the spend limit of a project, or of all, None when there is none."""
        nanos = self.state(at).limits.get(project)
        return None if nanos is None else Money(nanos, self.terms.currency)

    def enforcing(self, at: datetime, project: str = "") -> bool:
        """Tell whether the limit of a project, or of all, refuses usage at an instant."""
        return _enforced(self.state(at), at, project, self.terms)

    def spent(self) -> Iterator[tuple[Spending, int]]:
        """Yield each spending in the order of time, with the nanos of it that were let through."""
        self._play(len(self._events))
        for event, (_, taken) in zip(self._events, self._trail, strict=True):
            if isinstance(event, Spending):
                yield event, taken

    def _play(self, count: int) -> None:
        for event in self._events[len(self._trail) : count]:
            state = self._trail[-1][0] if self._trail else State(event.at)
            self._trail.append(_step(_pass_time(state, event.at), event, self.terms))


def _check(event: Event, currency: str) -> None:
    amount = event.threshold if isinstance(event, SpendLimit) else event.amount
    if amount is None:
        return
    if amount.currency != currency:
        raise ValueError(f"the account is in {currency}, not {amount.currency}")
    if amount.nanos < 0 and not (isinstance(event, Spending) and event.corrects):
        raise ValueError("a negative amount")


def _order(event: Event) -> tuple[datetime, int]:
    return event.at, (Lot, SpendLimit, Spending).index(type(event))


def _step(state: State, event: Event, terms: Terms) -> tuple[State, int]:
    taken = 0
    if isinstance(event, Lot):
        state = _credit(state, event)
    elif isinstance(event, SpendLimit):
        state = _limit(state, event)
    else:
        taken = _accepted(state, event, terms)
        state = _count(_take(state, taken), event, taken)
    return _reach(_exhaust(state)), taken


def _pass_time(state: State, at: datetime) -> State:
    """Let credit expire and a new month begin."""
    held = tuple(_expired(one, at) for one in state.held)
    after = replace(state, at=at, held=held)
    if state.balance > 0 >= after.balance:
        ends = [one.lot.expires_at or NEVER for one in state.held if one.left]
        after = replace(after, exhausted_at=max(ends))
    if _month(state.at) != _month(at):
        after = replace(after, used={}, reached={})
    return after


def _month(at: datetime) -> tuple[int, int]:
    at = at.astimezone(UTC)
    return at.year, at.month


def _expired(held: Held, at: datetime) -> Held:
    if not held.left or at < (held.lot.expires_at or NEVER):
        return held
    return replace(held, left=0, lost=held.lost + held.left)


def _credit(state: State, lot: Lot) -> State:
    """Add a lot; what was used beyond the credit before is taken from it first."""
    owed = min(state.debt, lot.amount.nanos)
    held = _expired(Held(lot, lot.amount.nanos - owed), state.at)
    lots = sorted((*state.held, held), key=lambda one: one.turn)
    return replace(state, held=tuple(lots), debt=state.debt - owed)


def _limit(state: State, event: SpendLimit) -> State:
    limits = {key: nanos for key, nanos in state.limits.items() if key != event.project}
    if event.threshold is not None:
        limits[event.project] = event.threshold.nanos
    return replace(state, limits=limits)


def _accepted(state: State, spending: Spending, terms: Terms) -> int:
    """Return how much of a spending is let through."""
    wanted = spending.amount.nanos
    if spending.corrects:
        return wanted
    scopes = {"", spending.project}
    if any(_enforced(state, spending.at, scope, terms) for scope in scopes):
        return 0
    since, late = state.exhausted_at, terms.cut_off_after
    if since is not None and late is not None and spending.at - since >= late:
        return 0
    if terms.overdraft is None:
        return wanted
    return max(0, min(wanted, state.balance + terms.overdraft.nanos))


def _enforced(state: State, at: datetime, scope: str, terms: Terms) -> bool:
    reached = state.reached.get(scope)
    return reached is not None and at - reached >= terms.enforce_after


def _take(state: State, nanos: int) -> State:
    """Use up lots in their order, then go into debt; a negative amount is given back."""
    if nanos < 0:
        return _give_back(state, -nanos)
    held = []
    for one in state.held:
        part = min(one.left, nanos)
        nanos -= part
        held.append(replace(one, left=one.left - part) if part else one)
    return replace(state, held=tuple(held), debt=state.debt + nanos)


def _give_back(state: State, nanos: int) -> State:
    """Undo the latest use first; what returns to an expired lot is lost with it."""
    settled = min(state.debt, nanos)
    nanos -= settled
    held = []
    for one in reversed(state.held):
        part = min(one.used, nanos)
        nanos -= part
        held.append(_expired(replace(one, left=one.left + part), state.at) if part else one)
    if nanos:
        raise ValueError("more is given back than was ever spent")
    return replace(state, held=tuple(reversed(held)), debt=state.debt - settled)


def _count(state: State, spending: Spending, taken: int) -> State:
    if _month(spending.booked_for) != _month(state.at):
        return state
    used = dict(state.used)
    for scope in {"", spending.project}:
        used[scope] = used.get(scope, 0) + taken
    return replace(state, used=used)


def _exhaust(state: State) -> State:
    if state.balance > 0:
        return replace(state, exhausted_at=None)
    return state if state.exhausted_at else replace(state, exhausted_at=state.at)


def _reach(state: State) -> State:
    over = [scope for scope, nanos in state.limits.items() if state.used.get(scope, 0) >= nanos]
    return replace(state, reached={scope: state.reached.get(scope, state.at) for scope in over})
