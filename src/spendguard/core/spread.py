"""Spread: an amount divided over time by how much was used when, to the nano.

A provider books whole UTC days. Where usage tells how such a day went, its cost is taken to have
gone the same way; where it does not, evenly.
"""

from __future__ import annotations

from collections.abc import Sequence

from spendguard.core.windows import DAY, HOUR, Window, share, utc_day

SETTLES = 2 * DAY
"""How long after its end a UTC day keeps its estimate; then what is booked is all there was."""

Piece = tuple[Window, int]  # nanos of a part of a day


def divide(nanos: int, weights: Sequence[int]) -> list[int]:
    """Return an amount in parts proportional to weights that are not negative and not all zero.

    The parts sum to the amount exactly, and finer parts to coarser ones.
    """
    whole, gone, parts = sum(weights), 0, list[int]()
    weighed = 0
    for weight in weights:
        weighed += weight
        until = nanos * weighed // whole
        parts.append(until - gone)
        gone = until
    return parts


def pieces(span: Window, nanos: int, hours: Sequence[int]) -> list[Piece]:
    """Return an amount over a part of a UTC day, divided by what each hour is estimated to cost.

    `hours` begins at the day's start; it is empty where nothing is known.
    """
    start = utc_day(span.start).start
    found: list[Piece] = []
    for place, estimate in enumerate(hours):
        if estimate <= 0:
            continue
        hour = Window(start + HOUR * place, start + HOUR * (place + 1))
        if span.start <= hour.start and hour.end <= span.end:
            found.append((hour, estimate))
        elif (part := span.overlap(hour)) is not None:
            found.append((part, share(estimate, hour, part)))
    if not any(weight for _, weight in found):
        return [(span, nanos)]
    parts = divide(nanos, [weight for _, weight in found])
    return [(part, amount) for (part, _), amount in zip(found, parts, strict=True)]


def falls_on(window: Window, span: Window, nanos: int, hours: Sequence[int] = ()) -> int:
    """Return what of an amount over a part of a UTC day falls on a window.

    Windows that tile the day get the amount exactly, whatever their number.
    """
    return sum(share(part, piece, window) for piece, part in pieces(span, nanos, hours))
