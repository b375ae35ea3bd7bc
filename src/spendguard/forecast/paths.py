"""Paths: many ways in which spend may go on, put together from days that were, and their fan.

Each path draws days of the past for the days to come: recent ones rather than old ones, and the
same weekday as far as weekdays are proven to differ. What was drawn is brought to the level of
now. The draws are the same for everybody and for ever: a forecast is a function of its history.

The paths are looked at in a few of the hours to come; between two of them every line of the fan
rises as the mean of the paths does.
"""

from __future__ import annotations

from functools import lru_cache
from random import Random
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from spendguard.core.forecasts import HOURS, LEVELS
from spendguard.forecast.grid import Floats, Ints
from spendguard.forecast.level import DAMPED, Level, level
from spendguard.forecast.rhythm import Rhythm, rhythm, weekdays

COUNT = 256
AHEAD = 16  # days: the horizon, and what of a day was over when the known ended
RECENT = 35.0  # days after which a past day is drawn half as often
DRIFT = 0.04
LEAST_OTHERS = 0.7  # the part of a usual day that is not the day itself, at least
FARTHEST = 20.0  # a past day is brought to the level of now by this factor at most
LOOKS = np.array(
    [*range(4), *range(4, 12, 2), *range(12, 24, 3), *range(24, 168, 6), *range(168, HOURS + 1, 12)]
)
PLACE = np.array(LEVELS) / 100 * COUNT - 0.5
UNDER = PLACE.astype(int)
PART = (PLACE - UNDER)[None, :]
WITHIN = 4  # the part of an hour, as a divisor, by which spend may come sooner or later in it
UPPER = np.array([[level > 50] for level in LEVELS])
LOWER = np.array([[level < 50] for level in LEVELS])
COMING = np.arange(6, 6 - AHEAD, -1) % 7
"""The weekdays of the days to come, as `weekdays` counts them."""
GROWN = np.cumsum(DAMPED ** np.arange(AHEAD))
BEFORE = np.searchsorted(LOOKS, np.arange(1, HOURS + 1)) - 1  # the look before each hour


class Dice(NamedTuple):
    """The draws: by day and path, places among what is drawn; and moves, of a normal law."""

    places: Ints  # (AHEAD, COUNT), into seven sorted samples laid one after the other
    common: Floats  # (1, COUNT)
    walks: Floats  # (AHEAD, COUNT)


