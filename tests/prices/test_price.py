"""Usage to money: exactly where the list has a price, never where it has none."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.money import Amount, Money
from spendguard.core.prices import PER, PriceTable, StatedPrice
from spendguard.core.readings import Usage
from spendguard.core.windows import HOUR, Window
from spendguard.prices import price
from spendguard.prices.sheets import INPUT, long_share

NOV = datetime(2026, 11, 20, 14, tzinfo=UTC)
NOTHING = PriceTable()
MILLION = 1_000_000


def cost(
    model: str,
    requests: int = 1,
    *,
    series: str = "completions",
    tier: str = "",
    at: datetime = NOV,
    table: PriceTable = NOTHING,
    **used: Any,
) -> str | None:
    usage = Usage(Window(at, at + HOUR), series, requests, used, model, tier=tier)
    money = price("openai", usage, table)
    return None if money is None else money.exact()


def table(*entries: StatedPrice) -> PriceTable:
    return PriceTable(entries)


def stated(model: str, tier: str = "", since: date | None = None, **prices: str) -> StatedPrice:
    amounts = {name: Amount.parse(text) for name, text in prices.items()}
    return StatedPrice(model, amounts, tier=tier, since=since)


@pytest.mark.parametrize(
    ("model", "used", "expected"),
    [
        ("gpt-4o", {"input": MILLION}, "2.50"),
        ("gpt-4o", {"cached": MILLION}, "1.25"),
        ("gpt-4o", {"output": MILLION}, "10.00"),
        ("GPT-4o", {"input": 1, "cached": 1, "output": 1}, "0.00001375"),
        ("gpt-6-astra", {"cache_write": 1000}, "0.0125"),
        ("gpt-realtime", {"input_audio": 1000, "output_audio": 1000}, "0.096"),
        ("gpt-realtime", {"input_image": 1000, "cached_image": 1000}, "0.0055"),
        ("gpt-image-1.5", {"output": 1000, "output_image": 1000}, "0.042"),
        ("gpt-image-1", {"output_image": 1000}, "0.04"),
        ("gpt-4o", {}, "0.00"),
    ],
)
def test_each_token_has_the_price_of_its_kind(
    model: str, used: dict[str, Any], expected: str
) -> None:
    assert cost(model, **used) == expected


@pytest.mark.parametrize(
    ("series", "model", "used", "expected"),
    [
        ("embeddings", "text-embedding-3-small", {"input": 50}, "0.000001"),
        ("embeddings", "text-embedding-3-large", {"input": MILLION}, "0.13"),
        ("decisions", "gpt-6-luna", {"input": 1200}, "0.00012"),
        ("audio_transcriptions", "whisper-1", {"seconds": 60}, "0.006"),
        ("audio_speeches", "tts-1-hd", {"characters": 1000}, "0.03"),
        ("web_search_calls", "gpt-4o", {"calls": 3}, "0.03"),
        ("file_search_calls", "", {"calls": 2}, "0.005"),
        ("moderations", "omni-moderation-latest", {"input": 5000}, "0.00"),
    ],
)
def test_each_series_has_its_own_unit(
    series: str, model: str, used: dict[str, Any], expected: str
) -> None:
    assert cost(model, series=series, **used) == expected


@pytest.mark.parametrize(
    ("series", "model", "used"),
    [
        ("completions", "", {"input": 1}),
        ("completions", "gpt-7", {"input": 1}),
        ("completions", "sora-2", {"input": 1}),
        ("completions", "gpt-4o-audio-preview", {"input_audio": 1, "input": 5}),
        ("completions", "gpt-4o", {"output_audio": 1}),
        ("completions", "gpt-4o", {"cache_write_12h": 1}),
        ("completions", "gpt-5-image", {"output_image": 1}),
        ("completions", "gpt-4o", {"tokens of a new kind": 1}),
        ("decisions", "gpt-6-astra", {"input": 1}),
        ("decisions", "gpt-6-luna", {"output": 1}),
        ("images", "gpt-image-1", {"images": 1}),
        ("images", "dall-e-3", {"images": 1}),
        ("audio_speeches", "gpt-4o-mini-tts", {"characters": 1}),
        ("audio_transcriptions", "gpt-4o-transcribe", {"seconds": 1}),
        ("web_search_calls", "", {"calls": 1}),
        ("web_search_calls", "gpt-4o-mini-search-preview", {"calls": 1}),
        ("vector_stores", "", {"bytes": 1}),
        ("code_interpreter_sessions", "", {"sessions": 1}),
        ("dreams", "", {"nights": 1}),
    ],
)
def test_what_has_no_price_is_none_never_zero(
    series: str, model: str, used: dict[str, Any]
) -> None:
    assert cost(model, series=series, **used) is None


def test_another_provider_has_no_list_yet() -> None:
    usage = Usage(Window(NOV, NOV + HOUR), "messages", 1, {"input": 1}, "gpt-4o")

    assert price("elsewhere", usage, NOTHING) is None


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-4o-2024-11-20", "2.50"),
        ("gpt-4o-2024-05-13", "5.00"),
        ("gpt-4o-2027-02-28", "2.50"),
        ("gpt-4o-mini-tts-2025-12-15", "0.60"),
        ("ft:gpt-4o-2024-08-06:acme::abc123", "3.75"),
        ("ft:gpt-9-2027-01-01:acme::abc123", None),
        ("gpt-4o-latest", None),
    ],
)
def test_a_dated_model_the_list_does_not_know_costs_what_its_family_does(
    model: str, expected: str | None
) -> None:
    assert cost(model, input=MILLION) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 7, 29, 23, tzinfo=UTC), "0.10"),
        (datetime(2026, 7, 30, tzinfo=UTC), "0.02"),
    ],
)
def test_a_price_holds_from_its_day_on(at: datetime, expected: str) -> None:
    assert cost("gpt-5.6-luna", input=100_000, at=at) == expected


BEFORE_TIERS = datetime(2026, 10, 1, tzinfo=UTC)  # the list has tiers from 12 October on


@pytest.mark.parametrize(
    ("model", "tier", "at", "expected"),
    [
        ("gpt-6-astra", "", NOV, "0.06"),
        ("gpt-6-astra", "batch", NOV, "0.03"),
        ("gpt-6-astra", "flex", NOV, "0.03"),
        ("gpt-6-astra", "priority", NOV, "0.12"),
        ("gpt-6-astra", "fast", NOV, "0.12"),
        ("gpt-4o", "priority", NOV, "0.02125"),
        ("gpt-6-astra", "ultrafast", NOV, None),
        ("gpt-6-astra", "scale", NOV, None),
        ("gpt-6-astra", "batch flex", NOV, None),
        ("gpt-6-astra", "priority", BEFORE_TIERS, None),
        ("gpt-6-astra", "flex", BEFORE_TIERS, "0.06"),
        ("gpt-6-astra", "batch", BEFORE_TIERS, "0.03"),
        ("gpt-4o", "flex", NOV, "0.0125"),
        ("gpt-4.5-preview", "priority", NOV, None),
        ("o1-pro", "batch", NOV, "0.375"),
    ],
)
def test_a_tier_without_a_price_is_none_unless_it_cannot_be_dearer(
    model: str, tier: str, at: datetime, expected: str | None
) -> None:
    assert cost(model, tier=tier, at=at, input=1000, output=1000) == expected


def test_a_batch_without_a_price_of_its_own_costs_half_but_the_cache_is_not_halved_again() -> None:
    embedded = cost("text-embedding-ada-002", series="embeddings", tier="batch", input=MILLION)

    assert embedded == "0.05"
    assert cost("o1", tier="batch", at=BEFORE_TIERS, input=1000, cached=1000) == "0.015"


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        ({"cache_write": 100_000}, "9.15"),
        ({"cache_write_12h": 100_000}, "10.40"),
        ({"cache_write": 90_000, "cache_write_12h": 10_000}, "9.275"),
    ],
)
def test_what_is_kept_in_the_cache_for_12_hours_costs_twice_what_the_list_has(
    used: dict[str, Any], expected: str
) -> None:
    rest: dict[str, Any] = {"input": 500_000, "cached": 400_000, "output": 50_000}

    assert cost("gpt-6-astra", 500, **rest, **used) == expected


class TestLongRequests:
    """gpt-6-astra reads at 10.00 a million, at 20.00 in requests beyond 272,000 tokens."""

    @pytest.mark.parametrize(
        ("requests", "read", "expected"),
        [
            (1, 272_000, "2.72"),
            (1, 272_001, "5.44002"),
            (2, 1_000_000, "20.00"),
            (500, 1_000_000, "10.00"),
            (20, 272_000, "2.72"),
            (0, 500_000, "10.00"),
        ],
        ids=[
            "one short",
            "one long",
            "two long",
            "many short",
            "all together short",
            "nobody knows how many",
        ],
    )
    def test_the_mean_decides_where_it_can(self, requests: int, read: int, expected: str) -> None:
        assert cost("gpt-6-astra", requests, input=read) == expected

    def test_a_few_long_ones_among_short_ones_are_not_missed(self) -> None:
        at_least = 5 * 0.4 * 20 + 5 * 0.01 * 10  # five of 400,000 tokens, five of 10,000
        estimate = cost("gpt-6-astra", 10, input=2_050_000)

        assert estimate is not None
        assert 20.50 < 0.8 * at_least < float(estimate) < at_least

    def test_cached_and_written_tokens_make_a_request_long_too(self) -> None:
        assert cost("gpt-6-astra", 1, input=1, cached=272_000) == "0.54402"

    def test_what_is_written_by_a_long_request_is_dearer_too(self) -> None:
        assert cost("gpt-6-astra", 1, input=300_000, output=1000) == "6.075"

    @given(
        tokens=st.integers(0, 10**9),
        more=st.integers(0, 10**6),
        requests=st.integers(0, 10**6),
    )
    def test_longer_requests_are_never_less_likely(
        self, tokens: int, more: int, requests: int
    ) -> None:
        share = long_share(272_000, tokens, requests)

        assert 0 <= share <= long_share(272_000, tokens + more, requests) <= 1
        assert long_share(272_000, tokens, requests + 1) <= share

    @given(split=st.integers(1, 271_999))
    def test_rows_of_short_requests_cost_together_what_they_cost_apart(self, split: int) -> None:
        parts = [cost("gpt-6-astra", 1, input=one) for one in (split, 272_000 - split)]

        assert sum(Fraction(part or 0) for part in parts) == Fraction("2.72")


class TestStatedPrices:
    """What the operator states lies over the list, quantity by quantity."""

    def test_a_stated_price_replaces_the_listed_one_and_leaves_the_others(self) -> None:
        own = table(stated("gpt-4o", input="2.00"))

        assert cost("gpt-4o", table=own, input=MILLION, output=MILLION) == "12.00"
        assert cost("gpt-4o-mini", table=own, input=MILLION) == "0.15"

    def test_a_pattern_fits_whatever_is_in_the_place_of_the_star(self) -> None:
        own = table(stated("acme-*", input="1"))

        assert cost("acme-large", table=own, input=MILLION) == "1.00"
        assert cost("ACME-Small", table=own, input=MILLION) == "1.00"
        assert cost("acme", table=own, input=MILLION) is None

    def test_a_part_without_a_price_leaves_the_row_without_one(self) -> None:
        own = table(stated("acme", input="1"))

        assert cost("acme", table=own, input=1, output=1) is None

    def test_it_is_for_the_standard_tier_unless_it_says_another(self) -> None:
        own = table(stated("gpt-4o", input="2"), stated("gpt-4o", "scale", input="1"))

        assert cost("gpt-4o", table=own, tier="priority", input=MILLION) == "4.25"
        assert cost("gpt-4o", table=own, tier="scale", input=MILLION) == "1.00"
        assert cost("gpt-4o", table=own, tier="ultrafast", input=MILLION) is None
        every = table(stated("gpt-4o", "*", input="3"))
        assert cost("gpt-4o", table=every, tier="ultrafast", input=MILLION) == "3.00"

    @pytest.mark.parametrize(
        ("series", "tier", "used", "expected"),
        [
            ("images", "1024x1024", {"images": 3}, "0.12"),
            ("images", "1792x1024", {"images": 3}, "0.24"),
            ("images", "256x256", {"images": 3}, None),
            ("audio_transcriptions", "", {"seconds": 60}, "0.006"),
            ("audio_speeches", "", {"characters": 1000}, "0.015"),
            ("code_interpreter_sessions", "", {"sessions": 2}, "0.06"),
            ("web_search_calls", "high", {"calls": 2}, "0.05"),
        ],
    )
    def test_what_is_counted_by_the_piece_is_stated_by_the_piece(
        self, series: str, tier: str, used: dict[str, Any], expected: str | None
    ) -> None:
        own = table(
            stated("*", "1024x1024", images="0.04"),
            stated("*", "1792x1024", images="0.08"),
            stated("*", seconds="0.0001", characters="15", sessions="0.03"),
            stated("*", "high", calls="0.025"),
        )

        assert cost("own", series=series, tier=tier, table=own, **used) == expected

    def test_the_latest_day_counts_then_the_last_in_the_file(self) -> None:
        own = table(
            stated("gpt-4o", since=date(2026, 11, 1), input="2"),
            stated("gpt-4o", input="9", output="9"),
            stated("gpt-4o", input="8"),
        )

        assert cost("gpt-4o", table=own, input=MILLION) == "2.00"
        before = datetime(2026, 10, 31, 23, tzinfo=UTC)
        assert cost("gpt-4o", table=own, at=before, input=MILLION, output=MILLION) == "17.00"
        assert cost("gpt-4o", table=own, input=MILLION, output=MILLION) == "11.00"

    def test_it_is_for_any_provider_unless_it_names_one(self) -> None:
        usage = Usage(Window(NOV, NOV + HOUR), "messages", 1, {"input": MILLION}, "m")
        for provider, expected in ((None, 1), ("elsewhere", 1), ("openai", None)):
            one = StatedPrice("m", {"input": Amount.parse("1")}, provider=provider)
            money = price("elsewhere", usage, table(one))

            assert money == (None if expected is None else Money.parse("1", "USD"))

    def test_a_price_of_nothing_is_a_price(self) -> None:
        assert cost("gift", table=table(stated("gift", input="0")), input=MILLION) == "0.00"


@given(st.dictionaries(st.sampled_from(sorted(INPUT | {"output"})), st.integers(0, 10**7)))
def test_more_usage_never_costs_less(used: dict[str, Any]) -> None:
    halves: dict[str, Any] = {name: count // 2 for name, count in used.items()}
    less = cost("gpt-6-astra", 10, **halves)
    more = cost("gpt-6-astra", 10, **used)

    if more is not None:
        assert less is not None
        assert Fraction(less) <= Fraction(more)


def test_every_quantity_of_a_request_that_is_read_has_a_place_in_the_table() -> None:
    assert PER.keys() > INPUT


def test_the_list_is_loaded_when_it_is_needed_and_never_fetched() -> None:
    program = """
import socket, sys, threading
class Refused(socket.socket):
    def connect(self, *_):
        raise AssertionError("a connection")
socket.socket = Refused
from datetime import UTC, datetime, timedelta
from spendguard.core.prices import PriceTable
from spendguard.core.readings import Usage
from spendguard.core.windows import Window
from spendguard.prices import price
assert "genai_prices" not in sys.modules
at = datetime(2026, 11, 20, tzinfo=UTC)
usage = Usage(Window(at, at + timedelta(hours=1)), "completions", 1, {"input": 5}, "gpt-4o")
print(price("openai", usage, PriceTable()))
from genai_prices import data_snapshot
assert data_snapshot._custom_snapshot is None
assert threading.active_count() == 1
"""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("0.0000125 USD\n", "")
