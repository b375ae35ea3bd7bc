"""The real program as a process of its own, with its own configuration, directory and database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import spendguard

KEY = "sk-admin-system-0123456789abcdef"
SOURCE = str(Path(spendguard.__file__).parents[1])


@dataclass(frozen=True, slots=True)
class Done:
    """A process that ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its standard output as the one JSON object that it is."""
        told = json.loads(self.out)
        assert told["jsonversion"] == 1
        return told


class Program:
    """`spendguard` with a configuration of its own; a call runs one command to its end."""

    def __init__(
        self, directory: Path, configuration: str, env: Mapping[str, str] | None = None
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.database = directory / "state" / "spendguard.db"
        self.config = directory / "spendguard.toml"
        self.config.write_text(
            f'[database]\nurl = "sqlite:///{self.database}"\n\n{configuration}', encoding="utf-8"
        )
        self.env = {**os.environ, "PYTHONPATH": SOURCE, "OPENAI_ADMIN_KEY": KEY, **(env or {})}

    def __call__(self, *arguments: str) -> Done:
        """Run a command."""
        with self.start(*arguments) as child:
            out, err = child.communicate(timeout=120)
        return Done(child.returncode, out, err)

    def command(self, *arguments: str) -> list[str]:
        """Return the words of a command."""
        return [sys.executable, "-m", "spendguard", "--config", str(self.config), *arguments]

    def start(self, *arguments: str, before: Sequence[str] = ()) -> subprocess.Popen[str]:
        """Start a command in a process group of its own, behind the words of another if need be."""
        return subprocess.Popen(  # noqa: S603
            [*before, *self.command(*arguments)],
            cwd=self.directory,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


def account(url: str, *, name: str = "openai-main", key: str = "env:OPENAI_ADMIN_KEY") -> str:
    """Return the table of an account that is read at a simulator."""
    return f"""
[[accounts]]
name = "{name}"
provider = "openai"
key = "{key}"
base_url = "{url}"
"""


def channel(name: str, url: str, *lines: str) -> str:
    """Return the table of a channel."""
    return "\n".join(["", "[[channels]]", f'name = "{name}"', f'url = "{url}"', *lines, ""])
