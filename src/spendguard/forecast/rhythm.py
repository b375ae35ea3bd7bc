"""Rhythm: how much of a usual day each weekday spends, as far as the history proves it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spendguard.forecast.grid import Floats

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The share of a usual day that falls on each weekday, and how sure the difference is.

    Weekdays count back from the last known day, which is 0; `proof` goes from 0 to 1.
    """

    share: Floats  # (7,)
    proof: float


def weekdays(count: int) -> Ints:
    """Return the weekday of each of `count` days, oldest first."""
    return np.arange(count - 1, -1, -1) % 7


def rhythm(days: Floats, recent: Floats) -> Rhythm:
    """Return the weekly rhythm of day sums, oldest first; `recent` is how much each still counts.

    Weekdays are believed to differ as far as they differ by more than days do within one.
    """
    count = len(days)
    if count >= 14:  # take out slow change first, so that it does not look like a weekday
        ones = np.ones(7)
        slow = np.convolve(days, ones, "same") / np.convolve(np.ones(count), ones, "same")
        level = days.sum() / count
        days = days / np.maximum(slow, 0.05 * level) * level
    which = weekdays(count)
    mean = float((recent * days).sum() / recent.sum())
    weight = np.bincount(which, recent, 7)
    seen = weight > 0
    of_day = np.where(seen, np.bincount(which, recent * days, 7) / np.maximum(weight, 1e-12), mean)
    spare = count - int(seen.sum())
    if spare <= 0 or mean <= 0:
        return Rhythm(np.ones(7), 0.0)
    within = float((recent * (days - of_day[which]) ** 2).sum() / recent.sum()) * count / spare
    noise = within / (count / 7)
    between = float(((of_day - mean) ** 2 * seen).sum()) / max(int(seen.sum()) - 1, 1)
    beyond = max(between - noise, 0.0)
    proof = beyond / (beyond + noise + 1e-12 * mean**2)
    share = 1 + proof * (of_day / mean - 1)
    return Rhythm(share / share.mean(), proof)
