from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from spendguard.store import jobs
from spendguard.store.connect import Store
from tests.cli.conftest import Run
from tests.cli.seeding import NOW, Seed

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def finished(seed: Seed, name: str, at: datetime, every: timedelta = MINUTE) -> None:
    """Note that a kind of work was finished."""
    store = Store(f"sqlite:///{seed.database}")
    with store.begin() as tx:
        jobs.note(tx, name, at, every)
    store.close()


@pytest.fixture
def empty(seed: Seed) -> Seed:
    """A database of this schema, with nothing in it."""
    return seed.empty()


@pytest.mark.parametrize(
    ("ago", "code"),
    [
        pytest.param(timedelta(0), 0, id="just now"),
        pytest.param(3 * MINUTE, 0, id="three intervals ago"),
        pytest.param(3 * MINUTE + timedelta(seconds=1), 1, id="longer ago"),
        pytest.param(-5 * MINUTE, 0, id="a clock that was corrected"),
        pytest.param(-6 * MINUTE, 1, id="to come, by this clock"),
    ],
)
def test_alive_is_who_finished_his_work_in_time(
    empty: Seed, run: Run, ago: timedelta, code: int
) -> None:
    finished(empty, "cycle", NOW - ago)
    assert run("doctor", "--alive").code == code


def test_every_kind_of_work_counts_by_its_own_interval(empty: Seed, run: Run) -> None:
    finished(empty, "cycle", NOW)
    finished(empty, "retain", NOW - 2 * DAY, DAY)
    assert run("doctor", "--alive").code == 0
    finished(empty, "retain", NOW - 4 * DAY, DAY)
    ran = run("doctor", "--alive")
    told = "error: the daemon last finished its work 'retain' 4 d ago, expected every 1 d"
    assert (ran.code, ran.err.splitlines()[0]) == (1, told)


@pytest.mark.usefixtures("empty")
def test_a_daemon_that_is_not_there_is_not_alive(run: Run) -> None:
    ran = run("doctor", "--alive")
    assert (ran.code, ran.err.splitlines()[0]) == (1, "error: no daemon is at work")


def test_without_a_database_nothing_is_alive(seed: Seed, run: Run) -> None:
    assert not seed.database.exists()
    assert run("doctor", "--alive").code == 1


def test_the_answer_is_there_for_scripts(empty: Seed, run: Run) -> None:
    finished(empty, "cycle", NOW - MINUTE)
    assert run("doctor", "--alive", "--json").json == {
        "jsonversion": 1,
        "alive": True,
        "jobs": [
            {
                "name": "cycle",
                "finished_at": "2026-11-23T11:59:00Z",
                "every_seconds": 60,
                "in_time": True,
            }
        ],
    }
