"""A run forward is the billing machine, only faster: what it tells is what the machine tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.money import NANOS, Money
from spendguard.core.windows import DAY, HOUR, Window
from spendguard.core.world import (
    Billing,
    CardTerms,
    Funding,
    Holding,
    Lot,
    Recharging,
    Spending,
    Terms,
)
from spendguard.core.world_run import Happening, Kind, Run, Trace

BEGIN = datetime(2026, 1, 30, tzinfo=UTC)
CARD = CardTerms("visa-1881", "USD", Decimal("8.25"), 2)


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def hourly(*dollars: str) -> Trace:
    """An amount for each hour, in the middle of it."""
    half = timedelta(minutes=30)
    return Trace.of((BEGIN + HOUR * n + half, usd(one).nanos) for n, one in enumerate(dollars))


def told(happened: list[Happening]) -> list[tuple[float, str, str | None, str]]:
    return [
        (
            (one.at - BEGIN) / HOUR,
            one.kind.value,
            None if one.amount is None else one.amount.exact(),
            "" if one.balance is None else one.balance.exact(),
        )
        for one in happened
    ]


def recharging(trigger: str = "5", amount: str = "10", limit: str | None = None) -> Recharging:
    return Recharging(
        BEGIN, usd(trigger), usd(amount), monthly_limit=None if limit is None else usd(limit)
    )


def test_the_card_pays_until_it_is_empty_and_then_all_is_over() -> None:
    run = Run(CardTerms("visa-1881"), {"main": (hourly(*["1.00"] * 60), Terms(overdraft=usd("2")))})
    run.begin(BEGIN, {"main": usd("7")})
    run.tell(Holding(BEGIN, usd("10")), None)
    run.tell(recharging(), "main")

    assert told(run.forward(BEGIN + DAY * 3)) == [
        (2.5, "recharged", "10.00", "14.00"),
        (12.5, "charge_failed", "10.00", "4.00"),
        (16.5, "exhausted", None, "0.00"),
        (36.5, "charge_failed", "10.00", "-2.00"),
        (36.5, "banned", None, "-2.00"),
    ]
    assert run.spent("main", Window(BEGIN, BEGIN + DAY * 3)) == usd("19").nanos
    assert run.spent("main", Window(BEGIN, BEGIN + HOUR * 2)) == usd("2").nanos


def test_a_debt_is_taken_from_the_first_charge() -> None:
    run = Run(CardTerms("visa-1881"), {"main": (hourly("1"), Terms())})
    run.begin(BEGIN, {"main": usd("-3")})
    run.tell(Holding(BEGIN, usd("100")), None)

    assert told(run.tell(recharging(), "main")) == [
        (0.0, "recharged", "10.00", "7.00"),
    ]


@dataclass(frozen=True)
class Story:
    traces: dict[str, list[tuple[datetime, int]]]
    balances: dict[str, Money]
    settings: dict[str, Recharging]
    terms: Terms
    held: Money


dollars = st.integers(0, 40).map(lambda one: Money(one * NANOS // 4 + one, "USD"))
rows = st.lists(
    st.tuples(st.integers(0, 24 * 40), st.integers(0, 3 * NANOS)), min_size=1, max_size=60
).map(lambda found: [(BEGIN + timedelta(minutes=31) * place, nanos) for place, nanos in found])


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """One to three accounts of one card, for a month and a bit."""
    names = ["a", "b", "c"][: draw(st.integers(1, 3))]
    return Story(
        {name: draw(rows) for name in names},
        {name: draw(dollars) for name in names},
        {
            name: Recharging(
                BEGIN,
                draw(st.none() | dollars),
                amount=usd("7.50"),
                monthly_limit=draw(st.none() | st.just(usd("16"))),
            )
            for name in names
        },
        Terms(
            overdraft=draw(st.none() | st.just(usd("1.50"))),
            cut_off_after=draw(st.none() | st.just(HOUR * 30)),
            retry_after=draw(st.sampled_from([HOUR * 5, DAY])),
        ),
        draw(st.integers(0, 120).map(lambda one: Money(one * NANOS, "USD"))),
    )


@given(stories(), st.lists(st.integers(1, 24 * 40), max_size=5))
def test_it_comes_to_what_the_machine_comes_to(story: Story, stops: list[int]) -> None:
    funding = Funding(CARD)
    funding.add(Holding(BEGIN, story.held))
    run = Run(CARD, {name: (Trace.of(found), story.terms) for name, found in story.traces.items()})
    run.begin(BEGIN, story.balances)
    happened = run.tell(Holding(BEGIN, story.held), None)
    truths = {}
    for name, found in sorted(story.traces.items()):
        truth = truths[name] = Billing(story.terms, name=name, funding=funding)
        truth.add(Lot(BEGIN, story.balances[name]))
        truth.add(story.settings[name])
        for at, nanos in sorted(found):
            truth.add(Spending(at, Money(nanos, "USD")))
        happened += run.tell(story.settings[name], name)
    end = BEGIN + DAY * 40
    for at in [*sorted(BEGIN + HOUR * stop for stop in stops), end]:
        happened += run.forward(at)
        for name, truth in truths.items():
            assert run.balance(name) == truth.balance(at)
            let_through = sum(taken for one, taken in truth.spent() if one.at < at)
            assert run.spent(name, Window(BEGIN, at)) == let_through

    charges = [one for one in happened if one.amount is not None]
    assert [(one.at, one.account, one.amount, one.kind is Kind.RECHARGED) for one in charges] == [
        (one.at, one.account, one.amount, one.succeeded) for one in funding.charges(end)
    ]
    banned = {one.account for one in happened if one.kind is Kind.BANNED}
    assert banned == {name for name, truth in truths.items() if truth.banned(end)}
