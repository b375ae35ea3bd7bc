"""The law of the floor on a few days of random traffic; `python -m benchmarks.floor` plays a year."""

from __future__ import annotations

import pytest

from benchmarks.floor import Look, play, report


@pytest.mark.parametrize("seed", [2, 12])
def test_the_floor_is_above_the_truth_by_no_more_than_nobody_could_know(seed: int) -> None:
    looks = play(seed, days=3, percent=100)

    assert max(look.unexplained for look in looks) <= 0
    assert max(look.truth - look.billed for look in looks) < 10**9
    assert min(look.floor - look.truth for look in looks) > -5 * 10**9


def test_the_report_counts_what_is_above_and_why() -> None:
    fine, hidden, broken = (
        Look(at=None, floor=floor, billed=9, truth=5, unseen=1, hidden=1, old=0)  # type: ignore[arg-type]
        for floor in (6, 7, 8)
    )

    *_, counted = report([fine, hidden, broken])

    assert counted.startswith("above truth + unseen: 2 looks")
    assert counted.endswith("hidden in 2 of them, too old in 0, neither explains 1")
