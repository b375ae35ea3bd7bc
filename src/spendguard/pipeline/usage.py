"""Usage: ask a provider what an account used, price it, and keep the estimate.

Every poll reads the last hours by the minute, of the series that were ever used, and looks whether
another series is used now: at one half of them, then at the other. Now and then the last days are
read by the hour, for what is told late; the first polls read a month back. Usage is optional:
where it fails the poll is as good as before, and what was known stays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from spendguard.core.accounts import Account
from spendguard.core.errors import ErrorKind, ProviderError
from spendguard.core.pace import turn
from spendguard.core.prices import PriceTable
from spendguard.core.readings import Usage, UsageRead
from spendguard.core.windows import DAY, HOUR, Window, utc_day
from spendguard.pipeline import unchanged
from spendguard.prices import FREE, price
from spendguard.providers.base import Provider
from spendguard.store import due, estimates, spenders, usage
from spendguard.store.connect import Store
from spendguard.store.spenders import Seen
from spendguard.store.usage import MINUTE

BY_MINUTE = HOUR * 3
LONGEST_BY_MINUTE = HOUR * 23
BY_HOUR = DAY * 3
WIDE_EVERY = HOUR * 2
LOOK_EVERY = timedelta(minutes=30)
HISTORY = DAY * 31
CHUNK = DAY * 7
PIECE = HOUR * 6  # of minutes, as many as a page holds
NOT_TOLD = "the provider does not tell what is used"

Progress = Callable[[int, int, str], None]  # days read, days wanted, of what


@dataclass(frozen=True, slots=True)
class _Asking:
    """What the parts of one reading share."""

    store: Store
    account: Account
    provider: Provider
    prices: PriceTable
    now: datetime


def read_usage(
    store: Store,
    account: Account,
    provider: Provider,
    prices: PriceTable,
    now: datetime,
    progress: Progress,
) -> None:
    """Read what is new of an account's usage; a refusal is noted, and loses nothing."""
    if not provider.usage_series:
        return
    asking = _Asking(store, account, provider, prices, now)
    try:
        _read(asking, progress)
    except ProviderError as error:
        tried = {"usage_looked_at": now} if error.kind is ErrorKind.UNSUPPORTED else {}
        with store.begin() as tx:
            row = due.load(tx, account.name)
            due.update(tx, row.id, usage_known=False, usage_error=error.message, **tried)


def _read(asking: _Asking, progress: Progress) -> None:
    with asking.store.begin() as tx:
        row = due.load(tx, asking.account.name)
        seen = usage.series_seen(tx, row.id)
    began = row.usage_from is not None
    if not began and not _due(row.usage_looked_at, LOOK_EVERY, asking.now):
        return  # a moment ago there was none to be had
    known_until = row.first_ok_at if began else None
    series = seen if began else _used_lately(asking)
    failures = _read_series(
        asking, row, series, known_until, wide=not began or _missed(row, asking.now)
    )
    with asking.store.begin() as tx:
        looked = {} if began else {"usage_looked_at": asking.now}
        due.update(tx, row.id, **_told(row, failures, asking.now), **looked)
    if began:
        _look_further(asking, row, seen)
    _read_history(asking, progress)


def _read_series(
    asking: _Asking,
    row: Any,
    series: frozenset[str],
    known_until: datetime | None,
    *,
    wide: bool,
) -> set[ErrorKind]:
    """Read series by the minute, and by the hour where that is due; return why some failed."""
    failures: set[ErrorKind] = set()
    if not series:
        return failures
    *earlier, last = _pieces(_minutes(row, asking.now))
    for piece in earlier:
        read = _ask(asking, piece, MINUTE, series)
        failures |= _failed(read, series)
        _keep(asking, read, known_until)
    read = _ask(asking, last, MINUTE, series)
    failures |= _failed(read, series)
    _keep_changed(asking, read, known_until, row.usage_read_at)
    if wide:
        read = _ask(asking, _hours(row, asking.now), HOUR, series)
        failures |= _failed(read, series)
        _keep(asking, read, known_until, usage_wide_at=asking.now)
    return failures


def _look_further(asking: _Asking, row: Any, seen: frozenset[str]) -> None:
    """See whether a series is used now that never was; that it cannot be seen is no matter."""
    today = utc_day(asking.now)
    rest, all_of_it = asking.provider.usage_series - seen, True
    if not _due(row.usage_looked_at, LOOK_EVERY, asking.now):
        rest, all_of_it = _half(asking, rest), False
    if not rest:
        return
    try:
        read = asking.provider.usage(Window(today.start - DAY, today.end), DAY, rest)
    except ProviderError:
        if not seen:
            raise
        return
    if not seen and not read.series:
        raise ProviderError(ErrorKind.UNSUPPORTED, NOT_TOLD)
    used = frozenset(one.series for one in read.rows)
    _read_series(asking, row, used, row.first_ok_at, wide=True)
    if all_of_it:
        with asking.store.begin() as tx:
            due.update(tx, row.id, usage_looked_at=asking.now)


def _half(asking: _Asking, series: Collection[str]) -> frozenset[str]:
    """Return the half of some series whose turn it is, so that two polls look at all that cost."""
    account = asking.account
    first = turn(account.name, account.poll_interval, asking.now) % 2
    return frozenset(sorted(set(series) - FREE)[first::2])


def _ask(
    asking: _Asking, window: Window, width: timedelta, series: Collection[str] | None
) -> UsageRead:
    """Read usage.

    Raises:
        ProviderError: when it could not be read, also where no series of it is offered.
    """
    read = asking.provider.usage(window, width, series)
    if not read.series:
        raise ProviderError(ErrorKind.UNSUPPORTED, NOT_TOLD)
    return read


