from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from spendguard.core.prices import PriceTable, StatedPrice
from spendguard.core.readings import Usage, UsageRead
from spendguard.core.windows import HOUR, Window
from spendguard.pipeline.unchanged import Memory, changed, remembered

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LIST, OWN = PriceTable(), PriceTable((StatedPrice("gpt-4o"),))


def row(minutes: int, tokens: int = 10, requests: int = 1) -> Usage:
    start = NOW + MINUTE * minutes
    window = Window(start, start + MINUTE)
    return Usage(window, "completions", requests, {"input": tokens}, "gpt-4o", "web", "key_a")


def read(*rows: Usage, hours: int = 3) -> UsageRead:
    window = Window(NOW, NOW + HOUR * hours)
    return UsageRead(window, MINUTE, frozenset({"completions"}), rows)


def known(*rows: Usage, prices: PriceTable = LIST) -> Memory:
    return remembered(read(*rows), prices, NOW)


def kept(now: UsageRead, before: Memory | None, prices: PriceTable = LIST) -> UsageRead:
    return changed(now, remembered(now, prices, NOW), before)


@pytest.mark.parametrize(
    ("rows", "hour"),
    [
        pytest.param((row(5), row(65), row(125)), 2, id="the last hour is never taken as it was"),
        pytest.param((row(125), row(65), row(5)), 2, id="the order makes no difference"),
        pytest.param((row(5), row(65), row(125, 20)), 2, id="nor what is new in the last hour"),
        pytest.param((row(5), row(65, 20), row(125)), 1, id="other tokens"),
        pytest.param((row(5), row(65, requests=2), row(125)), 1, id="other requests"),
        pytest.param((row(5), row(66), row(125)), 1, id="another minute"),
        pytest.param((row(5), row(125)), 1, id="a row that is gone"),
        pytest.param((row(5), row(6), row(65), row(125)), 0, id="a row more"),
    ],
)
def test_a_reading_begins_with_the_first_hour_that_changed(
    rows: tuple[Usage, ...], hour: int
) -> None:
    found = kept(read(*rows), known(row(5), row(65), row(125)))

    start = NOW + HOUR * hour
    assert found.window == Window(start, NOW + HOUR * 3)
    assert set(map(id, found.rows)) == {id(one) for one in rows if one.window.start >= start}


def test_all_of_it_is_new_at_first_and_at_other_prices() -> None:
    whole = read(row(5), row(65))

    assert kept(whole, None) is whole
    assert kept(whole, known(row(5), row(65)), prices=OWN) is whole


def test_an_hour_that_was_not_read_before_is_new() -> None:
    longer = read(row(5), row(65), hours=4)

    assert kept(longer, known(row(5), row(65))).window.start == NOW + HOUR * 3
    assert kept(longer, remembered(read(row(5), hours=1), LIST, NOW)).window.start == NOW + HOUR
