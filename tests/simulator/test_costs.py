from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from spendguard.simulator import Simulator, World

DAY = timedelta(days=1)
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
NOW = MIDNIGHT + timedelta(days=2, hours=12)
KEY = "sk-admin-simulated-0001"

Get = Callable[..., Any]


def seconds(instant: datetime) -> str:
    return str(int(instant.timestamp()))


@pytest.fixture
def world() -> World:
    return World(NOW)


@pytest.fixture
def get(world: World) -> Iterator[Get]:
    headers = {"Authorization": f"Bearer {KEY}"}
    with (
        Simulator(world, KEY) as simulator,
        httpx.Client(base_url=simulator.url, headers=headers, trust_env=False) as client,
    ):

        def ask(query: str = "", start: datetime = MIDNIGHT) -> Any:
            reply = client.get(f"/organization/costs?start_time={seconds(start)}&{query}")
            return json.loads(reply.text, parse_float=Decimal)

        yield ask


def amounts(page: Any) -> list[list[Any]]:
    return [[row["amount"]["value"] for row in bucket["results"]] for bucket in page["data"]]


def grouped(page: Any, *names: str) -> list[tuple[Any, ...]]:
    rows = [row for bucket in page["data"] for row in bucket["results"]]
    return [(*(row[name] for name in names), row["amount"]["value"]) for row in rows]


def test_each_utc_day_is_a_bucket_also_without_spend(world: World, get: Get) -> None:
    world.spend(MIDNIGHT + timedelta(hours=3), "1.25")
    world.spend(MIDNIGHT + 2 * DAY, "0.123456789")
    page = get()
    assert amounts(page) == [[Decimal("1.25")], [], [Decimal("0.123456789")]]
    assert [(one["start_time"], one["end_time"]) for one in page["data"]] == [
        (int((MIDNIGHT + n * DAY).timestamp()), int((MIDNIGHT + (n + 1) * DAY).timestamp()))
        for n in range(3)
    ]
    assert page["has_more"] is False
    assert page["next_page"] is None


def test_an_amount_keeps_all_its_digits(world: World, get: Get) -> None:
    world.spend(MIDNIGHT, "12345678.123456789")
    assert amounts(get())[0] == [Decimal("12345678.123456789")]


def test_a_day_is_shown_whole_wherever_in_it_the_question_begins(world: World, get: Get) -> None:
    world.spend(MIDNIGHT + timedelta(hours=3), "1")
    assert amounts(get(start=MIDNIGHT + timedelta(hours=9)))[0] == [Decimal(1)]


def test_the_end_is_exclusive_and_never_beyond_today(get: Get) -> None:
    assert len(get(f"end_time={seconds(MIDNIGHT + DAY)}")["data"]) == 1
    assert len(get(f"end_time={seconds(MIDNIGHT + 30 * DAY)}")["data"]) == 3


def test_pages_follow_the_cursor(world: World, get: Get) -> None:
    for n in range(3):
        world.spend(MIDNIGHT + n * DAY, str(n + 1))
    seen, page = [], get("limit=1")
    while page["has_more"]:
        seen += amounts(page)
        page = get(f"limit=1&page={page['next_page']}")
    assert seen + amounts(page) == [[Decimal(1)], [Decimal(2)], [Decimal(3)]]


def test_a_page_holds_seven_days_unless_asked_otherwise(get: Get) -> None:
    page = get(start=MIDNIGHT - 30 * DAY)
    assert len(page["data"]) == 7
    assert page["has_more"] is True
    assert len(get("limit=180", start=MIDNIGHT - 30 * DAY)["data"]) == 33


@pytest.mark.parametrize("form", ["group_by", "group_by[]"])
def test_groups_by_any_combination_in_either_form(world: World, get: Get, form: str) -> None:
    world.spend(MIDNIGHT, "1", project="a", api_key="k1", model="big")
    world.spend(MIDNIGHT, "2", project="a", api_key="k2", model="big")
    world.spend(MIDNIGHT, "4", project="b", api_key="k3", line_item="images", model="big")
    names = ("project_id", "line_item", "api_key_id")
    every = "&".join(f"{form}={name}" for name in names)
    assert grouped(get(), *names) == [(None, None, None, 7)]
    assert grouped(get(f"{form}=project_id"), *names) == [
        ("a", None, None, 3),
        ("b", None, None, 4),
    ]
    assert grouped(get(every), *names) == [
        ("a", "big", "k1", 1),
        ("a", "big", "k2", 2),
        ("b", "images", "k3", 4),
    ]


def test_filters_by_project_and_key(world: World, get: Get) -> None:
    world.spend(MIDNIGHT, "1", project="a", api_key="k1")
    world.spend(MIDNIGHT, "2", project="b", api_key="k2")
    assert amounts(get("project_ids=a"))[0] == [1]
    assert amounts(get("project_ids[]=a&project_ids[]=b&api_key_ids=k2"))[0] == [2]


@pytest.mark.parametrize(
    "query",
    ["group_by=user_id", "bucket_width=1h", "limit=0", "limit=many", "page=page_x", "end_time=1"],
)
def test_refuses_what_openai_refuses(get: Get, query: str) -> None:
    assert "error" in get(query)
