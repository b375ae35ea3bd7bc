"""Used: what the database holds of an account's usage, bucket by bucket, and who is new in it.

Nobody noted when an hour was read: it counts from its end on, as for a guard that reads at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from spendguard.core.estimates import TOOLS, Spender
from spendguard.core.windows import DAY, HOUR, Window, utc_day
from spendguard.store.estimates import Settled
from spendguard.store.history import History, maybe_instant, to_instant
from spendguard.store.spenders import Newcomer
from spendguard.store.types import EPOCH
from spendguard.store.usage import MINUTE, QUARTER, Used

Buckets = Mapping[datetime, Mapping[Spender, int]]
Requests = Mapping[str, tuple[int, int]]
"""By model, all requests and those of them without a price."""


@dataclass(frozen=True, slots=True)
class StoredUsage:
    """What was used of an account, every hour of a window.

    `hours` and what is finer tell it by model, `billed` by what it is billed on: a model or a tool.
    """

    window: Window
    hours: Buckets
    quarters: Buckets
    minutes: Buckets
    billed: Buckets
    totals: tuple[Used, ...]
    requests: Mapping[datetime, Requests]  # by hour; empty where everything has a price
    newcomers: tuple[Newcomer, ...]
    settled: tuple[Settled, ...]
    before: Mapping[datetime, int]  # of the day of a checkpoint, where that was kept

    @property
    def finer(self) -> tuple[tuple[timedelta, Buckets], ...]:
        """What there is below an hour, the finest first."""
        return (MINUTE, self.minutes), (QUARTER, self.quarters)

    def by_hour(self, day: datetime) -> tuple[int, ...]:
        """Return what each hour of a UTC day is estimated to cost; nothing where none is."""
        told = [sum(self.billed.get(day + HOUR * n, {}).values()) for n in range(DAY // HOUR)]
        return tuple(max(nanos, 0) for nanos in told) if any(told) else ()

    def asked(self, since: datetime, now: datetime) -> dict[str, tuple[int, int]]:
        """Return the requests by model of the hours that are over, from a UTC day on."""
        counted: dict[str, tuple[int, int]] = {}
        start = max(utc_day(since).start, self.window.start)
        while self.requests and start + HOUR <= now:
            for model, (requests, unpriced) in self.requests.get(start, {}).items():
                known = counted.get(model, (0, 0))
                counted[model] = (known[0] + requests, known[1] + unpriced)
            start += HOUR
        return counted


def read_usage(history: History, account: int) -> StoredUsage | None:
    """Return what is stored of an account's usage, None where it was never read."""
    asked = {"account": account}
    (read,) = history.ask("usage_read", **asked)
    since, until = maybe_instant(read["usage_from"]), maybe_instant(read["usage_read_at"])
    if since is None or until is None:
        return None
    users = history.ask("users", **asked)
    models = {one["id"]: (one["project"], one["api_key"], one["model"]) for one in users}
    tools = {
        one["id"]: (one["project"], one["api_key"], one["series"])
        for one in users
        if one["series"] in TOOLS
    }
    rows = history.ask("hours_used", **asked)
    hours = _buckets(rows, HOUR, models)
    return StoredUsage(
        window=Window(since, max(since, until)),
        hours=hours,
        quarters=_buckets(history.ask("quarters_used", **asked), QUARTER, models),
        minutes=_buckets(history.ask("minutes_used", **asked), MINUTE, models),
        billed=_buckets(rows, HOUR, models | tools) if tools else hours,
        totals=_totals(rows),
        requests=_requests(rows, models),
        newcomers=tuple(
            Newcomer(one["kind"], one["provider_id"], to_instant(one["first_seen_at"]))
            for one in history.ask("newcomers", **asked)
        ),
        settled=tuple(
            Settled(to_instant(one["day"]), one["estimated"], one["booked"])
            for one in history.ask("settled_days", **asked)
        ),
        before={
            to_instant(one["at"]): one["day_nanos"] - one["after_nanos"]
            for one in history.ask("checkpoint_splits", **asked)
        },
    )


def _buckets(rows: Sequence[Any], width: timedelta, whom: Mapping[int, Spender]) -> Buckets:
    """Return what has a price, by who used it."""
    found: dict[datetime, dict[Spender, int]] = {}
    for place, together in groupby(rows, lambda row: row["place"]):
        told: dict[Spender, int] = {}
        for row in together:
            if row["nanos"] is not None:
                who = whom[row["dimension_id"]]
                told[who] = told.get(who, 0) + row["nanos"]
        found[EPOCH + width * place] = told
    return found


def _totals(rows: Sequence[Any]) -> tuple[Used, ...]:
    """Return the hours in which anything was used."""
    found = []
    for place, together in groupby(rows, lambda row: row["place"]):
        told = [*together]
        nanos = sum(row["nanos"] or 0 for row in told)
        requests, unpriced = (sum(row[name] for row in told) for name in ("requests", "unpriced"))
        found.append(Used(EPOCH + HOUR * place, nanos, requests, unpriced))
    return tuple(found)


def _requests(rows: Sequence[Any], models: Mapping[int, Spender]) -> Mapping[datetime, Requests]:
    if not any(row["unpriced"] for row in rows):
        return {}
    found: dict[datetime, dict[str, tuple[int, int]]] = {}
    for row in rows:
        told = found.setdefault(EPOCH + HOUR * row["place"], {})
        model = models[row["dimension_id"]][2]
        known = told.get(model, (0, 0))
        told[model] = (known[0] + row["requests"], known[1] + row["unpriced"])
    return found
