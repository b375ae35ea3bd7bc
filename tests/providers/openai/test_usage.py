"""Usage of an OpenAI organization: every series whole or not at all, every unit counted once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.errors import ErrorKind, ProviderError
from spendguard.core.readings import Usage, UsageRead
from spendguard.core.windows import DAY, HOUR, Window
from spendguard.providers.base import Deadline
from spendguard.providers.openai.pages import MOST_PAGES
from spendguard.providers.openai.series import SERIES
from tests.providers.asking import FIRST, Answer, Reply, always, asking, bucket, ok, page, recorded

MINUTE = timedelta(minutes=1)
TODAY = Window(FIRST, FIRST + DAY)
RECENT = datetime(2026, 11, 21, tzinfo=UTC)  # the first hour of the reply grouped by hours
HOUR_ONE = Window(RECENT, RECENT + HOUR)


def read(answer: Answer, *series: str, window: Window = TODAY, width: timedelta = DAY) -> UsageRead:
    return asking(answer).usage(window, width, series or None)


def rows(reply: Any, series: str = "completions", window: Window = TODAY) -> tuple[Usage, ...]:
    return read(always(ok(reply)), series, window=window).rows


def failure(answer: Answer, *series: str) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        read(answer, *(series or ("completions",)))
    return caught.value


def used(series: str = "completions", **fields: Any) -> dict[str, Any]:
    """Return one result of a bucket."""
    told = {"input_tokens": 10, "output_tokens": 2, "num_model_requests": 1}
    return {"object": f"organization.usage.{SERIES[series].kind}.result", **told, **fields}


def by_series(**replies: Reply) -> Answer:
    """Answer by the series that is asked for; nothing was used in the others."""

    def answer(request: httpx.Request) -> Reply:
        return replies.get(request.url.path.rpartition("/")[2], ok(page()))

    return answer


@pytest.mark.parametrize(
    ("series", "groups"),
    [
        ("completions", ["project_id", "api_key_id", "model", "batch", "service_tier"]),
        ("decisions", ["project_id", "api_key_id", "model", "batch", "service_tier"]),
        ("embeddings", ["project_id", "api_key_id", "model"]),
        ("moderations", ["project_id", "api_key_id", "model"]),
        ("images", ["project_id", "api_key_id", "model", "size"]),
        ("audio_speeches", ["project_id", "api_key_id", "model"]),
        ("audio_transcriptions", ["project_id", "api_key_id", "model"]),
        ("vector_stores", ["project_id"]),
        ("code_interpreter_sessions", ["project_id"]),
        ("file_search_calls", ["project_id", "api_key_id"]),
        ("web_search_calls", ["project_id", "api_key_id", "model", "context_level"]),
    ],
)
def test_asks_for_each_series_so_that_each_row_has_one_price(
    series: str, groups: list[str]
) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return ok(page())

    read(answer, series)

    [request] = asked
    assert request.url.path == f"/v1/organization/usage/{series}"
    assert request.url.params.multi_items() == [
        ("start_time", "1730419200"),
        ("bucket_width", "1d"),
        *(("group_by", group) for group in groups),
        ("limit", "1"),
    ]


def test_asks_for_all_there_is_once_each() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path.rpartition("/")[2])
        return ok(page())

    told = read(answer)

    assert sorted(asked) == sorted(SERIES)
    assert told == UsageRead(TODAY, DAY, frozenset(SERIES), ())
    assert asking(answer).usage_series == told.series


@pytest.mark.parametrize(
    ("width", "length", "name", "limit"),
    [
        (MINUTE, HOUR * 2, "1m", "120"),
        (MINUTE, DAY * 2, "1m", "360"),
        (HOUR, DAY, "1h", "24"),
        (HOUR, DAY * 31, "1h", "168"),
        (DAY, DAY * 31, "1d", "31"),
        (DAY, DAY * 90, "1d", "31"),
    ],
)
def test_asks_for_as_many_buckets_as_a_page_may_hold(
    width: timedelta, length: timedelta, name: str, limit: str
) -> None:
    asked: list[httpx.QueryParams] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params)
        return ok(page())

    read(answer, "completions", window=Window(FIRST, FIRST + length), width=width)

    [params] = asked
    assert (params["bucket_width"], params["limit"]) == (name, limit)
    assert "end_time" not in params


@pytest.mark.parametrize(
    ("series", "requests", "quantities"),
    [
        ("embeddings", 2, {"input": 16}),
        ("moderations", 2, {"input": 16}),
        ("images", 2, {"images": 2}),
        ("audio_speeches", 1, {"characters": 45}),
        ("audio_transcriptions", 1, {"seconds": 20}),
        ("vector_stores", 0, {"bytes": 1024}),
        ("code_interpreter_sessions", 1, {"sessions": 1}),
        ("file_search_calls", 2, {"calls": 2}),
        ("web_search_calls", 2, {"calls": 2}),
    ],
)
def test_reads_the_recorded_replies(series: str, requests: int, quantities: dict[str, int]) -> None:
    reply = recorded(f"usage_{series}")

    assert rows(reply, series) == (Usage(TODAY, series, requests, quantities),)


def test_counts_each_token_of_the_recorded_reply_once() -> None:
    [row] = rows(recorded("usage_completions"))

    assert row == Usage(
        TODAY,
        "completions",
        5,
        {
            "input": 400,
            "cached": 300,
            "cached_audio": 50,
            "cached_image": 50,
            "cache_write": 100,
            "input_audio": 50,
            "input_image": 50,
            "output": 400,
            "output_audio": 50,
            "output_image": 50,
        },
    )
    assert sum(row.quantities.values()) == 1000 + 500


def test_reads_hours_by_key_model_and_tier() -> None:
    reply = always(ok(recorded("usage_completions_grouped_1h")))

    assert read(reply, "completions", window=HOUR_ONE, width=HOUR).rows == (
        Usage(
            HOUR_ONE,
            "completions",
            500,
            {
                "input": 500_000,
                "cached": 400_000,
                "cache_write": 90_000,
                "cache_write_12h": 10_000,
                "output": 50_000,
            },
            "gpt-6-astra",
            "proj_abc",
        ),
        Usage(
            HOUR_ONE,
            "completions",
            40,
            {"input": 200_000, "output": 10_000},
            "gpt-4o-mini-2024-07-18",
            "proj_abc",
            tier="batch",
        ),
    )


def test_reads_decisions_which_the_published_schema_does_not_have() -> None:
    first = datetime(2026, 11, 21, tzinfo=UTC)
    day = Window(first, first + DAY)

    assert rows(recorded("usage_decisions"), "decisions", day) == (
        Usage(day, "decisions", 3, {"input": 1200}),
    )


@pytest.mark.parametrize(
    ("fields", "tier"),
    [
        ({}, ""),
        ({"batch": False, "service_tier": "default"}, ""),
        ({"service_tier": "priority"}, "priority"),
        ({"service_tier": "ultrafast"}, "ultrafast"),
        ({"batch": True}, "batch"),
        ({"batch": True, "service_tier": "default"}, "batch"),
        ({"batch": True, "service_tier": "flex"}, "batch flex"),
    ],
)
def test_the_tier_is_what_else_decides_the_price(fields: dict[str, Any], tier: str) -> None:
    [row] = rows(page(bucket(FIRST, used(**fields))))

    assert row.tier == tier


def test_the_size_of_an_image_and_the_context_of_a_search_are_tiers_too() -> None:
    image = page(bucket(FIRST, used("images", images=3, size="1024x1024", model="dall-e-3")))
    search = page(bucket(FIRST, used("web_search_calls", num_requests=3, context_level="high")))

    assert [row.tier for row in rows(image, "images")] == ["1024x1024"]
    assert [row.tier for row in rows(search, "web_search_calls")] == ["high"]


@pytest.mark.parametrize(
    ("fields", "quantities"),
    [
        ({"input_cached_text_tokens": 3, "input_cached_audio_tokens": 2}, (5, 3, 0, 0)),
        ({"input_cached_tokens": 4, "input_cache_write_tokens": 5}, (1, 4, 5, 0)),
        (
            {"input_cache_write_30m_tokens": 2, "input_cache_write_12h_tokens": 3},
            (5, 0, 2, 3),
        ),
        ({"input_cache_write_tokens": 5, "input_cache_write_12h_tokens": None}, (5, 0, 5, 0)),
        ({"input_cached_tokens": 40}, (0, 40, 0, 0)),
    ],
    ids=["parts only", "sums only", "writes by how long", "an older reply", "parts beyond the sum"],
)
def test_what_is_not_told_apart_is_input(
    fields: dict[str, Any], quantities: tuple[int, int, int, int]
) -> None:
    [row] = rows(page(bucket(FIRST, used(**fields))))

    names = ("input", "cached", "cache_write", "cache_write_12h")
    assert tuple(row.quantities.get(name, 0) for name in names) == quantities


counts = st.integers(min_value=0, max_value=10**9)


@given(st.tuples(*[counts] * 10))
def test_the_quantities_sum_to_the_tokens_however_they_are_told_apart(parts: Any) -> None:
    text, audio, image, cached, cached_audio, cached_image, short, long, out, spoken = parts
    fields = {
        "input_tokens": sum(parts[:8]),
        "input_cached_tokens": cached + cached_audio + cached_image,
        "input_cached_text_tokens": cached,
        "input_cached_audio_tokens": cached_audio,
        "input_cached_image_tokens": cached_image,
        "input_cache_write_tokens": short + long,
        "input_cache_write_30m_tokens": short,
        "input_cache_write_12h_tokens": long,
        "input_text_tokens": text,
        "input_audio_tokens": audio,
        "input_image_tokens": image,
        "output_tokens": out + spoken,
        "output_audio_tokens": spoken,
    }

    [row] = rows(page(bucket(FIRST, used(**fields))))

    assert sum(row.quantities.values()) == sum(parts)
    assert row.quantities.get("input", 0) == text
    assert row.quantities.get("output", 0) == out


def test_follows_the_pages_to_the_end_of_the_window_and_no_further() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params.get("page", "0"))
        asked.append(request.url.params.get("page", ""))
        start = FIRST + DAY * number
        return ok(page(bucket(start, used()), has_more=True, next_page=str(number + 1)))

    told = read(answer, "completions", window=Window(FIRST, FIRST + DAY * 3))

    assert [row.window.start for row in told.rows] == [FIRST, FIRST + DAY, FIRST + DAY * 2]
    assert asked == ["", "1", "2"]


def test_buckets_outside_the_window_are_ignored() -> None:
    days = [FIRST - DAY, FIRST, FIRST + DAY]
    reply = page(*(bucket(day, used(input_tokens=number)) for number, day in enumerate(days, 1)))

    assert [row.quantities["input"] for row in rows(reply)] == [2]


def test_rows_that_differ_in_what_does_not_change_the_price_are_one_row() -> None:
    reply = page(
        bucket(
            FIRST,
            used(api_source="agents_api", service_tier="default"),
            used(api_source="unlabeled"),
            used(api_key_id="key_b"),
        )
    )

    assert rows(reply) == (
        Usage(TODAY, "completions", 2, {"input": 20, "output": 4}),
        Usage(TODAY, "completions", 1, {"input": 10, "output": 2}, api_key="key_b"),
    )


def test_a_row_in_which_nothing_was_used_is_none() -> None:
    nothing = used(input_tokens=0, output_tokens=0, num_model_requests=0)

    assert rows(page(bucket(FIRST, nothing))) == ()


def test_what_is_newer_than_we_are_is_skipped() -> None:
    strange = {"object": "organization.usage.dreams.result", "input_tokens": ["many"]}
    reply = page(
        bucket(FIRST, strange, used(novel={"a": [1]})),
        {"object": "summary", "start_time": "yesterday"},
        object="page.v2",
    )

    assert rows(reply) == (Usage(TODAY, "completions", 1, {"input": 10, "output": 2}),)


def test_part_of_a_second_counts_as_a_second_and_text_as_a_number() -> None:
    heard = used("audio_transcriptions", seconds="12.2")

    [row] = rows(page(bucket(FIRST, heard)), "audio_transcriptions")

    assert row.quantities == {"seconds": 13}


@pytest.mark.parametrize(
    "field",
    [
        '"input_tokens": null',
        '"input_tokens": -1',
        '"input_tokens": NaN',
        '"input_tokens": "Infinity"',
        '"input_tokens": true',
        '"input_tokens": [1]',
        '"input_tokens": 1e300',
        '"input_tokens": 9e9999999999999999999',
        '"output_tokens": "few"',
        '"input_cached_tokens": -5',
        '"num_model_requests": -1',
        '"model": 6',
        '"batch": "yes"',
    ],
)
def test_a_count_that_is_none_is_malformed(field: str) -> None:
    told = json.dumps(page(bucket(FIRST, used())))
    text = told.replace('"num_model_requests": 1', f'"num_model_requests": 1, {field}')

    assert failure(always(ok(text))).kind is ErrorKind.MALFORMED


@pytest.mark.parametrize("series", sorted(SERIES))
def test_a_result_without_its_measure_is_malformed(series: str) -> None:
    bare = {"object": used(series)["object"]}

    assert failure(always(ok(page(bucket(FIRST, bare)))), series).kind is ErrorKind.MALFORMED


@pytest.mark.parametrize(
    "part",
    [
        bucket(FIRST + timedelta(hours=1), used()),
        bucket(FIRST, used(), end_time=int((FIRST + DAY * 7).timestamp())),
        bucket(FIRST, used(), end_time=0),
        bucket(FIRST, used(), start_time="1730419200"),
        bucket(FIRST, used(), results=None),
        bucket(FIRST, "usage"),
        bucket(FIRST, {"input_tokens": 1}),
        None,
    ],
    ids=repr,
)
def test_a_bucket_that_is_none_is_malformed(part: Any) -> None:
    assert failure(always(ok(page(part)))).kind is ErrorKind.MALFORMED


def test_the_bucket_that_is_not_over_may_be_shorter() -> None:
    now = int((FIRST + HOUR * 5).timestamp())

    assert rows(page(bucket(FIRST, used(), end_time=now)))[0].window == TODAY


@pytest.mark.parametrize(
    "reply",
    [
        page(has_more=True, next_page="again"),
        page(has_more=True, next_page=None),
        page(bucket(FIRST, used()), has_more=True, next_page="p2"),
    ],
    ids=["the same cursor", "no cursor", "the same usage"],
)
def test_pages_that_lead_nowhere_are_malformed(reply: dict[str, Any]) -> None:
    with pytest.raises(ProviderError) as caught:
        read(lambda _: ok(reply), "completions", window=Window(FIRST, FIRST + DAY * 7))

    assert caught.value.kind is ErrorKind.MALFORMED


def test_pages_that_never_end_are_malformed() -> None:
    asked: list[int] = []

    def numbered(_: httpx.Request) -> httpx.Response:
        asked.append(1)
        return ok(page(has_more=True, next_page=str(len(asked))))

    assert failure(numbered).kind is ErrorKind.MALFORMED
    assert len(asked) == MOST_PAGES


def test_a_series_that_fails_is_left_out_and_costs_the_others_nothing() -> None:
    told = read(
        by_series(
            completions=ok(page(bucket(FIRST, used()))),
            images=httpx.Response(503),
            embeddings=ok(page(bucket(FIRST, used("embeddings", input_tokens=-1)))),
        )
    )

    assert told.series == frozenset(SERIES) - {"images", "embeddings"}
    assert told.failures == {
        "images": ErrorKind.UNAVAILABLE,
        "embeddings": ErrorKind.MALFORMED,
    }
    assert [row.series for row in told.rows] == ["completions"]


def test_a_failing_second_page_leaves_nothing_of_its_series() -> None:
    def answer(request: httpx.Request) -> Reply:
        if request.url.path.endswith("embeddings"):
            return ok(page())
        if "page" in request.url.params:
            return httpx.Response(503)
        return ok(page(bucket(FIRST, used()), has_more=True, next_page="p2"))

    told = read(answer, "completions", "embeddings", window=Window(FIRST, FIRST + DAY * 2))

    assert (told.series, told.rows) == (frozenset({"embeddings"}), ())


def test_a_series_that_is_not_offered_is_neither_read_nor_a_reason_to_fail() -> None:
    told = read(by_series(decisions=httpx.Response(404)))
    none = read(always(httpx.Response(404)), "decisions")

    assert told.series == frozenset(SERIES) - {"decisions"}
    assert told.failures == none.failures == {"decisions": ErrorKind.UNSUPPORTED}
    assert none.series == frozenset()


def test_where_nothing_can_be_read_the_first_failure_is_raised() -> None:
    answer = by_series(
        completions=httpx.Response(503), decisions=httpx.Response(404), images=httpx.Response(400)
    )

    assert failure(answer, "completions", "decisions", "images").kind is ErrorKind.UNAVAILABLE


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (httpx.Response(401), ErrorKind.AUTH),
        (httpx.Response(403), ErrorKind.BLOCKED),
        (httpx.Response(429), ErrorKind.RATE_LIMITED),
        (httpx.ReadTimeout(""), ErrorKind.UNAVAILABLE),
        (httpx.ConnectError(""), ErrorKind.UNAVAILABLE),
    ],
    ids=repr,
)
def test_what_is_refused_for_one_series_is_not_asked_for_the_others(
    reply: Reply, kind: ErrorKind
) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> Reply:
        asked.append(request.url.path)
        return reply

    with pytest.raises(ProviderError) as caught:
        read(answer)

    assert caught.value.kind is kind
    assert len(asked) == 1


def test_a_limit_of_requests_keeps_what_was_read_before_it() -> None:
    told = read(by_series(embeddings=httpx.Response(429)))

    assert told.series == {"completions", "decisions"}
    assert set(told.failures.values()) == {ErrorKind.RATE_LIMITED}


def test_when_the_time_is_up_nothing_more_is_asked() -> None:
    ticks = iter(range(1000))
    asked: list[str] = []

    def answer(request: httpx.Request) -> Reply:
        asked.append(request.url.path)
        return ok(page())

    deadline = Deadline(lambda: float(next(ticks)), timedelta(seconds=6))
    told = asking(answer, deadline=deadline).usage(TODAY, DAY)

    assert len(told.series) == len(asked) == 1
    assert set(told.failures.values()) == {ErrorKind.UNAVAILABLE}


def test_good_replies_are_not_kept_but_refusals_are() -> None:
    provider = asking(by_series(images=httpx.Response(503, text="sorry")))
    provider.usage(TODAY, DAY)

    assert [reply.path for reply in provider.replies()] == ["/organization/usage/images"]
