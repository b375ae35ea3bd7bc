"""A provider that is answered by a function, and the replies to answer with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import httpx

from spendguard.core.readings import Balance, SpendRead
from spendguard.core.windows import DAY, Window
from spendguard.providers import PROVIDERS
from spendguard.providers.base import Deadline, Provider

KEY = "sk-admin-canary-0123456789def"
DATA = Path(__file__).parent.parent / "data" / "providers"
FIRST = datetime(2024, 11, 1, tzinfo=UTC)  # the first day of the recorded replies
WEEK = Window(FIRST, FIRST + DAY * 7)

Reply: TypeAlias = httpx.Response | Exception
Answer: TypeAlias = Callable[[httpx.Request], Reply]


def recorded(name: str, provider: str = "openai") -> bytes:
    """Return the body of a recorded reply."""
    return (DATA / provider / f"{name}.json").read_bytes()


def always(reply: Reply) -> Answer:
    """Answer everything alike."""
    return lambda _: reply


def by_path(**replies: Reply) -> Answer:
    """Answer by the last part of the path; 404 for the rest."""

    def answer(request: httpx.Request) -> Reply:
        return replies.get(request.url.path.rpartition("/")[2], httpx.Response(404))

    return answer


def in_turn(*replies: Reply) -> Answer:
    """Answer with one reply after the other."""
    waiting: Iterator[Reply] = iter(replies)
    return lambda _: next(waiting)


def asking(
    answer: Answer,
    name: str = "openai",
    *,
    key: str = KEY,
    currency: str = "USD",
    deadline: Deadline | None = None,
) -> Provider:
    """Return a provider whose far end is a function."""

    def handle(request: httpx.Request) -> httpx.Response:
        reply = answer(request)
        if isinstance(reply, Exception):
            raise reply
        return reply

    http = httpx.Client(transport=httpx.MockTransport(handle))
    deadline = deadline or Deadline(lambda: 0.0)
    return PROVIDERS[name](http, key, base_url=None, currency=currency, deadline=deadline)


def read(provider: Provider) -> SpendRead | Balance:
    """Read what a poll stands or falls with."""
    return provider.balance() if provider.states_balance else provider.costs(WEEK)


def ok(document: Any) -> httpx.Response:
    """Return a good reply; the document is JSON already when it is bytes or text."""
    content = document if isinstance(document, str | bytes) else json.dumps(document)
    return httpx.Response(200, content=content)


def result(value: Any, **dimensions: Any) -> dict[str, Any]:
    """Return one result of a costs bucket."""
    amount = {"value": value, "currency": "usd"}
    return {"object": "organization.costs.result", "amount": amount, **dimensions}


def bucket(day: datetime, *results: Any, **fields: Any) -> dict[str, Any]:
    """Return the bucket of a UTC day."""
    start = int(day.timestamp())
    times = {"start_time": start, "end_time": start + 86_400}
    return {"object": "bucket", **times, "results": list(results), **fields}


def page(*buckets: Any, **fields: Any) -> dict[str, Any]:
    """Return a page of buckets, the last one unless told otherwise."""
    last = {"has_more": False, "next_page": None}
    return {"object": "page", "data": list(buckets), **last, **fields}
