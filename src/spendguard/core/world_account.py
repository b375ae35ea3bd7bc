"""One account's billing as values: what happens to it, where it stands, and each step between.

Nothing here knows another account or a card: what a charge takes and grants is told to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from spendguard.core.money import NANOS, Amount, Money
from spendguard.core.windows import DAY

NEVER = datetime.max.replace(tzinfo=UTC)
LEAST, MOST = Amount(5 * NANOS), Amount(50 * NANOS)


@dataclass(frozen=True, slots=True)
class Terms:
    """How late the provider acts.

    Usage after exhaustion goes on until `overdraft` is used up or `cut_off_after` has passed,
    whichever is first; with neither it is never cut off, as on a metered account. A spend limit
    is enforced `enforce_after` it was reached. A failed automatic charge is tried again after
    `retry_after`. `rate` is by what an amount is multiplied, and divided, to have it in the
    currency of the card.
    """

    currency: str = "USD"
    overdraft: Money | None = None
    cut_off_after: timedelta | None = None
    enforce_after: timedelta = timedelta(0)
    retry_after: timedelta = DAY
    rate: tuple[int, int] = (1, 1)


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


@dataclass(frozen=True, slots=True)
class Recharging:
    """The automatic recharge as set at an instant; without a trigger it is off.

    While the balance is under `trigger` the card is charged, each time with `amount` or with what
    is missing to `restore_to`, within `least` and `most`. Automatic charges of a UTC month stay
    within `monthly_limit`; the last may be a part, if that is not under `least`.
    """

    at: datetime
    trigger: Money | None
    amount: Money | None = None
    restore_to: Money | None = None
    monthly_limit: Money | None = None
    least: Amount = LEAST
    most: Amount = MOST


@dataclass(frozen=True, slots=True)
class Purchase:
    """Credit that somebody tries to buy by hand with the card."""

    at: datetime
    amount: Money


@dataclass(frozen=True, slots=True)
class Retry:
    """Somebody calls for the automatic charge that failed and is waited for."""

    at: datetime


Event = Lot | SpendLimit | Spending | Recharging | Purchase | Retry


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
class Standing:
    """Where an account stands with its card. `recharged` counts this UTC month's automatic nanos."""

    recharging: Recharging | None = None
    recharged: int = 0
    retry_at: datetime | None = None
    strikes: int = 0
    banned_at: datetime | None = None


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
    standing: Standing = Standing()

    @property
    def balance(self) -> int:
        """What is left of all lots, less what was used beyond them."""
        return sum(held.left for held in self.held) - self.debt


def check(event: Event, currency: str) -> None:
    """Refuse what cannot happen to an account of a currency.

    Raises:
        ValueError: for a negative amount, another currency, or a recharge that is not one.
    """
    for amount in _amounts(event):
        if amount.currency != currency:
            raise ValueError(f"the account is in {currency}, not {amount.currency}")
        if amount.nanos < 0 and not (isinstance(event, Spending) and event.corrects):
            raise ValueError("a negative amount")
    if isinstance(event, Purchase) and not event.amount:
        raise ValueError("a purchase of nothing")
    if isinstance(event, Recharging) and event.trigger is not None:
        if (event.amount is None) == (event.restore_to is None):
            raise ValueError("a recharge has either an amount or a balance to restore to")
        if not 0 < event.least.nanos <= event.most.nanos:
            raise ValueError("no charge lies within these bounds")


def _amounts(event: Event) -> tuple[Money, ...]:
    told: tuple[Money | None, ...] = ()
    if isinstance(event, Lot | Spending | Purchase):
        return (event.amount,)
    if isinstance(event, SpendLimit):
        told = (event.threshold,)
    elif isinstance(event, Recharging):
        told = (event.trigger, event.amount, event.restore_to, event.monthly_limit)
    return tuple(amount for amount in told if amount is not None)


def step(state: State, event: Event, terms: Terms) -> tuple[State, int]:
    """Return the account after an event, and how many nanos of a spending were let through.

    A purchase with the card is not decided here: the card is asked.
    """
    if isinstance(event, Spending):
        taken = _accepted(state, event, terms)
        return _settled(_count(_take(state, taken), event, taken)), taken
    if isinstance(event, Lot):
        state = _credit(state, event)
    elif isinstance(event, SpendLimit):
        state = _limit(state, event)
    elif isinstance(event, Recharging):
        setting = None if event.trigger is None else event
        state = stand(state, recharging=setting, retry_at=None)
    elif isinstance(event, Retry):
        state = stand(state, retry_at=None)
    return _settled(state), 0


def credit(state: State, lot: Lot) -> State:
    """Return the account after a lot that a charge paid for."""
    return _settled(_credit(state, lot))


def stand(state: State, **changes: Any) -> State:
    """Return the account with some of its standing changed."""
    return replace(state, standing=replace(state.standing, **changes))


def _settled(state: State) -> State:
    return _reach(_exhaust(state))


def pass_time(state: State, at: datetime) -> State:
    """Let credit expire and a new month begin, up to an instant."""
    after = replace(state, at=at)
    if any(_expired(one, at) is not one for one in state.held):
        after = replace(after, held=tuple(_expired(one, at) for one in state.held))
        if state.balance > 0 >= after.balance:
            ends = [one.lot.expires_at or NEVER for one in state.held if one.left]
            after = replace(after, exhausted_at=max(ends))
    if _month(state.at) != _month(at):
        after = stand(replace(after, used={}, reached={}), recharged=0)
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
    if state.standing.banned_at or any(
        enforced(state, spending.at, scope, terms) for scope in scopes
    ):
        return 0
    since, late = state.exhausted_at, terms.cut_off_after
    if since is not None and late is not None and spending.at - since >= late:
        return 0
    if terms.overdraft is None:
        return wanted
    return max(0, min(wanted, state.balance + terms.overdraft.nanos))


def enforced(state: State, at: datetime, scope: str, terms: Terms) -> bool:
    """Tell whether the limit of a project, or of all (''), refuses usage at an instant."""
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
    if not over and not state.reached:
        return state
    return replace(state, reached={scope: state.reached.get(scope, state.at) for scope in over})
