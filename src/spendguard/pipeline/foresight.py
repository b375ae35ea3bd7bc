"""Foresight: how the spend of an account, and its balance with it, may go on; added to the facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from spendguard.core.accounts import Budget
from spendguard.core.cards import coming, first_unpaid, need, pays_all
from spendguard.core.facts import AccountFacts, BudgetUse, CardFacts
from spendguard.core.forecasts import CAUTIOUS, HORIZON, Forecast, Path, Spent
from spendguard.core.ledger import DaySpend
from spendguard.core.money import Money
from spendguard.core.outlook import Outlook, lapses, next_of
from spendguard.core.past import Past
from spendguard.core.recharge import Coming, Course
from spendguard.core.spread import divide, pieces
from spendguard.core.windows import DAY, HOUR, Window, utc_day
from spendguard.forecast import foresee
from spendguard.pipeline.estimated import days_by_hour
from spendguard.pipeline.known import Known
from spendguard.store.connect import Tx

EXPECTED = 50
RHYTHM = DAY * 28  # so far back the hours of a week are told apart, where usage tells them


@dataclass(frozen=True, slots=True)
class Foresight:
    """What is foreseen of an account; no `outlook` where its balance is not known."""

    forecast: Forecast
    outlook: Outlook | None


def forecast_of(known: Known, now: datetime, spent: Sequence[Spent] | None = None) -> Forecast:
    """Return how the spend of an account goes on that spent so; without `spent`, as its days tell."""
    days = past_until(known.days, known.row.last_ok_at) if spent is None else spent
    return foresee(days, now, known.plan.account.currency)


def look_ahead(known: Known, here: Course | None, told: Forecast) -> Foresight:
    """Return what is foreseen of an account whose spend goes on so, on whose balance `here` tells."""
    return Foresight(told, _outlook(known, here, told))


def spent_of(tx: Tx, known: Known, now: datetime) -> Past:
    """Return what an account spent up to when it was last read: by the hour where usage tells."""
    hours = days_by_hour(tx, known.row, Window(utc_day(now).start - RHYTHM, now))
    return past_until(known.days, known.row.last_ok_at, hours)


def past_until(
    days: Iterable[DaySpend],
    read_at: datetime | None,
    hours: Mapping[datetime, Sequence[int]] = MappingProxyType({}),
) -> Past:
    """Return what UTC days cost up to when they were read, by the hour those that `hours` tells of."""
    past = Past()
    for one in days:
        if read_at is None or one.day.start >= read_at:
            continue
        span = Window(one.day.start, min(one.day.end, read_at))
        nanos, estimated = one.known.nanos, one.unbooked > 0
        told = hours.get(span.start, ())
        if span == one.day and any(told):
            past.append_hours(span.start, divide(nanos, told), estimated=estimated)
            continue
        for window, amount in _by_hour(span, nanos, told):
            past.append(Spent(window, amount, estimated))
    return past


def _by_hour(span: Window, nanos: int, hours: Sequence[int]) -> Iterator[tuple[Window, int]]:
    """Yield the hours of a part of a UTC day, or the part as a whole where these are not known."""
    parts = pieces(span, nanos, hours)
    if len(parts) == 1 and parts[0][0] == span:
        yield parts[0]
        return
    spent = {part.start: amount for part, amount in parts}
    for place in range(-(-span.length // HOUR)):
        start = span.start + HOUR * place
        yield Window(start, min(start + HOUR, span.end)), spent.get(start, 0)


def _outlook(known: Known, here: Course | None, told: Forecast) -> Outlook | None:
    position = known.position
    if position is None or here is None:
        return None

    def along(percent: int, balance: Money) -> Course:
        path = told.path(percent)
        pace = here.pace if path is None else path
        unsure = position.billed - balance
        lost = () if pace is None else lapses(position.lots, here.at, unsure, pace)
        return replace(here, balance=balance, path=path, lapses=lost)

    return Outlook(
        early=along(CAUTIOUS, position.floor),
        middle=along(EXPECTED, position.floor),
        late=along(100 - CAUTIOUS, position.billed),
        until=None if told.silent else told.end,
    )


def unpaid(card: CardFacts | None, account: str) -> Coming | None:
    """Return the first charge of an account that its card is known not to pay, margin and all."""
    if card is None or card.balance is None or card.strikes.unusable:
        return None
    until = card.now + HORIZON
    if pays_all(card.card, card.balance, card.payers, card.now, until):
        return None
    expected, _ = coming(card.payers, card.now, until)
    held = card.balance + card.card.margin  # what pays a charge out of its margin does not fail
    return first_unpaid(card.card, held, need(card.card, expected), account)


def foreseen(
    facts: AccountFacts,
    known: Known,
    seen: Foresight,
    card: CardFacts | None,
    part: Callable[[Budget, Window], Iterable[DaySpend]],
) -> AccountFacts:
    """Return the facts with what is foreseen: charges, budgets, and the course of the balance.

    `part` tells of the UTC days of a window what a budget is about; it is asked only where that is
    a part of the account.
    """
    model, outlook = facts.recharge, seen.outlook
    return replace(
        facts,
        forecast=seen.forecast,
        outlook=outlook,
        unpaid=unpaid(card, facts.account),
        next_charge=None
        if model is None or outlook is None or facts.strikes.unusable
        else next_of(model, outlook, facts.now),
        budgets=tuple(
            _expecting(part, known, use, seen.forecast, facts.now) for use in facts.budgets
        ),
    )


def _expecting(
    part: Callable[[Budget, Window], Iterable[DaySpend]],
    known: Known,
    use: BudgetUse,
    told: Forecast,
    now: datetime,
) -> BudgetUse:
    """Return a budget's present window with what it will have used at its end."""
    if now not in use.window:
        return use
    if use.budget.narrow:
        told = foresee(_part(part, known, use), now, use.spent.currency)
    path = told.path(EXPECTED)
    if path is None:
        return use
    goes_on = Money(path.between(told.start, use.window.end), use.spent.currency)
    return replace(use, expected=use.spent + goes_on, over_at=_over_at(use, path, told.start))


def _over_at(use: BudgetUse, path: Path, start: datetime) -> datetime | None:
    left = use.budget.amount - use.spent
    at = path.after(start, left.nanos) if left.nanos > 0 else None
    return at if at is not None and at <= use.window.end else None


def _part(
    part: Callable[[Budget, Window], Iterable[DaySpend]], known: Known, use: BudgetUse
) -> Sequence[Spent]:
    """Return what the part of the account that a budget is about spent; an unnamed day is zero."""
    if not known.days:
        return []
    span = Window(known.days[0].day.start, known.days[-1].day.end)
    found = {one.day: one for one in part(use.budget, span)}
    none = Money.zero(use.spent.currency)
    days = (found.get(one.day, DaySpend(one.day, none)) for one in known.days)
    return past_until(days, known.row.last_ok_at)
