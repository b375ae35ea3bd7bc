"""A day of a fleet in a process of its own: the daemon's readers over real HTTP, in a time that is told.

`python -m benchmarks.fleet CONFIG PORT` prints one JSON object: resident bytes by hour, polls, seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event

from benchmarks.far_end import PYTHON, FarEnd
from benchmarks.guards import UNIT, configured, folder
from spendguard.app.clock import utc_now
from spendguard.app.program import WORKERS, App, configure
from spendguard.core.accounts import Account
from spendguard.core.windows import DAY, utc_day
from spendguard.daemon.duty import Duty
from spendguard.daemon.lane import Lane
from spendguard.daemon.pulse import Pulse
from spendguard.daemon.readers import Readers
from spendguard.daemon.steady import ClockWatch
from spendguard.daemon.teller import Teller
from spendguard.store.claims import POLLS

HOUR = timedelta(hours=1)
YOUNG = timedelta(days=2)
"""How old the organizations of a fleet are: what is measured is the process, not their history."""


def day_of_a_fleet(end: FarEnd, accounts: int, every: str) -> tuple[list[int], int, float]:
    """Return memory by the hour once each account was read, the polls, and processor seconds."""
    config = configured(folder("fleet"), end, accounts, every)
    done = subprocess.run(  # noqa: S603  our own module
        [PYTHON, "-m", "benchmarks.fleet", str(config), str(end.port)],
        stdout=subprocess.PIPE,  # its progress is for whoever waits
        env={**os.environ, **UNIT},
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    return told["memory"], told["polls"], told["seconds"]


class _Day:
    """The readers of a fleet, and the time they go by."""

    def __init__(self, config: Path, port: int) -> None:
        self.now = utc_day(utc_now()).start + HOUR
        self.steady = 0.0
        self.polls = 0
        self.end = FarEnd()
        self.end.port = port
        self.end.tell(since=(self.now - YOUNG).timestamp(), pause=HOUR.total_seconds())
        self.app = App(configure(str(config), os.environ), os.environ, lambda: self.now)
        self.app.prepare()
        pulse = Pulse(lambda: self.steady, lambda: None)
        watch = ClockWatch(lambda: self.now, lambda: self.steady)
        self.duty = Duty(self.app, pulse, Teller(), watch, lambda: self.steady)
        self.lane = Lane(WORKERS, WORKERS - 2)
        self._finished = Event()
        self._retained = self.now - DAY
        accounts = self.app.configuration.accounts
        self.readers = Readers(
            self.duty, "poll", POLLS, self.lane, accounts, self._read, self._finished.set
        )

    def _read(self, account: Account, token: str) -> None:
        self.app.poll(account, claim=token)
        self.app.evaluate(account)
        self.polls += 1

    def until(self, instant: datetime) -> None:
        """Read what is due until an instant; time stands still while anything is read."""
        self.end.tell(now=self.now.timestamp())
        while self.now < instant:
            pause = self.readers.take()
            if self.lane.busy:
                self._finished.wait()
                self._finished.clear()
                continue
            step = min(pause or HOUR, instant - self.now)
            self.now += step
            self.steady += step.total_seconds()

    def whole(self) -> list[int]:
        """Return memory once each account was read, and after each hour of a day since."""
        self.readers.free()
        fleet = len(self.app.configuration.accounts)
        while self.polls < fleet:
            self.until(self.now + timedelta(seconds=1))
        self._see_to_itself()  # what that loads is no growth
        sizes = [_memory()]
        _progress(f"fleet: {self.polls} accounts were read once")
        for hour in range(1, 25):
            self.until(self.now + HOUR)
            self._see_to_itself()
            sizes.append(_memory())
            if hour % 6 == 0:
                _progress(f"fleet: hour {hour} of 24, {self.polls} polls, {sizes[-1] >> 20} MiB")
        return sizes

    def _see_to_itself(self) -> None:
        self.app.evaluate_guard()
        self.duty.safely("retain", partial(self._retain))

    def _retain(self) -> None:
        if self.now - self._retained >= DAY:  # as often as the daemon does
            self._retained = self.now
            self.app.retain()


def _progress(told: str) -> None:
    sys.stderr.write(f"{told}; {time.process_time():.0f} s of processor time\n")


def _memory() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def main() -> None:
    """Live through the day, and tell of it."""
    day = _Day(Path(sys.argv[1]), int(sys.argv[2]))
    sizes = day.whole()
    told = {"memory": sizes, "polls": day.polls, "seconds": time.process_time()}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
