"""Level: what a day costs by now, its weekday aside, how it moves, and how sure that is.

Five ways to see the level compete: four means that forget at different speeds, and one that goes
on with the recent growth. Each is weighed by how well it would have foretold the days, the three
days and the week after each day of the past.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from spendguard.forecast.grid import Floats, Ints

MEMORY = np.array([1.5, 4.0, 10.0, 28.0])  # days after which a mean has forgotten half
NEWEST = 0.9  # the same, of a level that has just begun
FASTEST = 0.15  # growth a day, as a logarithm
GRADES = np.linspace(-FASTEST, FASTEST, 13)
DAMPED = 0.95  # a day's growth is this part of the day's before
ERRORS_FADE = 10.0
RESIDUALS_FADE = 28.0
SHARPNESS = 5.0
LEAST_ERROR = 0.02
SUDDEN, CERTAIN = 3.0, 1.5  # deviations at which a shift is suspected, and how many more prove it
USUAL_NOISE = 0.1
AT_ONCE = 0.4  # how far a single day is believed that is far above all before
AFTER_SHIFT = 0.3
PRIOR, YOUNG = 0.13, 0.6
PRIOR_WEIGHT = 1.0
FEW = 0.7
MOST_DRIFT, DRIFT_WEIGHT = 0.15, 1.0
Upto = tuple[Floats, Floats]
"""What was spent, and the shares of weekdays, summed up to each day."""


@dataclass(frozen=True, slots=True)
class Level:
    """What a usual day costs: `now`; `then`, around each past day; and how that goes on.

    `own` is the part that each past day has in what is told around it.
    `growth` is a day's, as a logarithm; `unsure` the deviation of the logarithm of the level;
    `drift` that of its steps from day to day.
    """

    now: float
    then: Floats
    own: Floats
    growth: float
    unsure: float
    drift: float


def level(days: Floats, weekday: Floats, drift: float) -> Level:
    """Return the level of day sums, oldest first; `weekday` is the share each has by its weekday."""
    count = len(days)
    mean = float(days.sum()) / count
    past, around = _memories(count)
    seen = (past @ days) / np.maximum(past @ weekday, 1e-9)
    seen[:, 0] = mean
    held = np.maximum(around @ weekday, 1e-9)
    smooth = (around @ days) / held
    own = weekday / held
    own = np.concatenate([own, own[1:2]])
    growing = _growth(seen, mean)
    seen = np.concatenate([seen, seen[1:2] * _grown(growing)])
    growth = np.zeros((len(MEMORY) + 1, count + 1))
    growth[-1] = growing
    smooth = np.concatenate([smooth, smooth[1:2]])
    shift = _shift(seen, mean)
    upto = _upto(days, weekday)
    weight = _weights(days, upto, seen, growth)
    told, goes = weight @ seen, (1 - shift) * (weight @ growth)
    newest = 0.5 ** (np.arange(count - 1, -1, -1) / NEWEST)
    fresh = float(newest @ days) / max(float(newest @ weekday), 1e-9)
    usual = np.where(weekday > 0.1, np.maximum(told[:-1] * weekday, 1e-9 * mean), 0.0)
    noise = min(_noise(days, usual), 3.0)
    calm = min(noise / USUAL_NOISE, 1.0)
    unsure, drift = _unsure(days, usual, upto, told, goes, drift)
    few = FEW * noise / float(np.sqrt(count))  # what was never seen may come as well
    return Level(
        now=(1 - shift) * float(told[-1]) + shift * fresh,
        then=(1 - shift) * (weight @ smooth) + shift * smooth[0],
        own=(1 - shift) * (weight @ own) + shift * own[0],
        growth=float(goes[-1]),
        unsure=float(np.sqrt((calm * unsure) ** 2 + few**2 + (AFTER_SHIFT * shift) ** 2)),
        drift=calm * drift,
    )


@lru_cache(maxsize=64)
def _memories(count: int) -> tuple[Floats, Floats]:
    """Return how much each day counts for the level before a day, and for that around a day."""
    ages = np.arange(count + 1)[:, None] - 1 - np.arange(count)[None, :]
    apart = np.abs(np.arange(count)[:, None] - np.arange(count)[None, :])
    past = [np.where(ages >= 0, 0.5 ** (np.maximum(ages, 0) / half), 0.0) for half in MEMORY]
    return np.stack(past), np.stack([0.5 ** (apart / half) for half in MEMORY])


def _growth(seen: Floats, mean: float) -> Floats:
    """Return a day's growth before each day; none until there are two weeks to see it in.

    It is the growth at which the second mean is as much above the third as it is.
    """
    before = seen.shape[1]
    if before <= 15:
        return np.zeros(before)
    least, table = 1e-6 * mean, _leads(before)
    lead = np.log(np.maximum(seen[1], least) / np.maximum(seen[2], least))
    place = (table < lead[:, None]).sum(1)
    place = np.minimum(np.maximum(place, 1), len(GRADES) - 1)
    origin = np.arange(before)
    under, over = table[origin, place - 1], table[origin, place]
    part = (lead - under) / np.maximum(over - under, 1e-9)
    part = np.minimum(np.maximum(part, 0.0), 1.0)
    growing = GRADES[place - 1] + part * (GRADES[place] - GRADES[place - 1])
    growing[:10] = 0.0
    return np.asarray(growing)


@lru_cache(maxsize=64)
def _leads(before: int) -> Floats:
    """Return by how much each growth lifts the second mean above the third, before each day."""
    growth, days = GRADES[None, :], np.arange(before)[:, None]
    second, third = (_behind(growth, days, half) for half in MEMORY[1:3])
    return np.asarray(np.log(third / second))


def _behind(growth: Floats, days: Ints, half: float) -> Floats:
    """Return how far a mean lies behind the last of so many days that grew like this."""
    kept = 0.5 ** (1 / half)
    slow = kept * np.exp(-growth)
    ones = (1 - kept ** np.maximum(days, 1)) / (1 - kept)
    return np.asarray(ones * (1 - slow) / (1 - slow ** np.maximum(days, 1)))


def _grown(growing: Floats) -> Floats:
    """Return how far above the second mean the day to come is."""
    behind = _behind(growing, np.arange(len(growing)), MEMORY[1])
    return np.asarray(np.exp(growing) * behind)


def _weights(days: Floats, upto: Upto, seen: Floats, growth: Floats) -> Floats:
    count = len(days)
    if count < 4:
        return np.array([0.0, 0.0, 0.0, 1.0, 0.0])
    errors = np.full(len(seen), LEAST_ERROR * float(days.sum()) / count)
    for ahead in (1, 3, 7) if count >= 21 else (1, 3) if count >= 8 else (1,):
        first = min(5, count // 3)
        came, expected = _told(upto, seen, growth, ahead, first)
        fading = _fading(count, ahead, first, ERRORS_FADE)
        off = (came - expected) / ahead
        errors += np.sqrt((off * off) @ fading / fading.sum())
    weight = (errors.min() / errors) ** SHARPNESS
    if count <= 14:
        weight[-1] = 0.0
    return np.asarray(weight / weight.sum())


def _upto(days: Floats, weekday: Floats) -> Upto:
    sums = np.zeros((2, len(days) + 1))
    np.cumsum(days, out=sums[0, 1:])
    np.cumsum(weekday, out=sums[1, 1:])
    return sums[0], sums[1]


def _told(
    upto: Upto, seen: Floats, growth: Floats, ahead: int, first: int
) -> tuple[Floats, Floats]:
    """Return what came in the days `ahead` of each past origin, and what had been expected."""
    came, shares = (sums[first + ahead :] - sums[first:-ahead] for sums in upto)
    grown = np.exp(growth[..., first:-ahead] * ((ahead + 1) / 2))
    return came, seen[..., first:-ahead] * shares * grown


@lru_cache(maxsize=1024)
def _fading(count: int, ahead: int, first: int, fade: float) -> Floats:
    """Return how much each past origin still counts."""
    return np.asarray(0.5 ** ((count - ahead - np.arange(first, count - ahead + 1)) / fade))


def _shift(seen: Floats, mean: float) -> float:
    """Return how sure it is, from 0 to 1, that spend has just moved to another level."""
    if seen.shape[1] <= 10:
        return 0.0
    least = 1e-3 * mean
    away = np.log(np.maximum(seen[0], least) / np.maximum(seen[3], least))
    past = away[5:-3] ** 2
    usual = np.sqrt(past.sum() / len(past) + USUAL_NOISE**2)
    sure = (abs(away[-2:]) * [2.0, 1.0] / usual - SUDDEN) / CERTAIN
    sure = np.minimum(np.maximum(sure, 0.0), 1.0)
    return float(max(min(sure), AT_ONCE * sure[1] * (away[-1] > 0)))


def _noise(days: Floats, usual: Floats) -> float:
    """Return the deviation of days from what their level had told, as a part of it."""
    busy = usual > 0
    if busy.sum() < 2:
        return 1.0
    off = days[busy] / usual[busy] - 1
    return float(np.sqrt((off * off).sum() / len(off)))


def _unsure(
    days: Floats, usual: Floats, upto: Upto, told: Floats, goes: Floats, drift: float
) -> tuple[float, float]:
    """Return how sure the level's logarithm is, beyond what days differ by themselves.

    That is its deviation now, and that of its steps from day to day: measured by how the past was
    missed over two days and over a week, and mixed with a prior.
    """
    count = len(days)
    young = YOUNG / float(np.sqrt(count))
    if count < 4:
        return young, drift
    busy = usual > 0
    own = min(float(np.var(days[busy] / usual[busy])), 4.0) if busy.any() else 0.0
    far = min(7, max(1, count // 4))
    near = min(2, far)
    missed, weight = _missed(upto, told, goes, near)
    moved = drift**2
    if far > near:
        later, seen = _missed(upto, told, goes, far)
        steps = ((later - own / far) - (missed - own / near)) * 3 / (far - near)
        steps = min(max(steps, 0.0), MOST_DRIFT**2)
        moved = (steps * seen + moved * DRIFT_WEIGHT) / (seen + DRIFT_WEIGHT)
    beyond = max(missed - own / near - moved * near / 3, 0.0)
    prior = PRIOR**2 + young**2 + own / count
    mixed = (beyond * weight + prior * PRIOR_WEIGHT) / (weight + PRIOR_WEIGHT)
    return float(np.sqrt(mixed)), float(np.sqrt(moved))


def _missed(upto: Upto, told: Floats, goes: Floats, ahead: int) -> tuple[float, float]:
    """Return the variance of the logarithm by which the past was missed, and how much it counts."""
    count = len(told) - 1
    first = 1 if count < 10 else 5
    came, expected = _told(upto, told, goes, ahead, first)
    held = (expected > 0) & (came > 0)
    fading = _fading(count, ahead, first, RESIDUALS_FADE) * held
    if held.sum() < 2:
        return 0.0, 0.0
    missed = np.log(np.where(held, came, 1.0) / np.where(held, expected, 1.0))
    missed = np.minimum(np.maximum(missed, -2.0), 2.0)
    whole = float(fading.sum())
    return float((missed * missed) @ fading) / whole, whole / ahead
