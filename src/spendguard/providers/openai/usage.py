"""Usage: what was used, by minute, hour or UTC day, so grouped that each row has one price."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TypeAlias

from spendguard.core.errors import ErrorKind, ProviderError
from spendguard.core.readings import Usage, UsageRead
from spendguard.core.windows import DAY, HOUR, Window
from spendguard.providers.base import Api, Params
from spendguard.providers.openai.pages import EPOCH, buckets, epoch_seconds, pages
from spendguard.providers.openai.series import SERIES, Series
from spendguard.providers.openai.shapes import Page, UsageResult, known, wrong

PATH = "/organization/usage"
# Of each width: OpenAI's name, and the buckets of a page, few enough for a busy organization's
# reply to stay within its size; 1440 minutes are allowed.
WIDTHS = {timedelta(minutes=1): ("1m", 360), HOUR: ("1h", 168), DAY: ("1d", 31)}
# What is refused to the key is refused for every series.
FOR_ALL = frozenset({ErrorKind.AUTH, ErrorKind.SCOPE, ErrorKind.BLOCKED, ErrorKind.RATE_LIMITED})

_Key: TypeAlias = tuple[int, str, str, str, str]  # start, model, project, api key, tier


@dataclass(slots=True)
class _Sum:
    requests: int
    quantities: dict[str, int]

    def add(self, requests: int, quantities: Mapping[str, int]) -> None:
        """Add a result that differs in nothing that we tell apart."""
        self.requests += requests
        for name, count in quantities.items():
            self.quantities[name] = self.quantities.get(name, 0) + count


def read_usage(
    api: Api, window: Window, width: timedelta, series: Collection[str] | None
) -> UsageRead:
    """Return what was used in a window that begins and ends at multiples of `width`.

    A 404 is a series that is not offered, which is less than one in which nothing was used.

    Raises:
        ProviderError: when nothing could be read, except where nothing is offered.
    """
    rows: list[Usage] = []
    read: set[str] = set()
    failures: dict[str, ErrorKind] = {}
    first: ProviderError | None = None
    for name in [one for one in SERIES if series is None or one in series]:
        if first is not None and _of_all(first):
            failures[name] = first.kind
            continue
        try:
            rows += _read(api, SERIES[name], window, width)
            read.add(name)
        except ProviderError as error:
            offered = error.status != 404
            failures[name] = error.kind if offered else ErrorKind.UNSUPPORTED
            first = error if offered and first is None else first
    if first is not None and not read:
        raise first
    return UsageRead(window, width, frozenset(read), tuple(rows), failures)


def _of_all(error: ProviderError) -> bool:
    """Tell whether the other series need not be tried: each would take its time to fail."""
    unreachable = error.kind is ErrorKind.UNAVAILABLE and error.status is None
    return unreachable or error.kind in FOR_ALL


def _read(api: Api, series: Series, window: Window, width: timedelta) -> list[Usage]:
    sums: dict[_Key, _Sum] = {}
    end = epoch_seconds(window.end)
    for page in pages(api, f"{PATH}/{series.path}", _question(series, window, width), keep=False):
        told, last = _sums(page, series, window, width)
        if sums.keys() & told.keys():
            raise wrong("tells the same usage on two pages")
        sums |= told
        if last >= end:  # no end_time is sent, for it may be in the future: see costs
            break
    return [_usage(key, one, series, width) for key, one in sums.items()]


def _question(series: Series, window: Window, width: timedelta) -> Params:
    name, most = WIDTHS[width]
    return [
        ("start_time", epoch_seconds(window.start)),
        ("bucket_width", name),
        *(("group_by", group) for group in series.groups),
        ("limit", min(most, window.length // width)),
    ]


def _sums(
    page: Page, series: Series, window: Window, width: timedelta
) -> tuple[dict[_Key, _Sum], int]:
    """Return what a page tells of a window, and where its last bucket ends."""
    first, end = epoch_seconds(window.start), epoch_seconds(window.end)
    kind = f"organization.usage.{series.kind}.result"
    sums: dict[_Key, _Sum] = {}
    last = first
    for bucket in buckets(page, width, "usage of something that is not such a bucket"):
        last = bucket.start_time + width // timedelta(seconds=1)
        if not first <= bucket.start_time < end:
            continue
        for result in known(bucket.results, kind, UsageResult):
            quantities, requests = series.quantities(result), series.requests(result)
            if quantities or requests:
                key = _key(bucket.start_time, series, result)
                if key in sums:
                    sums[key].add(requests, quantities)
                else:
                    sums[key] = _Sum(requests, quantities)
    return sums, last


def _key(start: int, series: Series, result: UsageResult) -> _Key:
    return (
        start,
        result.model or "",
        result.project_id or "",
        result.api_key_id or "",
        series.tier(result),
    )


def _usage(key: _Key, one: _Sum, series: Series, width: timedelta) -> Usage:
    start, model, project, api_key, tier = key
    return Usage(
        _bucket(start, width),
        series.path,
        one.requests,
        one.quantities,
        model,
        project,
        api_key,
        tier,
    )


@lru_cache(maxsize=2000)  # the rows of a bucket share its window
def _bucket(start: int, width: timedelta) -> Window:
    begin = EPOCH + timedelta(seconds=start)
    return Window(begin, begin + width)
