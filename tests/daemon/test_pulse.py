from __future__ import annotations

from contextlib import ExitStack

import pytest

from spendguard.daemon.pulse import Pulse
from tests.daemon.conftest import Time


class Fed:
    """A watchdog that counts."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def fed() -> Fed:
    return Fed()


@pytest.fixture
def pulse(time: Time, fed: Fed) -> Pulse:
    return Pulse(time.steady, fed)


def test_finished_work_is_a_beat_and_begun_work_is_not(pulse: Pulse, fed: Fed) -> None:
    with pulse.working("poll"):
        assert fed.times == 0
    assert fed.times == 1


def test_work_that_failed_was_finished_too(pulse: Pulse, fed: Fed) -> None:
    with pytest.raises(RuntimeError), pulse.working("poll"):
        raise RuntimeError
    assert fed.times == 1


def test_what_hangs_is_not_hidden_by_what_goes_on(pulse: Pulse, fed: Fed) -> None:
    with ExitStack() as hanging:
        hanging.enter_context(pulse.working("poll hangs"))
        for _ in range(5):
            with pulse.working("poll goes"):
                pass
        assert fed.times == 1  # that which was already on its way
        assert pulse.under_way == ["poll hangs"]
    assert fed.times == 2


def test_work_without_an_end_to_the_next_piece_is_no_hanging(pulse: Pulse, fed: Fed) -> None:
    """One piece is always under way, but never the same for long."""
    running = ExitStack()
    running.enter_context(pulse.working("0"))
    for n in range(1, 6):
        later = ExitStack()
        later.enter_context(pulse.working(str(n)))
        running.close()
        running = later
    assert fed.times == 5
    running.close()


def test_the_longest_is_how_long_the_oldest_has_been_under_way(pulse: Pulse, time: Time) -> None:
    assert pulse.longest == 0
    with pulse.working("poll hangs"):
        time.seconds += 30
        with pulse.working("poll goes"):
            time.seconds += 5
        assert pulse.longest == 35
    assert pulse.longest == 0


def test_silence_is_the_time_since_the_last_beat(pulse: Pulse, time: Time) -> None:
    time.seconds += 40
    assert pulse.silence == 40
    with pulse.working("poll"):
        pass
    assert pulse.silence == 0
