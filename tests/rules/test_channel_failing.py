from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from spendguard.core.facts import ChannelUse, GuardFacts
from spendguard.core.findings import Severity, Status
from spendguard.rules.channel_failing import ChannelFailing

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("owed", "refused", "lost", "step"),
    [
        pytest.param(None, False, False, "", id="a channel that owes nothing is clear"),
        pytest.param(HOUR - TICK, False, False, "", id="a message owed for less than an hour too"),
        pytest.param(HOUR, False, False, "owing", id="owed for an hour it fires"),
        pytest.param(None, True, False, "refused", id="a refusal fires at once"),
        pytest.param(2 * HOUR, True, False, "refused", id="a refusal is worse than a delay"),
        pytest.param(2 * HOUR, True, True, "lost", id="a loss is the worst"),
    ],
)
def test_a_channel(
    now: datetime,
    owed: timedelta | None,
    refused: bool,  # noqa: FBT001
    lost: bool,  # noqa: FBT001
    step: str,
) -> None:
    channel = ChannelUse(
        "ops",
        usable=True,
        owed_since=None if owed is None else now - owed,
        refused=refused,
        lost_at=now if lost else None,
        error="refused by the far end",
    )
    [finding] = ChannelFailing().evaluate(GuardFacts(now, (channel,)))
    assert (finding.rule, finding.subject) == ("channel-failing", "channel:ops")
    assert finding.status is (Status.FIRING if step else Status.CLEAR)
    assert (finding.step, finding.rank) == (step, ["", "owing", "refused", "lost"].index(step))
    assert finding.severity is (Severity.WARNING if step else Severity.INFO)
    assert finding.values.get("owed_for") == owed


def test_each_channel_is_a_subject_in_any_order(now: datetime) -> None:
    ops = ChannelUse("ops", usable=True, owed_since=now - HOUR)
    mail = ChannelUse("mail", usable=False)
    one = ChannelFailing().evaluate(GuardFacts(now, (ops, mail)))
    assert one == ChannelFailing().evaluate(GuardFacts(now, (mail, ops)))
    assert [(found.subject, found.status) for found in one] == [
        ("channel:mail", Status.CLEAR),
        ("channel:ops", Status.FIRING),
    ]


def test_its_time_is_a_parameter(now: datetime) -> None:
    late = ChannelUse("ops", usable=True, owed_since=now - timedelta(minutes=10))
    rule = ChannelFailing(after=timedelta(minutes=10))
    assert rule.evaluate(GuardFacts(now, (late,)))[0].status is Status.FIRING
