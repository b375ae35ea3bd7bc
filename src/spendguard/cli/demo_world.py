"""World: the account of the demo, what it spends, and what truly happens to it in two weeks.

Every figure is a function of the day and the hour of the story: whenever it is played, the same
things happen at the same times. Only its last day, which is today, is as long as it is by now.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from spendguard.cli.demo_stage import AMOUNT, CARD, TRIGGER
from spendguard.core.money import Money
from spendguard.core.windows import DAY, HOUR, utc_day
from spendguard.core.world import Spending, Terms
from spendguard.simulator import Card, Stream, World
from spendguard.simulator.traffic import hour

SEED = 7
LENGTH = 13 * DAY  # and today
HISTORY = 30 * DAY
LAG = 3 * HOUR
RETRY = 18 * HOUR
BOUGHT = Money.parse("30.00", "USD")
CORRECTION = Money.parse("0.85", "USD")
ON_CARD, PUT_ON_IT = Money.parse("17.40", "USD"), Money.parse("42.60", "USD")
REFERENCE = datetime(2026, 1, 1, tzinfo=UTC)  # the first day that the traffic is made for


def after(day: int, hours: int, minutes: int = 0) -> timedelta:
    """Return an instant of the story, counted from its first midnight."""
    return (day - 1) * DAY + timedelta(hours=hours, minutes=minutes)


DRY = after(0, 18)
CORRECTED, CORRECTS = after(6, 10), after(4, 0)
SWITCHED = after(8, 15, 30)
FILLED = after(10, 17, 30)

STREAMS = (
    Stream("proj_website", "key_prod", "gpt-6-astra", Money.parse("1.50", "USD")),
    Stream("proj_website", "key_prod", "gpt-6-astra-mini", Money.parse("0.45", "USD")),
    Stream("proj_research", "key_nightly", "gpt-6-astra", Money.parse("1.05", "USD")),
    Stream("proj_support", "key_helpdesk", "gpt-6-astra-mini", Money.parse("0.50", "USD")),
)


def first_day(now: datetime) -> datetime:
    """Return the midnight at which a story begins that ends now."""
    return utc_day(now).start - LENGTH


def world(now: datetime) -> World:
    """Return the account with everything that will have happened to it by now."""
    first = first_day(now)
    terms = Terms(overdraft=Money.zero("USD"), retry_after=RETRY)
    made = World(first, terms=terms, lag=LAG, card=_card(first))
    made.project("proj_website", "Website")
    made.project("proj_research", "Research")
    made.project("proj_support", "Support bot")
    made.api_key("key_prod", "proj_website", "production")
    made.api_key("key_nightly", "proj_research", "nightly batch")
    made.api_key("key_helpdesk", "proj_support", "helpdesk")
    earlier = Money.zero("USD")
    for spending in _traffic():
        made.billing.add(replace(spending, at=spending.at - REFERENCE + first))
        if spending.at < REFERENCE + DRY:
            earlier += spending.amount
    made.purchase(first - HISTORY, earlier)
    made.purchase(first, BOUGHT)
    made.restate(
        first + CORRECTED,
        first + CORRECTS,
        CORRECTION,
        project="proj_research",
        api_key="key_nightly",
        line_item="gpt-6-astra, output_tokens",
    )
    made.recharge(first + SWITCHED, trigger=TRIGGER, amount=AMOUNT)
    return made


def _card(first: datetime) -> Card:
    card = Card(CARD)
    card.hold(first, ON_CARD)
    card.fill(first + FILLED, PUT_ON_IT)
    return card


def _traffic() -> Iterator[Spending]:
    for place in range(-HISTORY // HOUR, (LENGTH + DAY) // HOUR):
        for stream in STREAMS:
            yield from hour(stream, SEED, REFERENCE + place * HOUR)
