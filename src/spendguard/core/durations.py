"""Durations as people write them: 90s, 5m, 4h, 10d, 2w."""

from __future__ import annotations

import re
from datetime import timedelta

LONGEST = timedelta(days=36_500)
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_SHAPE = r"(?a)(\d{1,12})([smhdw])"


def parse_duration(text: str) -> timedelta:
    """Read a whole number and its unit.

    Raises:
        ValueError: for any other text, or more than a hundred years.
    """
    match = re.fullmatch(_SHAPE, text)
    if match is None:
        raise ValueError("not a duration such as 90s, 5m, 4h, 10d or 2w")
    count, unit = int(match[1]), _UNITS[match[2]]
    if count > LONGEST // unit:
        raise ValueError("longer than a hundred years")
    return count * unit


def format_duration(duration: timedelta) -> str:
    """Write a duration in the largest unit that is exact; days at most, and no less than seconds."""
    for unit in ("d", "h", "m"):
        if duration and duration % _UNITS[unit] == timedelta(0):
            return f"{duration // _UNITS[unit]}{unit}"
    return f"{duration // _UNITS['s']}s"
