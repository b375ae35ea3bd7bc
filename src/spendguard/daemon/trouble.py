"""Trouble: an episode in which the database cannot be written.

It begins with the first work that fails of it and ends when everything that failed was done. Once
it has lasted a while it is told past the outbox, to each channel once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Protocol

from spendguard.core.errors import UnwritableError
from spendguard.core.facts import Health

log = logging.getLogger("spendguard.daemon")
HOLD = timedelta(seconds=15)  # a backup, or somebody's long transaction, is no trouble
AGAIN = timedelta(minutes=1)  # between two tries to tell a channel that took nothing


class Voice(Protocol):
    """What tells something past the outbox."""

    @property
    def channels(self) -> list[str]:
        """The channels that are to hear of it."""
        ...

    def tell(
        self, channels: Collection[str], health: Health, since: datetime, now: datetime
    ) -> list[str]:
        """Say what is wrong; return the channels that took it."""
        ...

    def over(self, channels: Collection[str], since: datetime, now: datetime) -> list[str]:
        """Say that it is over."""
        ...


class Trouble:
    """Whether the database can be written, who was told that it cannot, and who is to be told."""

    def __init__(
        self, voice: Voice, clock: Callable[[], datetime], steady: Callable[[], float]
    ) -> None:
        self._voice = voice
        self._clock = clock
        self._steady = steady
        self._lock = threading.Lock()
        self._failing: dict[str, UnwritableError] = {}
        self._began: tuple[datetime, float] | None = None
        self._heard: set[str] = set()
        self._tried: float | None = None

    @property
    def standing(self) -> bool:
        """True while something failed and was not done since."""
        return bool(self._failing)

    def failed(self, work: str, error: UnwritableError) -> bool:
        """Note that work failed because nothing can be written; tell whether that is news."""
        with self._lock:
            news = not self._failing
            self._failing[work] = error
            if self._began is None:
                self._began = self._clock(), self._steady()
        if news:
            told = {"error": error.message, "hint": error.hint, "work": work}
            log.error("database cannot be written", extra=told)
        return news

    def done(self, work: str) -> None:
        """Note that work was done; the episode ends with the last that had failed."""
        with self._lock:
            if self._failing.pop(work, None) is None or self._failing or self._began is None:
                return
            since, began = self._began
            heard, self._heard = self._heard, set()
            self._began = self._tried = None
        log.info(
            "database can be written again",
            extra={"after_seconds": round(self._steady() - began), "told": len(heard)},
        )
        if heard:
            self._voice.over(heard, since, self._clock())

    def tell(self) -> None:
        """Say what is wrong to every channel that has not heard, once it has lasted a while."""
        with self._lock:
            if self._began is None or not self._ripe(self._began[1]):
                return
            since, self._tried = self._began[0], self._steady()
            why = next(iter(self._failing.values())).message
            deaf = [name for name in self._voice.channels if name not in self._heard]
        reached = self._voice.tell(deaf, Health(unwritable=why), since, self._clock())
        with self._lock:
            self._heard.update(reached)
        for name in reached:
            log.info("told past the outbox", extra={"channel": name})

    def _ripe(self, began: float) -> bool:
        now = self._steady()
        rested = self._tried is None or now - self._tried >= AGAIN.total_seconds()
        return now - began >= HOLD.total_seconds() and rested
