from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from spendguard.core.accounts import Recharge
from spendguard.core.facts import AccountFacts, Burn, Standing, Witness
from spendguard.core.findings import Severity, Status
from spendguard.core.money import Amount, Money
from spendguard.rules.balance_low import BalanceLow
from tests.rules.charging import DAY, NOW, OFF, ON, due, struck


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def recharge(trigger: str, *, enabled: bool = False) -> Recharge:
    return Recharge(enabled, usd(trigger), usd("10.00"), None, None, usd("2.00"))


def standing(rank: int, now: datetime) -> dict[tuple[str, str], Standing]:
    return {("balance-low", "main"): Standing(Severity.CRITICAL, "", rank, now)}


@pytest.mark.parametrize(
    ("floor", "rank", "step", "severity"),
    [
        pytest.param("5.00", 0, "", Severity.INFO, id="at the trigger it is clear"),
        pytest.param(
            "4.999999999", 1, "trigger", Severity.WARNING, id="one nano under, it is a warning"
        ),
        pytest.param("2.50", 1, "trigger", Severity.WARNING, id="at half it is still a warning"),
        pytest.param("2.499999999", 2, "half", Severity.CRITICAL, id="under half it is critical"),
        pytest.param("0.000000001", 2, "half", Severity.CRITICAL, id="the last nano is not zero"),
        pytest.param("0.00", 3, "zero", Severity.CRITICAL, id="nothing left is the step zero"),
        pytest.param(
            "-0.000000001", 4, "negative", Severity.CRITICAL, id="less than nothing is negative"
        ),
    ],
)
def test_steps_without_a_recharge_model(
    facts: Callable[..., AccountFacts], floor: str, rank: int, step: str, severity: Severity
) -> None:
    [finding] = BalanceLow().evaluate(facts(floor))
    assert (finding.rule, finding.subject) == ("balance-low", "main")
    assert finding.status is (Status.FIRING if rank else Status.CLEAR)
    assert (finding.rank, finding.step, finding.severity) == (rank, step, severity)


@pytest.mark.parametrize(
    ("floor", "held", "changed", "rank"),
    [
        pytest.param("5.249999999", 1, False, 1, id="less than 5 % above the trigger it stays"),
        pytest.param("5.25", 1, False, 0, id="5 % above the trigger it ends"),
        pytest.param("5.00", 1, True, 0, id="after a deposit it ends at the trigger"),
        pytest.param("2.624999999", 2, False, 2, id="less than 5 % above half it stays"),
        pytest.param("2.625", 2, False, 1, id="5 % above half it falls back"),
        pytest.param("2.50", 2, True, 1, id="after a deposit it falls back at half"),
        pytest.param("0.000000001", 3, False, 2, id="zero is left with the first nano"),
        pytest.param("0.00", 4, False, 3, id="negative is left at zero"),
        pytest.param("5.10", 0, False, 0, id="what never fired is not held"),
    ],
)
def test_leaving_takes_more_than_entering(
    facts: Callable[..., AccountFacts],
    now: datetime,
    floor: str,
    held: int,
    changed: bool,  # noqa: FBT001
    rank: int,
) -> None:
    known = facts(floor, standing=standing(held, now), ledger_changed=changed)
    [finding] = BalanceLow().evaluate(known)
    assert finding.rank == rank


@pytest.mark.parametrize(
    ("rule", "known", "trigger"),
    [
        pytest.param(BalanceLow(), {}, "5.00", id="five without a recharge model"),
        pytest.param(
            BalanceLow(),
            {"recharge": recharge("8.00", enabled=True)},
            "8.00",
            id="that of the recharge model",
        ),
        pytest.param(
            BalanceLow(),
            {"recharge": recharge("8.00")},
            "8.00",
            id="that of the model also while it is off",
        ),
        pytest.param(
            BalanceLow(Amount.parse("12.50")),
            {"recharge": recharge("8.00")},
            "12.50",
            id="the parameter before the model",
        ),
    ],
)
def test_the_trigger_is(
    facts: Callable[..., AccountFacts], rule: BalanceLow, known: dict[str, Any], trigger: str
) -> None:
    [at] = rule.evaluate(facts(trigger, **known))
    assert (at.status, at.values["trigger"]) == (Status.CLEAR, usd(trigger))
    under = usd(trigger) - Money(1, "USD")
    [below] = rule.evaluate(facts(under.exact(), **known))
    assert (below.step, below.values["threshold"]) == ("trigger", usd(trigger))


def test_half_of_an_odd_trigger_is_exact_to_the_nano(facts: Callable[..., AccountFacts]) -> None:
    rule = BalanceLow(Amount(5))
    steps = [rule.evaluate(facts(f"0.00000000{nano}"))[0].step for nano in (5, 4, 3, 2, 1)]
    assert steps == ["", "trigger", "trigger", "half", "half"]


@pytest.mark.parametrize(
    ("floor", "known", "missing"),
    [
        pytest.param(None, {}, "checkpoint", id="without a checkpoint"),
        pytest.param("1.00", {"costs_read": False}, "costs", id="before costs since were read"),
    ],
)
def test_it_is_unknown(
    facts: Callable[..., AccountFacts], floor: str | None, known: dict[str, Any], missing: str
) -> None:
    [finding] = BalanceLow().evaluate(facts(floor, **known))
    assert (finding.status, finding.values["missing"]) == (Status.UNKNOWN, missing)
    assert "floor" not in finding.values


