from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass
class Time:
    """A wall clock that can be set, and a steady one that only goes on."""

    now: datetime = NOW
    seconds: float = field(default=1000.0)

    def clock(self) -> datetime:
        return self.now

    def steady(self) -> float:
        return self.seconds

    def pass_(self, length: timedelta) -> None:
        """Let time pass."""
        self.now += length
        self.seconds += length.total_seconds()


@pytest.fixture
def time() -> Time:
    """Noon of 2026-11-23."""
    return Time()
