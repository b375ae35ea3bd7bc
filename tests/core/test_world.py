from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.money import NANOS, Money
from spendguard.core.world import Billing, Event, Lot, Spending, SpendLimit, Terms

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def billing(*events: Event, terms: Terms | None = None) -> Billing:
    machine = Billing(terms or Terms())
    for event in events:
        machine.add(event)
    return machine


def lot(at: datetime, amount: str, expires_at: datetime | None = None) -> Lot:
    return Lot(at, usd(amount), expires_at)


def grant(at: datetime, amount: str, expires_at: datetime | None = None) -> Lot:
    return Lot(at, usd(amount), expires_at, granted=True)


def spending(at: datetime, amount: str, project: str = "") -> Spending:
    return Spending(at, usd(amount), project)


def left(machine: Billing, at: datetime) -> list[str]:
    return [Money(held.left, "USD").exact() for held in machine.state(at).held]


def taken(machine: Billing) -> list[str]:
    return [Money(nanos, "USD").exact() for _, nanos in machine.spent()]


def test_the_balance_is_known_before_between_and_after_what_happens() -> None:
    machine = billing(lot(NOON, "10"), spending(NOON + 2 * HOUR, "3.000000001"))
    hours = [-1, 0, 1, 2, 3]
    assert [machine.balance(NOON + n * HOUR).exact() for n in hours] == [
        "0.00",
        "10.00",
        "10.00",
        "6.999999999",
        "6.999999999",
    ]


def test_what_is_told_late_counts_from_when_it_happened() -> None:
    machine = billing(spending(NOON + 2 * HOUR, "3"))
    assert machine.balance(NOON + 3 * HOUR) == usd("-3")
    machine.add(lot(NOON, "10"))
    assert machine.balance(NOON + 3 * HOUR) == usd("7")


def test_grants_are_used_first_then_purchases_by_expiry() -> None:
    machine = billing(
        lot(NOON, "10", NOON + 9 * DAY),
        lot(NOON, "10", NOON + 5 * DAY),
        grant(NOON, "10", NOON + 30 * DAY),
        spending(NOON + HOUR, "14"),
    )
    assert left(machine, NOON + HOUR) == ["0.00", "6.00", "10.00"]


def test_what_is_left_of_a_lot_is_lost_at_the_instant_it_expires() -> None:
    end = NOON + DAY
    machine = billing(lot(NOON, "10", end), spending(NOON + HOUR, "4"))
    assert machine.balance(end - timedelta(microseconds=1)) == usd("6")
    assert machine.balance(end) == usd("0")
    assert machine.state(end).exhausted_at == end


def test_a_negative_balance_is_taken_from_the_next_purchase() -> None:
    machine = billing(
        lot(NOON, "5"), spending(NOON + HOUR, "6.50"), lot(NOON + 2 * HOUR, "10", NOON + DAY)
    )
    assert machine.balance(NOON + HOUR) == usd("-1.50")
    assert machine.balance(NOON + 2 * HOUR) == usd("8.50")
    assert machine.balance(NOON + DAY) == usd("0")


def test_usage_goes_on_past_exhaustion_until_the_overdraft_is_used_up() -> None:
    terms = Terms(overdraft=usd("2"))
    pieces = [spending(NOON + n * HOUR, "4") for n in range(4)]
    machine = billing(lot(NOON, "5"), *pieces, terms=terms)
    assert taken(machine) == ["4.00", "3.00", "0.00", "0.00"]
    assert machine.balance(NOON + DAY) == usd("-2")


def test_usage_goes_on_past_exhaustion_until_the_time_is_up() -> None:
    terms = Terms(cut_off_after=2 * HOUR)
    pieces = [spending(NOON + n * HOUR, "4") for n in range(5)]
    machine = billing(lot(NOON, "4"), *pieces, terms=terms)
    assert taken(machine) == ["4.00", "4.00", "0.00", "0.00", "0.00"]