def test_the_values_say_how_long_it_lasts(
    facts: Callable[..., AccountFacts], now: datetime
) -> None:
    [finding] = BalanceLow().evaluate(facts("4.00", burn=Burn(usd("2.00"), 14)))
    assert finding.values == {
        "floor": usd("4.00"),
        "billed": usd("4.00"),
        "trigger": usd("5.00"),
        "threshold": usd("5.00"),
        "as_of": now - timedelta(minutes=5),
        "read_at": now - timedelta(minutes=5),
        "data_age": timedelta(minutes=5),
        "checkpoint_at": now - timedelta(days=1),
        "checkpoint_amount": usd("20.00"),
        "checkpoint_source": "manual",
        "credit": usd("0"),
        "expired": usd("0"),
        "late": usd("0"),
        "spent": usd("16.00"),
        "recharge": None,
        "card": None,
        "burn_per_day": usd("2.00"),
        "burn_days": 14,
        "runway": timedelta(days=2),
        "empties_at": now - timedelta(minutes=5) + timedelta(days=2),
    }


@pytest.mark.parametrize(
    ("floor", "burn"),
    [
        pytest.param("4.00", None, id="without a burn"),
        pytest.param("4.00", Burn(usd("0"), 14), id="at no burn"),
        pytest.param("0.00", Burn(usd("2.00"), 14), id="when nothing is left"),
        pytest.param("4.00", Burn(Money(1, "USD"), 14), id="beyond ten years"),
        pytest.param("0.00001", Burn(usd("2.00"), 14), id="when that instant has passed"),
    ],
)
def test_no_runway_is_told(
    facts: Callable[..., AccountFacts], floor: str, burn: Burn | None
) -> None:
    [finding] = BalanceLow().evaluate(facts(floor, burn=burn))
    assert not {"runway", "empties_at"} & finding.values.keys()


LATE = {"due_since": NOW - DAY, "overdue": True, "next_charge": due()}


@pytest.mark.parametrize(
    ("known", "quiet"),
    [
        pytest.param({"recharge": ON}, True, id="while recharge is on"),
        pytest.param({"recharge": OFF}, False, id="not while it is off"),
        pytest.param({"recharge": None}, False, id="nor while nobody knows"),
        pytest.param(
            {"recharge": ON, "strikes": struck("main failed")},
            False,
            id="nor after a failed charge",
        ),
        pytest.param(
            {"recharge": ON, "strikes": struck("other failed")},
            True,
            id="but one of another account is no failed charge here",
        ),
        pytest.param(
            {"recharge": ON, "strikes": struck("other failed", "other failed")},
            False,
            id="unless it made the card unusable",
        ),
        pytest.param(
            {"recharge": ON, "card_short": True},
            False,
            id="nor while the card is known to be short",
        ),
        pytest.param(
            {"recharge": ON, **LATE, "witness": Witness.HEALTHY},
            False,
            id="nor once the charge is overdue where it would have been shown",
        ),
        pytest.param(
            {"recharge": ON, **LATE}, True, id="where nobody would show it, recharge-missing asks"
        ),
        pytest.param(
            {"recharge": ON, **LATE, "witness": Witness.FAILING},
            True,
            id="and where the mailbox cannot be read",
        ),
        pytest.param(
            {"recharge": ON, "due_since": NOW - DAY, "next_charge": due(300)},
            False,
            id="nor while the month's limit lets no charge come",
        ),
    ],
)
@pytest.mark.parametrize("floor", ["4.00", "-1.00"])
def test_it_is_an_info_sent_to_nobody(
    facts: Callable[..., AccountFacts],
    floor: str,
    known: dict[str, Any],
    quiet: bool,  # noqa: FBT001
) -> None:
    [finding] = BalanceLow().evaluate(facts(floor, **known))
    assert finding.status is Status.FIRING
    assert finding.quiet is quiet
    assert (finding.severity is Severity.INFO) is quiet
    assert finding.step == ("trigger" if floor == "4.00" else "negative")


def test_a_coming_charge_further_off_does_not_unsoften_a_higher_trigger(
    facts: Callable[..., AccountFacts],
) -> None:
    rule = BalanceLow(Amount.parse("12.00"))
    [finding] = rule.evaluate(facts("8.00", recharge=ON, next_charge=due(48)))
    assert finding.quiet


def test_the_values_say_what_was_to_be_charged(facts: Callable[..., AccountFacts]) -> None:
    limited = {"due_since": NOW - DAY, "next_charge": due(300)}
    plain = BalanceLow().evaluate(facts("4.00", recharge=ON, next_charge=due()))[0].values
    later = BalanceLow().evaluate(facts("4.00", recharge=ON, **limited))[0].values
    assert plain["amount"] == later["amount"] == usd("10.00")
    assert "recharges_at" not in plain
    assert later["recharges_at"] == due(300).at


@pytest.mark.parametrize(
    ("held", "status"),
    [
        pytest.param(1, Status.CLEAR, id="ends what was said of the credit's end"),
        pytest.param(0, Status.UNKNOWN, id="and then nothing is known"),
    ],
)
def test_credit_that_usage_proved(
    facts: Callable[..., AccountFacts], now: datetime, held: int, status: Status
) -> None:
    former = standing(held, now) if held else {}
    [finding] = BalanceLow().evaluate(facts(proven_at=now, standing=former))
    assert finding.status is status
    assert finding.values.get("proven") is (True if held else None)
    assert finding.values.get("missing") == (None if held else "credit")
