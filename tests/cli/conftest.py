"""What tests of the command line stand on: a seeded database, and main() at an instant of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time

from spendguard.cli.main import main
from tests.cli.seeding import NOW, Seed


@dataclass(frozen=True)
class Ran:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def seed(tmp_path: Path) -> Seed:
    """A configuration that points to a database that does not exist yet."""
    return Seed(tmp_path / "spendguard.toml", tmp_path / "spendguard.db")


@pytest.fixture
def run(seed: Seed, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process, at noon of 2026-11-23."""

    def command(*arguments: str, at: datetime = NOW) -> Ran:
        with freeze_time(at):
            code = main(["--config", str(seed.config), *arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return command