def _failed(read: UsageRead, series: Collection[str]) -> set[ErrorKind]:
    """Return why series that are in use could not be read; of the others it does not matter."""
    found = {kind for name, kind in read.failures.items() if name in series}
    return found - {ErrorKind.UNSUPPORTED}


def _told(row: Any, failures: Iterable[ErrorKind], now: datetime) -> dict[str, object]:
    """Return what is noted of a reading; hours are known from the last gap on."""
    names = sorted(kind.value for kind in failures)
    if names:
        return {"usage_known": False, "usage_error": f"in part: {', '.join(names)}"}
    start = _hours(row, now).start
    gap = row.usage_from is None or row.usage_read_at is None or row.usage_read_at < start
    return {
        "usage_known": True,
        "usage_error": None,
        "usage_read_at": now,
        "usage_from": start if gap else row.usage_from,
    }


def _used_lately(asking: _Asking) -> frozenset[str]:
    """Return the series that an account used in the last month: the others need no history."""
    today = utc_day(asking.now)
    read = _ask(asking, Window(today.start - HISTORY + DAY, today.end), DAY, None)
    return frozenset(row.series for row in read.rows)


def _minutes(row: Any, now: datetime) -> Window:
    """Return the whole hours to be read by the minute: the last ones, and since the last time.

    The first time it is nearly a day: what a burst is like shows only there.
    """
    start = now - LONGEST_BY_MINUTE
    if row.usage_read_at is not None:
        start = max(min(now - BY_MINUTE, row.usage_read_at - HOUR), start)
    begin = start.replace(minute=0, second=0, microsecond=0)
    return Window(begin, now.replace(second=0, microsecond=0) + MINUTE)


def _pieces(window: Window) -> list[Window]:
    """Return the parts of a window that are kept one by one, so that all of it is never in memory."""
    starts = range(0, window.length // MINUTE, PIECE // MINUTE)
    cuts = [*(window.start + MINUTE * start for start in starts), window.end]
    return [Window(*pair) for pair in pairwise(cuts)]


def _hours(row: Any, now: datetime) -> Window:
    """Return the hours of the days that are not settled, and of an outage before them."""
    start = utc_day(now - BY_HOUR).start
    if row.usage_read_at is not None and row.usage_read_at < start:
        start = max(utc_day(row.usage_read_at).start, utc_day(now - HISTORY).start)
    return Window(start, now.replace(minute=0, second=0, microsecond=0) + HOUR)


def _missed(row: Any, now: datetime) -> bool:
    """Tell whether the last days are to be read by the hour: now and then, and after an outage."""
    if row.usage_read_at is None or now - row.usage_read_at >= LONGEST_BY_MINUTE - HOUR:
        return True
    return _due(row.usage_wide_at, WIDE_EVERY, now)


def _due(last: datetime | None, every: timedelta, now: datetime) -> bool:
    return last is None or abs(now - last) >= every


def _keep_changed(
    asking: _Asking, read: UsageRead, known_until: datetime | None, read_at: datetime | None
) -> None:
    """Keep what of a reading by the minute is not as it was at the last one."""
    store, account = asking.store, asking.account.name
    memory = unchanged.remembered(read, asking.prices, asking.now)
    before = unchanged.recall(store, account, read, read_at)
    _keep(asking, unchanged.changed(read, memory, before), known_until)
    unchanged.remember(store, account, read, memory)


def _keep(
    asking: _Asking, read: UsageRead, known_until: datetime | None, **changed: object
) -> None:
    """Keep a reading with its prices, and what follows from it, in one transaction."""
    costs = [_cost(asking, row) for row in read.rows]
    with asking.store.begin() as tx:
        row = due.load(tx, asking.account.name)
        usage.put_usage(tx, row.id, read, costs)
        spenders.note(tx, row.id, _spending(read.rows), known_until, asking.now)
        estimates.refresh(tx, row.id, row.currency, asking.now)
        if changed:
            due.update(tx, row.id, **changed)


def _cost(asking: _Asking, row: Usage) -> int | None:
    """Return what a row is estimated to cost; a price in another currency is none."""
    cost = price(asking.account.provider, row, asking.prices)
    known = cost is not None and cost.currency == asking.account.currency
    return cost.nanos if cost is not None and known else None


def _spending(rows: Iterable[Usage]) -> dict[Seen, datetime]:
    """Return the api keys and models that used anything, and when the first of it was over."""
    seen: dict[Seen, datetime] = {}
    for row in rows:
        for who in (("api_key", row.api_key), ("model", row.model)):
            seen[who] = min(seen.get(who, row.window.end), row.window.end)
    return seen


def _read_history(asking: _Asking, progress: Progress) -> None:
    """Read further back, a chunk at a time; what fails or finds no time is left for the next."""
    with asking.store.begin() as tx:
        row = due.load(tx, asking.account.name)
    today = utc_day(asking.now)
    wanted, reached = today.start - HISTORY + DAY, row.usage_from
    if reached is None or reached <= wanted:
        return
    days = HISTORY // DAY
    series = _used_lately(asking)
    progress((today.end - reached) // DAY, days, "usage")
    while reached > wanted:
        window = Window(max(reached - CHUNK, wanted), reached)
        if series:
            read = _ask(asking, window, HOUR, series)
            if _failed(read, series):
                return
            _keep(asking, read, None, usage_from=window.start)
        else:
            with asking.store.begin() as tx:
                due.update(tx, row.id, usage_from=window.start)
        reached = window.start
        progress((today.end - reached) // DAY, days, "usage")
