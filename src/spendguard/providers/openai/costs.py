"""Costs: what OpenAI booked, by UTC day, project, line item and api key."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

from spendguard.core.money import MOST, Money
from spendguard.core.readings import Spend, SpendRead
from spendguard.core.windows import DAY, Window
from spendguard.providers.base import Api, Params
from spendguard.providers.openai.pages import EPOCH, buckets, epoch_seconds, pages
from spendguard.providers.openai.shapes import Bucket, CostsResult, known, nanos, wrong

PATH = "/organization/costs"
BUCKETS = 180  # the most that one page holds

_Key: TypeAlias = tuple[int, str, str, str, str]  # day, currency, project, api key, line item


def read_costs(api: Api, window: Window, currency: str, *, ended: bool = False) -> SpendRead:
    """Return all that was booked in `window`, which is made of whole UTC days.

    Raises:
        ProviderError: when it was not read to the end.
    """
    rows: dict[_Key, int] = {}
    named: set[int] = set()
    for page in pages(api, PATH, _question(window, ended=ended)):
        days = buckets(page, DAY, "costs of something that is not a UTC day")
        named |= {day.start_time for day in days}
        told = _rows(days, window, currency)
        if rows.keys() & told.keys():
            raise wrong("tells the same costs on two pages")
        rows |= told
    spent = tuple(_spend(key, nanos) for key, nanos in rows.items())
    return SpendRead(window, spent, _unnamed(window, named))


def _unnamed(window: Window, named: set[int]) -> frozenset[datetime]:
    """Return the days of a window that were not told of."""
    days = (window.start + DAY * place for place in range(window.length // DAY))
    return frozenset(day for day in days if epoch_seconds(day) not in named)


@lru_cache(maxsize=1000)
def model_of(line_item: str) -> str:
    """Return the model of a line item such as 'gpt-6-astra, input_tokens'; '' where none is named.

    It is what stands before the first comma, if that is one word.
    """
    before, comma, _ = line_item.partition(",")
    return before if comma and before.split() == [before] else ""


def _question(window: Window, *, ended: bool) -> Params:
    # No end_time in the future: one was refused (Win-CodexBar #191, 2026-07-13).
    end: Params = [("end_time", epoch_seconds(window.end))] if ended else []
    return [
        *end,
        ("start_time", epoch_seconds(window.start)),
        ("bucket_width", "1d"),
        ("group_by", "project_id"),
        ("group_by", "line_item"),
        ("group_by", "api_key_id"),
        ("limit", BUCKETS),
    ]


def _rows(days: Iterable[Bucket], window: Window, currency: str) -> dict[_Key, int]:
    first, end = epoch_seconds(window.start), epoch_seconds(window.end)
    rows: dict[_Key, int] = {}
    for bucket in days:
        if not first <= bucket.start_time < end:
            continue
        for result in known(bucket.results, "organization.costs.result", CostsResult):
            amount = result.amount
            if amount is None or amount.value is None:  # legal: nothing is told, which is no row
                continue
            cost, code = nanos(amount.value, amount.currency or currency)
            key = (
                bucket.start_time,
                code,
                result.project_id or "",
                result.api_key_id or "",
                result.line_item or "",
            )
            rows[key] = rows.get(key, 0) + cost
    return rows


@lru_cache(maxsize=400)  # the rows of a day share its window
def _day(start: int) -> Window:
    begin = EPOCH + timedelta(seconds=start)
    return Window(begin, begin + DAY)


def _spend(key: _Key, nanos: int) -> Spend:
    day, currency, project, api_key, line_item = key
    if abs(nanos) > MOST:
        raise wrong("states an amount that is not money")
    amount = Money(nanos, currency)
    return Spend(_day(day), amount, project, api_key, line_item, model_of(line_item))
