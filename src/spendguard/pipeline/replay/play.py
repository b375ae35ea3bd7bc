"""Play: what happens to a card and its accounts, and what a guard that watches would have said."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from spendguard.core.accounts import Account
from spendguard.core.ledger import Entry
from spendguard.core.ledger import Kind as Line
from spendguard.core.money import Amount, Money
from spendguard.core.rates import rate_between
from spendguard.core.windows import DAY
from spendguard.core.world_account import Lot, Recharging, Terms
from spendguard.core.world_card import CardTerms, Holding
from spendguard.core.world_run import MICROSECOND, Happening, Run, Trace
from spendguard.pipeline.evaluate import Family, Paying
from spendguard.pipeline.known import LEAST, MOST, overdraft
from spendguard.pipeline.replay.ahead import ahead
from spendguard.pipeline.replay.desk import Told
from spendguard.pipeline.replay.sight import Lagging, Sight, View
from spendguard.pipeline.replay.watch import Foreseen, Watch

PAYS_ALL = Money(10**30, "XXX")
"""What a card holds of which nobody said what it holds: a replay cannot let it fail."""
TAKES_NOTHING = (0, 1)
"""What a charge takes from a card in whose currency nobody stated what it is worth."""
LONG = 1000
"""Looks from which on a second process earns what it costs to start."""
REPEATED_AFTER = DAY  # the provider tries a failed charge again

Progress = Callable[[datetime], None]
Show = Callable[[Run, str, timedelta, datetime, Trace], View]


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is played: each account's spend and first balance, and what the card holds at first.

    `lag` is how long after it was caused a cost is seen, `every` how often the guard looks.
    `earlier` is what was spent before it begins, as far as the guard knows of it; `credits` and
    `fillings` are what comes to an account or is on the card later, by somebody's hand. Forecasts
    rest on hours of usage where it is `hourly`, else on the days of cost.
    """

    begin: datetime
    end: datetime
    traces: Mapping[str, Trace]
    balances: Mapping[str, Money]
    card: Money | None = None
    lag: timedelta = timedelta(hours=2)
    every: timedelta = timedelta(hours=1)
    earlier: Mapping[str, Trace] = field(default_factory=dict)
    credits: tuple[tuple[str, Entry], ...] = ()
    fillings: tuple[tuple[datetime, Money], ...] = ()
    hourly: bool = True


@dataclass(frozen=True, slots=True)
class Life:
    """What really happened. `filled` is what the card was stated to hold, and when."""

    run: Run
    happened: tuple[Happening, ...]
    filled: tuple[tuple[datetime, Money], ...] = ()


@dataclass(frozen=True, slots=True)
class Played:
    """What would have been said, what happened, and what was foreseen."""

    alerts: tuple[Told, ...]
    events: tuple[Happening, ...]
    forecasts: tuple[Foreseen, ...] = ()

    def __add__(self, other: Played) -> Played:
        return Played(
            tuple(sorted(self.alerts + other.alerts, key=lambda one: one.at)),
            tuple(sorted(self.events + other.events, key=lambda one: one.at)),
            tuple(sorted(self.forecasts + other.forecasts, key=lambda one: one.made_at)),
        )

    def between(self, since: datetime, until: datetime) -> Played:
        """Return what lies from one instant on, and before another."""
        return Played(
            tuple(one for one in self.alerts if since <= one.at < until),
            tuple(one for one in self.events if since <= one.at < until),
            tuple(one for one in self.forecasts if since <= one.made_at < until),
        )


def play(
    family: Family,
    scenario: Scenario,
    *,
    forecasts: bool = True,
) -> Played:
    """Return what a guard with these rules says while a scenario is played."""
    return watched(family, scenario, live(family, scenario), forecasts=lambda _at: forecasts)


def live(family: Family, scenario: Scenario) -> Life:
    """Let the billing world run to the scenario's end; nobody does more than the scenario says."""
    run, happened = started(family, scenario)
    for event, name in sorted(_by_hand(family, scenario), key=lambda one: one[0].at):
        happened += run.tell(event, name)
    happened += run.forward(scenario.end)
    first = () if scenario.card is None else ((scenario.begin, scenario.card),)
    return Life(run, tuple(happened), (*first, *scenario.fillings))


def _by_hand(family: Family, scenario: Scenario) -> Iterator[tuple[Lot | Holding, str | None]]:
    for name, entry in scenario.credits:
        granted = entry.kind is Line.GRANT
        yield Lot(entry.at, entry.amount, entry.expires_at, granted=granted), name
    if family.paying is not None:
        for at, amount in scenario.fillings:
            yield Holding(at, amount), None


def started(family: Family, scenario: Scenario) -> tuple[Run, list[Happening]]:
    """Return the billing world at the scenario's begin, and what happened at once."""
    accounts = {plan.account.name: plan.account for plan in family.plans}
    run = Run(
        _card_terms(family),
        {
            name: (trace, _terms(accounts[name], family.paying))
            for name, trace in scenario.traces.items()
        },
    )
    run.begin(scenario.begin, scenario.balances)
    if family.paying is None:
        return run, []
    on_card = PAYS_ALL if scenario.card is None else scenario.card
    held = Money(on_card.nanos, family.paying.card.currency)
    happened = run.tell(Holding(scenario.begin, held), None)
    for name in sorted(scenario.traces):
        setting = _setting(accounts[name], scenario.begin)
        happened += [] if setting is None else run.tell(setting, name)
    return run, happened


