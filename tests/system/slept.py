"""The real daemon on a machine that can be suspended: its clocks go on while it stands still.

A suspended machine's wall clock and its CLOCK_BOOTTIME have both gone on when it wakes, and whatever
waits by CLOCK_MONOTONIC has not. So the process is stopped, both clocks are moved through a file that
it shares with its test, and it is continued.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from mmap import PROT_READ, mmap
from pathlib import Path

from spendguard.app.clock import utc_now
from spendguard.cli.main import main
from spendguard.daemon import run
from spendguard.daemon.life import Life
from spendguard.daemon.steady import boot_time
from tests.system.daemon import Daemon, until
from tests.system.program import SOURCE, Program

ROOT = str(Path(__file__).parents[2])
SECONDS = struct.Struct("d")


class Sleeper(Program):
    """A program whose machine has been asleep for `asleep` in all, as its file says."""

    def command(self, *arguments: str) -> list[str]:
        """Return the words of a command."""
        if not self._file.exists():
            self._file.write_bytes(SECONDS.pack(0.0))
        self.env |= {"PYTHONPATH": f"{SOURCE}:{ROOT}", "ASLEEP": str(self._file)}
        _, _, _, *rest = super().command(*arguments)
        return [sys.executable, "-m", "tests.system.slept", *rest]

    def sleep(self, daemon: Daemon, lasting: timedelta) -> None:
        """Suspend a daemon for so long, and wake it."""
        daemon.send(signal.SIGSTOP)
        until(lambda: _state(daemon.process.pid) == "T")
        with self._file.open("r+b") as file:
            file.write(SECONDS.pack(lasting.total_seconds()))
        daemon.send(signal.SIGCONT)

    @property
    def _file(self) -> Path:
        return self.directory / "asleep"


def _state(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def _be(file: Path) -> int:
    """Be the program from here on."""
    with file.open("rb") as opened:
        told = mmap(opened.fileno(), SECONDS.size, prot=PROT_READ)

    def asleep() -> float:
        return float(SECONDS.unpack(told[:])[0])

    def clock() -> datetime:
        return utc_now() + timedelta(seconds=asleep())

    def steady() -> float:
        return boot_time() + asleep()

    vars(run)["Life"] = partial(Life, clock=clock, steady=steady)
    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(_be(Path(os.environ["ASLEEP"])))
