from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from spendguard.core.facts import ChannelUse, GuardFacts, Health, Standing
from spendguard.core.findings import Severity, Status
from spendguard.rules.guard import Guard

MIB = 1024 * 1024
WELL = ChannelUse("ops", usable=True)
DEAD = ChannelUse("mail", usable=False)
MINUTES_5 = timedelta(minutes=5)
YEAR = timedelta(days=365)
SINCE = datetime(2026, 11, 23, 10, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def healthy(now: datetime) -> GuardFacts:
    return GuardFacts(now, (WELL,), latest_seen_at=now, disk_free=64 * MIB)


@pytest.mark.parametrize(
    ("known", "step"),
    [
        pytest.param({}, "", id="a healthy guard is clear"),
        pytest.param({"channels": ()}, "", id="no channel configured is no trouble"),
        pytest.param({"channels": (WELL, DEAD)}, "", id="one usable channel is enough"),
        pytest.param({"channels": (DEAD,)}, "no-channel", id="none usable fires"),
        pytest.param({"disk_free": 64 * MIB - 1}, "disk-full", id="a byte under 64 MiB fires"),
        pytest.param({"latest_seen_at": None}, "", id="an empty database has no clock to jump"),
        pytest.param({"health": Health(jumped=YEAR)}, "clock-jump", id="a clock set ahead"),
        pytest.param({"health": Health(jumped=-YEAR)}, "clock-jump", id="a clock set back"),
        pytest.param({"health": Health(jumped=-MINUTES_5)}, "", id="a clock that was corrected"),
        pytest.param({"health": Health(stalled_since=SINCE)}, "stalled", id="work that hangs"),
        pytest.param(
            {"health": Health(unwritable="the disk is full")}, "not-writable", id="no way to write"
        ),
    ],
)
def test_troubles(now: datetime, known: dict[str, Any], step: str) -> None:
    [finding] = Guard().evaluate(replace(healthy(now), **known))
    assert (finding.rule, finding.subject) == ("guard", "guard")
    assert finding.status is (Status.FIRING if step else Status.CLEAR)
    assert finding.step == step
    assert finding.severity is (Severity.CRITICAL if step else Severity.INFO)


@pytest.mark.parametrize(
    ("ahead", "status"),
    [
        pytest.param(MINUTES_5, Status.CLEAR, id="five minutes ahead are tolerated"),
        pytest.param(MINUTES_5 + TICK, Status.FIRING, id="more is a clock that jumped back"),
    ],
)
def test_the_latest_instant_seen_is(now: datetime, ahead: timedelta, status: Status) -> None:
    [finding] = Guard().evaluate(replace(healthy(now), latest_seen_at=now + ahead))
    assert finding.status is status


@pytest.mark.parametrize(
    ("free", "held", "status"),
    [
        pytest.param(66 * MIB, 2, Status.FIRING, id="a full disk is left 5 % later"),
        pytest.param(68 * MIB, 2, Status.CLEAR, id="and then it is left"),
        pytest.param(66 * MIB, 1, Status.CLEAR, id="another trouble does not hold it"),
    ],
)
def test_a_disk_that_hovers(now: datetime, free: int, held: int, status: Status) -> None:
    former = {("guard", "guard"): Standing(Severity.CRITICAL, "", held, now)}
    [finding] = Guard().evaluate(replace(healthy(now), disk_free=free, standing=former))
    assert finding.status is status


def test_the_way_a_clock_was_set_is_told(now: datetime) -> None:
    [back] = Guard().evaluate(replace(healthy(now), health=Health(jumped=-YEAR)))
    [ahead] = Guard().evaluate(replace(healthy(now), health=Health(jumped=YEAR)))
    assert [(one.values["jumped"], one.values["back"]) for one in (back, ahead)] == [
        (YEAR, True),
        (YEAR, False),
    ]


def test_any_further_trouble_is_a_rise_and_the_worst_is_the_step(now: datetime) -> None:
    one = replace(healthy(now), channels=(DEAD,))
    two = replace(one, latest_seen_at=now + timedelta(hours=1))
    three = replace(two, disk_free=0)
    found = [Guard().evaluate(known)[0] for known in (one, two, three)]
    assert [finding.step for finding in found] == ["no-channel"] * 3
    assert found[0].rank < found[1].rank < found[2].rank
    assert found[2].values["troubles"] == ("clock-jump", "disk-full", "no-channel")


@pytest.mark.parametrize(
    ("channels", "status"),
    [
        pytest.param((WELL,), Status.UNKNOWN, id="does not clear what may stand"),
        pytest.param((DEAD,), Status.FIRING, id="does not hide another trouble"),
    ],
)
def test_a_disk_that_cannot_be_measured(
    now: datetime, channels: tuple[ChannelUse, ...], status: Status
) -> None:
    known = replace(healthy(now), channels=channels, disk_free=None)
    assert Guard().evaluate(known)[0].status is status


def test_the_free_space_asked_for_is_a_parameter(now: datetime) -> None:
    assert Guard(minimum_free=65).evaluate(healthy(now))[0].step == "disk-full"
