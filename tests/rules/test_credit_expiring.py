from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from spendguard.core.facts import AccountFacts
from spendguard.core.findings import Severity, Status
from spendguard.core.ledger import LotLeft
from spendguard.rules.credit_expiring import CreditExpiring
from tests.rules.charging import DAY, NOW, lot, outlook, usd

INFO, WARNING, CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL
Facts = Callable[..., AccountFacts]


def holding(facts: Facts, *lots: LotLeft, per_day: str = "1.00", **known: object) -> AccountFacts:
    here = facts("50.00", outlook=outlook("50.00", per_day, per_day, per_day, lots=lots), **known)
    assert here.position is not None
    return replace(here, position=replace(here.position, lots=lots))


@pytest.mark.parametrize(
    ("left", "hours", "step", "severity"),
    [
        pytest.param("31.00", 24 * 30, "30d", INFO, id="a dollar more than is used in 30 days"),
        pytest.param("30.00", 24 * 30, "", INFO, id="just what is used by then"),
        pytest.param("30.001", 24 * 30, "", INFO, id="less than a cent more"),
        pytest.param("99.00", 24 * 31, "", INFO, id="not within 30 days"),
        pytest.param("8.00", 24 * 7, "7d", WARNING, id="a week before"),
        pytest.param("8.00", 24, "1d", CRITICAL, id="the day before"),
    ],
)
def test_it_speaks_of_credit_that_will_not_be_used(
    facts: Facts, left: str, hours: float, step: str, severity: Severity
) -> None:
    [finding] = CreditExpiring().evaluate(holding(facts, lot(left, hours)))
    assert finding.status is (Status.FIRING if step else Status.CLEAR)
    assert (finding.step, finding.severity) == (step, severity)


def test_it_tells_what_is_lost_and_when(facts: Facts) -> None:
    [finding] = CreditExpiring().evaluate(
        holding(facts, lot("6.00", 48), lot("9.50", 24 * 6, "2"), lot("20.00", None, "3"))
    )
    assert finding.values["lost"] == usd("4.00")
    assert finding.values["expires_at"] == NOW + 2 * DAY
    assert (finding.values["more"], finding.values["total"]) == (1, usd("9.50"))


def test_without_any_spend_known_nobody_can_tell(facts: Facts) -> None:
    known = replace(holding(facts, lot("6.00", 48)), outlook=None)
    assert [one.status for one in CreditExpiring().evaluate(known)] == [Status.UNKNOWN]


def test_credit_that_never_expires_needs_no_spend_to_be_known(facts: Facts) -> None:
    known = replace(holding(facts, lot("6.00", None)), outlook=None)
    assert [one.status for one in CreditExpiring().evaluate(known)] == [Status.CLEAR]
