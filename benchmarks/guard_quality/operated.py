"""The account in the world: how it is recharged, and an operator who acts only once a charge failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from benchmarks.guard_quality.corpus import Story
from spendguard.app.benches import Benches
from spendguard.app.trial import CARD, alone, default_configuration
from spendguard.core.accounts import Account
from spendguard.core.money import NANOS, Money
from spendguard.core.windows import DAY, HOUR, Window
from spendguard.core.world_card import Holding
from spendguard.core.world_run import Kind, Trace
from spendguard.pipeline.evaluate import Family
from spendguard.pipeline.replay import Life, Scenario
from spendguard.pipeline.replay.play import started
from spendguard.pipeline.replay.sight import Lagging
from spendguard.simulator.dice import dice

NOTICED = (2, 20)  # hours after a failed charge in which the card is filled: before the next try
LASTS = (8, 40)  # days of the usual spend that are put on the card
DOLLAR = Money(NANOS, "USD")


@dataclass(frozen=True, slots=True)
class Operated:
    """A story with its guard, its truth, and what can be seen of it."""

    story: Story
    family: Family
    scenario: Scenario
    life: Life


def operated(story: Story, every: timedelta) -> Operated:
    """Return a story as it truly went."""
    chance = dice("operator", story.kind, story.seed)
    per_day = {name: _per_day(trace) for name, trace in story.traces.items()}
    family = _family(per_day, chance)
    scenario = Scenario(
        begin=story.begin,
        end=story.end,
        traces=story.traces,
        balances={plan.account.name: _balance(plan.account, chance) for plan in family.plans},
        card=_filling(per_day, chance),
        lag=story.lag,
        every=every,
    )
    return Operated(story, family, scenario, _life(family, scenario, per_day, chance))


def _per_day(trace: Trace) -> int:
    days = max((trace.at[-1] - trace.at[0]) / DAY, 1)
    return round(trace.sums[-1] / days)


def _family(per_day: Mapping[str, int], chance: Random) -> Family:
    """Return accounts that share a card, each with a recharge that fits what it spends."""
    usual = default_configuration()
    whole = alone(usual, usual.accounts[0])
    (first,) = whole.accounts
    accounts = tuple(_account(first, name, nanos, chance) for name, nanos in per_day.items())
    rules = next(iter(whole.account_rules.values()))
    made = replace(whole, accounts=accounts, account_rules={one.name: rules for one in accounts})
    return Benches(made).family_of_card(CARD)


def _account(usual: Account, name: str, nanos: int, chance: Random) -> Account:
    """Return an account that is charged every few days."""
    dollars = max(5, round(nanos * chance.uniform(1.5, 6) / NANOS / 5) * 5)
    amount = Money(dollars * NANOS, "USD")
    trigger = Money(max(5, dollars * chance.choice([1, 2, 4]) // 4) * NANOS, "USD")
    assert usual.recharge is not None  # noqa: S101  the usual account has one
    recharge = replace(usual.recharge, trigger=trigger, amount=amount)
    most = max(amount, DOLLAR.part(50, 1))
    return replace(usual, name=name, recharge=recharge, topup_min=DOLLAR, topup_max=most)


def _balance(account: Account, chance: Random) -> Money:
    assert account.recharge is not None  # noqa: S101  it was given one
    assert account.recharge.amount is not None  # noqa: S101  it was given one
    return account.recharge.trigger + account.recharge.amount.part(chance.randint(10, 100), 100)


def _filling(per_day: Mapping[str, int], chance: Random) -> Money:
    cents = sum(per_day.values()) * chance.randint(*LASTS) // (NANOS // 100)
    return Money(max(cents, 2000) * (NANOS // 100), "USD")


def _life(family: Family, scenario: Scenario, per_day: Mapping[str, int], chance: Random) -> Life:
    """Play the story; after a failed charge the card is filled, before the provider tries again."""
    run, happened = started(family, scenario)
    first = scenario.card or DOLLAR
    filled = [(scenario.begin, first)]
    noticed = None
    at = scenario.begin
    while at < scenario.end:
        at = min(at + HOUR, scenario.end)
        new = run.forward(at)
        happened += new
        if noticed is None and any(one.kind is Kind.CHARGE_FAILED for one in new):
            noticed = at + HOUR * chance.randint(*NOTICED)
        if noticed is not None and at >= noticed:
            amount = Money(run.card.left, "USD") + _filling(per_day, chance)
            happened += run.tell(Holding(at, amount), None)
            filled.append((at, amount))
            noticed = None
    return Life(run, tuple(happened), tuple(filled))


class Corrected(Lagging):
    """A view in which a part of a day's cost is missing until the day is corrected, a day later."""

    hidden = 0.0

    def booked(self, day: Window, now: datetime) -> int:
        """Return what is seen of a day."""
        seen = super().booked(day, now)
        return seen if now >= day.end + DAY else round(seen * (1 - self.hidden))

    def settled(self, now: datetime) -> datetime:
        """Return a midnight before which every day was corrected."""
        return super().settled(now) - DAY * 2

    def since(self, start: datetime, now: datetime) -> int:
        """Return what is seen since an instant."""
        return round(super().since(start, now) * (1 - self.hidden))


def corrected(hidden: float) -> type[Lagging]:
    """Return the view of an account a part of whose cost is hidden at first."""
    return type("Hiding", (Corrected,), {"hidden": hidden})
