"""Duty: one program at work, and what all its work has in common: errors, liveness, transitions."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

from spendguard.app.emergency import Emergency
from spendguard.app.program import App
from spendguard.core.errors import UnwritableError
from spendguard.core.facts import Health
from spendguard.daemon.board import Board
from spendguard.daemon.pulse import Pulse
from spendguard.daemon.steady import ClockWatch
from spendguard.daemon.teller import Teller
from spendguard.daemon.trouble import Trouble
from spendguard.store import alerts
from spendguard.store.connect import Tx

RETRY = timedelta(seconds=5)
STALLED = timedelta(minutes=5)


class Duty:
    """A program, and how it fares."""

    def __init__(
        self,
        app: App,
        pulse: Pulse,
        teller: Teller,
        watch: ClockWatch,
        steady: Callable[[], float],
    ) -> None:
        self.app = app
        self.pulse = pulse
        self.teller = teller
        self.watch = watch
        self.steady = steady
        self.trouble = Trouble(Emergency(app.configuration, app.ends), app.clock, steady)
        names = [account.name for account in app.configuration.accounts]
        self.board = Board(names, app.configuration.zone)
        self.wake: Callable[[str], None] = lambda _job: None
        """Runs a job now; whoever runs the jobs says how."""
        self._lock = threading.Lock()
        with app.store.begin() as tx:
            self._told = alerts.newest_event(tx)
            self.board.firing = _firing(tx)

    def safely(self, work: str, do: Callable[[], timedelta | None]) -> timedelta | None:
        """Do a piece of work and return its pause; what goes wrong is told, and tried again soon."""
        with self.pulse.working(work):
            try:
                pause = do()
            except UnwritableError as error:
                if self.trouble.failed(work, error):
                    self.wake("judge")  # it tells of it, and finds out when it is over
                return RETRY
            except Exception as error:  # noqa: BLE001 - a daemon outlives its bugs
                self.teller.failed(work, error)
                return RETRY
        self.trouble.done(work)
        self.teller.done(work)
        return pause

    @property
    def health(self) -> Health:
        """What can be noticed of this daemon now."""
        silence = timedelta(seconds=self.pulse.silence)
        stalled = self.app.clock() - silence if silence > STALLED else None
        return Health(jumped=self.watch.jumped, stalled_since=stalled)

    def tell_moves(self) -> None:
        """Tell of every transition of an alert since the last time, whoever caused it."""
        with self._lock, self.app.store.begin() as tx:
            events = alerts.events_after(tx, self._told)
            if events:
                self._told = events[-1].id
                self.board.firing = _firing(tx)
        self.teller.moved(events)


def _firing(tx: Tx) -> int:
    return sum(not stored.alert.pending for stored in alerts.every_open(tx))
