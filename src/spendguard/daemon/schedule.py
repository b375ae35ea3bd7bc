"""Schedule: a handful of jobs, each run when something is due, when it is woken, and now and then.

APScheduler goes by the wall clock. What is due is kept in rows and asked for by our own clock; here
it is only the length of a pause, so that a clock that is set back costs one `renew`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Any

from apscheduler.executors.pool import BasePoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from spendguard.app.clock import utc_now

SHORTEST = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of work. `run` does all that is due and returns the pause until the next of it."""

    name: str
    every: timedelta  # it is run at least so often
    run: Callable[[], timedelta | None]


@dataclass(slots=True)
class _Turn:
    """Who runs a job, and whether it is wanted again."""

    job: Job
    wanted: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class _Shared(BasePoolExecutor):  # type: ignore[misc]  # apscheduler has no types
    """APScheduler's executor over the pool that wakes use too."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        super().__init__(pool)


class Schedule:
    """Runs each job by itself: never twice at once, and no wake is ever lost."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._turns = {job.name: _Turn(job) for job in jobs}
        self._pool = ThreadPoolExecutor(2 * len(self._turns) + 1, "job")
        self._stopped = threading.Event()
        self._scheduler: Any = BackgroundScheduler(
            executors={"default": _Shared(self._pool)},
            timezone=UTC,
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 2},
        )

    def start(self) -> None:
        """Begin, with every job at once."""
        for turn in self._turns.values():
            self._scheduler.add_job(
                self._timed,
                IntervalTrigger(seconds=turn.job.every.total_seconds(), timezone=UTC),
                args=(turn,),
                id=turn.job.name,
                next_run_time=utc_now(),
            )
        self._scheduler.start()

    def wake(self, name: str) -> None:
        """Run a job now; while it runs, once more afterwards."""
        turn = self._turns.get(name)
        if turn is None or self._stopped.is_set():
            return
        turn.wanted = True
        try:
            self._pool.submit(self._take, turn)
        except RuntimeError:  # stopped meanwhile
            return

    @property
    def busy(self) -> bool:
        """True while a job runs."""
        return any(turn.lock.locked() for turn in self._turns.values())

    def renew(self) -> None:
        """Run every job now: the clock went elsewhere, or somebody else changed the database."""
        for name in self._turns:
            self.wake(name)

    def stop(self) -> None:
        """Begin nothing any more; what runs goes on."""
        self._stopped.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        self._pool.shutdown(wait=False)

    def _timed(self, turn: _Turn) -> None:
        turn.wanted = True
        self._take(turn)

    def _take(self, turn: _Turn) -> None:
        """Run a job until nobody wants it again; somebody who runs it already does so for us."""
        while turn.wanted and not self._stopped.is_set() and turn.lock.acquire(blocking=False):
            try:
                turn.wanted = False
                pause = turn.job.run()
            finally:
                turn.lock.release()
            self._again(turn.job, pause)

    def _again(self, job: Job, pause: timedelta | None) -> None:
        rest = job.every if pause is None else min(max(pause, SHORTEST), job.every)
        if not self._stopped.is_set():
            with suppress(JobLookupError):  # stopped meanwhile
                self._scheduler.modify_job(job.name, next_run_time=utc_now() + rest)
