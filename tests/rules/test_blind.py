from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from spendguard.core.errors import ErrorKind
from spendguard.core.facts import AccountFacts, Polls
from spendguard.core.findings import Severity, Status
from spendguard.rules.blind import Blind

HOUR = timedelta(hours=1)
HOURS_6 = timedelta(hours=6)
TICK = timedelta(microseconds=1)


def polls(now: datetime, failures: int, error: ErrorKind, long: timedelta | None) -> Polls:
    since = None if long is None else now - long
    return Polls(failures, since, error, first_ok_at=None, last_ok_at=now - timedelta(days=1))


@pytest.mark.parametrize(
    ("failures", "error", "long", "status", "step"),
    [
        pytest.param(
            1, ErrorKind.UNAVAILABLE, TICK, Status.UNKNOWN, "", id="one failure tells nothing yet"
        ),
        pytest.param(2, ErrorKind.UNAVAILABLE, TICK, Status.UNKNOWN, "", id="nor do two"),
        pytest.param(3, ErrorKind.UNAVAILABLE, TICK, Status.FIRING, "failing", id="the third does"),
        pytest.param(
            1, ErrorKind.AUTH, TICK, Status.UNKNOWN, "", id="one refused key may be an accident"
        ),
        pytest.param(2, ErrorKind.AUTH, TICK, Status.FIRING, "failing", id="a second is not"),
        pytest.param(2, ErrorKind.SCOPE, TICK, Status.FIRING, "failing", id="nor a missing scope"),
        pytest.param(2, ErrorKind.BLOCKED, TICK, Status.UNKNOWN, "", id="blocked takes three"),
        pytest.param(
            3,
            ErrorKind.MALFORMED,
            HOURS_6 - TICK,
            Status.FIRING,
            "failing",
            id="short of six hours",
        ),
        pytest.param(
            3, ErrorKind.MALFORMED, HOURS_6, Status.FIRING, "6h", id="at six hours it is critical"
        ),
        pytest.param(
            2, ErrorKind.UNAVAILABLE, HOURS_6, Status.UNKNOWN, "", id="long polls still need three"
        ),
        pytest.param(
            9, ErrorKind.UNAVAILABLE, None, Status.FIRING, "failing", id="since when is not known"
        ),
    ],
)
def test_failures_in_a_row(
    facts: Callable[..., AccountFacts],
    now: datetime,
    failures: int,
    error: ErrorKind,
    long: timedelta | None,
    status: Status,
    step: str,
) -> None:
    [finding] = Blind().evaluate(facts(polls=polls(now, failures, error, long)))
    critical = Severity.CRITICAL if step == "6h" else Severity.WARNING
    assert (finding.rule, finding.subject, finding.status) == ("blind", "main", status)
    assert (finding.step, finding.rank) == (step, ["", "mailbox", "failing", "6h"].index(step))
    assert finding.severity is (critical if step else Severity.INFO)


def test_one_good_poll_clears(facts: Callable[..., AccountFacts], now: datetime) -> None:
    good = Polls(0, None, ErrorKind.UNAVAILABLE, now, now)
    [finding] = Blind().evaluate(facts(polls=good))
    assert finding.status is Status.CLEAR
    assert "error" not in finding.values


def test_an_account_never_polled_is_unknown(facts: Callable[..., AccountFacts]) -> None:
    assert Blind().evaluate(facts(polls=Polls()))[0].status is Status.UNKNOWN


def test_a_key_that_never_worked_fires(facts: Callable[..., AccountFacts], now: datetime) -> None:
    never = Polls(2, now - timedelta(minutes=15), ErrorKind.AUTH)
    assert Blind().evaluate(facts(polls=never))[0].status is Status.FIRING


def test_the_values_tell_why_since_when_and_what_was_last_seen(
    facts: Callable[..., AccountFacts], now: datetime
) -> None:
    lost = polls(now, 4, ErrorKind.UNAVAILABLE, timedelta(hours=2))
    [finding] = Blind().evaluate(facts("7.00", polls=lost))
    values = finding.values
    assert (values["failures"], values["error"]) == (4, "unavailable")
    assert values["failing_since"] == now - timedelta(hours=2)
    assert values["failing_for"] == timedelta(hours=2)
    assert (values["read_at"], values["data_age"]) == (now - timedelta(days=1), timedelta(days=1))
    assert str(values["floor"]) == "7.00 USD"


@pytest.mark.parametrize(
    ("failing", "failures", "step"),
    [
        pytest.param(HOUR, 0, "mailbox", id="an hour is told"),
        pytest.param(HOUR - timedelta(seconds=1), 0, "", id="less is not"),
        pytest.param(HOUR * 9, 3, "failing", id="a blind account is worse"),
    ],
)
def test_a_mailbox_that_cannot_be_read(
    facts: Callable[..., AccountFacts], now: datetime, failing: timedelta, failures: int, step: str
) -> None:
    [finding] = Blind().evaluate(
        facts(
            polls=Polls(
                failures,
                now - HOUR if failures else None,
                ErrorKind.UNAVAILABLE if failures else None,
                first_ok_at=now - timedelta(days=1),
                last_ok_at=now - HOUR,
            ),
            witness_failing_since=now - failing,
            witness_error=ErrorKind.AUTH,
        )
    )

    assert finding.step == step
    assert finding.severity is (Severity.WARNING if step else Severity.INFO)


@pytest.mark.parametrize(
    ("failures", "step"), [(0, "stale"), (1, ""), (3, "failing")], ids=["read", "failed", "blind"]
)
def test_costs_that_stand_still_are_no_sight(
    facts: Callable[..., AccountFacts], now: datetime, failures: int, step: str
) -> None:
    error = ErrorKind.UNAVAILABLE if failures else None
    [finding] = Blind().evaluate(
        facts(
            polls=Polls(failures, None, error, first_ok_at=None, last_ok_at=now),
            stale_since=now - HOUR * 40,
        )
    )

    assert finding.step == step
