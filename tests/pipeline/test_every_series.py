"""Every series of usage, from the reply to the estimate: a price, nothing to pay, or unpriced; never a silent zero."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from spendguard.core.money import Amount, Money
from spendguard.core.prices import PriceTable, StatedPrice
from spendguard.pipeline.poll import poll
from spendguard.providers.openai import OpenAI
from spendguard.providers.openai.series import SERIES
from spendguard.simulator import World
from spendguard.simulator.meter import Count
from spendguard.simulator.sheet import Metered
from spendguard.store.connect import Store
from spendguard.store.schema import usage_days, usage_dimensions
from tests.databases import account

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NO_PRICE = None

# What is used, and what it costs by the list that comes along; the project tells the series.
LISTED = {
    Metered("completions", "output_tokens", "gpt-4o"): (1000, "0.01"),
    Metered("decisions", "input_tokens", "gpt-6-luna"): (1000, "0.0001"),
    Metered("embeddings", "input_tokens", "text-embedding-3-small"): (1000, "0.00002"),
    Metered("moderations", "input_tokens", "omni-moderation-latest"): (1000, "0.00"),
    Metered("images", "images", "dall-e-3", "1024x1024"): (3, NO_PRICE),
    Metered("audio_speeches", "characters", "tts-1"): (1000, "0.015"),
    Metered("audio_transcriptions", "seconds", "whisper-1"): (60, "0.006"),
    Metered("vector_stores", "usage_bytes"): (1024, NO_PRICE),
    Metered("code_interpreter_sessions", "num_sessions"): (2, NO_PRICE),
    Metered("file_search_calls", "num_requests"): (4, "0.01"),
    Metered("web_search_calls", "num_requests", "gpt-4o"): (2, "0.02"),
}
STATED = PriceTable(
    (
        StatedPrice("dall-e-*", {"images": Amount.parse("0.04")}, tier="1024x1024"),
        StatedPrice("*", {"sessions": Amount.parse("0.03")}),
    )
)
BY_THE_PIECE = {"images": "0.12", "code_interpreter_sessions": "0.06"}

Estimates = dict[str, tuple[str | None, int, int]]


@pytest.fixture
def world() -> World:
    """An account that used something of each series a minute ago."""
    world = World(NOW)
    for what, (units, _) in LISTED.items():
        world.count(Count(NOW - timedelta(minutes=1), what, units, what.series))
    return world


@pytest.fixture
def estimated(store: Store, openai: Callable[[], OpenAI]) -> Callable[[PriceTable], Estimates]:
    """A function that polls, and returns by series what is estimated, requests, and those unpriced."""

    def estimate(prices: PriceTable) -> Estimates:
        assert poll(store, account(), openai(), NOW, prices=prices).error is None
        rows, dims = usage_days.c, usage_dimensions.c
        query = sa.select(dims.series, rows.nanos, rows.requests, rows.unpriced).join(
            usage_dimensions, dims.id == rows.dimension_id
        )
        with store.begin() as tx:
            return {
                series: (None if nanos is None else Money(nanos, "USD").exact(), requests, unpriced)
                for series, nanos, requests, unpriced in tx.execute(query)
            }

    return estimate


def test_the_table_tells_of_every_series() -> None:
    assert [what.series for what in LISTED] == list(SERIES)


def test_each_has_a_price_costs_nothing_or_is_unpriced(
    estimated: Callable[[PriceTable], Estimates],
) -> None:
    found = estimated(PriceTable())

    assert {series: told[0] for series, told in found.items()} == {
        what.series: price for what, (_, price) in LISTED.items()
    }
    assert {series for series, told in found.items() if told[2]} == set(BY_THE_PIECE)
    assert all(told[2] in (0, told[1]) for told in found.values())


def test_what_is_stated_by_the_piece_is_a_price(
    estimated: Callable[[PriceTable], Estimates],
) -> None:
    found = estimated(STATED)

    assert {series: found[series][0] for series in BY_THE_PIECE} == BY_THE_PIECE
    assert {series for series, told in found.items() if told[0] is None} == {"vector_stores"}
    assert all(told[2] == 0 for told in found.values())
