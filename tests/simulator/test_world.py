from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.money import NANOS, Money
from spendguard.core.windows import Window
from spendguard.core.world import Terms
from spendguard.simulator import Stream, World, feed
from spendguard.simulator.books import Cell
from spendguard.simulator.costs import costs
from spendguard.simulator.traffic import restate_at_random
from spendguard.simulator.wire import Request

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
MONTH = Window(MIDNIGHT, MIDNIGHT + 30 * DAY)
LATER = MIDNIGHT + 60 * DAY


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def rows(world: World, day: datetime) -> dict[str, str]:
    return {
        cell.line_item: usd("0").exact() if not nanos else Money(nanos, "USD").exact()
        for cell, nanos in world.booked(day).items()
    }


def test_the_world_is_as_of_now_whenever_things_were_told() -> None:
    world = World(MIDNIGHT)
    world.purchase(MIDNIGHT + HOUR, "10")
    assert world.balance == usd("0")
    world.now = MIDNIGHT + HOUR
    assert world.balance == usd("10")


def test_a_world_may_have_a_clock_of_its_own() -> None:
    assert World(MIDNIGHT, clock=lambda: LATER).now == LATER


def test_purchased_credit_expires_a_year_later() -> None:
    leap = datetime(2028, 2, 29, tzinfo=UTC)
    world = World(leap)
    world.purchase(leap, "10")
    assert world.balance_at(datetime(2029, 2, 28, 23, tzinfo=UTC)) == usd("10")
    assert world.balance_at(datetime(2029, 3, 1, tzinfo=UTC)) == usd("0")


def test_costs_are_booked_late_in_the_day_they_belong_to() -> None:
    world = World(MIDNIGHT, lag=6 * HOUR)
    world.spend(MIDNIGHT + 23 * HOUR, "1", model="big")
    world.now = MIDNIGHT + DAY
    assert world.booked(MIDNIGHT) == {}
    assert world.balance == usd("-1")
    world.now = MIDNIGHT + 29 * HOUR
    assert world.booked(MIDNIGHT) == {Cell("", "", "big"): NANOS}
    assert world.booked(MIDNIGHT + DAY) == {}


def test_an_earlier_day_is_restated_at_its_instant_and_billed() -> None:
    world = World(MIDNIGHT, lag=6 * HOUR)
    world.spend(MIDNIGHT, "5", model="big")
    world.restate(MIDNIGHT + 3 * DAY, MIDNIGHT, "-0.75", line_item="big")
    world.now = MIDNIGHT + 2 * DAY
    assert rows(world, MIDNIGHT) == {"big": "5.00"}
    world.now = MIDNIGHT + 3 * DAY
    assert rows(world, MIDNIGHT) == {"big": "4.25"}
    assert world.balance == usd("-4.25")


def test_rows_disappear_and_move_to_another_line_item() -> None:
    world = World(LATER)
    world.spend(MIDNIGHT, "5", model="big")
    world.spend(MIDNIGHT, "2", project="web", model="small")
    world.move(MIDNIGHT + 2 * DAY, MIDNIGHT, line_item="small", to="small, cached")
    world.erase(MIDNIGHT + 3 * DAY, MIDNIGHT, line_item="big")
    assert rows(world, MIDNIGHT) == {"small, cached": "2.00"}
    world.now = MIDNIGHT + 2 * DAY
    assert rows(world, MIDNIGHT) == {"big": "5.00", "small, cached": "2.00"}
    assert world.balance == usd("-7")


def test_what_is_cut_off_is_never_booked() -> None:
    world = World(LATER, terms=Terms(overdraft=usd("2")))
    world.purchase(MIDNIGHT, "10")
    world.spend(MIDNIGHT + HOUR, "30", model="big")
    assert rows(world, MIDNIGHT) == {"big": "12.00"}
    assert world.balance == usd("-2")


def test_an_amount_of_another_currency_is_refused() -> None:
    with pytest.raises(ValueError, match="EUR"):
        World(MIDNIGHT).spend(MIDNIGHT, Money.parse("1", "EUR"))


STREAMS = [
    Stream("web", "k1", "gpt-6-astra", usd("3.10")),
    Stream("batch", "k2", "gpt-6-astra-mini", usd("0.77")),
]


