"""The guard-quality benchmark runs, counts what it says, and comes to the same each time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.guard_quality.__main__ import Task, run, tasks
from benchmarks.guard_quality.corpus import BEGIN, SHAPES, Story, story
from benchmarks.guard_quality.measures import Measured, measure
from benchmarks.guard_quality.report import lines, verdicts
from spendguard.core.money import NANOS
from spendguard.core.windows import DAY, HOUR
from spendguard.core.world_run import Trace

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("kind", SHAPES)
def test_each_kind_of_account_is_the_same_each_time_and_spends(kind: str) -> None:
    one, again = story(kind, 3, 80), story(kind, 3, 80)

    assert one == again
    assert one.traces != story(kind, 4, 80).traces
    assert all(trace.sums[-1] > 0 for trace in one.traces.values())
    assert bool(one.leaks) == (kind == "leaked")


def test_a_story_is_measured_the_same_each_time() -> None:
    made = Task("restated", 1, 40, 6, 30).run()

    assert made == Task("restated", 1, 40, 6, 30).run()
    assert made.asked > 0
    assert made.compared > 0
    assert set(made.pinball) == {"spendguard", "last day", "last week", "mean"}


def test_a_steady_account_is_always_warned_of_a_failed_charge() -> None:
    hours = [(BEGIN + HOUR * n, NANOS // 8) for n in range(24 * 90)]
    found = measure(Story("even", 7, {"a0": Trace.of(hours)}), HOUR * 3, DAY)

    assert found.failed > 0
    assert (found.foreseeable, found.unwarned) == (found.failed, 0)
    assert min(found.leads) > 6


def test_the_table_has_a_line_for_each_kind_and_says_what_is_missed() -> None:
    asked = [task for task in tasks(1, 30, 6, 30) if task.kind in {"steady", "leaked"}]
    found = run(asked, processes=1)

    table = list(lines(found, spikes=False))
    assert [line.split()[0] for line in table] == ["kind", "steady", "leaked", "all"]
    told = list(verdicts(found, spikes=True))
    assert all(line.startswith(("reached", "MISSED")) for line in told)
    assert any("spend-spike" in line for line in told)


def test_what_came_sooner_than_the_mean_burn_had_it_is_told_apart() -> None:
    found = [Measured("leaked", 1.0, failed=3, foreseeable=3, unwarned=2, sudden=1)]

    first, second, *_ = verdicts(found, spikes=False)
    assert first.endswith("unwarned 6 h ahead: 2")
    assert second.startswith("MISSED   the same, but for")
    assert second.endswith(": 1")


def test_it_runs_over_a_trace_of_ones_own(tmp_path: Path) -> None:
    trace = tmp_path / "june.csv"
    rows = (f"{(BEGIN + HOUR * n).isoformat()},0.2\n" for n in range(24 * 30))
    trace.write_text("".join(rows), encoding="utf-8")
    done = subprocess.run(  # noqa: S603  our own program
        [
            *(sys.executable, "-m", "benchmarks.guard_quality", "--csv", str(trace)),
            *("--stories", "1", "--looks", "6", "--processes", "1"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert json.dumps(done.stdout).count("june") == 1
