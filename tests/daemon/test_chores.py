"""The chores as functions: a program over a real database, and a clock that is an argument."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from spendguard.app.program import App
from spendguard.config.load import load
from spendguard.core.errors import UnwritableError
from spendguard.daemon.chores import CYCLE, Chores
from spendguard.daemon.duty import Duty
from spendguard.daemon.pulse import Pulse
from spendguard.daemon.steady import ClockWatch
from spendguard.daemon.teller import Teller
from spendguard.providers import PROVIDERS
from spendguard.store import alerts, due, jobs
from tests.daemon.conftest import NOW, Time
from tests.ends import HttpEnd

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CONFIG = """
[database]
url = "sqlite:///{directory}/spendguard.db"
[[accounts]]
name = "main"
provider = "openai"
key = "env:KEY"
[[channels]]
name = "ops"
url = "env:OPS"
[heartbeat]
url = "env:BEAT"
"""


@pytest.fixture
def watch() -> Iterator[HttpEnd]:
    """Somebody else's watch, which is also the chat."""
    with HttpEnd() as end:
        yield end


@pytest.fixture
def duty(tmp_path: Path, time: Time, watch: HttpEnd) -> Iterator[Duty]:
    """A daemon's program with one account."""
    path = tmp_path / "spendguard.toml"
    path.write_text(CONFIG.format(directory=tmp_path), encoding="utf-8")
    env = {"OPS": watch.url, "BEAT": watch.url.replace("json:", "http:"), "KEY": "sk-admin-1"}
    with closing(App(load(path, env, PROVIDERS.keys()), env, time.clock)) as app:
        app.prepare()
        pulse = Pulse(time.steady, lambda: None)
        yield Duty(app, pulse, Teller(), ClockWatch(time.clock, time.steady), time.steady)


@pytest.fixture
def chores(duty: Duty) -> Chores:
    return Chores(duty, lambda: None)


def read(duty: Duty) -> None:
    """Have the account read now."""
    with duty.app.store.begin() as tx:
        due.succeeded(tx, due.load(tx, "main"), duty.app.clock(), timedelta(minutes=5))


def finished(duty: Duty) -> dict[str, timedelta]:
    """Return how long after noon each kind of work was last finished."""
    with duty.app.store.begin() as tx:
        return {name: at - NOW for name, at in jobs.finished(tx).items()}


def troubles(duty: Duty) -> list[str]:
    with duty.app.store.begin() as tx:
        standing = alerts.open_in(tx, "guard")
    return [stored.alert.step for (rule, _), stored in standing.items() if rule == "guard"]


class TestTheHeartbeat:
    def test_waits_until_every_account_was_read(
        self, duty: Duty, chores: Chores, watch: HttpEnd
    ) -> None:
        chores.heartbeat()
        assert watch.requests == []
        read(duty)
        chores.heartbeat()
        assert len(watch.requests) == 1

    def test_comes_once_for_each_interval(
        self, duty: Duty, chores: Chores, watch: HttpEnd, time: Time
    ) -> None:
        for _ in range(11):
            read(duty)
            duty.pulse.beat()
            chores.heartbeat()
            time.pass_(MINUTE)
        assert len(watch.requests) == 3  # after 0, 5 and 10 minutes

    def test_is_tried_again_at_once_where_it_was_not_taken(
        self, duty: Duty, chores: Chores, watch: HttpEnd
    ) -> None:
        watch.mode = "503"
        read(duty)
        chores.heartbeat()
        watch.mode = "ok"
        chores.heartbeat()
        chores.heartbeat()
        assert len(watch.requests) == 2

    def test_stays_away_while_work_hangs(
        self, duty: Duty, chores: Chores, watch: HttpEnd, time: Time
    ) -> None:
        time.pass_(3 * MINUTE)
        read(duty)
        chores.heartbeat()
        assert watch.requests == []

    def test_stays_away_while_nothing_can_be_written(
        self, duty: Duty, chores: Chores, watch: HttpEnd
    ) -> None:
        read(duty)
        duty.trouble.failed("poll main", UnwritableError("the disk is full"))
        chores.heartbeat()
        assert watch.requests == []


class TestJudging:
    def test_notes_when_work_was_last_finished(
        self, duty: Duty, chores: Chores, time: Time
    ) -> None:
        time.pass_(MINUTE)
        duty.pulse.beat()
        time.pass_(2 * MINUTE)
        chores.judge()
        assert finished(duty) == {CYCLE: MINUTE}

    def test_tells_of_work_that_hangs(self, duty: Duty, chores: Chores, time: Time) -> None:
        time.pass_(5 * MINUTE)
        chores.judge()
        assert troubles(duty) == []
        time.pass_(MINUTE)
        chores.judge()
        assert troubles(duty) == ["stalled"]
        duty.pulse.beat()
        chores.judge()
        assert troubles(duty) == []

    @pytest.mark.parametrize("by", [365 * DAY, -365 * DAY])
    def test_tells_of_a_clock_that_was_set_for_an_hour(
        self, duty: Duty, chores: Chores, time: Time, by: timedelta
    ) -> None:
        chores.judge()
        time.now += by
        duty.watch.look()
        duty.pulse.beat()
        chores.judge()
        assert troubles(duty) == ["clock-jump"]
        time.pass_(HOUR + MINUTE)
        duty.pulse.beat()
        chores.judge()
        assert troubles(duty) == []

    def test_comes_back_soon_while_nothing_can_be_written_and_has_it_tried_again(
        self, duty: Duty, time: Time
    ) -> None:
        tried: list[timedelta] = []
        chores = Chores(duty, lambda: tried.append(time.now - NOW))
        duty.trouble.failed("poll main", UnwritableError("the disk is full"))
        pauses = []
        for _ in range(4):
            pauses.append(chores.judge())
            time.pass_(timedelta(seconds=5))
        assert pauses == [timedelta(seconds=5)] * 4
        assert tried == [timedelta(seconds=0), timedelta(seconds=10)]
        duty.trouble.done("poll main")
        assert chores.judge() is None


class TestRetaining:
    def test_begins_after_an_hour_and_is_done_once_a_day(
        self, duty: Duty, chores: Chores, time: Time
    ) -> None:
        days = []
        for _ in range(60):
            chores.retain()
            days.append(finished(duty).get("retain"))
            time.pass_(HOUR)
        assert sorted({at for at in days if at is not None}) == [HOUR, HOUR + DAY, HOUR + 2 * DAY]

    def test_is_not_done_by_a_clock_that_was_just_set(
        self, duty: Duty, chores: Chores, time: Time
    ) -> None:
        time.pass_(2 * HOUR)
        time.now += 365 * DAY
        duty.watch.look()
        chores.retain()
        assert finished(duty) == {}
        time.pass_(HOUR + MINUTE)
        chores.retain()
        assert "retain" in finished(duty)
