from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from spendguard.core.facts import AccountFacts, UsageFacts
from spendguard.core.findings import Finding, Severity, Status
from spendguard.core.money import Amount, Money
from spendguard.core.spikes import Cause, Moment, Pace, Rush
from spendguard.rules.spend_spike import SpendSpike

Facts = Callable[..., AccountFacts]
CENT = 10_000_000


def moment(
    now: datetime, minutes: int, hour: int, quarter: int = 0, usual: int = 100, burst: int = 0
) -> Moment:
    """So many cents before an instant so many minutes ago."""
    at = now - timedelta(minutes=minutes)
    return Moment(at, hour * CENT, quarter * CENT, usual * CENT, burst * CENT)


def judged(facts: Facts, *moments: Moment, floor: str | None = None, **pace: object) -> Finding:
    known = Pace(moments, **pace)  # type: ignore[arg-type]
    [finding] = SpendSpike().evaluate(facts(floor, usage=UsageFacts(moments[-1].at, known)))
    return finding


@pytest.mark.parametrize(
    ("hour", "quarter", "usual", "step"),
    [
        pytest.param(299, 0, 100, "", id="less than three times the usual is none"),
        pytest.param(300, 0, 100, "3x", id="three times the usual is a spike"),
        pytest.param(899, 0, 100, "3x", id="and stays one"),
        pytest.param(900, 0, 100, "9x", id="until it is three times as much again"),
        pytest.param(160, 150, 100, "3x", id="half of it in a quarter of an hour is one too"),
        pytest.param(160, 149, 100, "", id="less is none"),
        pytest.param(99, 99, 5, "", id="what is less than a dollar is none"),
        pytest.param(100, 0, 5, "3x", id="a dollar is enough where less is usual"),
        pytest.param(100, 0, 0, "3x", id="and where nothing is"),
    ],
)
def test_the_pace_is_compared_with_the_usual(
    facts: Facts, now: datetime, hour: int, quarter: int, usual: int, step: str
) -> None:
    finding = judged(facts, moment(now, 0, hour, quarter, usual))

    assert (finding.subject, finding.step) == ("main", step)
    assert (
        finding.severity
        is {
            "": Severity.INFO,
            "3x": Severity.WARNING,
            "9x": Severity.CRITICAL,
        }[step]
    )


@pytest.mark.parametrize(
    ("quarter", "dearest", "usual", "step"),
    [
        pytest.param(
            150, 75, 200, "3x", id="a quarter of what fires in an hour, twice the dearest"
        ),
        pytest.param(149, 10, 200, "", id="less of it is none"),
        pytest.param(150, 76, 200, "", id="less than twice the dearest before is none"),
        pytest.param(299, None, 200, "", id="nothing is known where no quarter of before is"),
        pytest.param(300, 250, 200, "3x", id="half of it is enough whatever was before"),
        pytest.param(99, 10, 100, "", id="what is less than a dollar is none"),
        pytest.param(450, 75, 200, "9x", id="three times as much is worse"),
    ],
)
def test_a_quarter_is_compared_with_the_dearest_of_the_last_weeks(
    facts: Facts, now: datetime, quarter: int, dearest: int | None, usual: int, step: str
) -> None:
    known = None if dearest is None else dearest * CENT

    finding = judged(facts, moment(now, 0, quarter, quarter, usual), dearest_quarter=known)

    assert finding.step == step
    assert "burst" not in finding.values


@pytest.mark.parametrize(
    ("burst", "dearest", "usual", "step"),
    [
        pytest.param(100, 50, 200, "3x", id="half of the usual hour, and twice the dearest before"),
        pytest.param(99, 10, 100, "", id="what is less than a dollar is none"),
        pytest.param(100, 10, 201, "", id="less than half of the usual hour is none"),
        pytest.param(100, 51, 200, "", id="less than twice the dearest before is none"),
        pytest.param(100, None, 200, "", id="nothing is known where no burst of before is"),
        pytest.param(300, 50, 200, "9x", id="three times as much is worse"),
    ],
)
def test_five_minutes_are_compared_with_the_dearest_of_the_last_days(
    facts: Facts, now: datetime, burst: int, dearest: int | None, usual: int, step: str
) -> None:
    known = None if dearest is None else dearest * CENT

    finding = judged(facts, moment(now, 0, burst, 0, usual, burst), dearest=known)

    assert finding.step == step
    assert ("burst" in finding.values) is bool(step) is (finding.values.get("times", 0) is None)


def rushed(now: datetime, minutes: int, nanos: int, bound: int, usual: int) -> Moment:
    """A key that spent so many cents in two minutes, in an hour that was quiet otherwise."""
    causes = (Cause("api_key", "key_9", "ci", 97),)
    told = Rush("key_9", nanos * CENT, bound * CENT, causes)
    return replace(moment(now, minutes, nanos, 0, usual), rush=told)


