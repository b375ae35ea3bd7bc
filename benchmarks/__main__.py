"""Run the benchmarks: `python -m benchmarks`, or `make bench`."""

from __future__ import annotations

import argparse
import compileall
import platform
import sys
from collections.abc import Callable, Iterator

from benchmarks import polling, reading, running, writing
from benchmarks.frame import ROOT, Line, Scale, show

GROUPS: dict[str, Callable[[Scale], Iterator[Line]]] = {
    "reading": reading.lines,
    "writing": writing.lines,
    "polling": polling.lines,
    "running": running.lines,
    "fleet": running.fleet,
}
"""What can be measured, a module each."""

SIZES = "10000,1000000,10000000"


def main(argv: list[str] | None = None) -> int:
    """Measure, print the table, and return 0, whether or not the aims are met."""
    options = _options(argv)
    scale = Scale(
        tuple(int(size) for size in options.sizes.split(",")), options.runs, options.fleet
    )
    compileall.compile_dir(ROOT / "src", quiet=1)  # as an installed package is
    sys.stdout.write(f"Python {platform.python_version()}, {platform.machine()}\n")
    lines = [line for name in options.group for line in show(GROUPS[name](scale))]
    met = sum(line.met is True for line in lines)
    missed = sum(line.met is False for line in lines)
    unknown = sum(line.figure is None for line in lines)
    sys.stdout.write(f"{met} met, {missed} missed, {unknown} not measured\n")
    return 0


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("group", nargs="*", help=f"{', '.join(GROUPS)}; default: all")
    parser.add_argument("--sizes", default=SIZES, help=f"histories in buckets; default: {SIZES}")
    parser.add_argument("--runs", type=int, default=15, help="runs of each pair; default: 15")
    parser.add_argument(
        "--fleet", type=int, default=200, help="accounts that live through a day; default: 200"
    )
    options = parser.parse_args(argv)
    options.group = options.group or list(GROUPS)
    return options


if __name__ == "__main__":
    sys.exit(main())
