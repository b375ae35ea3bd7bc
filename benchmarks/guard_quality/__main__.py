"""Run it: `python -m benchmarks.guard_quality [--stories N] [--csv FILE ...]`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks.guard_quality.corpus import SHAPES, YEAR, Story, story
from benchmarks.guard_quality.measures import Measured, measure
from benchmarks.guard_quality.report import TELLING, lines, verdicts
from spendguard.core.windows import HOUR
from spendguard.pipeline.replay import read_trace
from spendguard.rules import RULES

STORIES = 12  # of each kind: 132 account years
PROCESSES = 2
LOOKS = 6  # hours between two looks
FORESEES = 30  # hours between two forecasts that are scored


@dataclass(frozen=True, slots=True)
class Task:
    """One story to be made and measured, wherever it runs."""

    kind: str
    seed: int
    days: int
    looks: int
    foresees: int
    file: str = ""

    def run(self) -> Measured:
        """Make the story and measure it."""
        made = story(self.kind, self.seed, self.days) if not self.file else self._real()
        return measure(made, HOUR * self.looks, HOUR * self.foresees)

    def _real(self) -> Story:
        path = Path(self.file)
        trace = read_trace(path.read_bytes(), path.name, ZoneInfo("UTC"))
        return Story(self.kind, self.seed, {"trace": trace}, lag=timedelta(hours=2))


def tasks(stories: int, days: int, looks: int, foresees: int) -> Iterator[Task]:
    """Yield every story of the corpus, the kinds in turn."""
    for seed in range(stories):
        for kind in SHAPES:
            if kind == "many" and seed % 3:  # it has several accounts
                continue
            yield Task(kind, seed, days, looks, foresees)


def run(asked: Sequence[Task], processes: int = PROCESSES) -> list[Measured]:
    """Measure every story, in several processes, in their order."""
    if processes == 1:
        return [task.run() for task in asked]
    found = []
    with ProcessPoolExecutor(processes) as pool:
        for number, one in enumerate(pool.map(Task.run, asked), start=1):
            found.append(one)
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{number} of {len(asked)} stories")
    return found


def main() -> int:
    """Measure the corpus, or traces of one's own, and print the table."""
    parser = ArgumentParser(prog="python -m benchmarks.guard_quality")
    parser.add_argument("--stories", type=int, default=STORIES, help="of each kind")
    parser.add_argument("--days", type=int, default=YEAR, help="of each story")
    parser.add_argument("--looks", type=int, default=LOOKS, help="hours between two looks")
    parser.add_argument("--foresees", type=int, default=FORESEES, help="hours between forecasts")
    parser.add_argument("--processes", type=int, default=PROCESSES)
    parser.add_argument("--kinds", nargs="*", default=list(SHAPES))
    parser.add_argument("--csv", nargs="*", default=[], help="traces instead: timestamp,amount")
    options = parser.parse_args()
    asked = [
        Task(Path(file).stem, seed, 0, options.looks, options.foresees, file)
        for file in options.csv
        for seed in range(min(options.stories, 8))
    ] or [
        task
        for task in tasks(options.stories, options.days, options.looks, options.foresees)
        if task.kind in options.kinds
    ]
    found = run(asked, options.processes)
    spikes = TELLING in RULES
    for line in (*lines(found, spikes=spikes), "", *verdicts(found, spikes=spikes)):
        sys.stdout.write(line + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
