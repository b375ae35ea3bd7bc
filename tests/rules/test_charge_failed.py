from __future__ import annotations

from collections.abc import Callable

import pytest

from spendguard.core.facts import AccountFacts
from spendguard.core.findings import Severity, Status
from spendguard.rules.charge_failed import ChargeFailed
from tests.rules.charging import HOUR, NOW, ON, struck, usd

Facts = Callable[..., AccountFacts]


@pytest.mark.parametrize(
    ("attempts", "step"),
    [
        pytest.param([], "", id="without a charge it is clear"),
        pytest.param(["main paid"], "", id="after a success it is clear"),
        pytest.param(["main unknown"], "", id="a charge of unknown end is no strike"),
        pytest.param(["main failed"], "strike-1", id="the first failure is a strike"),
        pytest.param(["main failed", "main unknown"], "strike-1", id="which an unknown one leaves"),
        pytest.param(["main failed", "main paid"], "", id="and a success ends"),
        pytest.param(["main failed", "main failed"], "strike-2", id="the second is another"),
        pytest.param(["other failed"], "", id="one of another account is not told here"),
        pytest.param(["other failed", "main failed"], "strike-2", id="but counts on the card"),
        pytest.param(
            ["main failed", "other paid"], "strike-1", id="a success of another ends no strike here"
        ),
        pytest.param(
            ["other failed", "other failed"],
            "strike-2",
            id="a banned card is told to every account",
        ),
    ],
)
def test_steps(facts: Facts, attempts: list[str], step: str) -> None:
    [finding] = ChargeFailed().evaluate(facts("4.00", strikes=struck(*attempts)))

    assert (finding.rule, finding.subject) == ("charge-failed", "main")
    assert finding.status is (Status.FIRING if step else Status.CLEAR)
    assert finding.step == step
    assert finding.rank == (int(step[-1]) if step else 0)
    assert finding.severity is (Severity.CRITICAL if step else Severity.INFO)
    assert not finding.quiet


@pytest.mark.parametrize(
    ("attempts", "to_ban", "told"),
    [
        pytest.param(["main failed"], 2, (1, False, False), id="one more bans"),
        pytest.param(["main failed"], 3, (2, False, False), id="two more do, by another policy"),
        pytest.param(["main failed"], 1, (0, True, False), id="the first does, by a strict one"),
        pytest.param(["main failed"] * 2, 2, (0, True, False), id="this account banned it"),
        pytest.param(["other failed"] * 2, 2, (0, True, True), id="another account banned it"),
        pytest.param(
            ["main failed", "other failed"], 2, (0, True, False), id="both banned it together"
        ),
        pytest.param(
            ["other failed", "main paid", "other failed"],
            2,
            (0, True, True),
            id="another banned it in spite of a success here",
        ),
    ],
)
def test_it_tells_how_many_more_ban(
    facts: Facts, attempts: list[str], to_ban: int, told: tuple[int, bool, bool]
) -> None:
    known = facts("4.00", strikes=struck(*attempts, to_ban=to_ban))
    values = ChargeFailed().evaluate(known)[0].values

    assert (values["left_to_ban"], values["unusable"], values["elsewhere"]) == told
    assert values["to_ban"] == to_ban


def test_it_tells_the_last_failure(facts: Facts) -> None:
    known = facts("4.00", card="visa", strikes=struck("other failed", "main failed", to_ban=3))
    values = ChargeFailed().evaluate(known)[0].values

    assert values["failed_at"] == NOW - HOUR
    assert values["failed_amount"] == usd("10.00")
    assert (values["failed_reason"], values["failed_source"]) == ("declined", "manual")
    assert values["failed_accounts"] == ("main", "other")
    assert (values["card"], values["strikes"]) == ("visa", 2)


def test_it_needs_no_balance(facts: Facts) -> None:
    for known in (facts(), facts("4.00", costs_read=False), facts("4.00", proven_at=NOW)):
        [clear] = ChargeFailed().evaluate(known)
        assert clear.status is Status.CLEAR
    [finding] = ChargeFailed().evaluate(facts(strikes=struck("main failed")))
    assert finding.status is Status.FIRING
    assert "floor" not in finding.values


def test_neither_credit_nor_recharge_settings_end_it(facts: Facts) -> None:
    for known in (facts("90.00", recharge=ON), facts("90.00", ledger_changed=True)):
        [finding] = ChargeFailed().evaluate(
            facts(
                "90.00",
                strikes=struck("main failed"),
                recharge=known.recharge,
                ledger_changed=known.ledger_changed,
            )
        )
        assert finding.status is Status.FIRING
