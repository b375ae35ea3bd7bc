from __future__ import annotations

from threading import Event

import pytest

from spendguard.daemon.lane import Lane

PATIENCE = 30


@pytest.fixture
def gate() -> Event:
    """What work waits for."""
    return Event()


def nothing() -> None:
    """Do nothing."""


def test_a_name_is_seen_to_once_at_a_time(gate: Event) -> None:
    lane, done, counted = Lane(4, 2), Event(), list[str]()

    def work() -> None:
        counted.append("main")
        gate.wait(PATIENCE)

    lane.put("main", work, done.set)
    lane.put("main", work, nothing)
    assert lane.busy == {"main"}
    gate.set()
    assert done.wait(PATIENCE)
    assert (counted, lane.busy) == (["main"], set())
    lane.close()


def test_room_is_what_is_left_and_less_for_what_failed(gate: Event) -> None:
    lane = Lane(8, 6)
    for n in range(5):
        lane.put(f"failing-{n}", lambda: gate.wait(PATIENCE), nothing, failing=True)
    lane.put("well", lambda: gate.wait(PATIENCE), nothing)
    assert (lane.room, lane.room_for_failing) == (2, 1)
    gate.set()
    lane.close()


def test_a_closed_lane_takes_nothing_more() -> None:
    lane = Lane(2, 0)
    lane.close()
    lane.put("main", nothing, nothing)
    assert lane.busy == set()


def test_what_raises_leaves_its_place() -> None:
    lane, done = Lane(1, 0), Event()

    def work() -> None:
        raise RuntimeError

    lane.put("main", work, done.set)
    assert done.wait(PATIENCE)
    assert lane.room == 1
    lane.close()
