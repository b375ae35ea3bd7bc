"""systemd: what the service manager is told, one datagram for each."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Mapping
from datetime import timedelta

LONGER = timedelta(minutes=2)
BETWEEN_LOOKS = 1.0
"""Seconds, after which one would come too late."""


class Supervisor:
    """The service manager that started this process, if any did; without one nothing is sent.

    https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
    """

    def __init__(self, env: Mapping[str, str], pid: int) -> None:
        path = env.get("NOTIFY_SOCKET", "")
        self._address = "\0" + path[1:] if path.startswith("@") else path
        meant = env.get("WATCHDOG_PID", str(pid)) == str(pid)
        told = env.get("WATCHDOG_USEC", "")
        usable = self._address and meant and told.isdecimal() and int(told) > 0
        self.watchdog = timedelta(microseconds=int(told)) if usable else None
        self._fed_at = -math.inf

    def tell(self, *lines: str) -> None:
        """Send assignments such as READY=1; nobody who listens is no reason to stop guarding."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as end:
                end.settimeout(1)  # a listener that does not read must not stop us either
                end.connect(self._address)
                end.send("\n".join(lines).encode())
        except OSError:
            return

    def feed(self) -> None:
        """Tell the watchdog that work was finished; so often as it needs, not more."""
        if self.watchdog is None:
            return
        now = time.monotonic()
        if now - self._fed_at >= self.watchdog.total_seconds() / 10:
            self._fed_at = now
            self.tell("WATCHDOG=1")

    def see_to(self, longest: float) -> None:
        """Let the watchdog bite if work has been under way for as long as it waits, or is about to.

        It would come by itself that long after the last beat, which other work may have given when
        the one that hangs had begun.
        """
        if self.watchdog is None:
            return
        allowed = self.watchdog.total_seconds()
        if longest >= allowed - min(BETWEEN_LOOKS, allowed / 4):
            self.tell("WATCHDOG=trigger")

    def wait(self, why: str) -> None:
        """Ask for more time to start."""
        self.tell(f"EXTEND_TIMEOUT_USEC={LONGER // timedelta(microseconds=1)}", f"STATUS={why}")
