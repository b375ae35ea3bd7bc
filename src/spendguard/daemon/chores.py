"""Chores: what is done now and then: judge what stands open, retain, give a sign of life."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from spendguard.core.windows import DAY
from spendguard.daemon.duty import RETRY, Duty
from spendguard.notify.results import Delivered
from spendguard.pipeline.seen import every_account_seen
from spendguard.store import jobs

MINUTE = timedelta(minutes=1)
CYCLE = "cycle"
"""The row that says when work was last finished."""
RETAIN = "retain"
SILENT = 2 * MINUTE


class Chores:
    """The jobs that are about everything at once."""

    def __init__(self, duty: Duty, retry: Callable[[], None]) -> None:
        self._duty = duty
        self._retry = retry
        self._retried: float | None = None
        self._beat: float | None = None
        intervals = [account.poll_interval for account in duty.app.configuration.accounts]
        self._rest = max(MINUTE, min(intervals, default=MINUTE)).total_seconds()

    def judge(self) -> timedelta | None:
        """Judge what stands open, and the guard itself; first tell what cannot be written down."""
        duty = self._duty
        duty.trouble.tell()
        self._note_cycle()
        if duty.trouble.standing and self._since(self._retried) >= 2 * RETRY.total_seconds():
            self._retried = duty.steady()
            self._retry()
        duty.app.evaluate_open()
        duty.app.evaluate_guard(duty.health)
        duty.wake("deliver")
        duty.tell_moves()
        return RETRY if duty.trouble.standing else None

    def retain(self) -> timedelta | None:
        """Drop what has served its time, once a day, and never by a clock that may be wrong."""
        duty = self._duty
        if not duty.watch.trusted:
            return None
        now = duty.app.clock()
        with duty.app.store.begin() as tx:
            last = jobs.finished(tx).get(RETAIN)
        if last is not None and timedelta(0) <= now - last < DAY:
            return None
        duty.app.retain()
        with duty.app.store.begin() as tx:
            jobs.note(tx, RETAIN, now, DAY)
        return None

    def heartbeat(self) -> timedelta | None:
        """Give a sign of life if every account was read or is known blind, and work goes on."""
        duty = self._duty
        rest = self._rest - self._since(self._beat)
        if rest > 0:
            return timedelta(seconds=rest)
        if duty.trouble.standing or duty.pulse.silence > SILENT.total_seconds():
            return None
        accounts = duty.app.configuration.accounts
        with duty.app.store.begin() as tx:
            seen = every_account_seen(tx, accounts, duty.app.clock())
        if not seen:
            return None
        outcome = duty.app.ends.heartbeat()
        if outcome is None:
            return None
        duty.teller.beat(outcome)
        if isinstance(outcome, Delivered):
            self._beat = duty.steady()
        return None

    def _note_cycle(self) -> None:
        """Say in the database when work was last finished; while something hangs that stays."""
        duty = self._duty
        finished_at = duty.app.clock() - timedelta(seconds=duty.pulse.silence)
        with duty.app.store.begin() as tx:
            jobs.note(tx, CYCLE, finished_at, MINUTE)

    def _since(self, at: float | None) -> float:
        return float("inf") if at is None else self._duty.steady() - at
