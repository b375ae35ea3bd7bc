"""Compare ways to foresee spend: how far off they are, and whether their intervals hold.

    python benchmarks/forecast_methods.py [--accounts 20] [--seed 1] [--by-day] [--classes]
                                         [--untuned]

Pinball: the loss at eleven levels of cumulative spend after 6 h, 1, 3, 7 and 14 days, as a part of
what was truly spent a day in the mean; lower is better. Coverage: how often the instant at which
an amount worth half a day to eleven days was reached lay within the 80 % interval; `early` is
before it, `late` after it; of classes that are stationary, or of all that are `--untuned`. The
accounts are those of forecast_corpus.py. None was tuned on with seed 1, and those of `--untuned`
are of habits of other makes, which show whether what was chosen holds elsewhere.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from statistics import NormalDist, fmean

import numpy as np

from benchmarks.forecast_corpus import STATIONARY, Case, Floats, cases
from spendguard.core.forecasts import HOURS, LEVELS, Spent
from spendguard.core.past import Past
from spendguard.core.windows import HOUR
from spendguard.forecast.foresee import foresee
from spendguard.forecast.grid import Grid, grid

Method = Callable[[Sequence[Spent]], Floats]
AFTER = np.array([6, 24, 72, 168, 336]) - 1
SHARES = np.array(LEVELS)[:, None] / 100
NORMAL = np.array([NormalDist().inv_cdf(level / 100) for level in LEVELS])[:, None]


def _laid(spent: Sequence[Spent]) -> tuple[Grid, Floats, int]:
    laid = grid(Past.of(spent))
    return laid, laid.days.ravel(), round((spent[-1].window.end - laid.end) / HOUR)


def _line(hours: Floats, elapsed: int) -> Floats:
    return np.tile(np.cumsum(hours[elapsed : elapsed + HOURS]), (len(LEVELS), 1))


def last_day(spent: Sequence[Spent]) -> Floats:
    """The last day goes on for ever."""
    _, hours, elapsed = _laid(spent)
    return _line(np.resize(hours[-24:], HOURS + 24), elapsed)


def last_week(spent: Sequence[Spent]) -> Floats:
    """The last week goes on for ever; a shorter history's mean does."""
    _, hours, elapsed = _laid(spent)
    if len(hours) < 168:
        return mean(spent)
    return _line(np.resize(hours[-168:], HOURS + 24), elapsed)


def mean_of_week(spent: Sequence[Spent]) -> Floats:
    """The mean of the last seven days: the plain burn."""
    _, hours, elapsed = _laid(spent)
    return _line(np.full(HOURS + 24, hours[-168:].mean()), elapsed)


def mean(spent: Sequence[Spent]) -> Floats:
    """The mean of all that is known."""
    _, hours, elapsed = _laid(spent)
    return _line(np.full(HOURS + 24, hours.mean()), elapsed)


def profile(spent: Sequence[Spent]) -> Floats:
    """A profile of the hours of the week, a mean level, and a closed form for the rest.

    The sum of noisy hours is taken as lognormal; days are independent but for the level.
    """
    _, hours, elapsed = _laid(spent)
    count = len(hours)
    recent = 0.5 ** (np.arange(count)[::-1] / (10 * 24))
    level = (recent * hours).sum() / recent.sum()
    of_week = np.arange(count)[::-1] % 168  # counts back, so that the next hour is 167
    weight = np.bincount(of_week, recent, 168)
    seen = np.bincount(of_week, recent * hours, 168)
    of_day = np.arange(168) % 24
    day_weight = np.bincount(of_day, weight, 24)[of_day]
    day_mean = np.bincount(of_day, seen, 24)[of_day] / np.maximum(day_weight, 1e-9)
    shrunk = (seen + day_mean) / (weight + 1)  # one week's worth of the hour of the day
    shape = shrunk / max(shrunk.mean(), 1e-9)
    coming = shape[np.arange(167, 167 - HOURS - 24, -1) % 168] * level
    days = hours.reshape(-1, 24).sum(1)
    usual = np.maximum((shape[of_week] * level).reshape(-1, 24).sum(1), 1e-3 * days.mean())
    noise = min(float(np.std(days / usual)), 3.0) if len(days) > 1 else 1.0
    line = np.cumsum(coming[elapsed : elapsed + HOURS])
    ahead = np.arange(1, HOURS + 1) / 24
    apart = np.sqrt(np.log1p(noise**2 / np.maximum(ahead, 0.25)) + noise**2 * 4 / len(days))
    return np.asarray(line * np.exp(NORMAL * apart - apart**2 / 2 * (NORMAL != 0)))