def _card_terms(family: Family) -> CardTerms | None:
    if family.paying is None:
        return None
    card = family.paying.card
    return CardTerms(card.name, card.currency, Decimal(card.tax_percent), card.strikes_to_ban)


def _terms(account: Account, paying: Paying | None) -> Terms:
    rate: tuple[int, int] | None = (1, 1)
    if paying is not None:
        rate = rate_between(paying.card.rates, account.currency, paying.card.currency)
    return Terms(
        account.currency,
        overdraft=overdraft(account),
        retry_after=REPEATED_AFTER,
        rate=rate or TAKES_NOTHING,
    )


def _setting(account: Account, at: datetime) -> Recharging | None:
    """Return the recharge as the provider does it; one that is not known well enough does not come."""
    model = account.recharge
    if model is None or not model.enabled or (model.amount is None and model.restore_to is None):
        return None
    least, most = account.topup_min, account.topup_max
    return Recharging(
        at,
        model.trigger,
        amount=model.amount if model.restore_to is None else None,
        restore_to=model.restore_to,
        monthly_limit=model.monthly_limit,
        least=Amount(least.nanos) if least else LEAST,
        most=Amount(most.nanos) if most else MOST,
    )


def watched(
    family: Family,
    scenario: Scenario,
    life: Life,
    *,
    forecasts: Callable[[datetime], bool] = lambda _at: True,
    progress: Progress = lambda _at: None,
    view: Show = Lagging,
    helped: bool = False,
) -> Played:
    """Return what a guard says that watches a life: at each step, and whenever a charge is seen.

    It may be `helped` by a second process, where that is worth it.
    """
    sights = _sights(family, scenario, life, view)
    if not (
        helped and scenario.hourly and (scenario.end - scenario.begin) // scenario.every > LONG
    ):
        return _watched(Watch(family, sights), scenario, life, forecasts, progress)
    with ahead(sights, (at for at, _ in _looks(scenario, life))) as foretold:
        return _watched(Watch(family, sights, foretold), scenario, life, forecasts, progress)


def _watched(
    watch: Watch,
    scenario: Scenario,
    life: Life,
    forecasts: Callable[[datetime], bool],
    progress: Progress,
) -> Played:
    for name, balance in sorted(scenario.balances.items()):
        watch.hear_of_balance(name, _stated(name, scenario, life), balance)
    waiting = deque(one for one in life.happened if one.amount is not None)
    filled = deque(life.filled)
    credited = deque(sorted(scenario.credits, key=lambda one: one[1].at))
    alerts: list[Told] = []
    foreseen: list[Foreseen] = []
    for at, due in _looks(scenario, life):
        while filled and filled[0][0] <= at:
            watch.hear_of_card(*filled.popleft())
        while credited and credited[0][1].at <= at:
            watch.hear_of_credit(*credited.popleft())
        while waiting and waiting[0].at <= at:
            watch.hear(waiting.popleft())
        alerts += watch.look(at)
        if due and forecasts(at):
            foreseen += watch.foreseen(at)
        if due:
            progress(at)
    return Played(tuple(alerts), life.happened, tuple(foreseen))


def _stated(name: str, scenario: Scenario, life: Life) -> datetime:
    """Return when the first balance counts from: what is charged at the first instant is not in it."""
    at_once = any(one.account == name and one.at <= scenario.begin for one in life.happened)
    return scenario.begin - MICROSECOND if at_once else scenario.begin


def _sights(family: Family, scenario: Scenario, life: Life, show: Show) -> dict[str, Sight]:
    sights = {}
    for plan in family.plans:
        name = plan.account.name
        earlier = scenario.earlier.get(name, Trace((), ()))
        first = earlier.at[0] if earlier.at else scenario.begin
        view = show(life.run, name, scenario.lag, first, earlier)
        sights[name] = Sight(plan, view, first, scenario.begin, hourly=scenario.hourly)
    return sights


def _looks(scenario: Scenario, life: Life) -> Iterator[tuple[datetime, bool]]:
    """Yield each instant at which the guard looks, and whether it is one of its steps.

    What changes the ledger or a card is looked at when it is heard of, as an entry is.
    """
    heard = {one.at for one in life.happened if one.amount is not None}
    heard |= {at for at, _ in life.filled} | {entry.at for _, entry in scenario.credits}
    between = deque(sorted(at for at in heard if scenario.begin < at <= scenario.end))
    for step in range(-((scenario.begin - scenario.end) // scenario.every) + 1):
        at = scenario.begin + step * scenario.every
        while between and between[0] < at:
            yield between.popleft(), False
        if between and between[0] == at:
            between.popleft()
        yield at, True
