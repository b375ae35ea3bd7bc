from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.accounts import Card
from spendguard.core.facts import Payer
from spendguard.core.findings import Severity, Status
from spendguard.core.money import Amount, Money
from spendguard.rules.card_short import CardShort
from tests.rules.charging import (
    DAY,
    HOUR,
    NOW,
    OFF,
    card,
    outlook,
    payer,
    standing,
    struck,
    usd,
    visa,
)

A, B = payer("a", "9.00", "2.00"), payer("b", "7.00", "1.00")
SMALL = payer("a", "6.00", "0.40", least="1.00")
CHEAP = replace(SMALL, recharge=replace(A.recharge, amount=usd("1.00")) if A.recharge else None)


def test_the_story_of_two_accounts_of_one_card() -> None:
    [finding] = CardShort().evaluate(card("7.40", A, B))

    assert (finding.rule, finding.subject) == ("card-short", "card:visa")
    assert (finding.status, finding.severity) == (Status.FIRING, Severity.CRITICAL)
    assert finding.step == "short"
    values = finding.values
    assert (values["needed"], values["short_by"]) == (usd("22.00"), usd("14.60"))
    assert (values["count"], values["charged"]) == (2, ("a", "b"))
    assert (values["first_account"], values["first_amount"]) == ("a", usd("10.00"))
    assert values["first_at"] == NOW + 2 * DAY
    assert values["fill_by"] == NOW + 36 * HOUR
    assert values["margin"] == usd("2.00")
    assert (values["balance"], values["stated_at"]) == (usd("7.40"), NOW - DAY)


def test_the_story_of_a_debt_of_twelve() -> None:
    [finding] = CardShort().evaluate(card("7.40", payer("a", "-12.00", None)))

    assert (finding.values["count"], finding.values["needed"]) == (2, usd("22.00"))
    assert (finding.values["first_at"], finding.values["fill_by"]) == (NOW, None)


@pytest.mark.parametrize(
    ("balance", "payers", "pays", "step"),
    [
        pytest.param("22.00", [A, B], visa(), "", id="what is needed is enough"),
        pytest.param("21.999999999", [A, B], visa(), "short", id="one nano less is short"),
        pytest.param("12.00", [A], visa(), "", id="one account needs less"),
        pytest.param("0.00", [payer("a", "90.00", "2.00")], visa(), "", id="where none is due"),
        pytest.param("0.00", [replace(A, recharge=OFF)], visa(), "", id="with recharge off"),
        pytest.param("0.00", [], visa(), "", id="without accounts"),
        pytest.param("23.79", [A, B], visa("19", margin="0"), "short", id="tax is needed too"),
        pytest.param("23.80", [A, B], visa("19", margin="0"), "", id="and nothing above it"),
        pytest.param("13.49", [A], visa(hold="1.50"), "short", id="one verification hold too"),
        pytest.param("-3.00", [A], visa(), "short", id="less than nothing is short"),
        pytest.param("4.99", [CHEAP], visa(), "minimum", id="less than five, and a charge due"),
        pytest.param("5.00", [CHEAP], visa(), "", id="five, and a small charge due"),
        pytest.param("2.99", [CHEAP], visa(), "short", id="less than even that needs"),
    ],
)
def test_steps(balance: str, payers: list[Payer], pays: Card, step: str) -> None:
    [finding] = CardShort().evaluate(card(balance, *payers, pays=pays))

    assert finding.status is (Status.FIRING if step else Status.CLEAR)
    assert (finding.step, finding.rank) == (step, {"": 0, "minimum": 1, "short": 2}[step])
    assert finding.severity is (Severity.CRITICAL if step else Severity.INFO)


@pytest.mark.parametrize(
    ("per_day", "status"),
    [
        pytest.param("1.333333334", Status.FIRING, id="within 72 h"),
        pytest.param("1.333333333", Status.CLEAR, id="not after them"),
    ],
)
def test_the_horizon(per_day: str, status: Status) -> None:
    known = card("7.40", payer("a", "9.00", per_day))

    assert CardShort().evaluate(known)[0].status is status
    assert CardShort(horizon=timedelta(hours=1)).evaluate(known)[0].status is Status.CLEAR


