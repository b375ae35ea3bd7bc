"""Usage as the simulator tells it: what was billed, in tokens, earlier and by the minute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.money import Money
from spendguard.core.prices import PriceTable
from spendguard.core.readings import Usage
from spendguard.core.windows import DAY, HOUR, Window
from spendguard.core.world import Terms
from spendguard.prices import price
from spendguard.simulator import Count, Metered, Stream, World, feed, leaked
from spendguard.simulator.sheet import KINDS, PRICES, TOOLS, unit_price
from spendguard.simulator.usage import SERIES, usage
from spendguard.simulator.wire import ApiError, Request
from tests.spending import spend_on_everything

MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = Window(NOW - HOUR * 12, NOW + HOUR * 12)
STREAMS = [
    Stream("proj_web", "key_web", "gpt-6-astra", Money.parse("4", "USD"), bursts=6),
    Stream("proj_web", "key_lab", "gpt-4o-mini", Money.parse("0.40", "USD"), tier="batch"),
]


def asked(series: str = "completions", **parameters: str | int | list[str]) -> Request:
    query: list[tuple[str, str]] = []
    for name, value in parameters.items():
        query += [(name, str(one)) for one in (value if isinstance(value, list) else [value])]
    return Request("GET", f"/organization/usage/{series}", tuple(query))


def seconds(instant: datetime) -> int:
    return int(instant.timestamp())


def told(
    world: World, window: Window = TODAY, series: str = "completions", **parameters: Any
) -> list[dict[str, Any]]:
    """Return the results of all pages, each with its bucket's start."""
    request = {"start_time": seconds(window.start), "end_time": seconds(window.end), **parameters}
    rows: list[dict[str, Any]] = []
    reply: dict[str, Any] = {"next_page": ""}
    while reply["next_page"] is not None:
        page = {"page": reply["next_page"]} if reply["next_page"] else {}
        reply = usage(world, series, asked(series, **request, **page))
        for bucket in reply["data"]:
            rows += [{**row, "start": bucket["start_time"]} for row in bucket["results"]]
    return rows


def tokens(rows: list[dict[str, Any]]) -> int:
    return sum(row["input_tokens"] + row["output_tokens"] for row in rows)


def world(**terms: Any) -> World:
    made = World(NOW - DAY, **terms)
    made.now = NOW
    return made


def priced(what: Metered, units: int) -> Money | None:
    names = {
        "input_cached_tokens": "cached",
        "input_cache_write_tokens": "cache_write",
        "num_requests": "calls",
        "num_sessions": "sessions",
    }
    name = names.get(what.measure, what.measure.removesuffix("_tokens"))
    used = Usage(Window(NOW, NOW + HOUR), what.series, 1, {name: units}, what.model, tier=what.tier)
    return price("openai", used, PriceTable())


def listed() -> Iterator[Metered]:
    series = {measure: series for series, measure in KINDS.values() if series != "embeddings"}
    for model, measure in PRICES:
        embedding = model.startswith("text-embedding")
        yield Metered("embeddings" if embedding else series[measure], measure, model)
    for model in ("gpt-6-astra", "gpt-6-luna"):
        for tier in ("batch", "flex", "priority"):
            yield Metered("completions", "output_tokens", model, tier)
    yield Metered(*TOOLS["web search tool calls"], "gpt-4o", "high")
    yield Metered(*TOOLS["file search tool calls"])


@pytest.mark.parametrize("what", list(listed()), ids=str)
def test_the_world_charges_what_the_public_list_says(what: Metered) -> None:
    assert priced(what, 1000) == Money(1000 * unit_price(what), "USD")


def test_a_model_that_no_list_knows_is_used_all_the_same() -> None:
    made = world()
    made.spend(NOW - HOUR, "0.004", model="house-model")

    [row] = told(made, group_by=["model"])

    assert (row["model"], row["input_tokens"]) == ("house-model", 2000)
    assert priced(Metered("completions", "input_tokens", "house-model"), 1) is None


@given(
    st.lists(
        st.tuples(
            st.integers(0, 24 * 60 - 1),
            st.integers(1, 10**6),
            st.sampled_from(["input_tokens", "output_tokens", "cached_input_tokens"]),
            st.sampled_from(["gpt-6-astra", "gpt-4o-mini", "gpt-6-luna"]),
        ),
        max_size=20,
    ),
    st.sampled_from(["1m", "1h", "1d"]),
    st.lists(st.sampled_from(["project_id", "model", "batch", "api_key_id"])),
    st.integers(1, 30),
)
def test_whatever_the_width_the_grouping_and_the_pages_the_tokens_are_those_paid_for(
    spent: list[tuple[int, int, str, str]], width: str, groups: list[str], limit: int
) -> None:
    made, sum_of_all = World(TODAY.end), 0
    for minute, units, kind, model in spent:
        what = Metered(*KINDS[kind], model)
        amount = Money(units * unit_price(what), "USD")
        made.spend(TODAY.start + MINUTE * minute, amount, line_item=f"{model}, {kind}", model=model)
        sum_of_all += units

    pages = limit * (48 if width == "1m" else 1)
    assert tokens(told(made, bucket_width=width, group_by=groups, limit=pages)) == sum_of_all


