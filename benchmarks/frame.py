"""The frame: whole processes and functions timed in turn, and the table of the aims.

Machines differ, and drift while they measure: a figure is the median of the ratios of neighboring
runs, one of ours and one of what it is compared with, never a time by itself.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = Path(os.environ.get("BENCHMARKS_BUILD") or ROOT / "build" / "benchmarks")
PYTHON = sys.executable
NOTHING = (PYTHON, "-c", "pass")
OURS = str(Path(PYTHON).with_name("spendguard"))
"""The command as it is installed beside this interpreter."""

WIDTHS = (6, 58, 38, 9, 9)
TITLES = ("aim", "what", "against", "measured", "aim")


@dataclass(frozen=True, slots=True)
class Figure:
    """How something compares: the median of the ratios, in time on the clock and of the processor."""

    ratio: float
    cpu: float = 0.0
    milliseconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """An aim and what was measured; without a figure, `note` says why there is none.

    Without a bound it is told beside an aim, for what the aim leaves out.
    """

    aim: str
    what: str
    against: str
    bound: float | None = None
    figure: Figure | None = None
    at_least: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None where there is none, or nothing was measured."""
        if self.figure is None or self.bound is None:
            return None
        ratio = self.figure.ratio
        return ratio >= self.bound if self.at_least else ratio <= self.bound

    @property
    def verdict(self) -> str:
        """The last column of the table."""
        if self.figure is None:
            return "NOT MEASURED"
        if self.met is None:
            return ""
        return "met" if self.met else "MISSED"


@dataclass(frozen=True, slots=True)
class Scale:
    """How large and how long to measure: the histories in buckets, and the runs of each pair.

    `fleet` is how many accounts live through a day.
    """

    sizes: tuple[int, ...]
    runs: int
    fleet: int = 200

    @property
    def largest(self) -> int:
        """The history that the aims speak of."""
        return max(self.sizes)


def short(size: int) -> str:
    """Return a number of buckets for people: 10M."""
    for unit, name in ((1_000_000, "M"), (1000, "k")):
        if size >= unit:
            return f"{size // unit}{name}"
    return str(size)


def spawn(command: Sequence[str], env: dict[str, str]) -> tuple[float, float]:
    """Run a process to its end; return its time on the clock and its processor time.

    Raises:
        RuntimeError: when it fails: the time of an error message measures nothing.
    """
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    start = time.perf_counter()
    child = os.posix_spawnp(command[0], [*command], env, file_actions=silent)
    _, status, used = os.wait4(child, 0)
    wall = time.perf_counter() - start
    if status:
        raise RuntimeError(f"it failed: {' '.join(command)}")
    return wall, used.ru_utime + used.ru_stime


def processes(
    ours: Sequence[str],
    other: Sequence[str],
    runs: int,
    env: dict[str, str] | None = None,
    other_env: dict[str, str] | None = None,
) -> Figure:
    """Compare two commands as whole processes, one after the other in turn."""
    mine, its = {**os.environ, **(env or {})}, {**os.environ, **(other_env or {})}
    mine.pop("PYTHONDONTWRITEBYTECODE", None)
    for _ in range(min(2, runs)):
        spawn(ours, mine)
        spawn(other, its)
    pairs = [(spawn(ours, mine), spawn(other, its)) for _ in range(runs)]
    return Figure(
        statistics.median(a[0] / b[0] for a, b in pairs),
        statistics.median(a[1] / b[1] for a, b in pairs),
        statistics.median(a[0] for a, _ in pairs) * 1000,
    )


def functions(
    ours: Callable[[], object], other: Callable[[], object], runs: int, *, speed: bool = False
) -> Figure:
    """Compare two functions in turn; with `speed` the ratio is how fast ours is, not how slow."""
    ours()
    other()
    pairs = [(_timed(ours), _timed(other)) for _ in range(runs)]
    ratios = [b / a if speed else a / b for a, b in pairs]
    return Figure(
        statistics.median(ratios), milliseconds=statistics.median(a for a, _ in pairs) * 1000
    )


def _timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def show(lines: Iterable[Line]) -> list[Line]:
    """Print each line as soon as it is measured; return them all."""
    _row((*TITLES, ""))
    shown = []
    for line in lines:
        told = "-" if line.figure is None else f"{line.figure.ratio:.3g}"
        sign = "≥" if line.at_least else "≤"
        bound = "" if line.bound is None else f"{sign} {line.bound:g}"
        _row((line.aim, line.what, line.against, told, bound, line.verdict))
        _details(line)
        shown.append(line)
    return shown


def _row(cells: Sequence[str]) -> None:
    parts = [cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=False)]
    sys.stdout.write("  ".join([*parts, *cells[len(WIDTHS) :]]).rstrip() + "\n")
    sys.stdout.flush()


def _details(line: Line) -> None:
    told = [line.note] if line.note else []
    if line.figure is not None and line.figure.milliseconds:
        told.insert(0, f"{line.figure.milliseconds:.2f} ms")
    if line.figure is not None and line.figure.cpu:
        told.insert(1, f"processor time {line.figure.cpu:.3g}")
    if told:
        sys.stdout.write(f"{'':{WIDTHS[0]}}  {'; '.join(told)}\n")
        sys.stdout.flush()
