"""The frame of the benchmarks: what is met, what is missed, and what was not measured."""

from __future__ import annotations

import pytest

from benchmarks import frame
from benchmarks.frame import Figure, Line


@pytest.mark.parametrize(
    ("ratio", "at_least", "verdict"),
    [(2.9, False, "met"), (3.1, False, "MISSED"), (3.1, True, "met"), (2.9, True, "MISSED")],
)
def test_an_aim_is_met_or_missed(ratio: float, at_least: bool, verdict: str) -> None:  # noqa: FBT001
    assert Line("1", "a", "b", 3.0, Figure(ratio), at_least).verdict == verdict


def test_what_was_not_measured_is_said_and_what_has_no_aim_has_no_verdict() -> None:
    assert Line("1", "a", "b", 3.0).verdict == "NOT MEASURED"
    assert Line("1", "a", "b", None, Figure(2.0)).verdict == ""


def test_a_command_that_fails_is_not_a_fast_one() -> None:
    with pytest.raises(RuntimeError, match="it failed"):
        frame.processes((frame.PYTHON, "-c", "raise SystemExit(3)"), frame.NOTHING, 1)
