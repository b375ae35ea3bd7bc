"""Costs of an OpenAI organization: complete and exact, or not at all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from spendguard.core.errors import ErrorKind, ProviderError
from spendguard.core.money import Money
from spendguard.core.readings import Spend
from spendguard.core.windows import DAY, Window
from spendguard.providers.openai.costs import model_of
from spendguard.providers.openai.pages import MOST_PAGES
from tests.providers.asking import (
    FIRST,
    WEEK,
    Answer,
    always,
    asking,
    bucket,
    in_turn,
    ok,
    page,
    recorded,
    result,
)

TODAY = Window(FIRST, FIRST + DAY)


def read(answer: Answer, window: Window = WEEK) -> tuple[Spend, ...]:
    return asking(answer).costs(window).rows


def failure(answer: Answer) -> ErrorKind:
    with pytest.raises(ProviderError) as caught:
        read(answer)
    return caught.value.kind


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def test_asks_for_days_by_project_line_item_and_key_up_to_now() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return ok(page())

    read(answer)

    [request] = asked
    assert request.url.path == "/v1/organization/costs"
    assert request.url.params.multi_items() == [
        ("start_time", "1730419200"),
        ("bucket_width", "1d"),
        ("group_by", "project_id"),
        ("group_by", "line_item"),
        ("group_by", "api_key_id"),
        ("limit", "180"),
    ]


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("costs", (Spend(TODAY, usd("0.06")),)),
        ("costs_sdk354_fields", (Spend(TODAY, usd("0.06")),)),
        ("costs_string_value", (Spend(TODAY, usd("12.50")),)),
        ("costs_minimal", ()),
    ],
)
def test_reads_the_recorded_replies(name: str, rows: tuple[Spend, ...]) -> None:
    assert read(always(ok(recorded(name)))) == rows


def test_tells_which_days_the_reply_left_out() -> None:
    first = page(bucket(FIRST), has_more=True, next_page="2")
    last = page(bucket(FIRST + DAY * 2))

    told = asking(in_turn(ok(first), ok(last))).costs(Window(FIRST, FIRST + DAY * 4))

    assert told.unnamed == {FIRST + DAY, FIRST + DAY * 3}


def test_follows_the_pages_to_the_end() -> None:
    second = page(bucket(FIRST + DAY * 2, result(1)))

    rows = read(in_turn(ok(recorded("costs_grouped_page1")), ok(second)))

    assert rows == (
        Spend(TODAY, usd("0.4213"), "proj_abc", "", "gpt-6-astra, input_tokens", "gpt-6-astra"),
        Spend(TODAY, usd("1.105"), "proj_abc", "", "gpt-6-astra, output_tokens", "gpt-6-astra"),
        Spend(TODAY, usd("0.08"), "proj_def", "", "image generation"),
        Spend(Window(FIRST + DAY * 2, FIRST + DAY * 3), usd("1")),
    )


def test_the_window_that_was_asked_is_what_was_read() -> None:
    assert asking(always(ok(page()))).costs(WEEK).window == WEEK


def test_a_failing_second_page_leaves_nothing_half_read() -> None:
    first = ok(page(bucket(FIRST, result(1)), has_more=True, next_page="p2"))

    assert failure(in_turn(first, httpx.Response(503))) is ErrorKind.UNAVAILABLE


def test_pages_that_never_end_are_malformed() -> None:
    def numbered(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params.get("page", "0")) + 1
        asked.append(number)
        return ok(page(has_more=True, next_page=str(number)))

    asked: list[int] = []

    assert failure(numbered) is ErrorKind.MALFORMED
    assert len(asked) == MOST_PAGES


@pytest.mark.parametrize(
    "reply",
    [
        page(has_more=True, next_page="again"),
        page(has_more=True, next_page=None),
        page(bucket(FIRST, result(1)), has_more=True, next_page="p2"),
    ],
    ids=["the same cursor", "no cursor", "the same costs"],
)
def test_pages_that_lead_nowhere_are_malformed(reply: dict[str, Any]) -> None:
    assert failure(lambda _: ok(reply)) is ErrorKind.MALFORMED


def test_a_page_without_has_more_ends_where_there_is_no_cursor() -> None:
    first = page(bucket(FIRST, result(1)), next_page="p2")
    second = page(bucket(FIRST + DAY, result(2)))
    del first["has_more"], second["has_more"]

    assert len(read(in_turn(ok(first), ok(second)))) == 2


def test_days_outside_the_window_are_ignored() -> None:
    days = [FIRST - DAY, FIRST, FIRST + DAY]
    reply = page(*(bucket(day, result(number)) for number, day in enumerate(days, 1)))

    assert read(always(ok(reply)), TODAY) == (Spend(TODAY, usd("2")),)


def test_rows_that_differ_in_what_we_do_not_know_are_one_row() -> None:
    reply = page(
        bucket(
            FIRST,
            result(1, api_source="agents_api", line_item="a"),
            result("0.5", api_source="unlabeled", line_item="a"),
            result(2, line_item="b"),
        )
    )

    assert read(always(ok(reply))) == (
        Spend(TODAY, usd("1.5"), line_item="a"),
        Spend(TODAY, usd("2"), line_item="b"),
    )


def test_credits_are_negative_costs() -> None:
    reply = page(bucket(FIRST, result("-3.25")))

    assert read(always(ok(reply))) == (Spend(TODAY, usd("-3.25")),)


def test_another_currency_stays_what_it_is() -> None:
    foreign = result(2)
    foreign["amount"]["currency"] = "eur"
    unsaid = result(1)
    del unsaid["amount"]["currency"]

    rows = read(always(ok(page(bucket(FIRST, foreign, unsaid)))))

    assert rows == (Spend(TODAY, Money.parse("2", "EUR")), Spend(TODAY, usd("1")))


def test_what_is_newer_than_we_are_is_skipped() -> None:
    strange = {"object": "organization.costs.forecast", "amount": [5], "line_item": 3}
    reply = page(
        bucket(FIRST, strange, result(1, quantity_unit="parsecs", novel={"a": [1]})),
        {"object": "summary", "start_time": "yesterday"},
        object="page.v2",
    )

    assert read(always(ok(reply))) == (Spend(TODAY, usd("1")),)


@pytest.mark.parametrize(
    "amount",
    [None, {}, {"value": None, "currency": "usd"}],
    ids=["no amount", "an empty one", "no value"],
)
def test_an_amount_that_is_not_told_is_no_row(amount: Any) -> None:
    untold = {**result(1), "amount": amount}

    assert read(always(ok(page(bucket(FIRST, untold, result(2)))))) == (Spend(TODAY, usd("2")),)


@pytest.mark.parametrize(
    "amount",
    [
        '{"value": NaN, "currency": "usd"}',
        '{"value": Infinity, "currency": "usd"}',
        '{"value": "NaN", "currency": "usd"}',
        '{"value": "-Infinity", "currency": "usd"}',
        '{"value": true, "currency": "usd"}',
        '{"value": "", "currency": "usd"}',
        '{"value": "1,5", "currency": "usd"}',
        '{"value": "$5", "currency": "usd"}',
        '{"value": 1e300, "currency": "usd"}',
        '{"value": 1e999999999, "currency": "usd"}',
        '{"value": 9e9999999999999999999, "currency": "usd"}',
        '{"value": [1], "currency": "usd"}',
        '{"value": 1, "currency": "dollars"}',
        '{"value": 1, "currency": 840}',
        "5",
        '"5"',
        "[]",
    ],
)
def test_an_amount_that_is_no_money_is_malformed(amount: str) -> None:
    text = (
        '{"object":"page","has_more":false,"next_page":null,"data":[{"object":"bucket",'
        '"start_time":1730419200,"end_time":1730505600,"results":[{"object":'
        '"organization.costs.result","amount":' + amount + "}]}]}"
    )

    assert failure(always(ok(text))) is ErrorKind.MALFORMED


@pytest.mark.parametrize(
    "part",
    [
        bucket(FIRST + timedelta(hours=1), result(1)),
        bucket(FIRST, result(1), end_time=int((FIRST + DAY * 7).timestamp())),
        bucket(FIRST, result(1), end_time=0),
        bucket(FIRST, result(1), start_time="1730419200"),
        bucket(FIRST, result(1), start_time=True),
        bucket(FIRST, result(1), results=None),
        bucket(FIRST, "cost"),
        bucket(FIRST, {"amount": {"value": 1, "currency": "usd"}}),
        bucket(FIRST, result(1, project_id=7)),
        None,
    ],
    ids=repr,
)
def test_a_day_that_is_none_is_malformed(part: Any) -> None:
    assert failure(always(ok(page(part)))) is ErrorKind.MALFORMED


def test_sums_beyond_what_can_be_stored_are_malformed() -> None:
    reply = page(bucket(FIRST, result(9_000_000_000), result(9_000_000_000)))

    assert failure(always(ok(reply))) is ErrorKind.MALFORMED


@pytest.mark.parametrize(
    ("line_item", "model"),
    [
        ("gpt-6-astra, input_tokens", "gpt-6-astra"),
        ("ft:gpt-6-astra:org::id, output, batch", "ft:gpt-6-astra:org::id"),
        ("image generation", ""),
        ("web search tool calls, high", ""),
        ("embeddings", ""),
        ("", ""),
    ],
)
def test_the_model_is_the_word_before_the_first_comma(line_item: str, model: str) -> None:
    assert model_of(line_item) == model