@pytest.mark.parametrize(
    ("rates", "status"),
    [
        pytest.param(("2.00", "1.20", "0.50"), Status.CLEAR, id="it may come in time, one in ten"),
        pytest.param(("2.00", "1.70", "0.50"), Status.FIRING, id="it is expected in time"),
        pytest.param(("1.50", "1.40", "1.35"), Status.FIRING, id="it comes in time on any course"),
    ],
)
def test_a_charge_that_only_may_come_within_the_horizon_is_not_cried_about(
    rates: tuple[str, ...], status: Status
) -> None:
    foreseen = replace(payer("main", "9.00", rates[1]), outlook=outlook("9.00", *rates))
    [finding] = CardShort().evaluate(card("7.40", foreseen))
    assert finding.status is status

    told = standing("card-short", 2, "card:visa")
    [held] = CardShort().evaluate(card("7.40", foreseen, standing=told))
    assert held.status is Status.FIRING


def test_the_minimum_is_a_parameter() -> None:
    assert CardShort(minimum=Amount.parse("20")).evaluate(card("19.99", A))[0].step == "minimum"


def test_short_of_the_minimum_it_asks_for_the_minimum() -> None:
    values = CardShort().evaluate(card("4.50", CHEAP))[0].values

    assert (values["short_by"], values["minimum"]) == (usd("0.50"), usd("5.00"))


@pytest.mark.parametrize(
    ("balance", "changed", "step"),
    [
        pytest.param("12.59", False, "short", id="less than 5 % above the need it stays"),
        pytest.param("12.60", False, "", id="5 % above it ends"),
        pytest.param("12.00", True, "", id="when somebody filled it, it ends at the need"),
        pytest.param("11.99", True, "short", id="not below"),
    ],
)
def test_leaving_takes_more_than_entering(
    balance: str,
    changed: bool,  # noqa: FBT001
    step: str,
) -> None:
    former = standing("card-short", 2, "card:visa")
    known = card(balance, A, standing=former, ledger_changed=changed)

    assert CardShort().evaluate(known)[0].step == step


def test_a_charge_that_hovers_at_the_horizon_does_not_ring_twice() -> None:
    hovering = payer("a", "9.00", "1.30")
    former = standing("card-short", 2, "card:visa")

    assert CardShort().evaluate(card("7.40", hovering))[0].status is Status.CLEAR
    assert CardShort().evaluate(card("7.40", hovering, standing=former))[0].step == "short"


def test_what_is_held_is_never_short_by_less_than_nothing() -> None:
    former = standing("card-short", 2, "card:visa")
    [finding] = CardShort().evaluate(card("12.30", A, standing=former))

    assert finding.values["short_by"] == usd("0")


@pytest.mark.parametrize(
    ("balance", "payers", "missing"),
    [
        pytest.param(None, [A], "card", id="while nobody stated what it holds"),
        pytest.param(None, [], "card", id="also where none is due"),
        pytest.param("90.00", [A, replace(B, course=None)], "course", id="a balance not known"),
        pytest.param("90.00", [replace(B, recharge=None)], "course", id="settings not known"),
        pytest.param("90.00", [payer("b", "9.00", None)], "course", id="a burn not known"),
    ],
)
def test_it_is_unknown(balance: str | None, payers: list[Payer], missing: str) -> None:
    [finding] = CardShort().evaluate(card(balance, *payers))

    assert (finding.status, finding.values["missing"]) == (Status.UNKNOWN, missing)


def test_what_is_known_to_be_short_is_told_though_more_may_come() -> None:
    [finding] = CardShort().evaluate(card("7.40", A, replace(B, course=None)))

    assert (finding.status, finding.values["short_by"]) == (Status.FIRING, usd("4.60"))


def test_a_card_that_counts_as_banned_is_not_filled() -> None:
    banned = card("0.00", A, strikes=struck("a failed", "a failed"))
    [finding] = CardShort().evaluate(banned)

    assert (finding.status, finding.values["missing"]) == (Status.UNKNOWN, "usable-card")


