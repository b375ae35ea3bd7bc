"""Crew: the jobs over what is due, for one configuration."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta
from functools import partial

from spendguard.core.accounts import Account, Mailbox
from spendguard.daemon import readers
from spendguard.daemon.chores import Chores
from spendguard.daemon.duty import Duty
from spendguard.daemon.lane import Lane
from spendguard.daemon.schedule import Job, Schedule
from spendguard.store import mails, outbox, scopes

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
SENDING = 30.0
"""Seconds after which no further message is begun in the same piece of work."""


class Crew:
    """Reads what is due, judges it, and delivers what is owed, each beside the others."""

    def __init__(self, duty: Duty, every: timedelta = MINUTE) -> None:
        self.duty = duty
        self._channels = {one.name: one for one in duty.app.configuration.channels}
        self._polls = readers.polls(duty, self._poll, self._polled)
        self._mails = readers.mailboxes(duty, self._read, lambda: duty.wake("mailbox"))
        self._sends = Lane(max(len(self._channels), 1), 0)  # a worker for each channel
        self._fresh = False
        self._kept: Collection[str] | None = None
        chores = Chores(duty, self.renew)
        jobs = {
            "poll": (every, self._poll_due),
            "deliver": (MINUTE, self._deliver_due),
            "judge": (MINUTE, chores.judge),
            "retain": (HOUR, chores.retain),
        }
        if duty.app.configuration.mailboxes:
            jobs["mailbox"] = (MINUTE, self._mails.take)
        if duty.app.configuration.heartbeat is not None:
            jobs["heartbeat"] = (MINUTE, chores.heartbeat)
        self._schedule = Schedule(
            Job(name, pause, partial(duty.safely, name, run)) for name, (pause, run) in jobs.items()
        )
        duty.wake = self._schedule.wake

    @property
    def reading(self) -> set[str]:
        """The accounts and mailboxes that are being read."""
        return self._polls.busy | self._mails.busy

    @property
    def idle(self) -> bool:
        """True when nothing is under way."""
        return not (self.reading or self._sends.busy or self._schedule.busy)

    def start(self, kept: Collection[str] = ()) -> None:
        """Take everything as due, but what a former crew still reads, and begin."""
        self._kept = kept
        self._schedule.start()

    def renew(self) -> None:
        """Take everything as due: the clock was set, and what was put off by it is meaningless."""
        self._kept = ()
        self._schedule.renew()

    def stop(self) -> None:
        """Begin nothing any more; what is under way goes on."""
        self._schedule.stop()
        self._polls.close()
        self._mails.close()
        self._sends.close()

    # accounts

    def _poll_due(self) -> timedelta | None:
        kept, self._kept = self._kept, None
        if kept is not None:
            try:
                self._settle(kept)
            except BaseException:
                self._kept = kept
                raise
        return self._polls.take()

    def _settle(self, kept: Collection[str]) -> None:
        """Make everything due that is configured, and end what is about anything else."""
        app, now = self.duty.app, self.duty.app.clock()
        with app.store.begin() as tx:
            for mailbox in app.configuration.mailboxes:
                mails.load(tx, mailbox.name)
            outbox.hasten(tx, now)
            outbox.give_up_channels(tx, self._channels, now)
            scopes.settle(tx, now)
        self._polls.free(kept)
        self._mails.free(kept)
        app.retire()
        for job in ("deliver", "mailbox"):
            self.duty.wake(job)

    def _poll(self, account: Account, token: str) -> None:
        duty = self.duty
        outcome = duty.app.poll(account, claim=token)
        judged = duty.app.evaluate(account)
        self.duty.wake("deliver")
        if duty.board.put(account.name, judged.facts, read=outcome.error is None):
            self._fresh = True
        duty.teller.polled(outcome)
        duty.tell_moves()

    def _polled(self) -> None:
        """Go on with the next; after the last of several, introduce those read for the first time."""
        self.duty.wake("poll")
        if self._polls.busy:
            return
        self.duty.wake("heartbeat")
        if self._fresh:
            self._fresh = False
            self.duty.wake("judge")

    # mailboxes

    def _read(self, mailbox: Mailbox, token: str) -> None:
        duty = self.duty
        outcome = duty.app.read_mailbox(mailbox, token)
        duty.teller.read(outcome)
        if outcome.entered or outcome.put_aside:
            for account in duty.app.told_by(mailbox):
                duty.app.evaluate(account)
            self.duty.wake("deliver")
            duty.tell_moves()

    # messages

    def _deliver_due(self) -> timedelta | None:
        app = self.duty.app
        now = app.clock()
        with app.store.begin() as tx:
            due, soonest = outbox.due_channels(tx, now), outbox.soonest(tx, now)
        for name in due:
            if name in self._channels:
                work: Callable[[], None] = partial(self._deliver, name)
                safe = partial(self.duty.safely, f"deliver {name}", work)
                self._sends.put(name, safe, partial(self.duty.wake, "deliver"))
        return None if soonest is None else soonest - app.clock()

    def _deliver(self, name: str) -> None:
        duty, tried, began = self.duty, False, self.duty.steady()
        for outcome in duty.app.deliver_to(self._channels[name]):
            duty.teller.delivered(outcome)
            tried = True
            if self._sends.closed or duty.steady() - began > SENDING:
                break  # the rest is another piece of work: many slow messages are nothing that hangs
        if tried:
            duty.app.evaluate_guard(duty.health)
            duty.tell_moves()
