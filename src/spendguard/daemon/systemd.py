"""systemd: what the service manager is told, one datagram for each."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from datetime import timedelta


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

    def tell(self, *lines: str) -> None:
        """Send assignments such as READY=1; nobody who listens is no reason to stop guarding."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as end:
                end.connect(self._address)
                end.send("\n".join(lines).encode())
        except OSError:
            return
