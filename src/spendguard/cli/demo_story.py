"""Story: an account, what it spends, and what happens to it in two weeks.

Every figure is a function of the day and the hour of the story: whenever it is played, the same
things happen at the same times. Only its last day, which is today, is as long as it is by now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from spendguard.cli.demo_receiver import Received
from spendguard.cli.demo_stage import ACCOUNT, Stage
from spendguard.core.money import Money
from spendguard.core.windows import DAY, HOUR, utc_day
from spendguard.core.world import Spending, Terms
from spendguard.simulator import Stream, World
from spendguard.simulator.traffic import hour

SEED = 7
LENGTH = 13 * DAY  # and today
HISTORY = 30 * DAY
LAG = 3 * HOUR
BOUGHT = Money.parse("40.00", "USD")
STEP = HOUR
CLOSER = timedelta(minutes=20)
REFERENCE = datetime(2026, 1, 1, tzinfo=UTC)  # the first day that the traffic is made for


def after(day: int, hours: int, minutes: int = 0) -> timedelta:
    """Return an instant of the story, counted from its first midnight."""
    return (day - 1) * DAY + timedelta(hours=hours, minutes=minutes)


DRY = after(0, 18)
LOST, FOUND = after(6, 12, 50), after(6, 16, 50)
CORRECTED, CORRECTS = after(9, 10), after(7, 0)
CORRECTION = Money.parse("1.10", "USD")
SLOWED = after(13, 17)

SUPPORT = Stream("proj_support", "key_helpdesk", "gpt-6-astra-mini", Money.parse("0.40", "USD"))
STREAMS = (
    Stream("proj_website", "key_prod", "gpt-6-astra", Money.parse("1.25", "USD")),
    Stream("proj_website", "key_prod", "gpt-6-astra-mini", Money.parse("0.35", "USD")),
    Stream("proj_research", "key_nightly", "gpt-6-astra", Money.parse("0.90", "USD")),
    SUPPORT,
)


class Listener(Protocol):
    """Somebody the story is told to."""

    def happens(self, at: datetime, text: str) -> None:
        """Hear what happens in the world."""

    def balance(self, at: datetime, left: Money) -> None:
        """Hear what spendguard takes the balance to be."""

    def heard(self, at: datetime, message: Received) -> None:
        """Hear a message that arrived."""


def first_day(now: datetime) -> datetime:
    """Return the midnight at which a story begins that ends now."""
    return utc_day(now).start - LENGTH


def world(now: datetime) -> World:
    """Return the account with everything that will have happened to it by now."""
    first = first_day(now)
    made = World(first, terms=Terms(overdraft=Money.zero("USD")), lag=LAG)
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
    return made


def _traffic() -> Iterator[Spending]:
    for place in range(-HISTORY // HOUR, (LENGTH + DAY) // HOUR):
        for stream in STREAMS if place * HOUR < SLOWED else (SUPPORT,):
            yield from hour(stream, SEED, REFERENCE + place * HOUR)


def play(stage: Stage, to: Listener, now: datetime) -> None:
    """Play the story to its end, and tell it as it goes."""
    first = first_day(now)
    _begin(stage, to, first)
    for at, looks in _moments(first, now):
        stage.move(at)
        scene = SCENES.get(at - first)
        if scene is not None:
            to.happens(at, scene(stage))
        if not looks:
            continue
        for message in stage.look():
            to.heard(at, message)
        if at == utc_day(at).start and stage.floor is not None:
            stage.introduce()
            to.balance(at, stage.floor)
    to.happens(now, "Now. Nothing more was said: you have it, and it got no worse.")


def _begin(stage: Stage, to: Listener, first: datetime) -> None:
    to.happens(
        first + DRY, "The credit runs out. Requests are refused all evening; nobody was warned."
    )
    stage.move(first)
    to.happens(
        first,
        f"{BOUGHT} of credit is bought, and spendguard is set up. It reads back what the account spent before, and introduces itself:",
    )
    for message in [*stage.look(), *stage.introduce()]:
        to.heard(first, message)
    stage.state_balance(BOUGHT)
    to.happens(first, f"So you tell it: spendguard balance set {ACCOUNT} {BOUGHT.exact()}")


def _moments(first: datetime, now: datetime) -> Iterator[tuple[datetime, bool]]:
    """Yield each instant at which something happens or spendguard looks, and whether it does."""
    looks = {first + STEP * place for place in range(1, (now - first) // STEP + 1)} | {now}
    closer = (FOUND - LOST + 2 * HOUR) // CLOSER
    looks |= {first + LOST + timedelta(minutes=10) + CLOSER * place for place in range(closer)}
    for at in sorted(looks | {first + moment for moment in SCENES}):
        yield at, at in looks


Scene = Callable[[Stage], str]


def _lost(stage: Stage) -> str:
    stage.fail(FOUND - LOST)
    return "The provider stops answering."


def _found(stage: Stage) -> str:
    return "The provider answers again."


def _corrected(stage: Stage) -> str:
    return f"The provider corrects its bill for day {CORRECTS // DAY + 1}: {CORRECTION} more."


def _taken_in(stage: Stage) -> str:
    left, before = stage.floor, stage.before
    return f"spendguard replaces the day's figure: {left and left.floored()} left, after {before and before.floored()}."


def _acknowledged(rule: str, why: str) -> Scene:
    def scene(stage: Stage) -> str:
        return f"{why}: spendguard alerts ack {stage.acknowledge(rule)}"

    return scene


SCENES: dict[timedelta, Scene] = {
    LOST: _lost,
    FOUND: _found,
    CORRECTED: _corrected,
    CORRECTED + timedelta(minutes=1): _taken_in,
    after(11, 9): _acknowledged("deposit-cap", "You have seen it, so it is not repeated"),
    after(13, 8, 30): _acknowledged("deposit-cap", "You have seen that too"),
    SLOWED: _acknowledged("balance-low", "You stop what can wait, and say that you have it"),
}