def test_the_time_runs_from_the_expiry_that_ended_the_credit() -> None:
    terms = Terms(cut_off_after=2 * HOUR)
    pieces = [spending(NOON + n * HOUR, "1") for n in range(5)]
    machine = billing(lot(NOON, "10", NOON + HOUR), *pieces, terms=terms)
    assert taken(machine) == ["1.00", "1.00", "1.00", "0.00", "0.00"]


def test_a_purchase_that_outweighs_the_debt_opens_the_account_again() -> None:
    terms = Terms(overdraft=usd("1"))
    machine = billing(
        spending(NOON, "3"),
        lot(NOON + HOUR, "0.50"),
        spending(NOON + 2 * HOUR, "3"),
        lot(NOON + 3 * HOUR, "5"),
        spending(NOON + 4 * HOUR, "3"),
        terms=terms,
    )
    assert taken(machine) == ["1.00", "0.50", "3.00"]
    assert machine.balance(NOON + DAY) == usd("1")


def test_a_spend_limit_is_enforced_late_and_ends_with_the_month() -> None:
    terms = Terms(enforce_after=2 * HOUR)
    pieces = [spending(NOON + n * HOUR, "6") for n in range(5)]
    april = spending(NOON + 31 * DAY, "6")
    machine = billing(SpendLimit(NOON, usd("10")), *pieces, april, terms=terms)
    assert taken(machine) == ["6.00", "6.00", "6.00", "0.00", "0.00", "6.00"]
    assert not machine.enforcing(NOON + 2 * HOUR)
    assert machine.enforcing(NOON + 3 * HOUR)
    assert not machine.enforcing(NOON + 31 * DAY)


def test_a_limit_of_a_project_stops_that_project_only() -> None:
    machine = billing(
        SpendLimit(NOON, usd("5"), "web"),
        spending(NOON, "5", "web"),
        spending(NOON + HOUR, "5", "web"),
        spending(NOON + HOUR, "5", "batch"),
    )
    assert taken(machine) == ["5.00", "0.00", "5.00"]
    assert machine.limit(NOON, "web") == usd("5")
    assert machine.limit(NOON) is None


def test_a_limit_that_is_raised_or_removed_stops_nothing() -> None:
    machine = billing(
        SpendLimit(NOON, usd("5")),
        spending(NOON, "5"),
        SpendLimit(NOON + HOUR, usd("20")),
        spending(NOON + 2 * HOUR, "15"),
        SpendLimit(NOON + 3 * HOUR, None),
        spending(NOON + 4 * HOUR, "1"),
    )
    assert taken(machine) == ["5.00", "15.00", "1.00"]
    assert machine.enforcing(NOON + 2 * HOUR)
    assert not machine.enforcing(NOON + 3 * HOUR)


def test_a_correction_is_never_cut_off_and_returns_credit_to_the_lot_it_came_from() -> None:
    machine = billing(
        lot(NOON, "5", NOON + 5 * DAY),
        lot(NOON, "5", NOON + 9 * DAY),
        spending(NOON + HOUR, "7"),
        Spending(NOON + DAY, usd("-4"), corrects=NOON),
        Spending(NOON + 2 * DAY, usd("20"), corrects=NOON),
        terms=Terms(overdraft=usd("0")),
    )
    assert left(machine, NOON + DAY) == ["2.00", "5.00"]
    assert machine.balance(NOON + 2 * DAY) == usd("-13")


def test_what_returns_to_an_expired_lot_is_lost_with_it() -> None:
    machine = billing(
        lot(NOON, "5", NOON + DAY),
        spending(NOON + HOUR, "5"),
        Spending(NOON + 2 * DAY, usd("-3"), corrects=NOON),
    )
    assert machine.balance(NOON + 3 * DAY) == usd("0")
    assert machine.state(NOON + 3 * DAY).held[0].lost == 3 * NANOS


