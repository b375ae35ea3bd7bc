from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from spendguard.core.money import Money
from spendguard.simulator import Card, Simulator, World
from spendguard.simulator.books import Cell

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
KEY = "sk-admin-simulated-0001"


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def outcomes(world: World) -> list[tuple[str, bool, int]]:
    return [(one.amount.exact(), one.succeeded, one.strikes) for one in world.charges]


def test_a_world_recharges_itself_as_of_now() -> None:
    card = Card("visa-1881")
    card.hold(NOON, "30")
    world = World(NOON, card=card)
    world.recharge(NOON, trigger="5", amount="10", monthly_limit="100")
    world.spend(NOON + HOUR, "7.50")
    assert outcomes(world) == [("10.00", True, 0)]
    world.now = NOON + HOUR
    assert outcomes(world) == [("10.00", True, 0), ("10.00", True, 0)]
    assert (world.balance, card.balance_at(world.now)) == (usd("12.50"), usd("10"))


def test_a_recharge_restores_the_balance_until_it_is_off() -> None:
    card = Card("visa-1881")
    card.fill(NOON, "100")
    world = World(NOON + DAY, card=card)
    world.recharge(NOON, trigger="5", restore_to="15")
    world.recharge_off(NOON + HOUR)
    world.spend(NOON + 2 * HOUR, "14")
    assert outcomes(world) == [("15.00", True, 0)]
    assert world.balance == usd("1")


def test_a_purchase_by_hand_succeeds_or_fails_with_the_card() -> None:
    card = Card("visa-1881", tax_percent="19")
    card.fill(NOON, "20")
    world = World(NOON + DAY, card=card)
    world.buy(NOON, "10")
    world.buy(NOON + HOUR, "10")
    assert outcomes(world) == [("10.00", True, 0), ("10.00", False, 1)]
    assert (world.balance, world.strikes) == (usd("10"), 1)
    assert card.balance_at(world.now) == usd("8.10")


def test_credit_that_was_not_bought_with_the_card_is_no_charge() -> None:
    card = Card("visa-1881")
    world = World(NOON, card=card)
    world.purchase(NOON, "10")
    assert (world.charges, world.balance) == ((), usd("10"))


def test_a_retry_may_be_called_for_once_the_card_is_filled() -> None:
    card = Card("visa-1881")
    world = World(NOON + 2 * HOUR, card=card)
    world.recharge(NOON, trigger="5", amount="10")
    card.fill(NOON + HOUR, "10")
    world.retry(NOON + 2 * HOUR)
    assert outcomes(world) == [("10.00", False, 1), ("10.00", True, 0)]


def test_two_declines_in_a_row_ban_and_the_costs_are_still_shown() -> None:
    card = Card("visa-1881")
    card.fill(NOON, "100")
    card.decline(NOON, 2)
    world = World(NOON + 23 * HOUR, card=card)
    world.recharge(NOON, trigger="5", amount="10")
    world.spend(NOON + HOUR, "1.25", model="big")
    world.spend(NOON + 25 * HOUR, "1.25", model="big")
    assert not world.banned
    world.now = NOON + 2 * DAY
    assert outcomes(world) == [("10.00", False, 1), ("10.00", False, 2)]
    assert world.banned
    assert card.banned_at(world.now)
    assert world.booked(NOON + DAY) == {}
    with Simulator(world, KEY) as simulator:
        reply = httpx.get(
            f"{simulator.url}/organization/costs?start_time={int((NOON - 12 * HOUR).timestamp())}",
            headers={"Authorization": f"Bearer {KEY}"},
            trust_env=False,
        )
    assert reply.status_code == 200
    values = [row["amount"]["value"] for day in reply.json()["data"] for row in day["results"]]
    assert [Money.of(value, "USD") for value in values] == [usd("1.25")]


def test_one_failure_each_of_two_worlds_makes_their_card_unusable() -> None:
    card = Card("visa-1881")
    worlds = [World(NOON + DAY, card=card, name=name) for name in ("main", "batch")]
    for hours, world in enumerate(worlds):
        world.recharge(NOON + hours * HOUR, trigger="5", amount="10")
    card.fill(NOON + 2 * HOUR, "500")
    at = NOON + 3 * DAY
    assert [(one.account, one.strikes) for one in card.charges_until(at)] == [
        ("main", 1),
        ("batch", 2),
    ]
    assert card.banned_at(at)
    assert (card.strikes_at(at), card.balance_at(at)) == (2, usd("500"))
    assert [world.banned for world in worlds] == [False, True]


def test_what_one_world_learns_late_is_seen_in_the_books_of_the_other() -> None:
    card = Card("visa-1881")
    main, batch = (World(NOON + DAY, card=card, name=name) for name in ("main", "batch"))
    batch.buy(NOON + HOUR, "5")
    batch.spend(NOON + 2 * HOUR, "1", model="big")
    assert batch.booked(NOON) == {Cell("", "", "big"): usd("1").nanos}
    main.buy(NOON, "5")
    assert batch.booked(NOON) == {}


def test_worlds_of_one_card_may_be_asked_and_told_at_the_same_time() -> None:
    card = Card("visa-1881")
    card.fill(NOON, "5000")
    worlds = [World(NOON + 30 * DAY, card=card, name=name) for name in ("main", "batch")]

    def live(world: World) -> Money:
        world.recharge(NOON, trigger="5", amount="10")
        for hours in range(100):
            world.spend(NOON + hours * HOUR, "1")
            world.booked(NOON)
        return world.balance

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(live, worlds))
    assert [world.balance for world in worlds] == [usd("10")] * 2
    assert card.balance_at(NOON + 30 * DAY) == usd("4780")


@pytest.mark.parametrize(("name", "shown"), [("visa-1881", "1881"), ("company", "0000")])
def test_a_card_shows_the_digits_of_its_name(name: str, shown: str) -> None:
    assert Card(name).last4 == shown


def test_a_world_without_a_card_cannot_be_charged() -> None:
    with pytest.raises(ValueError, match="no card"):
        World(NOON).recharge(NOON, trigger="5", amount="10")
