"""Lane: a few threads, and which names are with them, each once at most."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial


class Lane:
    """Sees to names side by side; of those that failed before, to a part of its width at once."""

    def __init__(self, width: int, failing: int) -> None:
        self._width = width
        self._failing = failing
        self._pool = ThreadPoolExecutor(width)
        self._lock = threading.Lock()
        self._busy: dict[str, bool] = {}
        self.closed = False

    @property
    def busy(self) -> set[str]:
        """The names that are being seen to."""
        with self._lock:
            return set(self._busy)

    @property
    def room(self) -> int:
        """How many more may be."""
        with self._lock:
            return self._width - len(self._busy)

    @property
    def room_for_failing(self) -> int:
        """How many more of those that failed the last time."""
        with self._lock:
            return self._failing - sum(self._busy.values())

    def put(
        self,
        name: str,
        work: Callable[[], object],
        then: Callable[[], None],
        *,
        failing: bool = False,
    ) -> None:
        """Have a name seen to, unless it is already or nothing is begun any more."""
        with self._lock:
            if self.closed or name in self._busy:
                return
            self._busy[name] = failing
            future = self._pool.submit(work)
        future.add_done_callback(partial(self._done, name, then))

    def _done(self, name: str, then: Callable[[], None], _future: Future[object]) -> None:
        with self._lock:
            del self._busy[name]
        then()

    def close(self) -> None:
        """Take nothing more; what is under way goes on."""
        with self._lock:
            self.closed = True
        self._pool.shutdown(wait=False)
