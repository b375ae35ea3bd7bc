from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from spendguard.core.facts import AccountFacts
from spendguard.core.findings import Severity, Status
from spendguard.rules.own_key_expiring import OwnKeyExpiring

TICK = timedelta(microseconds=1)


def days(number: int) -> timedelta:
    return timedelta(days=number)


@pytest.mark.parametrize(
    ("left", "step", "severity"),
    [
        pytest.param(days(30) + TICK, "", Severity.INFO, id="more than 30 days are clear"),
        pytest.param(days(30), "30d", Severity.INFO, id="30 days are an info"),
        pytest.param(days(7) + TICK, "30d", Severity.INFO, id="a little over a week still"),
        pytest.param(days(7), "7d", Severity.WARNING, id="a week is a warning"),
        pytest.param(days(1), "1d", Severity.CRITICAL, id="a day is critical"),
        pytest.param(days(-3), "1d", Severity.CRITICAL, id="an expired key stays critical"),
    ],
)
def test_time_left(
    facts: Callable[..., AccountFacts],
    now: datetime,
    left: timedelta,
    step: str,
    severity: Severity,
) -> None:
    known = facts(own_key_known=True, own_key_expires_at=now + left)
    [finding] = OwnKeyExpiring().evaluate(known)
    assert (finding.rule, finding.subject) == ("own-key-expiring", "main")
    assert finding.status is (Status.FIRING if step else Status.CLEAR)
    assert (finding.step, finding.severity) == (step, severity)
    assert (finding.values["expires_at"], finding.values["time_left"]) == (now + left, left)


@pytest.mark.parametrize(
    ("known", "status"),
    [
        pytest.param(False, Status.UNKNOWN, id="a key of which nothing is known is unknown"),
        pytest.param(True, Status.CLEAR, id="a key that never expires is clear"),
    ],
)
def test_without_a_date(
    facts: Callable[..., AccountFacts],
    known: bool,  # noqa: FBT001
    status: Status,
) -> None:
    [finding] = OwnKeyExpiring().evaluate(facts(own_key_known=known))
    assert finding.status is status


@pytest.mark.parametrize(
    ("left", "step", "severity"),
    [
        pytest.param(timedelta(hours=40), "2d", Severity.INFO, id="days are told as days"),
        pytest.param(timedelta(hours=36), "36h", Severity.WARNING, id="hours as hours"),
        pytest.param(timedelta(minutes=90), "90m", Severity.CRITICAL, id="minutes as minutes"),
        pytest.param(timedelta(seconds=5), "5s", Severity.CRITICAL, id="seconds as seconds"),
    ],
)
def test_own_steps_in_any_order(
    facts: Callable[..., AccountFacts],
    now: datetime,
    left: timedelta,
    step: str,
    severity: Severity,
) -> None:
    steps = (timedelta(hours=36), timedelta(minutes=90), timedelta(seconds=5), days(2))
    known = facts(own_key_known=True, own_key_expires_at=now + left)
    [finding] = OwnKeyExpiring(steps).evaluate(known)
    assert (finding.step, finding.severity) == (step, severity)