def test_traffic_is_the_same_for_the_same_seed_and_near_its_mean() -> None:
    one, other, stranger = World(LATER), World(LATER), World(LATER)
    feed(one, STREAMS, MONTH, seed=7)
    feed(other, reversed(STREAMS), Window(MIDNIGHT, MIDNIGHT + 9 * DAY), seed=7)
    feed(other, STREAMS, Window(MIDNIGHT + 9 * DAY, MONTH.end), seed=7)
    feed(stranger, STREAMS, MONTH, seed=8)
    assert [one.booked(MIDNIGHT + n * DAY) for n in range(30)] == [
        other.booked(MIDNIGHT + n * DAY) for n in range(30)
    ]
    assert one.booked_in(MONTH) != stranger.booked_in(MONTH)
    assert usd("105") < one.booked_in(MONTH) < usd("127")


def test_traffic_begins_with_the_first_whole_hour() -> None:
    world = World(LATER)
    feed(world, STREAMS, Window(MIDNIGHT + HOUR / 2, MIDNIGHT + HOUR))
    assert world.booked_in(MONTH) == usd("0")


def test_random_restatements_are_the_same_for_the_same_seed() -> None:
    one, other = World(LATER), World(LATER)
    for world in (one, other):
        feed(world, STREAMS, MONTH)
        restate_at_random(world, MONTH, seed=3)
    assert one.booked_in(MONTH) == other.booked_in(MONTH)
    changed = [
        n
        for n in range(30)
        if one.booked(MIDNIGHT + n * DAY, MIDNIGHT + (n + 1) * DAY)
        != one.booked(MIDNIGHT + n * DAY)
    ]
    assert 3 <= len(changed) <= 20


spent = st.lists(
    st.tuples(
        st.integers(0, 30 * 24 - 1),
        st.integers(0, 10 * NANOS),
        st.sampled_from(["", "web", "batch"]),
        st.sampled_from(["", "k1", "k2"]),
        st.sampled_from(["big", "small", ""]),
    ),
    max_size=30,
)
corrected = st.lists(
    st.tuples(
        st.integers(0, 29),
        st.integers(1, 20),
        st.sampled_from(["erase", "move", "restate"]),
        st.sampled_from(["big", "small"]),
        st.integers(0, NANOS),
    ),
    max_size=8,
)
groupings = st.lists(st.sampled_from(["project_id", "line_item", "api_key_id"]), max_size=3)


@given(spent, corrected, st.integers(0, 72), groupings, st.integers(1, 40))
def test_once_all_is_visible_the_costs_are_the_spend_to_the_nano(
    told: list[tuple[int, int, str, str, str]],
    corrections: list[tuple[int, int, str, str, int]],
    lag: int,
    groups: list[str],
    limit: int,
) -> None:
    world = World(MIDNIGHT, lag=lag * HOUR)
    for hour, nanos, project, api_key, model in told:
        at = MIDNIGHT + hour * HOUR
        world.spend(at, Money(nanos, "USD"), project=project, api_key=api_key, model=model)
    put_in = sum(nanos for _, nanos, *_ in told)
    for day, later, how, item, nanos in corrections:
        put_in += _correct(world, MIDNIGHT + day * DAY, later * DAY, how, item, nanos)
    world.now = LATER
    assert world.booked_in(Window(MIDNIGHT, LATER)).nanos == put_in
    assert world.balance.nanos == -put_in
    assert _total(world, groups, limit) == put_in


def _correct(world: World, day: datetime, later: timedelta, how: str, item: str, nanos: int) -> int:
    at = day + later
    if how == "restate":
        world.restate(at, day, Money(nanos, "USD"), line_item=item)
        return nanos
    if how == "move":
        world.move(at, day, line_item=item, to="other")
        return 0
    shown = world.booked(day, at)
    world.erase(at, day, line_item=item)
    return -sum(shown[cell] for cell in shown if cell.line_item == item)


def _total(world: World, groups: list[str], limit: int) -> int:
    query = [("start_time", str(int(MIDNIGHT.timestamp()))), ("limit", str(limit))]
    query += [("group_by", name) for name in groups]
    total, cursor = 0, ""
    while cursor is not None:
        page = [("page", cursor)] if cursor else []
        reply = costs(world, Request("GET", "/organization/costs", (*query, *page)))
        for bucket in reply["data"]:
            total += sum(int(row["amount"]["value"].scaleb(9)) for row in bucket["results"])
        cursor = reply["next_page"]
    return total
