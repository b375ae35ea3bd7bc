"""Paths: many ways in which spend may go on, put together from days that were, and their fan.

Each path draws days of the past for the days to come: recent ones rather than old ones, and the
same weekday as far as weekdays are proven to differ. What was drawn is brought to the level of
now. The draws are the same for everybody and for ever: a forecast is a function of its history.
"""

from __future__ import annotations

from functools import lru_cache
from random import Random
from statistics import NormalDist

import numpy as np

from spendguard.core.forecasts import HOURS, LEVELS
from spendguard.forecast.grid import Floats
from spendguard.forecast.level import DAMPED, Level, level
from spendguard.forecast.rhythm import Ints, Rhythm, rhythm, weekdays

COUNT = 256
AHEAD = 16  # days: the horizon, and what of a day was over when the known ended
RECENT = 35.0  # days after which a past day is drawn half as often
DRIFT = 0.04
FARTHEST = 20.0  # a past day is brought to the level of now by this factor at most


def fan(days: Floats, elapsed: float) -> Ints:
    """Return the cumulative nanos by level and hour, `elapsed` hours after the end of `days`."""
    paths = _paths(days)
    whole, part = int(elapsed), elapsed % 1
    spent = np.concatenate([np.zeros((COUNT, 1)), np.cumsum(paths, 1)], 1)
    after = spent[:, whole : whole + HOURS + 1]
    if part:
        after = after * (1 - part) + spent[:, whole + 1 : whole + HOURS + 2] * part
    spent = np.sort(after[:, 1:] - after[:, :1], 0)
    place = np.array(LEVELS) / 100 * COUNT - 0.5
    under = place.astype(int)
    part_of = (place - under)[:, None]
    lines = spent[under] * (1 - part_of) + spent[under + 1] * part_of
    return np.asarray(np.rint(lines), dtype=np.int64)


def _paths(days: Floats) -> Floats:
    sums = days.sum(1)
    count = len(sums)
    recent = 0.5 ** (np.arange(count - 1, -1, -1) / RECENT)
    weekly, which = rhythm(sums, recent), weekdays(count)
    now = level(sums, weekly.share[which], DRIFT)
    coming = np.arange(6, 6 - AHEAD, -1) % 7
    drawn = _drawn(weekly, which, coming, recent)
    scale = now.now / np.maximum(now.then, now.now / FARTHEST) if now.now > 0 else np.zeros(count)
    share = np.maximum(weekly.share[which], 0.1)
    turned = np.where(which[drawn] == coming, 1.0, weekly.share[coming] / share[drawn])
    factor = scale[drawn] * turned * _moves(now)
    return np.asarray((days[drawn] * factor[:, :, None]).reshape(COUNT, AHEAD * 24))


def _drawn(weekly: Rhythm, which: Ints, coming: Ints, recent: Floats) -> Ints:
    """Return which past day each path takes for each day to come."""
    busy = weekly.share[which] > 0.1
    any_day = recent * busy if busy.any() else recent
    chances = []
    for weekday in range(7):
        same = recent * (which == weekday)
        chance = any_day / any_day.sum()
        if same.any():
            chance = (1 - weekly.proof) * chance + weekly.proof * same / same.sum()
        chances.append(np.cumsum(chance / chance.sum()))
    draws, _, _ = _dice()
    drawn = [np.searchsorted(chances[day], draws[:, at]) for at, day in enumerate(coming)]
    return np.minimum(np.stack(drawn, 1), len(which) - 1)


def _moves(now: Level) -> Floats:
    """Return by what each path is off the level of now, day by day."""
    _, common, steps = _dice()
    grown = now.growth * np.cumsum(DAMPED ** np.arange(AHEAD))
    moved = now.unsure * common[:, None] + now.drift * np.cumsum(steps, 1) + grown
    return np.asarray(np.exp(moved))


@lru_cache(maxsize=1)
def _dice() -> tuple[Floats, Floats, Floats]:
    """Return the draws: of days, of the level, and of its steps; the latter two of a normal law."""
    chance = Random(20)  # noqa: S311  no secret: the same draws for ever
    strata = [NormalDist().inv_cdf((at + 0.5) / COUNT) for at in range(COUNT)]

    def shuffled() -> list[float]:
        return chance.sample(strata, COUNT)

    draws = np.array([[chance.random() for _ in range(AHEAD)] for _ in range(COUNT)])
    return draws, np.array(shuffled()), np.array([shuffled() for _ in range(AHEAD)]).T
