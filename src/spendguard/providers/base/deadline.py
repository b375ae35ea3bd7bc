"""Deadline: the time that a poll may take, and each reply in it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

T = TypeVar("T")

POLL = timedelta(seconds=60)
REPLY = timedelta(seconds=20)


class Deadline:
    """An instant of a monotonic clock, set when it is made."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, allowed: timedelta = POLL
    ) -> None:
        self._clock = clock
        self._ends = clock() + allowed.total_seconds()

    @property
    def left(self) -> float:
        """The seconds that are left, in the form sockets want; not positive when it is over."""
        return self._ends - self._clock()

    def for_reply(self, allowed: timedelta = REPLY) -> Deadline:
        """Return the deadline of a reply that is asked for now: its own, or ours if earlier."""
        return Deadline(self._clock, min(allowed, timedelta(seconds=self.left)))


def within(seconds: float, call: Callable[[], T]) -> T:
    """Return what `call` returns, or raise what it raises.

    It runs in a thread of its own, because no time-out of a socket bounds a name look-up, a
    connect that tries one address after another, or headers that come byte by byte.

    Raises:
        TimeoutError: when it took longer; the thread is left to its own time-outs.
    """
    results: list[T] = []
    failures: list[Exception] = []

    def run() -> None:
        try:
            results.append(call())
        except Exception as error:  # noqa: BLE001 - raised again by the caller
            failures.append(error)

    thread = threading.Thread(target=run, name="spendguard-reply", daemon=True)
    thread.start()
    thread.join(seconds)
    if failures:
        raise failures[0]
    if not results:
        raise TimeoutError
    return results[0]