def test_traffic_is_paid_to_the_token() -> None:
    made = world()
    feed(made, STREAMS, Window(TODAY.start, NOW))

    estimate = Money.zero("USD")
    for row in told(made, bucket_width="1m", group_by=["model", "batch"]):
        used = Usage(
            Window(NOW, NOW + MINUTE),
            "completions",
            row["num_model_requests"],
            {"input": row["input_tokens"], "output": row["output_tokens"]},
            row["model"],
            tier="batch" if row["batch"] else "",
        )
        money = price("openai", used, PriceTable())
        assert money is not None
        estimate += money

    assert estimate == made.booked_in(TODAY)
    assert Money.parse("1", "USD") < estimate < Money.parse("4", "USD")


def test_usage_and_costs_are_late_each_in_its_own_way() -> None:
    made = world(lag=HOUR * 3, usage_lag=MINUTE * 7)
    made.spend(NOW - HOUR, "1.00", model="gpt-6-astra")

    for at, used, booked in (
        (NOW - HOUR + MINUTE * 6, 0, False),
        (NOW - HOUR + MINUTE * 7, 100_000, False),
        (NOW + HOUR * 2, 100_000, True),
    ):
        made.now = at
        assert tokens(told(made)) == used
        assert bool(made.booked(NOW)) is booked


def test_what_was_not_let_through_was_not_used_and_what_was_corrected_neither() -> None:
    made = world(terms=Terms(overdraft=Money.zero("USD")))
    made.purchase(NOW - DAY, "0.50002")
    made.spend(NOW - HOUR, "1.00", model="gpt-4o", line_item="gpt-4o, output_tokens")
    made.spend(NOW - MINUTE, "1.00", model="gpt-4o")
    made.restate(NOW, NOW, "-0.10", line_item="gpt-4o, output_tokens")

    assert tokens(told(made)) == 50_002


def test_a_line_item_that_counts_nothing_is_no_usage() -> None:
    made = world()
    made.spend(NOW - HOUR, "1.00", line_item="image generation")
    made.spend(NOW - HOUR, "1.00")

    assert all(told(made, series=series) == [] for series in SERIES)


def test_every_series_has_something_of_everything() -> None:
    made = world()
    spend_on_everything(made, NOW - HOUR)
    made.count(Count(NOW - HOUR, Metered("decisions", "input_tokens", "gpt-6-luna"), 1200))

    assert {series for series in SERIES if told(made, series=series)} == set(SERIES)
    [pictures] = told(made, series="images", group_by=["size", "source", "model"])
    assert (pictures["images"], pictures["size"]) == (2, "1024x1024")
    [stored] = told(made, series="vector_stores")
    assert stored["usage_bytes"] == 1000


def test_rows_tell_only_what_they_are_grouped_by() -> None:
    made = world()
    spend_on_everything(made, NOW - HOUR)

    [one] = told(made)
    tiers = told(made, group_by=["batch", "service_tier", "model"], models="gpt-6-astra")

    assert {one[name] for name in SERIES["completions"].groups} == {None}
    assert sorted((row["batch"], row["service_tier"]) for row in tiers) == [
        (False, "default"),
        (False, "priority"),
        (True, "default"),
    ]


def test_filters_leave_out_the_rest() -> None:
    made = world()
    made.spend(NOW - HOUR, "1", model="gpt-4o", project="proj_a", api_key="key_a")
    made.spend(NOW - HOUR, "2", model="gpt-4o", project="proj_b", api_key="key_b")

    assert tokens(told(made, project_ids="proj_a")) == 400_000
    assert tokens(told(made, api_key_ids=["key_a", "key_b"])) == 1_200_000
    assert told(made, models="gpt-6-astra") == []


def test_the_bucket_that_is_not_over_is_the_last_one() -> None:
    made = world()
    made.now = NOW + MINUTE / 2

    reply = usage(made, "completions", asked(start_time=seconds(NOW - HOUR), bucket_width="1m"))

    assert len(reply["data"]) == 60
    assert reply["has_more"]
    rest = usage(
        made,
        "completions",
        asked(start_time=seconds(NOW - HOUR), bucket_width="1m", page=reply["next_page"]),
    )
    assert [one["start_time"] for one in rest["data"]] == [seconds(NOW)]
    assert not rest["has_more"]


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"start_time": "soon"},
        {"start_time": 10**18},
        {"bucket_width": "5m"},
        {"bucket_width": "1d", "limit": 32},
        {"bucket_width": "1h", "limit": 169},
        {"bucket_width": "1m", "limit": 1441},
        {"limit": 0},
        {"group_by": "line_item"},
        {"page": "page_!"},
        {"end_time": 5},
    ],
)
def test_what_cannot_be_asked_is_refused(parameters: dict[str, Any]) -> None:
    start = {} if not parameters else {"start_time": seconds(TODAY.start)}

    with pytest.raises(ApiError) as caught:
        usage(world(), "completions", asked(**{**start, **parameters}))

    assert caught.value.reply.status == 400


def test_a_leaked_key_spends_ten_times_the_normal_hour_within_minutes() -> None:
    made = world()
    day = Window(NOW - DAY, NOW)
    feed(made, STREAMS, day)
    thief = leaked(STREAMS, project="proj_web", api_key="key_lab", model="gpt-6-astra")
    feed(made, [thief], Window(NOW - HOUR, NOW))

    hours = told(made, day, bucket_width="1h", group_by=["model"], models="gpt-6-astra", limit=168)
    by_hour = [tokens([row]) for row in hours]
    minutes = told(made, Window(NOW - HOUR, NOW), bucket_width="1m", api_key_ids="key_lab")

    usual = sum(by_hour[:-1]) / (len(by_hour) - 1)
    assert len(by_hour) == 24
    assert 5 < by_hour[-1] / usual < 20
    assert len(minutes) > 30
