"""A fleet whose accounts are read by the daemon's own readers, in a time that a test lets pass.

The store, the claims, the pace and the watch over the clock are the real ones. Only the threads are
not: a read takes as long as it is told, of that time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from pathlib import Path

from spendguard.app.program import WORKERS, App, configure
from spendguard.core.accounts import Account
from spendguard.core.errors import ErrorKind, ProviderError
from spendguard.daemon.duty import Duty
from spendguard.daemon.lane import Lane
from spendguard.daemon.pulse import Pulse
from spendguard.daemon.readers import Readers
from spendguard.daemon.steady import ClockWatch
from spendguard.daemon.teller import Teller
from spendguard.store import due
from spendguard.store.claims import POLLS
from tests.daemon.conftest import Time

ACCOUNT = """
[[accounts]]
name = "{name}"
provider = "openai"
key = "env:KEY"
poll_interval = "{interval}"
"""
TINY = 0.001
"""Seconds that are nothing: a wall clock has no more than microseconds."""
HOOK = '[[channels]]\nname = "ops"\nurl = "json://127.0.0.1:9/"\n'


@dataclass(frozen=True, slots=True)
class Read:
    """When a read began: by the clock that is set, and by the one that only goes on."""

    at: datetime
    seconds: float


class Hands(Lane):
    """A lane without threads: what is put into it ends when its time has passed."""

    def __init__(self, width: int, failing: int, time: Time, lasts: Callable[[str], float]) -> None:
        super().__init__(width, failing)
        self._time = time
        self._lasts = lasts
        self._under_way: list[tuple[float, str, Callable[[], object], Callable[[], None]]] = []
        self.most = 0

    def put(
        self,
        name: str,
        work: Callable[[], object],
        then: Callable[[], None],
        *,
        failing: bool = False,
    ) -> None:
        assert name not in self._busy, "read twice at once"
        self._busy[name] = failing
        self._under_way.append((self._time.seconds + self._lasts(name), name, work, then))
        self.most = max(self.most, len(self._busy))

    @property
    def first_end(self) -> float:
        """When the first of what is under way ends."""
        return min((end for end, *_ in self._under_way), default=inf)

    def finish(self) -> None:
        """End what has had its time."""
        ended = [one for one in self._under_way if one[0] <= self._time.seconds + TINY]
        self._under_way = [one for one in self._under_way if one not in ended]
        for _, name, work, then in ended:
            work()
            del self._busy[name]
            then()


class Fleet:
    """Accounts by interval, and every read of them."""

    def __init__(
        self, app: App, time: Time, lasts: Mapping[str, float], failing: Collection[str]
    ) -> None:
        self.app = app
        self.time = time
        self.failing = failing
        self.reads: dict[str, list[Read]] = {one.name: [] for one in app.configuration.accounts}
        self.watch = ClockWatch(time.clock, time.steady)
        pulse = Pulse(time.steady, lambda: None)
        duty = Duty(app, pulse, Teller(), self.watch, time.steady)
        self.hands = Hands(WORKERS, WORKERS - 2, time, lambda name: self._begin(name, lasts))
        accounts = app.configuration.accounts
        self.readers = Readers(duty, "poll", POLLS, self.hands, accounts, self._read, lambda: None)
        self.readers.free()

    def _begin(self, name: str, lasts: Mapping[str, float]) -> float:
        self.reads[name].append(Read(self.time.now, self.time.seconds))
        return lasts.get(name, 2.0)

    def _read(self, account: Account, token: str) -> None:
        """Write down that an account was read, as a poll does: as of its beginning."""
        at = self.reads[account.name][-1].at
        with self.app.store.begin() as tx:
            row = due.load(tx, account.name)
            if account.name in self.failing:
                error = ProviderError(ErrorKind.UNAVAILABLE, "no answer")
                due.failed(tx, row, at, account.poll_interval, error, token)
            else:
                due.succeeded(tx, row, at, account.poll_interval, token)

    def go(self, length: timedelta) -> None:
        """Let time pass, and the daemon see to what is due whenever something is."""
        ends = self.time.seconds + length.total_seconds()
        while self.time.seconds < ends:
            if self.watch.look() is not None:
                self.readers.free()
            pause = self.readers.take()
            rest = inf if pause is None else max(pause.total_seconds(), TINY)
            until = min(ends, self.hands.first_end, self.time.seconds + rest)
            self.time.pass_(timedelta(seconds=max(until - self.time.seconds, TINY)))
            self.hands.finish()

    def since(self, seconds: float) -> list[Read]:
        """Return every read that began since an instant, in order."""
        every = [read for reads in self.reads.values() for read in reads]
        return sorted((one for one in every if one.seconds >= seconds), key=lambda one: one.seconds)


@contextmanager
def fleet(
    directory: Path,
    time: Time,
    intervals: Mapping[str, str],
    lasts: Mapping[str, float] | None = None,
    failing: Collection[str] = (),
) -> Iterator[Fleet]:
    """Yield a fleet with an account for each interval that is named."""
    config = directory / "spendguard.toml"
    tables = (ACCOUNT.format(name=name, interval=each) for name, each in intervals.items())
    url = f'[database]\nurl = "sqlite:///{directory / "spendguard.db"}"\n'
    config.write_text(url + "".join(tables) + HOOK, encoding="utf-8")
    with App(configure(str(config), {}), {}, time.clock) as app:
        app.prepare()
        yield Fleet(app, time, lasts or {}, failing)