@pytest.mark.parametrize(
    ("nanos", "bound", "usual", "step"),
    [
        pytest.param(150, 150, 1000, "3x", id="a twentieth of what fires in an hour is much"),
        pytest.param(149, 10, 1000, "", id="less of it is none"),
        pytest.param(150, 151, 1000, "", id="what the key did before is none"),
        pytest.param(100, 0, 100, "3x", id="a dollar is enough where less is usual"),
        pytest.param(99, 0, 100, "", id="what is less than a dollar is none"),
        pytest.param(900, 0, 1000, "3x", id="two minutes are never worse than a warning"),
    ],
)
def test_two_minutes_of_a_key_are_compared_with_what_it_ever_did(
    facts: Facts, now: datetime, nanos: int, bound: int, usual: int, step: str
) -> None:
    finding = judged(facts, rushed(now, 0, nanos, bound, usual))

    assert finding.step == step
    assert (finding.values.get("api_key") == "ci") is bool(step)
    assert finding.values.get("rush") == (Money(nanos * CENT, "USD") if step else None)


def test_an_hour_that_is_a_spike_says_more_than_two_minutes_of_it(
    facts: Facts, now: datetime
) -> None:
    finding = judged(facts, rushed(now, 5, 200, 0, 100), moment(now, 0, 400))

    assert finding.values["spent"] == Money.parse("4.00", "USD")
    assert "rush" not in finding.values


def test_an_accepted_rush_may_go_on_at_its_pace(facts: Facts, now: datetime) -> None:
    first, hour = rushed(now, 60, 200, 0, 400), moment(now, 0, 5900, usual=400)
    accepted = now - timedelta(minutes=59)

    finding = judged(facts, first, hour, accepted_at=accepted, accepted=6000 * CENT)

    assert finding.status is Status.CLEAR


def test_a_balance_that_does_not_last_six_hours_makes_it_critical(
    facts: Facts, now: datetime
) -> None:
    lasting = judged(facts, moment(now, 0, 300), floor="18.00")
    drained = judged(facts, moment(now, 0, 300), floor="17.99")

    assert (lasting.step, lasting.severity) == ("3x", Severity.WARNING)
    assert (drained.step, drained.severity) == ("draining", Severity.CRITICAL)
    assert drained.values["empty_in"] == timedelta(hours=6) - timedelta(seconds=12)


def test_it_lasts_until_two_calm_hours_have_passed(facts: Facts, now: datetime) -> None:
    calm = moment(now, 0, 10)

    assert judged(facts, moment(now, 119, 300), calm).status is Status.FIRING
    assert judged(facts, moment(now, 120, 300), calm).status is Status.CLEAR


class TestAnAcceptedSpike:
    def test_says_nothing_more(self, facts: Facts, now: datetime) -> None:
        hot = [moment(now, minutes, 500) for minutes in (120, 60, 0)]
        accepted = now - timedelta(minutes=60)

        finding = judged(facts, *hot, accepted_at=accepted, accepted=500 * CENT)

        assert finding.status is Status.CLEAR

    def test_speaks_again_once_it_doubles(self, facts: Facts, now: datetime) -> None:
        hot = [moment(now, 60, 500), moment(now, 0, 1001)]
        accepted = now - timedelta(minutes=30)

        finding = judged(facts, *hot, accepted_at=accepted, accepted=500 * CENT)

        assert finding.status is Status.FIRING

    def test_does_not_speak_for_the_next_one(self, facts: Facts, now: datetime) -> None:
        hot = [moment(now, minutes, 500) for minutes in (300, 240, 10)]
        accepted = now - timedelta(minutes=240)

        finding = judged(facts, *hot, accepted_at=accepted, accepted=500 * CENT)

        assert finding.status is Status.FIRING


def test_what_explains_it_is_named(facts: Facts, now: datetime) -> None:
    causes = (Cause("api_key", "key_9", "ci", 96), Cause("model", "gpt-6", "", 80))

    values = judged(facts, moment(now, 0, 310), causes=causes).values

    assert (values["api_key"], values["api_key_percent"]) == ("ci", 96)
    assert (values["model"], values["model_percent"]) == ("gpt-6", 80)
    assert (values["spent"], values["times"]) == (Money.parse("3.10", "USD"), 3)
    assert "project" not in values


def test_its_parameters_count(facts: Facts, now: datetime) -> None:
    known = UsageFacts(now, Pace((moment(now, 0, 400),)))
    [strict] = SpendSpike(ratio=5).evaluate(facts(usage=known))
    [rich] = SpendSpike(minimum=Amount.parse("4.01")).evaluate(facts(usage=known))
    assert (strict.status, rich.status) == (Status.CLEAR, Status.CLEAR)


def test_without_usage_or_history_it_is_unknown(facts: Facts, now: datetime) -> None:
    [unread] = SpendSpike().evaluate(facts())
    [young] = SpendSpike().evaluate(facts(usage=UsageFacts(now)))
    assert (unread.status, unread.values["missing"]) == (Status.UNKNOWN, "usage")
    assert (young.status, young.values["missing"]) == (Status.UNKNOWN, "history")


def test_nothing_spent_is_clear(facts: Facts, now: datetime) -> None:
    [finding] = SpendSpike().evaluate(facts(usage=UsageFacts(now, Pace(()))))
    assert finding.status is Status.CLEAR
