"""Steady: the wall clock against one that nobody sets, so that a jump is noticed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

NOTICED = timedelta(seconds=2)
"""A clock that is slewed moves less between two looks."""
REMEMBERED = timedelta(hours=1)


def boot_time() -> float:
    """Return seconds of a clock that is never set and goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def awake_time() -> float:
    """Return seconds of a clock that is never set and stands still while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


class ClockWatch:
    """Compares both clocks at each look."""

    def __init__(self, clock: Callable[[], datetime], steady: Callable[[], float]) -> None:
        self._clock = clock
        self._steady = steady
        self._read = clock(), steady()
        self._began = self._read[1]
        self._jump: tuple[timedelta, float] | None = None

    def look(self) -> timedelta | None:
        """Return by how much the clock was set since the last look; None if it only went on."""
        at, steady = self._clock(), self._steady()
        former, self._read = self._read, (at, steady)
        moved = (at - former[0]) - timedelta(seconds=steady - former[1])
        if abs(moved) < NOTICED:
            return None
        largest = self.jumped
        if largest is None or abs(moved) >= abs(largest):
            self._jump = moved, steady
        return moved

    @property
    def trusted(self) -> bool:
        """True when it was watched for an hour and not set in that time."""
        watched = self._steady() - self._began >= REMEMBERED.total_seconds()
        return watched and self.jumped is None

    @property
    def jumped(self) -> timedelta | None:
        """By how much the clock was set at most, for an hour after that."""
        if self._jump is None:
            return None
        by, at = self._jump
        return by if self._steady() - at < REMEMBERED.total_seconds() else None