def analogs(spent: Sequence[Spent]) -> Floats:
    """Whole weeks of the past, scaled to the last week's level; two of them make a future."""
    _, hours, elapsed = _laid(spent)
    if len(hours) < 24 * 14:
        return profile(spent)
    level = hours[-168:].sum()
    weeks = []
    for back in range(0, len(hours) - 168 + 1, 24):
        one = hours[len(hours) - 168 - back : len(hours) - back]
        before = hours[max(len(hours) - 336 - back, 0) : len(hours) - 168 - back].sum()
        times = min(max(level / before, 0.2), 5.0) if before > 0 else 1.0
        weeks.append(np.roll(one, back % 168) * (times**0.5))
    future = np.array([np.concatenate([a, b, a[:24]]) for a in weeks for b in weeks[::3]])
    paths = np.cumsum(future[:, elapsed : elapsed + HOURS], 1)
    fan: Floats = np.quantile(paths, SHARES[:, 0], axis=0)
    return fan


def days_redrawn(spent: Sequence[Spent]) -> Floats:
    """What the guard does: days redrawn by weekday, at a level that competes."""
    told = foresee(spent, spent[-1].window.end, "USD")
    return np.array([told.fan[level] for level in LEVELS], dtype=float)


METHODS: dict[str, Method] = {
    "last day": last_day,
    "last week": last_week,
    "mean of 7 days": mean_of_week,
    "mean": mean,
    "profile": profile,
    "analogs": analogs,
    "days redrawn": days_redrawn,
}
NAIVE = ("last day", "last week", "mean of 7 days", "mean")


@dataclass
class Score:
    """What one method made of one class."""

    pinball: list[float] = field(default_factory=list)
    early: list[bool] = field(default_factory=list)
    late: list[bool] = field(default_factory=list)

    @property
    def coverage(self) -> float:
        """How often the instant lay within the interval."""
        return 1 - fmean(self.early) - fmean(self.late)


def judge(score: Score, case: Case, fan: Floats) -> None:
    """Hold a fan against what came."""
    came = np.cumsum(case.after)
    a_day = came[-1] / 14
    if a_day <= 0:
        return
    off = came[AFTER] - fan[:, AFTER]
    loss = np.maximum(SHARES * off, (SHARES - 1) * off).mean(0)
    score.pinball.append(float((loss / (a_day * (AFTER + 1) / 24)).mean()))
    chance = np.random.default_rng(len(case.before))
    low, high = LEVELS.index(10), LEVELS.index(90)
    for low_days, high_days in ((0.5, 2), (2, 5), (5, 11)):
        wanted = a_day * chance.uniform(low_days, high_days)
        at = _reached(came, wanted)
        score.early.append(at < _reached(fan[high], wanted))
        score.late.append(at > _reached(fan[low], wanted))


def _reached(line: Floats, wanted: float) -> float:
    hour = int(np.searchsorted(line, wanted))
    if hour == len(line):
        return inf
    before = line[hour - 1] if hour else 0.0
    return float(hour + (wanted - before) / (line[hour] - before))


def run(
    method: Method, accounts: int, seed: int, *, by_day: bool, untuned: bool = False
) -> tuple[dict[str, Score], float]:
    """Return the scores of a method by class, and the seconds that a forecast took."""
    scores: dict[str, Score] = defaultdict(Score)
    spent_on, count = 0.0, 0
    for case in cases(accounts, seed, untuned=untuned):
        known = case.spent(by_day=by_day)
        if foresee(known, case.at, "USD").silent:
            continue
        before = time.perf_counter()
        fan = method(known)
        spent_on, count = spent_on + time.perf_counter() - before, count + 1
        judge(scores[case.habit], case, fan)
    return scores, spent_on / count


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--by-day", action="store_true")
    parser.add_argument("--classes", action="store_true")
    parser.add_argument("--untuned", action="store_true")
    asked = parser.parse_args()
    best = inf
    _say(f"{'method':16} {'pinball':>8} {'against':>8} {'coverage':>9} {'ms':>6}")
    for name, method in METHODS.items():
        scores, seconds = run(
            method, asked.accounts, asked.seed, by_day=asked.by_day, untuned=asked.untuned
        )
        loss = fmean(fmean(one.pinball) for one in scores.values())
        best = min(best, loss) if name in NAIVE else best
        judged = scores if asked.untuned else STATIONARY
        coverage = fmean(scores[habit].coverage for habit in judged)
        against = "" if name in NAIVE else f"{loss / best - 1:+.0%}"
        _say(f"{name:16} {loss:8.4f} {against:>8} {coverage:9.1%} {seconds * 1000:6.2f}")
        if asked.classes and name not in NAIVE:
            for habit, one in scores.items():
                _say(
                    f"  {habit:16} {fmean(one.pinball):8.4f} {one.coverage:9.1%}"
                    f"   early {fmean(one.early):.1%}   late {fmean(one.late):.1%}"
                )


if __name__ == "__main__":
    main()
