"""Crew: one program at work. It claims what is due and sees to it, each piece beside the others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from secrets import token_hex

from spendguard.app.program import WORKERS, App
from spendguard.core.accounts import Account, Mailbox
from spendguard.core.routing import Channel
from spendguard.daemon.pulse import Pulse
from spendguard.daemon.schedule import Job, Schedule
from spendguard.daemon.teller import Teller
from spendguard.store import alerts, claims, mails, outbox

LEASE = timedelta(minutes=3)  # a poll takes a minute, and may wait twice for the database
HANGING = WORKERS - 2  # so many threads may be with accounts or mailboxes that failed before
MINUTE = timedelta(minutes=1)


class Crew:
    """The jobs over what is due, for one configuration."""

    def __init__(self, app: App, pulse: Pulse, teller: Teller, every: timedelta = MINUTE) -> None:
        self.app = app
        self._pulse = pulse
        self._teller = teller
        self._accounts = {one.name: one for one in app.configuration.accounts}
        self._mailboxes = {one.name: one for one in app.configuration.mailboxes}
        self._channels = {one.name: one for one in app.configuration.channels}
        self._polls = Lane(WORKERS, HANGING)
        self._reads = Lane(2, 1)
        self._sends = Lane(max(len(self._channels), 1), 0)
        self._event = 0
        self._event_lock = threading.Lock()
        jobs = [
            Job("poll", every, partial(self._safely, "poll", self._poll_due)),
            Job("deliver", MINUTE, partial(self._safely, "deliver", self._deliver_due)),
            Job("judge", MINUTE, partial(self._safely, "judge", self._judge_open)),
        ]
        if self._mailboxes:
            jobs.append(Job("mailbox", MINUTE, partial(self._safely, "mailbox", self._read_due)))
        self._schedule = Schedule(jobs)

    def start(self) -> None:
        """Take everything as due, and begin."""
        now = self.app.clock()
        with self.app.store.begin() as tx:
            for name in self._mailboxes:
                mails.load(tx, name)
            claims.free(tx, claims.POLLS, self._accounts, now)
            claims.free(tx, claims.READS, self._mailboxes, now)
            outbox.hasten(tx, now)
            outbox.give_up_channels(tx, self._channels, now)
            self._event = alerts.newest_event(tx)
        self.app.retire()
        self._schedule.start()

    def renew(self) -> None:
        """Look at everything again."""
        self._schedule.renew()

    def stop(self) -> None:
        """Begin nothing any more; what is under way goes on."""
        self._schedule.stop()
        for lane in (self._polls, self._reads, self._sends):
            lane.close()

    @property
    def idle(self) -> bool:
        """True when nothing is under way."""
        return not any(lane.busy for lane in (self._polls, self._reads, self._sends))

    def _safely(self, work: str, do: Callable[[], timedelta | None]) -> timedelta | None:
        """Do a piece of work; what goes wrong is told, and tried again."""
        with self._pulse.working(work):
            try:
                pause = do()
            except Exception as error:  # noqa: BLE001 - a daemon outlives its bugs
                self._teller.failed(work, error)
                return timedelta(seconds=5)
        self._teller.done(work)
        return pause

    # polls

    def _poll_due(self) -> timedelta | None:
        now, token = self.app.clock(), token_hex(8)
        known = self._accounts.keys() - self._polls.busy
        with self.app.store.begin() as tx:
            won = claims.claim(
                tx,
                claims.POLLS,
                known,
                token,
                now,
                now + LEASE,
                most=self._polls.room,
                failing=self._polls.room_for_failing,
            )
            soonest = claims.soonest(tx, claims.POLLS, now)
        for name, failing in won.items():
            account = self._accounts[name]
            work = partial(self._safely, f"poll {name}", partial(self._poll, account, token))
            self._polls.put(name, work, lambda: self._schedule.wake("poll"), failing=failing)
        return None if soonest is None else soonest - self.app.clock()

    def _poll(self, account: Account, token: str) -> None:
        outcome = self.app.poll(account, claim=token)
        self.app.evaluate(account)
        self._schedule.wake("deliver")
        self._teller.polled(outcome)
        self._tell_moves()

    # mailboxes

    def _read_due(self) -> timedelta | None:
        now, token = self.app.clock(), token_hex(8)
        known = self._mailboxes.keys() - self._reads.busy
        with self.app.store.begin() as tx:
            won = claims.claim(
                tx,
                claims.READS,
                known,
                token,
                now,
                now + LEASE,
                most=self._reads.room,
                failing=self._reads.room_for_failing,
            )
            soonest = claims.soonest(tx, claims.READS, now)
        for name, failing in won.items():
            work = partial(
                self._safely,
                f"mailbox {name}",
                partial(self._read, self._mailboxes[name], token),
            )
            self._reads.put(name, work, lambda: self._schedule.wake("mailbox"), failing=failing)
        return None if soonest is None else soonest - self.app.clock()

    def _read(self, mailbox: Mailbox, token: str) -> None:
        outcome = self.app.read_mailbox(mailbox, token)
        self._teller.read(outcome)
        if outcome.entered or outcome.put_aside:
            for account in self.app.told_by(mailbox):
                self.app.evaluate(account)
            self._schedule.wake("deliver")
            self._tell_moves()

    # messages

    def _deliver_due(self) -> timedelta | None:
        now = self.app.clock()
        with self.app.store.begin() as tx:
            due = outbox.due_channels(tx, now)
            soonest = outbox.soonest(tx, now)
        for name in due:
            if name in self._channels and name not in self._sends.busy:
                work = partial(self._safely, f"deliver {name}", partial(self._deliver, name))
                self._sends.put(name, work, lambda: self._schedule.wake("deliver"))
        return None if soonest is None else soonest - self.app.clock()

    def _deliver(self, name: str) -> None:
        channel: Channel = self._channels[name]
        tried = False
        for outcome in self.app.deliver_to(channel):
            self._teller.delivered(outcome)
            tried = True
            if self._sends.closed:
                break
        if tried:
            self.app.evaluate_guard()

    # what stands open

    def _judge_open(self) -> timedelta | None:
        self.app.evaluate_guard()
        self._schedule.wake("deliver")
        self._tell_moves()
        return None

    def _tell_moves(self) -> None:
        with self._event_lock, self.app.store.begin() as tx:
            events = alerts.events_after(tx, self._event)
            self._event = events[-1].id if events else self._event
        self._teller.moved(events)


class Lane:
    """A few threads, and which names are with them; each name once at most."""

    def __init__(self, width: int, failing: int) -> None:
        self._width = width
        self._for_failing = failing
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
            return self._for_failing - sum(self._busy.values())

    def put(
        self,
        name: str,
        work: Callable[[], object],
        then: Callable[[], None],
        *,
        failing: bool = False,
    ) -> None:
        """Have a name seen to, unless it is or nothing is begun any more."""
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
