"""Surge: what an hour costs by now where it costs far more than the account's dearest usually do.

No history tells how such a thing goes on: a stolen key may spend on for a day, a batch may be over
in an hour. The cautious lines of the fan go on with it for a day.
"""

from __future__ import annotations

import numpy as np

from spendguard.core.forecasts import CAUTIOUS, HOURS, LEVELS
from spendguard.forecast.grid import Floats, Ints

LASTS = 24  # hours
LOOK_BACK, FEWEST = 21, 3  # days that tell what is usual
BEYOND = 2.0  # so many times the dearest hour of nine days in ten
RECENT = (1, 2)  # hours: two calm ones end it
CAUTIOUS_LINES = np.array([[level >= CAUTIOUS] for level in LEVELS])


def surge(days: Floats) -> float:
    """Return what each hour costs while spend is beyond anything usual, 0 where it is not."""
    before, hours = days[:-1][-LOOK_BACK:], days[-1]
    if len(before) < FEWEST:
        return 0.0
    peaks = np.sort(before.max(1))
    usual = float(peaks[len(peaks) * 9 // 10])
    rate = max(float(hours[-count:].mean()) for count in RECENT)
    return rate if usual > 0 and rate >= BEYOND * usual else 0.0


def gone_on(lines: Ints, rate: float) -> Ints:
    """Return the fan, by level and hour, with the surge going on for a day in its cautious lines."""
    more = rate * np.minimum(np.arange(1, HOURS + 1), LASTS)
    return np.asarray(lines + np.rint(CAUTIOUS_LINES * more).astype(np.int64))
