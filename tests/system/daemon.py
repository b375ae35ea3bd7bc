"""`spendguard run` as a process: its log line by line, and what it tells the service manager."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Thread
from time import monotonic
from typing import Any, Self

from tests.system.program import Program

PATIENCE = 30.0
SHORT = 0.02


def until(holds: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Return what holds as soon as it does; fail when it does not come to hold."""
    ends_at, waiting = monotonic() + patience, Condition()
    while not (found := holds()):
        assert monotonic() < ends_at, "it did not come to hold"
        with waiting:
            waiting.wait(SHORT)
    return found


class Daemon:
    """A running daemon. Its lines are what it has logged so far, whole."""

    def __init__(self, program: Program, before: Sequence[str] = ()) -> None:
        self.process = program.start("run", before=before)
        self.lines: list[str] = []
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout.write("\n".join(self.lines) + "\n")  # shown when the test fails
        if self.process.poll() is None:
            self.process.kill()
        self.wait()

    def logged(self, *parts: str, after: int = 0) -> list[str]:
        """Return the lines that hold all of these parts."""
        return [line for line in self.lines[after:] if all(part in line for part in parts)]

    def said(self, *parts: str, after: int = 0) -> str:
        """Return the first line that holds all of these parts, as soon as there is one."""

        def found() -> list[str]:
            assert self.process.poll() is None or self.logged(*parts, after=after), self.lines
            return self.logged(*parts, after=after)

        return str(until(found)[0])

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, patience: float = PATIENCE) -> int:
        """Return how it ended."""
        code = self.process.wait(patience)
        self._thread.join(PATIENCE)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return code

    def leave(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Have it end without waiting for what is in flight."""
        self.send(number)
        self.said("stopping")
        self.send(number)
        return self.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.send(number)
        return self.wait()


@contextmanager
def armed(program: Program) -> Iterator[Daemon]:
    """Yield a daemon that has begun."""
    with Daemon(program) as daemon:
        daemon.said(" armed ")
        yield daemon


@dataclass
class Told:
    """What the service manager was told, in order."""

    messages: list[str]

    def assignments(self) -> list[str]:
        return [line for message in self.messages for line in message.splitlines()]

    def has(self, start: str) -> bool:
        return any(line.startswith(start) for line in self.assignments())


@contextmanager
def manager(directory: Path, *, abstract: bool) -> Iterator[tuple[str, Told]]:
    """Yield a socket like systemd's, by the name that a service is given, and what arrives."""
    path = f"{directory}/notify"
    name = "@" + path if abstract else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind("\0" + path if abstract else path)
        end.settimeout(0.1)
        told, over = Told([]), [False]

        def listen() -> None:
            while not over[0]:
                try:
                    told.messages.append(end.recv(4096).decode())
                except TimeoutError:
                    continue

        listener = Thread(target=listen)
        listener.start()
        try:
            yield name, told
        finally:
            over[0] = True
            listener.join()


def kill(process: subprocess.Popen[str]) -> None:
    """End a process as a power cut would."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait(PATIENCE)
