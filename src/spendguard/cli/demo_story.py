"""Story: what happens in two weeks, what its reader does about it, and who is told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Protocol

from spendguard.cli.demo_receiver import Received
from spendguard.cli.demo_stage import ACCOUNT, AMOUNT, CARD, TRIGGER, Stage
from spendguard.cli.demo_world import (
    BOUGHT,
    CORRECTED,
    CORRECTION,
    CORRECTS,
    DRY,
    FILLED,
    PUT_ON_IT,
    SWITCHED,
    after,
    first_day,
)
from spendguard.core.money import Money
from spendguard.core.windows import DAY, HOUR, utc_day
from spendguard.core.world import Charged

STEP = HOUR * 2
CLOSER = timedelta(minutes=20)
READ = timedelta(minutes=12)  # how soon a mail is read
LOST, FOUND = after(3, 12, 50), after(3, 16, 50)
MINUTE = timedelta(minutes=1)


class Listener(Protocol):
    """Somebody the story is told to."""

    def happens(self, at: datetime, text: str, *, quietly: bool = False) -> None:
        """Hear what happens, quietly where it is nothing new."""

    def heard(self, at: datetime, message: Received) -> None:
        """Hear a message that arrived."""


Scene = Callable[[Stage], str]  # does something, and says what


def play(stage: Stage, to: Listener, now: datetime) -> None:
    """Play the story to its end, and tell it as it goes."""
    first = first_day(now)
    _begin(stage, to, first)
    script = _script(stage, first, now)
    spoken = False
    for at, looks in _moments(script, first, now):
        stage.move(at)
        for scene in script.get(at, ()):
            to.happens(at, scene(stage))
        if not looks:
            continue
        messages = stage.look()
        if at == utc_day(at).start:
            if not spoken:
                to.happens(at, f"{dollars(stage.floor)} left", quietly=True)
            spoken = False
        for message in messages:
            to.heard(at, message)
            spoken = True
    to.happens(
        now, f"Now. {dollars(stage.floor)} left, and nothing to say: a healthy account is quiet."
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


def _script(stage: Stage, first: datetime, now: datetime) -> dict[datetime, list[Scene]]:
    """Return what happens at which instant: what is scripted, and the charges of the world."""
    script = {first + moment: [scene] for moment, scene in SCENES.items()}
    again = False
    for charge in stage.world.charges_until(now):
        script.setdefault(charge.at, []).append(_charged(charge, again=again))
        script.setdefault(charge.at + READ, []).append(_entered(charge))
        again = not charge.succeeded
    return script


def _moments(
    script: dict[datetime, list[Scene]], first: datetime, now: datetime
) -> Iterator[tuple[datetime, bool]]:
    """Yield each instant at which something happens or spendguard looks, and whether it does."""
    looks = {first + STEP * place for place in range(1, (now - first) // STEP + 1)} | {now}
    closer = (FOUND - LOST + 2 * HOUR) // CLOSER
    looks |= {first + LOST + timedelta(minutes=10) + CLOSER * place for place in range(closer)}
    for at in sorted(looks.union(script)):
        yield at, at in looks


def _says(text: str) -> Scene:
    return lambda _stage: text


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


def _recharge_told(stage: Stage) -> str:
    stage.tell_recharge()
    return "You put both into the configuration. spendguard starts anew, and goes on as before."


def _card_stated(why: str) -> Scene:
    def scene(stage: Stage) -> str:
        return f"{why}: spendguard card set {CARD} {stage.state_card().exact()}"

    return scene


def _charged(charge: Charged, *, again: bool) -> Scene:
    verb = "tries again to charge" if again else "charges"
    tried = f"The provider {verb} {dollars(charge.amount)} to {CARD}"
    if charge.succeeded:
        return _says(f"{tried}, and the card pays.")
    return _says(f"{tried}. Declined; it writes an e-mail, no more.")


def _entered(charge: Charged) -> Scene:
    typed = f"spendguard charge add {ACCOUNT} {charge.amount.exact()}"

    def scene(stage: Stage) -> str:
        if charge.succeeded:
            stage.enter(charge, "")
            return f"You enter it: {typed} --succeeded"
        stage.enter(charge, "declined")
        return f"You read it: {typed} --failed --reason declined"

    return scene


SCENES: dict[timedelta, Scene] = {
    LOST: _lost,
    FOUND: _says("The provider answers again."),
    CORRECTED: _says(
        f"The provider corrects its bill for day {CORRECTS // DAY + 1}: {dollars(CORRECTION)} more."
    ),
    CORRECTED + MINUTE: _taken_in,
    SWITCHED: _says(
        "You want no more of this, and switch the automatic recharge on at the provider: under "
        f"{dollars(TRIGGER)} it charges {dollars(AMOUNT)} to your card, {CARD}."
    ),
    SWITCHED + 5 * MINUTE: _recharge_told,
    after(8, 16, 40): _card_stated("You look up what the card holds, and say so"),
    after(8, 17, 20): _acknowledged("card-short", "You say that you have it, and forget it"),
    FILLED: _card_stated(f"You put {dollars(PUT_ON_IT)} on the card"),
    FILLED + 10 * MINUTE: _acknowledged("charge-failed", "You say that you have this one"),
}
