"""The real program as processes forked off one that has loaded it: they are ready in a moment.

What is killed is a process like any other, with its own session, environment and descriptors; only
the second that importing takes is spent once.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

from spendguard.cli.main import main
from tests.system.program import Program

_LOADED = (
    "spendguard.app.program",
    "spendguard.cli.run",
    "spendguard.cli.writing",
    "spendguard.notify.channel",
    "spendguard.store.migrate",
    "tests.system.forked",
)
_FORKS = get_context("forkserver")
_FORKS.set_forkserver_preload([*_LOADED])
PATIENCE = 60.0


class Child:
    """One command under way. What it prints goes to the end of a file."""

    def __init__(self, program: Program, *arguments: str) -> None:
        self.log = program.directory / "log"
        words = ["--config", str(program.config), *arguments]
        given = (words, program.env, program.directory, self.log)
        self._process = _FORKS.Process(target=_be, args=given)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def over(self, seconds: float) -> bool:
        """Wait for a moment; tell whether it has ended."""
        self._process.join(seconds)
        return self._process.exitcode is not None

    def end(self, number: signal.Signals | None = None) -> int:
        """Send a signal, if any, and return how it ended: a code, or a negative signal."""
        if number is not None and not self.over(0):
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)
        self._process.join(PATIENCE)
        code = self._process.exitcode
        assert code is not None, "it does not end"
        return code


def _be(arguments: list[str], env: Mapping[str, str], directory: Path, log: Path) -> None:
    """Be the command from here on."""
    os.setsid()
    os.environ.clear()
    os.environ.update(env)
    os.chdir(directory)
    end = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(end, sys.stdout.fileno())
    os.dup2(end, sys.stderr.fileno())
    sys.exit(main(arguments))
