from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.money import NANOS, Money
from spendguard.core.world import (
    Billing,
    CardEvent,
    CardTerms,
    Charged,
    Declining,
    Event,
    Filling,
    Funding,
    Holding,
    Lot,
    Purchase,
    Recharging,
    Retry,
    Spending,
    Terms,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LATER = NOON + 90 * DAY


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def card(*events: CardEvent, tax: str = "0", strikes_to_ban: int = 2) -> Funding:
    funding = Funding(CardTerms("visa-1881", "USD", Decimal(tax), strikes_to_ban))
    for event in events:
        funding.add(event)
    return funding


def account(
    funding: Funding, *events: Event, name: str = "a", terms: Terms | None = None
) -> Billing:
    billing = Billing(terms or Terms(), name=name, funding=funding)
    for event in events:
        billing.add(event)
    return billing


def recharging(
    at: datetime = NOON,
    trigger: str = "5",
    amount: str = "",
    restore_to: str = "",
    monthly_limit: str = "",
) -> Recharging:
    told = [usd(text) if text else None for text in (amount, restore_to, monthly_limit)]
    return Recharging(at, usd(trigger), told[0], told[1], told[2])


def lot(amount: str) -> Lot:
    return Lot(NOON, usd(amount))


def spending(at: datetime, amount: str) -> Spending:
    return Spending(at, usd(amount))


def tried(charges: tuple[Charged, ...]) -> list[tuple[float, str, str]]:
    """Return when each charge was tried, in hours after noon, for how much, and what came of it."""
    return [
        (
            (one.at - NOON) / HOUR,
            one.amount.exact(),
            "paid" if one.succeeded else f"strike {one.strikes}",
        )
        for one in charges
    ]


FIXED = {"amount": "10"}
RESTORE = {"restore_to": "15"}


@pytest.mark.parametrize(
    ("balance", "setting", "charges"),
    [
        pytest.param("5", FIXED, [], id="a balance at the trigger is not under it"),
        pytest.param("4.999999999", FIXED, ["10.00"], id="a nano under the trigger is"),
        pytest.param("-12", FIXED, ["10.00", "10.00"], id="fixed charges repeat from far below"),
        pytest.param("-5", FIXED, ["10.00"], id="until the balance is not under the trigger"),
        pytest.param("-12", {"amount": "2"}, ["5.00"] * 4, id="a small amount is the least"),
        pytest.param("-12", {"amount": "80"}, ["50.00"], id="a large amount is the most"),
        pytest.param("4", RESTORE, ["11.00"], id="what is missing to the target"),
        pytest.param("-2.25", RESTORE, ["17.25"], id="a debt is missing too"),
        pytest.param("4.123456789", RESTORE, ["10.88"], id="a card is charged whole cents"),
        pytest.param("4", {"restore_to": "6"}, ["5.00"], id="at least the least"),
        pytest.param("-90", RESTORE, ["50.00", "50.00"], id="the most, and again"),
        pytest.param("0", {**FIXED, "monthly_limit": "10"}, ["10.00"], id="the limit itself"),
        pytest.param(
            "-12", {**FIXED, "monthly_limit": "17"}, ["10.00", "7.00"], id="a part comes last"
        ),
        pytest.param(
            "-12", {**FIXED, "monthly_limit": "14.99"}, ["10.00"], id="no part under the least"
        ),
    ],
)
def test_the_card_is_charged_while_the_balance_is_under_the_trigger(
    balance: str, setting: dict[str, Any], charges: list[str]
) -> None:
    spent = usd("100") - usd(balance)
    machine = account(
        card(Holding(NOON, usd("1000"))),
        lot("100"),
        Spending(NOON, spent),
        recharging(NOON + HOUR, **setting),
    )
    made = machine.charges(NOON + HOUR)
    assert [one.amount.exact() for one in made] == charges
    assert all(one.succeeded and one.at == NOON + HOUR for one in made)
    bought = sum(one.amount.nanos for one in made)
    assert machine.balance(NOON + HOUR).nanos == usd(balance).nanos + bought


def test_spending_brings_the_charge_at_its_own_instant() -> None:
    machine = account(
        card(Holding(NOON, usd("20"))),
        lot("6"),
        recharging(amount="10"),
        spending(NOON + HOUR, "0.50"),
        spending(NOON + 2 * HOUR, "0.60"),
    )
    assert tried(machine.charges(LATER)) == [(2, "10.00", "paid")]
    assert machine.balance(LATER) == usd("14.90")


def test_bought_credit_expires_a_year_later_and_that_brings_the_next_charge() -> None:
    machine = account(card(Holding(NOON, usd("50"))), recharging(amount="10"))
    year = NOON.replace(year=2027)
    assert tried(machine.charges(year - HOUR)) == [(0, "10.00", "paid")]
    assert tried(machine.charges(year)) == [(0, "10.00", "paid"), (365 * 24, "10.00", "paid")]
    assert machine.balance(year) == usd("10")


def test_a_later_setting_takes_the_place_of_an_earlier_one() -> None:
    machine = account(
        card(Holding(NOON, usd("500"))),
        recharging(amount="10"),
        recharging(NOON + HOUR, "20", restore_to="30"),
        Recharging(NOON + 2 * HOUR, None),
        spending(NOON + 3 * HOUR, "40"),
    )
    assert tried(machine.charges(LATER)) == [(0, "10.00", "paid"), (1, "20.00", "paid")]
    assert machine.balance(LATER) == usd("-10")


def test_the_limit_counts_automatic_charges_of_a_utc_month_only() -> None:
    machine = account(
        card(Holding(NOON, usd("500"))),
        recharging(amount="10", monthly_limit="17"),
        Purchase(NOON + HOUR, usd("50")),
        spending(NOON + 2 * HOUR, "68"),
    )
    april = (datetime(2026, 4, 1, tzinfo=UTC) - NOON) / HOUR
    assert tried(machine.charges(LATER)) == [
        (0, "10.00", "paid"),
        (1, "50.00", "paid"),
        (2, "7.00", "paid"),
        (april, "10.00", "paid"),
    ]


def test_tax_is_taken_from_the_card_rounded_up_to_the_cent() -> None:
    funding = card(Holding(NOON, usd("30")), tax="8.25")
    machine = account(funding, Purchase(NOON, usd("10.01")))
    assert funding.balance(NOON) == usd("19.16")
    assert machine.balance(NOON) == usd("10.01")
    assert machine.charges(NOON)[0].paid == usd("10.84")


def test_a_card_that_is_a_cent_short_pays_nothing() -> None:
    funding = card(Holding(NOON, usd("11.89")), tax="19")
    machine = account(funding, Purchase(NOON, usd("10")))
    assert tried(machine.charges(NOON)) == [(0, "10.00", "strike 1")]
    assert (funding.balance(NOON), machine.balance(NOON)) == (usd("11.89"), usd("0"))


def test_what_a_card_holds_is_stated_filled_and_paid_from() -> None:
    funding = card(
        Filling(NOON, usd("10")),
        Holding(NOON + 2 * HOUR, usd("3")),
        Filling(NOON + 3 * HOUR, usd("2")),
    )
    account(funding, Purchase(NOON + HOUR, usd("6")))
    held = [funding.balance(NOON + n * HOUR).exact() for n in range(-1, 4)]
    assert held == ["0.00", "10.00", "4.00", "3.00", "5.00"]


def test_a_failed_charge_is_tried_again_a_day_later_and_two_ban() -> None:
    funding = card()
    machine = account(
        funding,
        recharging(amount="10"),
        spending(NOON + 23 * HOUR, "1"),
        spending(NOON + 24 * HOUR, "1"),
        spending(NOON + 25 * HOUR, "1"),
    )
    assert tried(machine.charges(NOON + 23 * HOUR)) == [(0, "10.00", "strike 1")]
    assert not machine.banned(NOON + 23 * HOUR)
    assert tried(machine.charges(LATER)) == [(0, "10.00", "strike 1"), (24, "10.00", "strike 2")]
    assert machine.banned(NOON + 24 * HOUR)
    assert funding.banned(NOON + 24 * HOUR)
    assert [nanos // NANOS for _, nanos in machine.spent()] == [1, 1, 0]


def test_a_charge_is_tried_again_when_the_provider_says() -> None:
    terms = Terms(retry_after=3 * HOUR)
    machine = account(card(strikes_to_ban=3), recharging(amount="10"), terms=terms)
    assert [hours for hours, *_ in tried(machine.charges(LATER))] == [0, 3, 6]


def test_a_filled_card_is_not_charged_before_the_retry() -> None:
    funding = card(Filling(NOON + HOUR, usd("50")))
    machine = account(funding, recharging(amount="10"))
    assert tried(machine.charges(LATER)) == [(0, "10.00", "strike 1"), (24, "10.00", "paid")]
    assert machine.strikes(LATER) == funding.strikes(LATER) == 0


def test_a_card_filled_at_the_instant_of_the_retry_pays() -> None:
    machine = account(card(Filling(NOON + DAY, usd("10"))), recharging(amount="10"))
    assert tried(machine.charges(LATER))[1] == (24, "10.00", "paid")


def test_somebody_may_call_for_the_retry() -> None:
    funding = card(Filling(NOON + HOUR, usd("50")))
    machine = account(funding, recharging(amount="10"), Retry(NOON), Retry(NOON + 2 * HOUR))
    assert tried(machine.charges(LATER)) == [(0, "10.00", "strike 1"), (2, "10.00", "paid")]


def test_a_purchase_by_hand_resets_the_strikes_and_the_charge_follows_if_it_is_still_due() -> None:
    funding = card(Filling(NOON + HOUR, usd("50")))
    machine = account(
        funding, spending(NOON, "12"), recharging(amount="10"), Purchase(NOON + HOUR, usd("5"))
    )
    assert tried(machine.charges(LATER)) == [
        (0, "10.00", "strike 1"),
        (1, "5.00", "paid"),
        (1, "10.00", "paid"),
        (1, "10.00", "paid"),
    ]
    assert [one.automatic for one in machine.charges(LATER)] == [True, False, True, True]


def test_credit_from_elsewhere_ends_the_wait_but_not_the_strike() -> None:
    funding = card(Filling(NOON + HOUR, usd("50")))
    machine = account(
        funding,
        recharging(amount="10"),
        Lot(NOON + HOUR, usd("8")),
        spending(NOON + 3 * HOUR, "4"),
    )
    assert machine.strikes(NOON + 2 * HOUR) == funding.strikes(NOON + 2 * HOUR) == 1
    assert tried(machine.charges(LATER))[1:] == [(3, "10.00", "paid")]


def test_the_bank_declines_as_many_charges_as_it_was_told_to() -> None:
    funding = card(
        Filling(NOON, usd("100")),
        Declining(NOON, 2),
        Declining(NOON + 5 * HOUR, 7),
        Declining(NOON + 6 * HOUR, 0),
        strikes_to_ban=3,
    )
    hands = [Purchase(NOON + n * HOUR, usd("5")) for n in (1, 2, 3, 7)]
    assert [outcome for *_, outcome in tried(account(funding, *hands).charges(LATER))] == [
        "strike 1",
        "strike 2",
        "paid",
        "paid",
    ]


def test_one_failure_each_of_two_accounts_makes_the_card_unusable_for_both() -> None:
    funding = card(Filling(NOON + 3 * HOUR, usd("500")))
    first = account(funding, recharging(NOON, amount="10"), name="a")
    second = account(funding, recharging(NOON + HOUR, amount="10"), name="b")
    assert [(one.account, one.strikes) for one in funding.charges(LATER)] == [("a", 1), ("b", 2)]
    assert (first.strikes(LATER), second.strikes(LATER), funding.strikes(LATER)) == (1, 1, 2)
    assert funding.banned(LATER)
    assert (first.banned(LATER), second.banned(LATER)) == (False, True)
    first.add(Purchase(NOON + 5 * HOUR, usd("10")))
    assert tried(first.charges(LATER))[1:] == [(5, "10.00", "strike 3")]
    second.add(Purchase(NOON + 5 * HOUR, usd("10")))
    assert len(second.charges(LATER)) == 1
    assert funding.balance(LATER) == usd("500")


def test_two_failures_of_one_account_ban_although_another_succeeded_in_between() -> None:
    funding = card(Filling(NOON, usd("5")))
    first = account(funding, *(Purchase(NOON + n * HOUR, usd("10")) for n in (0, 2)), name="a")
    second = account(funding, Purchase(NOON + HOUR, usd("5")), name="b")
    assert [one.strikes for one in funding.charges(LATER)] == [1, 0, 2]
    assert (first.banned(LATER), second.banned(LATER)) == (True, False)
    assert (first.strikes(LATER), funding.strikes(LATER)) == (2, 1)


def test_what_one_account_takes_is_missing_for_the_next() -> None:
    funding = card(Filling(NOON, usd("25")))
    second = account(funding, lot("6"), recharging(amount="10"), name="b")
    first = account(funding, lot("6"), recharging(amount="10"), name="a")
    second.add(spending(NOON + HOUR, "2"))
    first.add(spending(NOON + 2 * HOUR, "2"))
    second.add(spending(NOON + 3 * HOUR, "10"))
    assert [(one.account, one.succeeded) for one in funding.charges(NOON + 4 * HOUR)] == [
        ("b", True),
        ("a", True),
        ("b", False),
    ]
    first.add(Purchase(NOON, usd("10")))
    assert [one.account for one in funding.charges(NOON + 4 * HOUR)] == ["a", "b", "b"]


def test_a_ban_told_late_takes_back_the_usage_of_the_other_account_as_well() -> None:
    funding = card()
    machine = account(funding, recharging(NOON + HOUR, amount="10"), spending(NOON + DAY, "1"))
    assert sum(nanos for _, nanos in machine.spent()) == NANOS
    version = machine.version
    account(funding, Purchase(NOON, usd("5")), name="b")
    assert machine.version > version
    assert sum(nanos for _, nanos in machine.spent()) == 0


def test_a_ban_stops_no_correction() -> None:
    machine = account(
        card(strikes_to_ban=1),
        spending(NOON, "3"),
        Purchase(NOON + HOUR, usd("5")),
        Spending(NOON + DAY, usd("-1"), corrects=NOON),
    )
    assert machine.balance(LATER) == usd("-2")


EUR = Money.parse("5", "EUR")


@pytest.mark.parametrize(
    ("event", "why"),
    [
        pytest.param(Purchase(NOON, usd("0")), "nothing", id="a purchase of nothing"),
        pytest.param(Purchase(NOON, EUR), "EUR", id="a purchase in another currency"),
        pytest.param(recharging(), "either", id="a recharge of no amount"),
        pytest.param(
            recharging(amount="10", restore_to="15"), "either", id="a recharge of two amounts"
        ),
        pytest.param(Recharging(NOON, usd("5"), EUR), "EUR", id="a recharge in another currency"),
        pytest.param(recharging(amount="-1"), "negative", id="a negative recharge"),
    ],
)
def test_what_cannot_be_charged_is_refused(event: Event, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        account(card(), event)


@pytest.mark.parametrize("event", [recharging(amount="10"), Purchase(NOON, usd("5")), Retry(NOON)])
def test_an_account_without_a_card_is_never_charged(event: Event) -> None:
    with pytest.raises(ValueError, match="no card"):
        Billing(Terms()).add(event)


@pytest.mark.parametrize(
    ("event", "why"),
    [
        pytest.param(Filling(NOON, usd("-1")), "negative", id="a negative filling"),
        pytest.param(Holding(NOON, EUR), "EUR", id="another currency"),
        pytest.param(Declining(NOON, -1), "negative", id="a negative number of charges"),
    ],
)
def test_what_no_card_can_hold_is_refused(event: CardEvent, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        card(event)


def test_accounts_of_one_card_have_names_and_its_currency() -> None:
    funding = card()
    account(funding, name="a")
    with pytest.raises(ValueError, match="'a'"):
        account(funding, name="a")
    with pytest.raises(ValueError, match="EUR"):
        account(funding, name="b", terms=Terms("EUR"))


instants = st.integers(0, 70 * 24).map(lambda hours: NOON + hours * HOUR)
names = st.sampled_from(["a", "b"])


def amounts(least: str, most: str) -> st.SearchStrategy[Money]:
    nanos = st.integers(usd(least).nanos, usd(most).nanos)
    return nanos.map(lambda amount: Money(amount, "USD"))


some = amounts("0", "20")
limited = st.none() | amounts("0", "60")
settings = (
    st.builds(
        lambda at, trigger, amount, limit: Recharging(at, trigger, amount, None, limit),
        instants,
        some,
        some,
        limited,
    )
    | st.builds(
        lambda at, trigger, target, limit: Recharging(at, trigger, None, target, limit),
        instants,
        some,
        some,
        limited,
    )
    | st.builds(Recharging, instants, st.none())
)
own = (
    settings
    | st.builds(Spending, instants, some)
    | st.builds(Purchase, instants, amounts("1", "20"))
    | st.builds(Retry, instants)
    | st.builds(
        lambda at, amount, days: Lot(at, amount, at + days * DAY),
        instants,
        some,
        st.integers(1, 40),
    )
)
fillings = st.builds(Filling, instants, amounts("0", "60"))
cards = fillings | st.builds(Declining, instants, st.integers(0, 3))
Happening = tuple[str | None, Event | CardEvent]
happenings = st.lists(st.tuples(names, own) | st.tuples(st.none(), cards), max_size=30)
taxes = st.sampled_from(["0", "8.25", "19"])
bans = st.integers(1, 4)
World = tuple[Funding, dict[str, Billing]]


def world(tax: str, strikes: int) -> World:
    funding = card(tax=tax, strikes_to_ban=strikes)
    terms = Terms(overdraft=usd("2"), retry_after=7 * HOUR)
    return funding, {name: account(funding, name=name, terms=terms) for name in ("a", "b")}


def tell(told: World, account: str | None, event: Event | CardEvent) -> None:
    funding, accounts = told
    if isinstance(event, CardEvent):
        funding.add(event)
    elif account is not None:
        accounts[account].add(event)


def made(happened: list[Happening], tax: str, strikes: int) -> World:
    told = world(tax, strikes)
    for name, event in happened:
        tell(told, name, event)
    return told


@given(happenings, taxes, bans, st.randoms(use_true_random=False), st.lists(instants, min_size=1))
def test_neither_the_order_of_telling_nor_a_question_changes_anything(
    happened: list[Happening], tax: str, strikes: int, shuffle: Random, asked: list[datetime]
) -> None:
    unique = list({(name, one.at, type(one)): (name, one) for name, one in happened}.values())
    shuffled = unique.copy()
    shuffle.shuffle(shuffled)
    funding, accounts = made(unique, tax, strikes)
    other = world(tax, strikes)
    for name, event in shuffled:
        tell(other, name, event)
        other[0].charges(shuffle.choice(asked))
        other[1][shuffle.choice("ab")].balance(shuffle.choice(asked))
    for at in (*asked, LATER):
        assert funding.charges(at) == other[0].charges(at)
        assert funding.state(at) == other[0].state(at)
        for name, one in accounts.items():
            assert one.state(at) == other[1][name].state(at)
    for name, one in accounts.items():
        assert list(one.spent()) == list(other[1][name].spent())


@given(happenings, taxes, bans, instants)
def test_an_answer_is_the_beginning_of_every_later_one(
    happened: list[Happening], tax: str, strikes: int, at: datetime
) -> None:
    funding, _ = made(happened, tax, strikes)
    early = funding.charges(at)
    assert all(one.at <= at for one in early)
    assert funding.charges(LATER)[: len(early)] == early
    assert all(one.at > at for one in funding.charges(LATER)[len(early) :])


@given(happenings, taxes, bans)
def test_money_is_neither_made_nor_lost(happened: list[Happening], tax: str, strikes: int) -> None:
    funding, accounts = made(happened, tax, strikes)
    charges = [one for one in funding.charges(LATER) if one.succeeded]
    put_on = sum(one.amount.nanos for _, one in happened if isinstance(one, Filling))
    assert funding.balance(LATER).nanos == put_on - sum(one.paid.nanos for one in charges)
    for name, machine in accounts.items():
        state = machine.state(LATER)
        bought = sum(one.amount.nanos for one in charges if one.account == name)
        given_ = sum(e.amount.nanos for n, e in happened if n == name and isinstance(e, Lot))
        spent = sum(nanos for _, nanos in machine.spent())
        assert sum(held.lot.amount.nanos for held in state.held) == bought + given_
        lost = sum(held.lost for held in state.held)
        assert state.balance == bought + given_ - lost - spent


@given(happenings, taxes, bans)
def test_a_card_pays_what_it_holds_and_nothing_once_banned(
    happened: list[Happening], tax: str, strikes: int
) -> None:
    funding, accounts = made(happened, tax, strikes)
    charges = funding.charges(LATER)
    for one in charges:
        assert funding.balance(one.at).nanos >= 0
        assert one.paid.nanos >= one.amount.nanos * (100 + Decimal(tax)) / 100
        assert one.paid.nanos % (NANOS // 100) == 0
    banned_at = funding.state(LATER).banned_at
    failed = [one for one in charges if one.strikes >= strikes]
    assert (banned_at is None) == (not failed)
    if banned_at:
        assert banned_at == failed[0].at
        after = charges[charges.index(failed[0]) + 1 :]
        assert not any(one.succeeded or one.automatic for one in after)
    for machine in accounts.values():
        since = machine.state(LATER).standing.banned_at
        assert not any(nanos for one, nanos in machine.spent() if since and one.at > since)


@given(happenings, taxes, bans)
def test_strikes_are_the_failures_in_a_row_of_the_pair_and_of_the_card(
    happened: list[Happening], tax: str, strikes: int
) -> None:
    funding, accounts = made(happened, tax, strikes)
    on_card, on_pair = 0, {"a": 0, "b": 0}
    for one in funding.charges(LATER):
        on_card = 0 if one.succeeded else on_card + 1
        on_pair[one.account] = 0 if one.succeeded else on_pair[one.account] + 1
        assert one.strikes == max(on_card, on_pair[one.account])
    assert funding.strikes(LATER) == on_card
    assert {name: machine.strikes(LATER) for name, machine in accounts.items()} == on_pair


@given(happenings, taxes, bans, names, instants)
def test_an_account_is_under_its_trigger_only_for_a_reason(
    happened: list[Happening], tax: str, strikes: int, name: str, at: datetime
) -> None:
    funding, accounts = made(happened, tax, strikes)
    state = accounts[name].state(at)
    setting, standing = state.standing.recharging, state.standing
    if setting is None or setting.trigger is None or funding.banned(at) or standing.banned_at:
        return
    if state.balance < setting.trigger.nanos:
        waits = standing.retry_at is not None and standing.retry_at > at
        limit = setting.monthly_limit
        full = limit is not None and limit.nanos - standing.recharged < setting.least.nanos
        assert waits or full


@given(happenings, taxes, bans, amounts("0", "60"))
def test_automatic_charges_stay_within_the_bounds_and_the_limit(
    happened: list[Happening], tax: str, strikes: int, limit: Money
) -> None:
    funding, accounts = made(
        [one for one in happened if not isinstance(one[1], Recharging)], tax, strikes
    )
    for machine in accounts.values():
        machine.add(Recharging(NOON, usd("5"), usd("10"), monthly_limit=limit))
    months: dict[tuple[str, int], int] = defaultdict(int)
    for one in funding.charges(LATER):
        if one.automatic:
            assert usd("5") <= one.amount <= usd("50")
            months[one.account, one.at.month] += one.amount.nanos * one.succeeded
    assert all(nanos <= limit.nanos for nanos in months.values())
