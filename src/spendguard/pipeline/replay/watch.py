"""Watch: a card and its accounts are judged in memory as `evaluate_family` judges them stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from spendguard.core.cards import taken
from spendguard.core.charges import Charge, Outcome, Strikes, strikes
from spendguard.core.facts import AccountFacts, CardFacts
from spendguard.core.findings import Finding, Status
from spendguard.core.forecasts import Forecast, Passage
from spendguard.core.ledger import Entry, purchase_expiry
from spendguard.core.ledger import Kind as Line
from spendguard.core.money import Money
from spendguard.core.reconcile import Books, Statement
from spendguard.core.world_run import Happening, Kind
from spendguard.pipeline.evaluate import TO_BAN, Family, Paying
from spendguard.pipeline.foresight import Foresight, forecast_of, foreseen, look_ahead
from spendguard.pipeline.gather import ASKING, account_known, card_known, payer
from spendguard.pipeline.judge import Scope
from spendguard.pipeline.known import Known, course, credit_proven_at
from spendguard.pipeline.replay.ahead import Foretold, nobody
from spendguard.pipeline.replay.desk import Desk, Told
from spendguard.pipeline.replay.sight import Sight

SEEN_BY = "receipt"
"""The source of what the guard hears: a mail of each charge, read at once."""
Docket = tuple[Scope, Sequence[Finding]]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """When the floor was foreseen to fall under the trigger; no passage where that is not told."""

    made_at: datetime
    account: str
    floor: Money | None
    trigger_at: Passage


UNTOLD = Passage(None, None, None)


@dataclass(slots=True)
class _Purse:
    """What the guard knows of the card."""

    left: Money | None = None
    stated_at: datetime | None = None
    charges: tuple[Charge, ...] = ()  # as far as strikes depend on them
    changed: bool = False


class Watch:
    """What is known of a family, and what is said of it. Tell and ask it in the order of time."""

    def __init__(
        self, family: Family, sights: Mapping[str, Sight], foretold: Foretold = nobody
    ) -> None:
        self._family = family
        self._foretold = foretold
        self._sights = {name: sights[name] for name in sorted(sights)}
        self._desk = Desk()
        self._known: dict[str, Known] = {}
        self._seen: dict[str, Foresight] = {}
        self._purse = _Purse()
        self._ids = 0

    def hear_of_balance(self, account: str, at: datetime, balance: Money) -> None:
        """Be told the balance of an account."""
        self._sights[account].learn(Entry(self.next_id(), Line.CHECKPOINT, balance, at))

    def hear_of_credit(self, account: str, entry: Entry) -> None:
        """Be told of credit that came by somebody's hand."""
        self._sights[account].learn(replace(entry, id=self.next_id()))

    def hear_of_card(self, at: datetime, balance: Money) -> None:
        """Be told what the card holds."""
        self._purse.left, self._purse.stated_at, self._purse.changed = balance, at, True

    def hear_of_ledger(self, account: str, books: Books, late: Money | None, last: int) -> None:
        """Be told the whole ledger of an account anew, whose last id is this."""
        self._ids = max(self._ids, last)
        self._sights[account].restate(books, late)

    def hear_of_purse(
        self, at: datetime | None, balance: Money | None, charges: Sequence[Charge]
    ) -> None:
        """Be told anew what the card holds, and of all its charges."""
        self._purse = _Purse(balance, at, tuple(charges), changed=True)

    def inferred(self, account: str) -> tuple[Statement, ...]:
        """Return the credit that usage has proved."""
        return self._sights[account].inferred

    def hear(self, one: Happening) -> None:
        """Be told of a charge that succeeded or failed."""
        sight, number = self._sights[one.account], self.next_id()
        succeeded = one.kind is Kind.RECHARGED
        account = sight.plan.account
        charge = Charge(
            number,
            one.account,
            account.card,
            one.amount,
            one.at,
            Outcome.SUCCEEDED if succeeded else Outcome.FAILED,
            source=SEEN_BY,
        )
        entry = None
        if succeeded and one.amount is not None:
            ends = purchase_expiry(account.provider, one.at)
            entry = Entry(number, Line.DEPOSIT, one.amount, one.at, ends, SEEN_BY)
        sight.learn(entry, charge)
        if self._family.paying is not None:
            self._charge(self._family.paying, charge)

    def _charge(self, paying: Paying, charge: Charge) -> None:
        purse = self._purse
        paid = charge.outcome is Outcome.SUCCEEDED
        if paid and purse.left is not None and charge.amount is not None:
            gross = taken(paying.card, charge.amount)
            purse.left = None if gross is None else purse.left - gross
        kept = (one for one in purse.charges if not (paid and one.account == charge.account))
        purse.charges = (*kept, charge)

    def next_id(self) -> str:
        """Return an id that is higher than every one before: what is heard later has a higher one."""
        self._ids += 1
        return str(self._ids)

    def look(self, now: datetime) -> list[Told]:
        """Judge everything as it is known now, and return what is to be said."""
        known = [self._know(sight, now) for sight in self._sights.values()]
        self._known = {one.name: one for one in known}
        struck = self._strikes(known)
        courses = [course(one, struck[one.name], now) for one in known]
        self._seen = {
            one.name: look_ahead(one, here, self._forecast(one, now))
            for one, here in zip(known, courses, strict=True)
        }
        card: CardFacts | None = None
        dockets: list[Docket] = []
        paying = self._family.paying
        if paying is not None:
            payers = [
                payer(one, paying.card, here, self._seen[one.name].outlook)
                for one, here in zip(known, courses, strict=True)
            ]
            scope = paying.bench.scope
            card = card_known(
                paying.card,
                self._purse.stated_at,
                self._purse.left,
                self._purse.charges,
                payers,
                self._desk.standing(scope.name),
                now,
                changed=self._purse.changed or any(one.changed for one in self._sights.values()),
            )
            found = [finding for rule in paying.bench.rules for finding in rule.evaluate(card)]
            dockets.append((scope, found))
        short = any(one.status is Status.FIRING for _, found in dockets for one in found)
        for one in known:
            bench = self._family.accounts[one.name]
            facts = self._facts(one, struck[one.name], now, card_short=short)
            account = foreseen(
                facts, one, self._seen[one.name], card, self._sights[one.name].part(now)
            )
            found = [finding for rule in bench.rules for finding in rule.evaluate(account)]
            dockets.append((bench.scope, found))
        self._purse.changed = False
        for sight in self._sights.values():
            sight.changed = False
        return self._desk.judge(dockets, now)

    def _forecast(self, known: Known, now: datetime) -> Forecast:
        told = self._foretold()
        return told or forecast_of(known, now, self._sights[known.name].spent(now))

    def _know(self, sight: Sight, now: datetime) -> Known:
        known = sight.know(now)
        proven = credit_proven_at(known)
        if proven is None:
            return known
        sight.prove(Statement(self.next_id(), Line.DEPOSIT, None, proven, source="inferred"))
        return sight.know(now)

    def _strikes(self, known: Sequence[Known]) -> dict[str, Strikes]:
        paying = self._family.paying
        if paying is not None:
            counted = strikes(self._purse.charges, paying.card.strikes_to_ban)
            return dict.fromkeys((one.name for one in known), counted)
        return {one.name: strikes(one.books.charges, TO_BAN) for one in known}

    def _facts(
        self,
        known: Known,
        struck: Strikes,
        now: datetime,
        *,
        card_short: bool,
    ) -> AccountFacts:
        sight = self._sights[known.name]
        standing = self._desk.standing(self._family.accounts[known.name].scope.name)
        return account_known(
            known,
            struck,
            standing,
            now,
            card_short=card_short,
            changed=sight.changed,
            polls=sight.polls(now),
            witness=sight.witness,
            asked_at=self._desk.last_said(known.name, ASKING),
            budgets=sight.budgets(known, now),
            usage=sight.usage(now),
            newcomers=sight.view.newcomers(now),
            unpriced=0
            if known.position is None
            else sight.view.unpriced(known.position.checkpoint.at, now),
        )

    def foreseen(self, now: datetime) -> Iterator[Foreseen]:
        """Yield when each account's floor is foreseen to fall under its trigger, as just judged."""
        for sight in self._sights.values():
            position = self._known[sight.name].position
            floor = None if position is None else position.floor
            forecast = self._seen[sight.name].forecast
            yield Foreseen(now, sight.name, floor, _passage(sight, floor, forecast, now))


def _passage(sight: Sight, floor: Money | None, forecast: Forecast, now: datetime) -> Passage:
    """Return when the floor falls under the trigger: not told once it has, or where none is known."""
    model = sight.plan.account.recharge
    if floor is None or model is None or not model.enabled or floor < model.trigger:
        return UNTOLD
    above = floor.nanos + sight.view.since(forecast.start, now) - model.trigger.nanos
    return forecast.passage(above + 1)
