"""Post: a program, the crew at work for it, and the lock of its database."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from spendguard.app.emergency import Emergency
from spendguard.app.hold import guarding
from spendguard.app.program import App, configure
from spendguard.config.concerns import unresolved
from spendguard.core.errors import ConfigError, Problem, UnwritableError
from spendguard.daemon.chores import CYCLE, RETAIN
from spendguard.daemon.crew import MINUTE, Crew
from spendguard.daemon.duty import RETRY, Duty
from spendguard.daemon.pulse import Pulse
from spendguard.daemon.steady import ClockWatch
from spendguard.daemon.systemd import Supervisor
from spendguard.daemon.teller import Teller
from spendguard.daemon.trouble import Trouble
from spendguard.store import jobs
from spendguard.store.watch import Watch

log = logging.getLogger("spendguard.daemon")


@dataclass(frozen=True, slots=True)
class Gear:
    """What one post hands to the next."""

    explicit: str | None
    env: Mapping[str, str]
    clock: Callable[[], datetime]
    steady: Callable[[], float]
    supervisor: Supervisor
    pulse: Pulse
    teller: Teller
    watch: ClockWatch

    def program(self) -> App:
        """Return what the configuration says now.

        Raises:
            ConfigError: with every problem at once.
        """
        return App(configure(self.explicit, self.env), self.env, self.clock)

    def crew(self, app: App) -> Crew:
        """Return who is at work for a program."""
        fed = self.supervisor.watchdog
        every = MINUTE if fed is None else min(MINUTE, fed / 4)
        return Crew(Duty(app, self.pulse, self.teller, self.watch, self.steady), every)


@dataclass(slots=True)
class Post:
    """A program at work. `hold` keeps the database from every other daemon."""

    app: App
    crew: Crew
    hold: ExitStack
    watch: Watch

    @property
    def database(self) -> Path:
        """The file that is guarded by."""
        return Path(str(self.app.store.path))

    def look(self) -> None:
        """See to what other processes wrote."""
        if self.watch.changed():
            self.crew.duty.wake("deliver")
            if self.watch.ledger_changed():
                self.crew.duty.wake("judge")

    def close(self) -> None:
        """Give back what was opened, the lock last."""
        self.watch.close()
        self.app.close()
        self.hold.close()


def first(gear: Gear) -> Post:
    """Return the first post; while its database cannot be written, say so and wait.

    Raises:
        ConfigError: when the configuration does not hold.
        StoreError: when the database cannot be used, or another daemon has it.
    """
    app = gear.program()
    trouble = Trouble(Emergency(app.configuration, app.ends), gear.clock, gear.steady)
    while True:
        try:
            hold = _held(app)
            break
        except UnwritableError as error:
            trouble.failed("start", error)
            trouble.tell()
            gear.supervisor.wait(f"the database cannot be written: {error.message}")
            threading.Event().wait(RETRY.total_seconds())  # no row can hold this due time
    trouble.done("start")
    with app.store.begin() as tx:
        jobs.forget(tx, CYCLE, RETAIN)  # what another daemon finished is no sign of this one's life
    return _manned(app, gear, hold)


def next_after(former: Post, gear: Gear) -> Post:
    """Return the post that a changed configuration asks for; the former one is left as it is.

    Raises:
        ConfigError: when the configuration does not hold, or a secret in it cannot be had.
        StoreError: when its database cannot be used.
    """
    app = gear.program()
    try:
        _refuse_unusable(app, gear)
        if Path(str(app.store.path)) == former.database:
            app.prepare()
            hold = ExitStack()
        else:
            hold = _held(app)
        return _manned(app, gear, hold)
    except BaseException:
        app.close()
        raise


def _held(app: App) -> ExitStack:
    """Take the lock and prepare the database, before anybody else may deliver from it."""
    prepared = False

    def prepare() -> None:
        nonlocal prepared
        app.prepare()
        app.take_back()
        prepared = True

    with ExitStack() as hold:
        hold.enter_context(guarding(Path(str(app.store.path)), prepare))
        if not prepared:
            app.prepare()
        return hold.pop_all()


def _manned(app: App, gear: Gear, hold: ExitStack) -> Post:
    return Post(app, gear.crew(app), hold, Watch(Path(str(app.store.path))))


def _refuse_unusable(app: App, gear: Gear) -> None:
    found = [Problem(str(one), one.hint) for one in unresolved(app.configuration, gear.env)]
    for channel in app.configuration.channels:
        sender = app.ends.sender(channel.name)
        if isinstance(sender, str) and not found:
            found.append(Problem(sender, "correct its url; see docs/channels.md"))
    if found:
        raise ConfigError(tuple(found))
