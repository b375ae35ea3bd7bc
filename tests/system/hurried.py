"""The real program with less patience: what it waits for at its leisure is over in a second.

Nothing else is changed: it is `spendguard` as a process, for tests of what happens after the wait.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from spendguard.cli.main import main
from spendguard.daemon import chores, duty, post, trouble
from spendguard.store import connect
from tests.system.program import SOURCE, Program

ROOT = str(Path(__file__).parents[2])
SECOND = timedelta(seconds=1)


class Hurried(Program):
    """A program that waits a second for the database, and a second before it tells of it."""

    def command(self, *arguments: str) -> list[str]:
        """Return the words of a command."""
        self.env["PYTHONPATH"] = f"{SOURCE}:{ROOT}"
        _, _, _, *rest = super().command(*arguments)
        return [sys.executable, "-m", "tests.system.hurried", *rest]


if __name__ == "__main__":
    connect._BUSY_SECONDS = 1  # noqa: SLF001 - a constant that no setting may shorten
    trouble.HOLD = SECOND
    for module in (duty, chores, post):
        vars(module)["RETRY"] = SECOND / 2
    sys.exit(main(sys.argv[1:]))