def test_the_charge_that_is_told_is_the_first_it_cannot_pay() -> None:
    values = CardShort().evaluate(card("13.00", A, payer("b", "6.00", "1.00")))[0].values

    assert (values["first_account"], values["paid_before"]) == ("a", 1)
    assert values["first_at"] == NOW + 2 * DAY


def test_a_tax_of_nothing_is_not_told() -> None:
    taxes = [
        CardShort().evaluate(card("1.00", A, pays=visa(tax)))[0].values["tax_percent"]
        for tax in ("0", "0.00", "19", "10")
    ]

    assert taxes == [None, None, "19", "10"]


@pytest.mark.parametrize(
    ("held", "balance", "rates", "fires"),
    [
        pytest.param("7.40", "9.00", ("2.00", "0.50", "0.20"), False, id="possible in two days"),
        pytest.param("7.40", "9.00", ("8.10", "0.50", "0.20"), True, id="possible within 12 hours"),
        pytest.param("7.40", "9.00", ("2.00", "1.80", "0.20"), True, id="expected in time"),
        pytest.param("9.99", "9.00", ("2.00", "2.00", "2.00"), True, id="a cent too little"),
        pytest.param("10.00", "9.00", ("2.00", "2.00", "2.00"), False, id="only margin lacks"),
        pytest.param("10.00", "5.01", ("2.00", "2.00", "2.00"), False, id="however near it is"),
        pytest.param("10.00", "4.99", ("2.00", "2.00", "2.00"), True, id="until it is due"),
        pytest.param("11.99", "4.99", ("2.00", "2.00", "2.00"), True, id="by a cent of margin"),
        pytest.param("12.00", "4.99", ("2.00", "2.00", "2.00"), False, id="all margin is left"),
        pytest.param("10.00", "6.00", ("8.00", "8.00", "8.00"), True, id="the one after it fails"),
    ],
)
def test_it_begins_neither_on_what_is_only_possible_nor_too_late(
    held: str, balance: str, rates: tuple[str, ...], *, fires: bool
) -> None:
    known = replace(payer("main", balance, rates[1]), outlook=outlook(balance, *rates))
    [finding] = CardShort().evaluate(card(held, known))

    assert (finding.status is Status.FIRING) is fires


def test_another_account_that_comes_first_hides_no_charge_that_is_likely() -> None:
    sure = replace(A, outlook=outlook("9.00", "2.00", "2.00", "2.00"))
    only_possible = replace(B, outlook=outlook("7.00", "1.20", "0.10", "0.10"))

    for payers in ([sure], [sure, only_possible]):
        [finding] = CardShort().evaluate(card("7.40", *payers))
        assert finding.status is Status.FIRING


cents = st.integers(-1000, 6000)
payers = st.lists(
    st.builds(
        payer,
        st.sampled_from("abcd"),
        st.integers(-20, 30).map(str),
        st.none() | st.integers(0, 9).map(str),
    ),
    max_size=4,
)


@given(payers, cents, cents, st.booleans())
def test_more_money_never_makes_it_worse(
    known: list[Payer],
    one: int,
    other: int,
    held: bool,  # noqa: FBT001
) -> None:
    former = standing("card-short", 2, "card:visa") if held else {}
    poorer, richer = (
        CardShort().evaluate(card(Money(number * 10**7, "USD").exact(), *known, standing=former))[0]
        for number in sorted((one, other))
    )

    assert richer.rank <= poorer.rank
    if richer.status is Status.FIRING:
        told = [finding.values["first_at"] for finding in (poorer, richer)]
        assert told == sorted(told, key=str)


@given(payers, payers, cents)
def test_another_account_never_improves_it(
    known: list[Payer], more: list[Payer], number: int
) -> None:
    balance = Money(number * 10**7, "USD").exact()
    alone = CardShort().evaluate(card(balance, *known))[0]
    together = CardShort().evaluate(card(balance, *known, *more))[0]

    assert together.rank >= alone.rank
    assert together.status is not Status.CLEAR or alone.status is Status.CLEAR
