"""Rushes: two minutes in which one api key spends as it never did.

The buckets of a key are numbered, by the minute or by the quarter of an hour, and hold nanos.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

LESSER = 20  # the lesser of both minutes holds at least this part: one dear request is no rush
UNLIKE = Fraction(3, 2)  # so many times its dearest two minutes are unlike a key


def rushes(minutes: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    """Yield the number of the second of each two minutes that both saw use, and what they cost."""
    for number, nanos in minutes.items():
        before = minutes.get(number - 1, 0)
        if min(before, nanos) * LESSER >= before + nanos > 0:
            yield number, before + nanos


def bound(minutes: Mapping[int, int], quarters: Mapping[int, int], known: range) -> int:
    """Return from which amount on two minutes are unlike a key, by its last days and weeks.

    That is half as much again as its dearest two minutes, and what the most outstanding quarter of an
    hour cost beyond one beside it: a job of the key, whatever its rhythm, and next to nothing of
    what goes on evenly. The first and the last quarter that are known are only compared with.
    """
    return max(int(_dearest(minutes) * UNLIKE), _leap(quarters, known[1:-1]))


def _dearest(minutes: Mapping[int, int]) -> int:
    return max((nanos + minutes.get(number - 1, 0) for number, nanos in minutes.items()), default=0)


def _leap(quarters: Mapping[int, int], within: range) -> int:
    return max(
        (
            nanos - min(quarters.get(number - 1, 0), quarters.get(number + 1, 0))
            for number, nanos in quarters.items()
            if number in within
        ),
        default=0,
    )
