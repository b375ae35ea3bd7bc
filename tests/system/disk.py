"""A disk of its own, so small that it can be filled: in memory, and gone with whoever uses it last."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Self

from tests.system.daemon import until

TOOLS = ("unshare", "nsenter", "mount")
BLOCK = 4096


def wanting() -> str:
    """Return why there can be no such disk here, '' when there can."""
    if os.geteuid() != 0:
        return "it takes root"
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    if absent:
        return f"{', '.join(absent)} is not installed"
    apart = subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True)  # noqa: S607
    return "" if apart.returncode == 0 else "it takes a mount namespace"


class Disk:
    """A disk mounted at a directory, for the processes behind `inside` and for nobody else."""

    def __init__(self, directory: Path, size: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        script = f'mount -t tmpfs -o size={size} tmpfs "$1" && touch "$1/.mounted" && cat'
        self._holder = subprocess.Popen(  # noqa: S603
            ["unshare", "--mount", "sh", "-c", script, "sh", str(directory)],  # noqa: S607
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        self.path = Path(f"/proc/{self._holder.pid}/root{directory}")

    def __enter__(self) -> Self:
        until((self.path / ".mounted").exists)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._holder.stdin
        self._holder.stdin.close()
        self._holder.wait()

    @property
    def inside(self) -> tuple[str, ...]:
        """The words before a command that shall see it."""
        return ("nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", "--")

    def fill(self) -> None:
        """Leave not a block."""
        with (self.path / "filler").open("wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * BLOCK)
            except OSError:
                return

    def clear(self) -> None:
        """Give the space back."""
        (self.path / "filler").unlink()
