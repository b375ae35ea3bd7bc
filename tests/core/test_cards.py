"""Cards: what they hold, and what the coming charges of all their accounts need."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.accounts import Card, Recharge
from spendguard.core.cards import (
    CENT,
    Statement,
    coming,
    first_unpaid,
    held,
    latest_statement,
    need,
    taken,
    taxed,
    untaxed,
)
from spendguard.core.charges import Charge, Outcome
from spendguard.core.facts import Payer
from spendguard.core.money import Money
from spendguard.core.rates import Rate
from spendguard.core.recharge import Coming, Course

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def card(tax: str = "0", hold: str = "0", margin: str = "2.00") -> Card:
    return Card("visa", "USD", tax, usd(hold), usd(margin), 2)


def charge(number: int, amount: str | None, hours: float, outcome: Outcome) -> Charge:
    money = None if amount is None else usd(amount)
    return Charge(str(number), "main", "visa", money, NOW + HOUR * hours, outcome)


def stated(amount: str, hours: float = 0, number: int = 1) -> Statement:
    return Statement(str(number), "visa", usd(amount), NOW + HOUR * hours)


def model(*, enabled: bool = True) -> Recharge:
    return Recharge(enabled, usd("5.00"), usd("10.00"), None, None, usd("2.00"))


def payer(name: str, balance: str, per_day: str | None, *, enabled: bool = True) -> Payer:
    rate = None if per_day is None else usd(per_day)
    course = Course(name, NOW, usd(balance), rate, usd("0"), usd("5.00"), usd("50.00"))
    return Payer(name, model(enabled=enabled), course)


@pytest.mark.parametrize(
    ("amount", "percent", "gross"),
    [
        pytest.param("10.00", "0", "10.00", id="without tax it is the amount"),
        pytest.param("10.00", "19", "11.90", id="with tax"),
        pytest.param("10.01", "19", "11.92", id="rounded up to the cent"),
        pytest.param("0.01", "0.001", "0.02", id="however little is over"),
        pytest.param("7.99", "7.7", "8.61", id="a tax of a part of a percent"),
        pytest.param("10.000000001", "0", "10.01", id="a credit finer than a cent"),
    ],
)
def test_tax_is_added(amount: str, percent: str, gross: str) -> None:
    assert taxed(usd(amount), percent) == usd(gross)


@pytest.mark.parametrize(
    ("gross", "percent", "credit"),
    [
        pytest.param("11.90", "19", "10.00", id="what was paid for ten"),
        pytest.param("11.92", "19", "10.01", id="what was paid for one cent more"),
        pytest.param("11.91", "19", None, id="between both no credit is"),
        pytest.param("10.00", "0", "10.00", id="without tax all of it"),
    ],
)
def test_tax_is_taken_off(gross: str, percent: str, credit: str | None) -> None:
    assert untaxed(usd(gross), percent) == (credit and usd(credit))


class TestAnotherCurrency:
    euros = replace(card("19"), currency="EUR", rates=(Rate("EUR", "USD", "1.08"),))

    @pytest.mark.parametrize(
        ("amount", "rate", "gross"),
        [
            pytest.param("10.00", Rate("EUR", "USD", "1.08"), "11.02", id="11.90 over 1.08"),
            pytest.param("10.00", Rate("USD", "EUR", "0.9"), "10.71", id="or times 0.9"),
            pytest.param("0.01", Rate("USD", "EUR", "0.000000001"), "0.01", id="a cent at least"),
        ],
    )
    def test_is_taken_at_the_stated_rate_rounded_up(
        self, amount: str, rate: Rate, gross: str
    ) -> None:
        pays = replace(self.euros, rates=(Rate("GBP", "USD", "1.3"), rate))
        assert taken(pays, usd(amount)) == Money.parse(gross, "EUR")

    def test_without_a_rate_is_not_told(self) -> None:
        assert taken(replace(self.euros, rates=()), usd("10.00")) is None
        assert taken(replace(self.euros, rates=(Rate("GBP", "USD", "1.3"),)), usd("1")) is None
        with pytest.raises(ValueError, match="no rate"):
            need(replace(self.euros, rates=()), [Coming("main", NOW, usd("10.00"))])

    def test_is_taken_off_what_the_card_holds(self) -> None:
        said = Statement("1", "visa", Money.parse("30", "EUR"), NOW)
        made = [charge(1, "10.00", 1, Outcome.SUCCEEDED)]
        assert held(self.euros, said, made) == Money.parse("18.98", "EUR")
        assert held(replace(self.euros, rates=()), said, made) is None

    def test_is_counted_in_what_it_needs(self) -> None:
        pays = replace(self.euros, verification_hold=Money.zero("EUR"), margin=Money.zero("EUR"))
        wanted = need(pays, [Coming("main", NOW, usd("10.00")), Coming("b", NOW, usd("10.00"))])
        assert wanted.amount == Money.parse("22.04", "EUR")
        failing = first_unpaid(pays, Money.parse("22.03", "EUR"), wanted)
        assert failing is not None
        assert first_unpaid(pays, Money.parse("22.04", "EUR"), wanted) is None


class TestWhatItHolds:
    def test_is_what_was_stated_less_what_was_charged_since_with_tax(self) -> None:
        made = [
            charge(1, "10.00", -1, Outcome.SUCCEEDED),
            charge(2, "10.00", 1, Outcome.SUCCEEDED),
            charge(3, "10.00", 2, Outcome.FAILED),
            charge(4, "10.00", 3, Outcome.UNKNOWN),
        ]

        assert held(card("19"), stated("30.00"), made) == usd("18.10")

    def test_includes_a_charge_of_the_very_instant(self) -> None:
        made = [charge(1, "10.00", 0, Outcome.SUCCEEDED)]

        assert held(card(), stated("30.00"), made) == usd("30.00")

    def test_may_be_less_than_nothing(self) -> None:
        made = [charge(1, "10.00", 1, Outcome.SUCCEEDED)]

        assert held(card(), stated("3.00"), made) == usd("-7.00")

    @pytest.mark.parametrize(
        ("statement", "made"),
        [
            pytest.param(None, [], id="while nobody has stated it"),
            pytest.param(
                Statement("1", "visa", Money.parse("9", "EUR"), NOW), [], id="in another currency"
            ),
            pytest.param(
                stated("9.00"),
                [charge(1, None, 1, Outcome.SUCCEEDED)],
                id="after a charge of unknown amount",
            ),
        ],
    )
    def test_is_unknown(self, statement: Statement | None, made: list[Charge]) -> None:
        assert held(card(), statement, made) is None

    def test_is_what_was_stated_last(self) -> None:
        told = [stated("1.00", -1, number=9), stated("2.00", 0, 2), stated("3.00", 0, 10)]

        assert latest_statement(told) == told[2]
        assert latest_statement([]) is None


class TestTheNeed:
    def test_of_the_story_is_two_charges_and_a_margin(self) -> None:
        payers = [payer("a", "9.00", "2.00"), payer("b", "7.00", "1.00")]
        expected, complete = coming(payers, NOW, NOW + 72 * HOUR)

        wanted = need(card(), expected)

        assert complete
        assert [(one.account, one.at - NOW) for one in wanted.charges] == [
            ("a", 2 * DAY),
            ("b", 2 * DAY),
        ]
        assert wanted.amount == usd("22.00")
        assert wanted.amount - usd("7.40") == usd("14.60")

    def test_of_a_debt_of_twelve_is_two_charges(self) -> None:
        expected, _ = coming([payer("a", "-12.00", None)], NOW, NOW)

        assert need(card(), expected).amount == usd("22.00")

    def test_has_tax_on_each_charge_and_one_hold_and_one_margin(self) -> None:
        expected, _ = coming([payer("a", "4.00", None), payer("b", "4.00", None)], NOW, NOW)

        assert need(card("7.7", "1.00", "2.00"), expected).amount == usd("24.54")

    def test_of_nothing_is_nothing(self) -> None:
        assert need(card(hold="1.00"), []).amount == usd("0")

    @pytest.mark.parametrize(
        ("one", "complete"),
        [
            pytest.param(payer("a", "20.00", "1.00"), True, id="a known course"),
            pytest.param(payer("a", "4.00", None), True, id="a charge due without any burn"),
            pytest.param(payer("a", "4.00", "1.00", enabled=False), True, id="recharge off"),
            pytest.param(Payer("a", None, None), False, id="settings nobody stated"),
            pytest.param(Payer("a", model(), None), False, id="a balance nobody stated"),
            pytest.param(Payer("a", model(enabled=False), None), True, id="off, and not stated"),
            pytest.param(payer("a", "20.00", None), False, id="a burn nobody knows"),
        ],
    )
    def test_is_all_that_can_come(self, one: Payer, complete: bool) -> None:  # noqa: FBT001
        assert coming([one], NOW, NOW + DAY)[1] is complete


class TestTheFirstThatIsNotPaid:
    wanted = need(
        card(),
        [
            Coming("b", NOW + 2 * DAY, usd("10.00")),
            Coming("a", NOW + DAY, usd("10.00")),
            Coming("c", NOW + 3 * DAY, usd("10.00")),
        ],
    )

    @pytest.mark.parametrize(
        ("balance", "account"),
        [
            pytest.param("11.99", "a", id="one cent under the first and the margin"),
            pytest.param("12.00", "b", id="the first and the margin"),
            pytest.param("31.99", "c", id="one cent under all"),
            pytest.param("32.00", None, id="all and the margin"),
            pytest.param("-1.00", "a", id="less than nothing"),
        ],
    )
    def test_is_in_time_order(self, balance: str, account: str | None) -> None:
        found = first_unpaid(card(), usd(balance), self.wanted)

        assert (found and found.account) == account


cents = st.integers(0, 10**7)
percents = st.decimals(0, 100, places=3).map(str)
payers = st.builds(
    payer,
    st.sampled_from("abcd"),
    st.integers(-30, 30).map(str),
    st.none() | st.integers(0, 9).map(str),
    enabled=st.booleans(),
)


@given(st.integers(0, 10**16), percents)
def test_what_is_taken_from_the_card_is_never_less_than_the_credit_and_its_tax(
    nanos: int, percent: str
) -> None:
    gross = taxed(Money(nanos, "USD"), percent)

    exact = Decimal(nanos) * (100 + Decimal(percent)) / 100
    assert Money(nanos, "USD") <= gross
    assert gross.nanos % CENT == 0
    assert exact <= gross.nanos < exact + CENT


@given(st.integers(0, 10**16), percents, st.integers(1, 10**6), st.booleans())
def test_at_no_rate_is_less_taken_than_it_is_worth(
    nanos: int,
    percent: str,
    thousandths: int,
    turned: bool,  # noqa: FBT001
) -> None:
    worth = str(Decimal(thousandths) / 1000)
    pair = ("USD", "EUR") if turned else ("EUR", "USD")
    pays = replace(card(percent), currency="EUR", rates=(Rate(*pair, worth),))
    gross = taken(pays, Money(nanos, "USD"))

    assert gross is not None
    assert (gross.currency, gross.nanos % CENT) == ("EUR", 0)
    in_dollars = Fraction(gross.nanos) * (1 / Fraction(worth) if turned else Fraction(worth))
    assert in_dollars >= taxed(Money(nanos, "USD"), percent).nanos


@given(cents, percents)
def test_taking_the_tax_off_inverts_adding_it(number: int, percent: str) -> None:
    credit = Money(number * CENT, "USD")

    assert untaxed(taxed(credit, percent), percent) == credit


@given(cents, percents)
def test_what_the_tax_was_taken_off_gives_the_same_again(number: int, percent: str) -> None:
    gross = Money(number * CENT, "USD")
    credit = untaxed(gross, percent)

    assert credit is None or taxed(credit, percent) == gross


@given(st.lists(payers, max_size=4), payers, st.integers(0, 90))
def test_another_account_on_a_card_never_improves_it(
    known: list[Payer], another: Payer, hours: int
) -> None:
    until = NOW + HOUR * hours
    without, complete = coming(known, NOW, until)
    together, still_complete = coming([*known, another], NOW, until)

    assert need(card("19"), without).amount <= need(card("19"), together).amount
    assert complete or not still_complete


@given(st.lists(payers, max_size=4), cents, cents)
def test_more_on_the_card_never_makes_it_short_sooner(
    known: list[Payer], one: int, other: int
) -> None:
    wanted = need(card("19"), coming(known, NOW, NOW + 3 * DAY)[0])
    poorer, richer = (
        first_unpaid(card("19"), Money(number * CENT // 1000, "USD"), wanted)
        for number in sorted((one, other))
    )

    assert richer is None or (poorer is not None and poorer.at <= richer.at)


@given(st.lists(payers, max_size=4), st.integers(-100, 5000))
def test_a_card_is_short_exactly_when_some_charge_is_not_paid(
    known: list[Payer], tenths: int
) -> None:
    wanted = need(card("19", "1.00"), coming(known, NOW, NOW + 3 * DAY)[0])
    balance = Money(tenths * CENT * 10, "USD")
    if not wanted.charges:
        return

    unpaid = first_unpaid(card("19", "1.00"), balance, wanted)

    assert (unpaid is not None) == (balance < wanted.amount)


@given(st.lists(payers, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_accounts_does_not_matter(known: list[Payer], chance: Random) -> None:
    other = chance.sample(known, len(known))

    one, _ = coming(known, NOW, NOW + 3 * DAY)
    assert need(card(), one).amount == need(card(), coming(other, NOW, NOW + 3 * DAY)[0]).amount
