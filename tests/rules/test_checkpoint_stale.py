from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from spendguard.core.facts import AccountFacts, CreditSeen, Polls
from spendguard.core.findings import Severity, Status
from spendguard.rules.checkpoint_stale import CheckpointStale
from tests.rules.charging import DAY, NOW, OFF, ON, standing

TWO_WEEKS = timedelta(days=14)
TICK = timedelta(microseconds=1)


def stated(facts: Callable[..., AccountFacts], now: datetime, age: timedelta) -> AccountFacts:
    known = facts("3.00")
    assert known.position is not None
    checkpoint = replace(known.position.checkpoint, at=now - age)
    return replace(known, position=replace(known.position, checkpoint=checkpoint))


@pytest.mark.parametrize(
    ("age", "status"),
    [
        pytest.param(TWO_WEEKS - TICK, Status.CLEAR, id="a microsecond before it is clear"),
        pytest.param(TWO_WEEKS, Status.FIRING, id="after 14 days it fires"),
        pytest.param(timedelta(seconds=-30), Status.CLEAR, id="a moment in the future is fresh"),
    ],
)
class TestAge:
    def test_of_the_last_checkpoint(
        self, facts: Callable[..., AccountFacts], now: datetime, age: timedelta, status: Status
    ) -> None:
        [finding] = CheckpointStale().evaluate(stated(facts, now, age))
        assert (finding.rule, finding.subject) == ("checkpoint-stale", "main")
        assert (finding.status, finding.severity) == (status, Severity.INFO)
        assert finding.values["age"] == age

    def test_of_the_first_poll_where_none_was_ever_set(
        self, facts: Callable[..., AccountFacts], now: datetime, age: timedelta, status: Status
    ) -> None:
        polls = Polls(first_ok_at=now - age, last_ok_at=now)
        [finding] = CheckpointStale().evaluate(facts(polls=polls))
        assert (finding.status, finding.values["stated_since"]) == (status, now - age)
        assert "checkpoint_at" not in finding.values


def test_an_account_never_read_and_never_stated_is_unknown(
    facts: Callable[..., AccountFacts],
) -> None:
    [finding] = CheckpointStale().evaluate(facts(polls=Polls()))
    assert (finding.status, finding.values["missing"]) == (Status.UNKNOWN, "poll")


def test_where_the_provider_states_the_balance_it_is_clear(
    facts: Callable[..., AccountFacts], now: datetime
) -> None:
    old = replace(stated(facts, now, timedelta(days=90)), states_balance=True)
    assert CheckpointStale().evaluate(old)[0].status is Status.CLEAR


def test_a_balance_whose_costs_are_not_read_is_not_told(
    facts: Callable[..., AccountFacts], now: datetime
) -> None:
    known = replace(stated(facts, now, TWO_WEEKS), costs_read=False)
    [finding] = CheckpointStale().evaluate(known)
    assert finding.status is Status.FIRING
    assert "checkpoint_amount" in finding.values
    assert "floor" not in finding.values


def test_it_repeats_weekly() -> None:
    assert CheckpointStale.policy.repeat == timedelta(days=7)


def test_its_time_is_a_parameter(facts: Callable[..., AccountFacts], now: datetime) -> None:
    rule = CheckpointStale(after=timedelta(days=2))
    assert rule.evaluate(stated(facts, now, timedelta(days=3)))[0].status is Status.FIRING


SEEN = (CreditSeen(NOW - DAY, None, "inferred"),)


@pytest.mark.parametrize(
    ("known", "fires"),
    [
        pytest.param({}, True, id="it asks"),
        pytest.param({"asked_at": NOW - 8 * DAY}, True, id="a week after it was asked last"),
        pytest.param({"asked_at": NOW - 6 * DAY}, False, id="not within a week of that"),
        pytest.param(
            {"asked_at": NOW - DAY, "standing": standing("checkpoint-stale", 2)},
            True,
            id="and goes on asking once it has",
        ),
        pytest.param(
            {"recharge": OFF, "unexplained": SEEN}, False, id="not where recharge-unexpected asks"
        ),
        pytest.param({"recharge": ON, "unexplained": SEEN}, True, id="as it does while it is on"),
        pytest.param({"unexplained": SEEN}, True, id="and while nobody knows"),
    ],
)
def test_usage_contradicts_the_balance(
    facts: Callable[..., AccountFacts],
    known: dict[str, Any],
    fires: bool,  # noqa: FBT001
) -> None:
    [finding] = CheckpointStale().evaluate(facts(proven_at=NOW - DAY, **known))
    assert finding.status is (Status.FIRING if fires else Status.UNKNOWN)
    assert finding.values["proven_at"] == NOW - DAY
    if fires:
        assert (finding.step, finding.rank, finding.severity) == (
            "contradicted",
            2,
            Severity.WARNING,
        )
    else:
        assert finding.values["missing"] == "credit"


def test_where_the_provider_states_the_balance_nothing_contradicts_it(
    facts: Callable[..., AccountFacts],
) -> None:
    [finding] = CheckpointStale().evaluate(facts(proven_at=NOW, states_balance=True))
    assert finding.status is Status.CLEAR


@pytest.mark.parametrize(
    ("confirmed", "status"),
    [
        pytest.param(timedelta(days=1), Status.CLEAR, id="a recharge that was seen confirms it"),
        pytest.param(TWO_WEEKS, Status.FIRING, id="for two weeks"),
        pytest.param(timedelta(days=90), Status.FIRING, id="one before the checkpoint does not"),
    ],
)
def test_a_charge_that_a_machine_saw(
    facts: Callable[..., AccountFacts], now: datetime, confirmed: timedelta, status: Status
) -> None:
    known = replace(stated(facts, now, timedelta(days=30)), confirmed_at=now - confirmed)
    assert CheckpointStale().evaluate(known)[0].status is status
