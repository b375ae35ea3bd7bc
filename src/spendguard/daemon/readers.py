"""Readers: accounts and mailboxes, each claimed when it is due and read beside the others."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta
from functools import partial
from secrets import token_hex
from typing import Generic, Protocol, TypeVar

from spendguard.app.program import WORKERS
from spendguard.core.accounts import Account, Mailbox
from spendguard.daemon.duty import Duty
from spendguard.daemon.lane import Lane
from spendguard.store import claims
from spendguard.store.claims import Line

LEASE = timedelta(minutes=3)  # a poll takes a minute, and may wait twice for the database


class _Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)


class Readers(Generic[N]):
    """Takes from a line what is due, and has `read` see to each."""

    def __init__(
        self,
        duty: Duty,
        job: str,
        line: Line,
        lane: Lane,
        named: Collection[N],
        read: Callable[[N, str], None],
        finished: Callable[[], None],
    ) -> None:
        self._duty = duty
        self._job = job
        self._line = line
        self._lane = lane
        self._named = {one.name: one for one in named}
        self._read = read
        self._finished = finished

    @property
    def busy(self) -> set[str]:
        """The names that are being read."""
        return self._lane.busy

    def free(self, kept: Collection[str] = ()) -> None:
        """Make everything due, but what somebody else is known to read."""
        with self._duty.app.store.begin() as tx:
            names = self._named.keys()
            claims.free(tx, self._line, names, self.busy.union(kept), self._duty.app.clock())

    def take(self) -> timedelta | None:
        """Claim as much of what is due as there is room for; return the pause until more is."""
        app, token = self._duty.app, token_hex(8)
        now = app.clock()
        known = self._named.keys() - self._lane.busy
        with app.store.begin() as tx:
            won = claims.claim(
                tx,
                self._line,
                known,
                token,
                now,
                now + LEASE,
                most=self._lane.room,
                failing=self._lane.room_for_failing,
            )
            soonest = claims.soonest(tx, self._line, now)
        for name, failing in won.items():
            read = partial(self._read, self._named[name], token)
            work = partial(self._duty.safely, f"{self._job} {name}", read)
            self._lane.put(name, work, self._finished, failing=failing)
        return None if soonest is None else soonest - app.clock()

    def close(self) -> None:
        """Take nothing more."""
        self._lane.close()


def polls(
    duty: Duty, read: Callable[[Account, str], None], finished: Callable[[], None]
) -> Readers[Account]:
    """Return the readers of accounts: two threads are kept for those that did not fail before."""
    accounts = duty.app.configuration.accounts
    lane = Lane(WORKERS, WORKERS - 2)
    return Readers(duty, "poll", claims.POLLS, lane, accounts, read, finished)


def mailboxes(
    duty: Duty, read: Callable[[Mailbox, str], None], finished: Callable[[], None]
) -> Readers[Mailbox]:
    """Return the readers of mailboxes: with the polls they make ten connections at most."""
    boxes = duty.app.configuration.mailboxes
    return Readers(duty, "mailbox", claims.READS, Lane(2, 1), boxes, read, finished)
