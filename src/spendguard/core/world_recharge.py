"""The recharge: which charge is due on an account, when the next may be, and what one does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from spendguard.core.money import Money
from spendguard.core.windows import a_year_after, utc_month
from spendguard.core.world_account import (
    NEVER,
    Lot,
    Recharging,
    State,
    Terms,
    credit,
    stand,
)
from spendguard.core.world_card import (
    CardState,
    CardTerms,
    Charged,
    paid,
    pays,
    refused,
    whole_cents,
)


@dataclass(frozen=True, slots=True)
class Account:
    """An account that is charged: its name, its terms and those of its card."""

    name: str
    terms: Terms
    card: CardTerms


def settle(
    account: Account, state: State, card: CardState
) -> tuple[State, CardState, list[Charged]]:
    """Charge the card for as long as an automatic charge is due."""
    charged: list[Charged] = []
    if state.standing.retry_at and not _under(state):
        state = stand(state, retry_at=None)
    while (nanos := due(state, card)) is not None:
        state, card, one = charge(account, state, card, nanos, automatic=True)
        charged.append(one)
    return state, card, charged


def due(state: State, card: CardState) -> int | None:
    """Return the automatic charge that is due at the state's instant, None when there is none.

    A charge that failed is waited for: until it is tried again no other is due.
    """
    setting, retry_at = _active(state, card), state.standing.retry_at
    if setting is None or not _under(state) or (retry_at and state.at < retry_at):
        return None
    return _amount(setting, state)


def wakes(state: State, card: CardState) -> datetime:
    """Return the next instant at which time alone may bring a charge."""
    setting = _active(state, card)
    if setting is None:
        return NEVER
    return min((at for at in _instants(setting, state) if at > state.at), default=NEVER)


def charge(
    account: Account, state: State, card: CardState, nanos: int, *, automatic: bool
) -> tuple[State, CardState, Charged]:
    """Try one charge; the failure that completes the strikes bans the card and the account."""
    taken = account.card.taken(nanos, account.terms.rate)
    succeeded = pays(card, taken)
    if succeeded:
        card = paid(card, taken)
        state = _funded(state, Money(nanos, account.terms.currency), automatic=automatic)
    else:
        card, state = _failed(account, state, card, automatic=automatic)
    one = Charged(
        state.at,
        account.name,
        Money(nanos, account.terms.currency),
        succeeded,
        account.card.name,
        max(card.strikes, state.standing.strikes),
        Money(taken, account.card.currency),
        automatic,
    )
    return state, card, one


def _active(state: State, card: CardState) -> Recharging | None:
    if card.banned_at or state.standing.banned_at:
        return None
    return state.standing.recharging


def _under(state: State) -> bool:
    setting = state.standing.recharging
    if setting is None or setting.trigger is None:
        return False
    return state.balance < setting.trigger.nanos


def _amount(setting: Recharging, state: State) -> int | None:
    """Return what is charged, None where the rest of the month's limit is under the least."""
    wanted = 0
    if setting.amount is not None:
        wanted = setting.amount.nanos
    elif setting.restore_to is not None:  # a card is charged whole cents
        wanted = whole_cents(setting.restore_to.nanos - state.balance)
    wanted = min(max(wanted, setting.least.nanos), setting.most.nanos)
    if setting.monthly_limit is None:
        return wanted
    wanted = min(wanted, setting.monthly_limit.nanos - state.standing.recharged)
    return wanted if wanted >= setting.least.nanos else None


def _instants(setting: Recharging, state: State) -> Iterator[datetime]:
    yield from (one.lot.expires_at for one in state.held if one.left and one.lot.expires_at)
    if state.standing.retry_at:
        yield state.standing.retry_at
    if setting.monthly_limit is not None and _under(state):
        yield utc_month(state.at).end


def _funded(state: State, amount: Money, *, automatic: bool) -> State:
    counted = state.standing.recharged + (amount.nanos if automatic else 0)
    state = credit(state, Lot(state.at, amount, a_year_after(state.at)))
    return stand(state, recharged=counted, retry_at=None, strikes=0)


def _failed(
    account: Account, state: State, card: CardState, *, automatic: bool
) -> tuple[CardState, State]:
    card, strikes = refused(card), state.standing.strikes + 1
    again = state.at + account.terms.retry_after if automatic else state.standing.retry_at
    state = stand(state, strikes=strikes, retry_at=again)
    if max(card.strikes, strikes) >= account.card.strikes_to_ban:
        card = replace(card, banned_at=card.banned_at or state.at)
        state = stand(state, banned_at=state.at)
    return card, state
