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
CORRECTION = Money.parse("0.85", "USD")
SLOWED = after(13, 18)

SUPPORT = Stream("proj_support", "key_helpdesk", "gpt-6-astra-mini", Money.parse("0.40", "USD"))
STREAMS = (
    Stream("proj_website", "key_prod", "gpt-6-astra", Money.parse("1.25", "USD")),
    Stream("proj_website", "key_prod", "gpt-6-astra-mini", Money.parse("0.35", "USD")),
    Stream("proj_research", "key_nightly", "gpt-6-astra", Money.parse("0.90", "USD")),
    SUPPORT,
)


class Listener(Protocol):
    """Somebody the story is told to."""

    def happens(self, at: datetime, text: str, *, quietly: bool = False) -> None:
        """Hear what happens, quietly where it is nothing new."""

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
            to.happens(at, scene if isinstance(scene, str) else scene(stage))
        if not looks:
            continue
        messages = stage.look()
        if at == utc_day(at).start:
            to.happens(at, f"{dollars(stage.floor)} left", quietly=True)
        for message in messages:
            to.heard(at, message)
    to.happens(
        now,
        f"Now. {dollars(stage.floor)} left, and nothing more was said: you have it, and it got "
        "no worse.",
    )


def _begin(stage: Stage, to: Listener, first: datetime) -> None:
    to.happens(
        first + DRY,
        "The credit of the month before runs out. Requests are refused all evening, and nobody "
        "was warned.",
    )
    to.happens(
        first,
        f"{dollars(BOUGHT)} of credit is bought, and spendguard is set up. It reads back what "
        "was spent before, and introduces itself:",
    )
    for message in stage.look():
        to.heard(first, message)
    stage.state_balance(BOUGHT)
    to.happens(first, f"You tell it: spendguard balance set {ACCOUNT} {BOUGHT.exact()}")


def dollars(amount: Money | None) -> str:
    """Return an amount as the messages say it."""
    return "unknown" if amount is None else f"${amount.floored().exact()}"


def _moments(first: datetime, now: datetime) -> Iterator[tuple[datetime, bool]]:
    """Yield each instant at which something happens or spendguard looks, and whether it does."""
    looks = {first + STEP * place for place in range(1, (now - first) // STEP + 1)} | {now}
    closer = (FOUND - LOST + 2 * HOUR) // CLOSER
    looks |= {first + LOST + timedelta(minutes=10) + CLOSER * place for place in range(closer)}
    for at in sorted(looks | {first + moment for moment in SCENES}):
        yield at, at in looks


Scene = Callable[[Stage], str]  # does something, and says what


def _lost(stage: Stage) -> str:
    stage.fail(FOUND - LOST)
    return "The provider stops answering."


def _taken_in(stage: Stage) -> str:
    left, before = dollars(stage.floor), dollars(stage.before)
    return f"spendguard replaces what it knew of that day: {left} left, {before} an hour ago."


def _acknowledged(rule: str, why: str) -> Scene:
    def scene(stage: Stage) -> str:
        return f"{why}: spendguard alerts ack {stage.acknowledge(rule)}"

    return scene


SCENES: dict[timedelta, Scene | str] = {
    LOST: _lost,
    FOUND: "The provider answers again.",
    CORRECTED: f"The provider corrects its bill for day {CORRECTS // DAY + 1}: "
    f"{dollars(CORRECTION)} more.",
    CORRECTED + timedelta(minutes=1): _taken_in,
    after(11, 9): _acknowledged("deposit-cap", "You have seen it, so it is not repeated"),
    after(13, 8, 30): _acknowledged("deposit-cap", "You have seen that too"),
    SLOWED: _acknowledged("balance-low", "You stop what can wait, and say that you have it"),
}
