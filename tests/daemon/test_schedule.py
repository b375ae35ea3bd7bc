"""What wakes a job. That APScheduler runs it in time is seen in tests/system."""

from __future__ import annotations

from datetime import timedelta
from threading import Event, Lock

from spendguard.daemon.schedule import Job, Schedule

PATIENCE = 30
MINUTE = timedelta(minutes=1)


class Work:
    """A job that counts its runs, and can be kept in one."""

    def __init__(self) -> None:
        self.runs = 0
        self.together = 0
        self.began = Event()
        self.gate = Event()
        self._lock = Lock()

    def __call__(self) -> timedelta | None:
        assert self._lock.acquire(blocking=False), "it runs twice at once"
        self.runs += 1
        self.began.set()
        self.gate.wait(PATIENCE)
        self._lock.release()
        return None


def test_a_job_that_is_woken_while_it_runs_runs_once_more() -> None:
    work = Work()
    schedule = Schedule([Job("poll", MINUTE, work)])
    schedule.wake("poll")
    assert work.began.wait(PATIENCE)
    for _ in range(5):
        schedule.wake("poll")
    work.gate.set()
    while schedule.busy or work.runs < 2:
        work.began.wait(0.01)
    schedule.stop()
    assert work.runs == 2


def test_every_wake_is_followed_by_a_run() -> None:
    """However wakes and runs fall together, the last wake is not lost."""
    seen = Event()
    wanted = [0]
    done = [0]

    def run() -> timedelta | None:
        done[0] = wanted[0]
        seen.set()
        return None

    schedule = Schedule([Job("poll", MINUTE, run)])
    for n in range(1, 300):
        wanted[0] = n
        seen.clear()
        schedule.wake("poll")
        while done[0] < n:
            assert seen.wait(PATIENCE)
    schedule.stop()


def test_nothing_is_begun_after_the_end() -> None:
    work = Work()
    work.gate.set()
    schedule = Schedule([Job("poll", MINUTE, work)])
    schedule.stop()
    schedule.wake("poll")
    schedule.renew()
    assert work.runs == 0


def test_a_job_that_is_not_there_is_not_woken() -> None:
    schedule = Schedule([])
    schedule.wake("mailbox")
    schedule.stop()