def fan(days: Floats, elapsed: float) -> Ints:
    """Return the cumulative nanos by level and hour, `elapsed` hours after the end of `days`."""
    drawn, factor = _paths(days)
    count, looks = len(days), LOOKS + elapsed
    begun = np.zeros((count, days.shape[1] + 1))
    np.cumsum(days, 1, out=begun[:, 1:])
    whole = begun[:, -1].take(drawn) * factor
    before = _upto(whole) - whole
    which = (looks // 24).astype(int)
    spent = _within(begun, looks, drawn.take(which, 0))
    spent *= factor.take(which, 0)
    spent += before.take(which, 0)
    spent -= spent[0].copy()
    spent.sort(1)
    told = spent[:, UNDER] * (1 - PART) + spent[:, UNDER + 1] * PART
    lines = _between(told, _mean(days, drawn, factor, elapsed))
    return np.asarray(np.rint(lines).T, dtype=np.int64)


def loosened(lines: Ints) -> Ints:
    """Return a fan in which spend comes a bit sooner, or later: when in an hour is not known."""
    hours = np.diff(lines, axis=1, prepend=0)
    after = np.concatenate([hours[:, 1:], hours[:, -1:]], 1)
    return np.asarray(lines + UPPER * (after // WITHIN) - LOWER * (hours // WITHIN))


def _upto(whole: Floats) -> Floats:
    """Return what each path has spent by the end of each day; `cumsum` is slow along the days."""
    upto = whole.copy()
    for day in range(1, len(upto)):
        upto[day] += upto[day - 1]
    return upto


def _within(begun: Floats, looks: Floats, drawn: Ints) -> Floats:
    """Return what each path's day had spent of itself by each look."""
    hour = looks % 24
    under = hour.astype(int)
    part = hour - under
    table = begun[:, under]
    if part.any():
        table = table + (begun[:, under + 1] - table) * part
    return np.asarray(table.ravel().take(drawn * len(looks) + np.arange(len(looks))[:, None]))


def _mean(days: Floats, drawn: Ints, factor: Floats, elapsed: float) -> Floats:
    """Return what the mean of the paths has spent by each hour after the known ended."""
    count = len(days)
    places = (drawn + (np.arange(AHEAD) * count)[:, None]).ravel()
    weight = np.bincount(places, factor.ravel(), AHEAD * count).reshape(AHEAD, count)
    hours = np.cumsum(np.concatenate([[0.0], (weight @ days).ravel() / COUNT]))
    whole, part = int(elapsed), elapsed % 1
    line = hours[whole : whole + HOURS + 1]
    if part:
        line = line + (hours[whole + 1 : whole + HOURS + 2] - line) * part
    return np.asarray(line - line[0])


def _between(told: Floats, rising: Floats) -> Floats:
    """Return the lines by the hour, from what they are at each look."""
    at = rising[LOOKS]
    rose = np.maximum(at[1:] - at[:-1], 1e-9)
    part = np.minimum((rising[1:] - at[BEFORE]) / rose[BEFORE], 1.0)
    return np.asarray(told[BEFORE] + (told[1:] - told[:-1])[BEFORE] * part[:, None])


def _paths(days: Floats) -> tuple[Ints, Floats]:
    """Return which past day each path takes for each day to come, and times what."""
    sums = days.sum(1)
    count = len(sums)
    recent = 0.5 ** (np.arange(count - 1, -1, -1) / RECENT)
    weekly, which = rhythm(sums, recent), weekdays(count)
    share = weekly.share[which]
    now = level(sums, share, DRIFT)
    drawn = _drawn(weekly, which, recent)
    scale = now.now / np.maximum(now.then, now.now / FARTHEST) if now.now > 0 else np.zeros(count)
    alone = np.bincount(which, recent, 7)[which]
    scale = scale * _stretch(sums, now.then * share, now.own + weekly.proof * recent / alone)
    turned = scale / np.maximum(share, 0.1)
    same = which.take(drawn) == COMING[:, None]
    factor = np.where(same, scale.take(drawn), turned.take(drawn) * weekly.share[COMING][:, None])
    return drawn, factor * _moves(now)


def _stretch(days: Floats, usual: Floats, own: Floats) -> Floats:
    """Return what each past day is multiplied with, to differ from the usual as a new one would.

    It has itself a part in what is usual around it, so that it seems to differ less.
    """
    wider = 1 / np.maximum(1 - own, LEAST_OTHERS) - 1
    apart = 1 - usual / np.maximum(days, 1e-3 * usual + 1e-9)
    return np.asarray(np.maximum(1 + wider * apart, 0.0))


def _drawn(weekly: Rhythm, which: Ints, recent: Floats) -> Ints:
    """Return which past day each path takes for each day to come."""
    busy = weekly.share[which] > 0.1
    any_day = recent * busy if busy.any() else recent
    same = recent * (which == np.arange(7)[:, None])
    sums = same.sum(1, keepdims=True)
    proof = np.where(sums > 0, weekly.proof, 0.0)
    chance = (1 - proof) * (any_day / any_day.sum()) + proof * same / np.maximum(sums, 1e-12)
    upto = np.rint(np.cumsum(chance, 1) / chance.sum(1, keepdims=True) * COUNT).astype(int)
    each = upto.copy()
    each[:, 1:] -= upto[:, :-1]
    sample = np.repeat(np.arange(each.size) % len(which), each.ravel())
    return np.asarray(sample.take(_dice().places))


def _moves(now: Level) -> Floats:
    """Return by what each path is off the level of now, day by day."""
    dice = _dice()
    moved = now.unsure * dice.common + now.drift * dice.walks + (now.growth * GROWN)[:, None]
    return np.asarray(np.exp(moved))


@lru_cache(maxsize=1)
def _dice() -> Dice:
    chance = Random(20)  # noqa: S311  no secret: the same draws for ever
    strata = [NormalDist().inv_cdf((at + 0.5) / COUNT) for at in range(COUNT)]
    places = [chance.sample(range(COUNT), COUNT) for _ in range(AHEAD)]
    common = chance.sample(strata, COUNT)
    steps = np.array([chance.sample(strata, COUNT) for _ in range(AHEAD)])
    laid = np.array(places) + COMING[:, None] * COUNT
    return Dice(laid, np.array([common]), np.cumsum(steps, 0))