@pytest.mark.parametrize(
    ("event", "why"),
    [
        pytest.param(lot(NOON, "-5"), "negative", id="a negative lot"),
        pytest.param(spending(NOON, "-5"), "negative", id="a negative spending"),
        pytest.param(Lot(NOON, Money.parse("5", "EUR")), "EUR", id="another currency"),
    ],
)
def test_what_cannot_be_is_refused(event: Event, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        billing(event)


def test_more_than_was_spent_cannot_be_given_back() -> None:
    machine = billing(spending(NOON, "1"), Spending(NOON + DAY, usd("-2"), corrects=NOON))
    with pytest.raises(ValueError, match="given back"):
        machine.balance(NOON + DAY)


instants = st.integers(0, 70 * 24).map(lambda hours: NOON + hours * HOUR)
amounts = st.integers(0, 20 * NANOS).map(lambda nanos: Money(nanos, "USD"))
lots = st.builds(
    lambda at, amount, days, granted: Lot(at, amount, days and at + days * DAY, granted),
    instants,
    amounts,
    st.none() | st.integers(1, 40),
    st.booleans(),
)
spendings = st.builds(Spending, instants, amounts, st.sampled_from(["", "web", "batch"]))
limits = st.builds(SpendLimit, instants, st.none() | amounts, st.sampled_from(["", "web"]))
events = st.lists(lots | spendings | limits, max_size=30)
terms = st.builds(
    Terms,
    overdraft=st.none() | st.integers(0, 5 * NANOS).map(lambda nanos: Money(nanos, "USD")),
    cut_off_after=st.none() | st.integers(0, 48).map(lambda hours: hours * HOUR),
    enforce_after=st.integers(0, 48).map(lambda hours: hours * HOUR),
)


@given(events, terms, instants)
def test_the_balance_is_credit_less_expiry_less_spend(
    told: list[Event], how: Terms, at: datetime
) -> None:
    machine = billing(*told, terms=how)
    state = machine.state(at)
    credited = sum(one.amount.nanos for one in told if isinstance(one, Lot) and one.at <= at)
    spent = sum(nanos for one, nanos in machine.spent() if one.at <= at)
    assert state.balance == credited - sum(held.lost for held in state.held) - spent
    assert all(held.left >= 0 and held.lost >= 0 and held.used >= 0 for held in state.held)
    assert state.debt >= 0
    assert not state.debt or not any(held.left for held in state.held)


@given(events, terms)
def test_usage_never_takes_the_balance_below_the_overdraft(told: list[Event], how: Terms) -> None:
    machine = billing(*told, terms=how)
    for one, nanos in machine.spent():
        assert 0 <= nanos <= one.amount.nanos
        if how.overdraft is not None:
            assert machine.balance(one.at) >= -how.overdraft


@given(events, terms)
def test_nothing_is_let_through_once_the_cut_off_is_due(told: list[Event], how: Terms) -> None:
    machine = billing(*told, terms=how)
    moment = timedelta(microseconds=1)
    for one, nanos in machine.spent():
        since = machine.state(one.at - moment).exhausted_at
        bought = any(isinstance(lot, Lot) and lot.at == one.at for lot in told)
        if since and how.cut_off_after is not None and not bought:
            assert not nanos or one.at - since < how.cut_off_after


@given(events, terms, st.randoms(use_true_random=False), instants)
def test_the_order_of_telling_does_not_matter(
    told: list[Event], how: Terms, shuffle: Random, at: datetime
) -> None:
    unique = list({(one.at, type(one)): one for one in told}.values())
    shuffled = unique.copy()
    shuffle.shuffle(shuffled)
    one, other = billing(*unique, terms=how), Billing(how)
    for event in shuffled:
        other.add(event)
        other.balance(at)  # having been asked in between changes nothing either
    assert one.state(at) == other.state(at)
    assert list(one.spent()) == list(other.spent())
