"""Pulse: when work was last finished. It feeds the watchdog, so that what hangs stops it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count


class Pulse:
    """Beats when something is finished and nothing begun before the beat before hangs.

    Each beat waits for all that was under way at the one before it: while one piece of work never
    ends, others that do cannot hide it.
    """

    def __init__(self, steady: Callable[[], float], on_beat: Callable[[], None]) -> None:
        self._steady = steady
        self._on_beat = on_beat
        self._lock = threading.Lock()
        self._numbers = count()
        self._running: dict[int, tuple[str, float]] = {}
        self._awaited: set[int] = set()
        self._beat_at = steady()

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Be under way for the length of the block, however it ends."""
        with self._lock:
            number = next(self._numbers)
            self._running[number] = what, self._steady()
        try:
            yield
        finally:
            with self._lock:
                del self._running[number]
            self.beat()

    def beat(self) -> None:
        """Note that work was finished, or that nothing was due."""
        with self._lock:
            if not self._awaited.isdisjoint(self._running):
                return
            self._awaited = set(self._running)
            self._beat_at = self._steady()
        self._on_beat()

    @property
    def silence(self) -> float:
        """The seconds since the last beat."""
        with self._lock:
            return self._steady() - self._beat_at

    @property
    def under_way(self) -> list[str]:
        """What is being done now."""
        with self._lock:
            return sorted(what for what, _ in self._running.values())

    @property
    def longest(self) -> float:
        """The seconds for which the oldest of that has been under way."""
        with self._lock:
            began = min((at for _, at in self._running.values()), default=self._steady())
            return self._steady() - began
