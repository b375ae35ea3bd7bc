"""What a long play foresees is worked out by a second process, and nothing depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from importlib import import_module
from multiprocessing import active_children

import pytest

from spendguard.app.benches import Benches
from spendguard.core.windows import DAY, HOUR
from spendguard.core.world_run import Trace
from spendguard.forecast import foresee
from spendguard.pipeline.replay import Scenario, live, watched
from spendguard.pipeline.replay.ahead import ahead
from spendguard.pipeline.replay.sight import Lagging, Sight
from tests.pipeline.test_replay import configuration, usd
from tests.pipeline.test_replay_spikes import BEGIN, LAG, hours

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
FAMILY = Benches(made := configuration()).family_of(made.accounts[0])
SCENARIO = Scenario(
    BEGIN,
    BEGIN + DAY * 8,
    {"trace": Trace.of(hours(8))},
    {"trace": usd("20.00")},
    usd("30.00"),
    LAG,
)
LIFE = live(FAMILY, SCENARIO)
LOOKS = [BEGIN + HOUR * n for n in range(24 * 8)]
PLAY = import_module("spendguard.pipeline.replay.play")  # its package has a function of this name
AHEAD = import_module("spendguard.pipeline.replay.ahead")


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)


def sights() -> Mapping[str, Sight]:
    view = Lagging(LIFE.run, "trace", LAG, BEGIN, Trace((), ()))
    return {"trace": Sight(FAMILY.plans[0], view, BEGIN, BEGIN)}


def foreseen(at: datetime) -> object:
    return foresee(sights()["trace"].spent(at) or (), at, "USD")


def _interrupted() -> None:
    with ahead(sights(), LOOKS) as foretold:
        foretold()
        raise KeyboardInterrupt


def test_a_play_that_is_helped_ends_as_one_that_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = watched(FAMILY, SCENARIO, LIFE)
    monkeypatch.setattr(PLAY, "LONG", 24)

    assert watched(FAMILY, SCENARIO, LIFE, helped=True) == alone


def test_forecasts_come_in_the_order_of_the_looks() -> None:
    with ahead(sights(), LOOKS) as foretold:
        told = [foretold() for _ in LOOKS]

        assert (told[0], told[100], told[-1]) == tuple(foreseen(LOOKS[n]) for n in (0, 100, -1))
        assert foretold() is None


def test_a_second_process_that_is_killed_tells_nothing_more() -> None:
    with ahead(sights(), LOOKS) as foretold:
        assert foretold() == foreseen(LOOKS[0])
        (second,) = active_children()
        second.kill()
        second.join()

        assert None in [foretold() for _ in LOOKS]
        assert foretold() is None


def test_whoever_is_interrupted_leaves_no_process_behind() -> None:
    with pytest.raises(KeyboardInterrupt):
        _interrupted()

    assert active_children() == []


def test_on_a_single_core_nobody_works_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    with ahead(sights(), LOOKS) as foretold:
        assert foretold() is None


def test_where_no_process_is_to_be_had_nobody_works_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_method: str) -> None:
        raise BlockingIOError("resource temporarily unavailable")

    monkeypatch.setattr(AHEAD, "get_context", refused)
    with ahead(sights(), LOOKS) as foretold:
        assert foretold() is None
