"""Artist: draws what goes with a message, in a process of its own.

Drawing takes a second and a hundred megabytes. Neither is the daemon's, and a picture that cannot
be drawn costs nobody a message.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from spendguard.core.notifications import Notification
from spendguard.pipeline.illustrate import Picture, Wanted, wanted

PATIENCE = timedelta(seconds=10)
_KEPT = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ", "PYTHONPATH", "MPLCONFIGDIR")
_KEPT_PREFIXES = ("SPENDGUARD_", "XDG_")


class Artist:
    """Draws from the database, read-only, with no secret at hand."""

    def __init__(self, config: Path, database: Path | None, env: Mapping[str, str]) -> None:
        self._config = config
        self._env = {
            name: value
            for name, value in env.items()
            if name in _KEPT or name.startswith(_KEPT_PREFIXES)
        }
        if database is not None:  # where fonts are looked up once, in a directory that is ours
            self._env.setdefault("MPLCONFIGDIR", str(database.parent / "fonts"))

    def draw(self, notification: Notification) -> tuple[Picture, ...]:
        """Return the pictures of a message that could be drawn in time."""
        return tuple(self._drawn(notification))

    def _drawn(self, notification: Notification) -> Iterator[Picture]:
        for one in wanted(notification):
            png = self._plot(one)
            if png:
                yield Picture(f"{one.what}-{one.account}.png", png)

    def _plot(self, picture: Wanted) -> bytes | None:
        asked = ["plot", picture.what, "--account", picture.account, "--output", "-"]
        if picture.by is not None:
            asked += ["--by", picture.by]
        command = [sys.executable, "-m", "spendguard", "--config", str(self._config), *asked]
        try:
            done = subprocess.run(  # noqa: S603 - this very program
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                env=self._env,
                timeout=PATIENCE.total_seconds(),
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout if done.returncode == 0 else None
