"""Aims 9 and 10: the processor time of a poll, from the request to the rows on the disk.

The far end is a process of its own, so that only our side of the wire is measured, and this process
makes one poll after the other. A reply has 310 rows, and tells more of its last day each time.
"""

from __future__ import annotations

import asyncio
import http.client
import sqlite3
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from itertools import count
from typing import Any

import httpx
import msgspec
import trustme

from benchmarks.costs_end import DAYS
from benchmarks.frame import BUILD, Figure, Line, Scale
from benchmarks.peers import MissingError
from benchmarks.writing import empty
from spendguard.core.nanos import NANOS
from spendguard.core.windows import DAY, Window
from spendguard.providers.base import Deadline, client
from spendguard.providers.openai import OpenAI
from spendguard.store import readings
from spendguard.store.connect import Store

START = datetime(2026, 1, 1, tzinfo=UTC)
WINDOW = Window(START, START + DAY * DAYS)
NOW = WINDOW.end
KEY = "sk-admin-benchmark"
PATH = "/v1/organization/costs"
TOGETHER = AN_HOUR = 12
"""How many polls are measured as one: those of an hour."""

_DIMENSION = """
INSERT INTO dimensions (id, account_id, project, api_key, line_item, model)
VALUES (?, 1, ?, ?, ?, '') ON CONFLICT DO NOTHING
"""
_SPEND = """
INSERT INTO spend (account_id, day, dimension_id, currency, nanos) VALUES (1, ?, ?, 'USD', ?)
ON CONFLICT (account_id, day, dimension_id, currency) DO UPDATE SET nanos = excluded.nanos
"""
_DAYS = """
INSERT INTO spend_days (account_id, day, currency, nanos, first_read_at) VALUES (1, ?, 'USD', ?, 0)
ON CONFLICT (account_id, day, currency) DO UPDATE SET nanos = excluded.nanos
"""
Batch = Callable[[], None]


class _Amount(msgspec.Struct):
    value: Decimal


class _Result(msgspec.Struct):
    amount: _Amount
    project_id: str
    api_key_id: str
    line_item: str


class _Bucket(msgspec.Struct):
    start_time: int
    results: list[_Result]


class _Page(msgspec.Struct):
    data: list[_Bucket]


def lines(scale: Scale) -> Iterator[Line]:
    """Measure aims 9 and 10."""
    with _far_end() as port, ExitStack() as stack:
        url, context = f"http://127.0.0.1:{port}", ssl.create_default_context()
        ours = stack.enter_context(_ours(url, context))
        bare = stack.enter_context(_bare(url))
        line = Line(
            "9", "a poll kept alive: fetch, parse, store; 310 rows", "a bare GET by httpx", 2.5
        )
        yield replace(line, figure=_compared(ours, bare, scale.runs))
    authority = trustme.CA()
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with _far_end(authority) as port, ExitStack() as stack:
        url = f"https://127.0.0.1:{port}"
        ours = stack.enter_context(_ours(url, context))
        line = Line("10", "accounts a minute and core, each with a new TLS", "", at_least=True)
        for peer, told, bound in (
            (_aiohttp, "aiohttp, msgspec, sqlite3", 0.45),
            (_plain, "http.client, msgspec, sqlite3", None),
        ):
            line = replace(line, against=told, bound=bound)
            try:
                other = stack.enter_context(peer(url, context))
            except MissingError as error:
                yield replace(line, note=str(error))
            else:
                yield _counted(line, _compared(ours, other, scale.runs))


def _counted(line: Line, figure: Figure) -> Line:
    """Return the line with how fast ours is, and how many accounts that makes."""
    accounts = 60_000 / figure.milliseconds
    faster = replace(figure, ratio=1 / figure.ratio)
    return replace(line, figure=faster, note=f"{accounts:.0f} accounts a minute and core")


def _compared(ours: Batch, other: Batch, runs: int) -> Figure:
    """Compare the processor time of batches in turn; the milliseconds are those of one of ours."""
    ours()
    other()
    pairs = [(_spent(ours), _spent(other)) for _ in range(runs)]
    mine = statistics.median(a for a, _ in pairs)
    return Figure(statistics.median(a / b for a, b in pairs), milliseconds=mine / TOGETHER * 1000)


def _spent(batch: Batch) -> float:
    start = time.process_time()
    batch()
    return time.process_time() - start


def _together(poll: Callable[[], object]) -> Batch:
    def batch() -> None:
        for _ in range(TOGETHER):
            poll()

    return batch


@contextmanager
def _far_end(authority: trustme.CA | None = None) -> Iterator[int]:
    """Yield the port of a far end, with TLS of an authority or without."""
    command = [sys.executable, "-m", "benchmarks.costs_end", str(int(START.timestamp()))]
    if authority is not None:
        certificate = BUILD / "polling.pem"
        certificate.parent.mkdir(parents=True, exist_ok=True)
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
            str(certificate)
        )
        command.append(str(certificate))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        told = process.stdout
        try:
            yield int(told.readline()) if told else 0
        finally:
            process.terminate()


@contextmanager
def _ours(url: str, context: ssl.SSLContext) -> Iterator[Batch]:
    with empty("ours") as store, client(None, context) as web:
        turns = count()
        yield _together(lambda: _poll(store, web, url, next(turns)))


def _poll(store: Store, web: httpx.Client, url: str, turn: int) -> None:
    """Make one of the polls of an hour; the first keeps a copy of its reply."""
    provider = OpenAI(web, KEY, base_url=f"{url}/v1", currency="USD", deadline=Deadline())
    read = provider.costs(WINDOW, ended=True)
    provider.replies({PATH.removeprefix("/v1")} if turn % AN_HOUR else ())
    with store.begin() as tx:
        readings.put_spend(tx, 1, "USD", read, NOW)


@contextmanager
def _bare(url: str) -> Iterator[Batch]:
    with httpx.Client() as web:
        yield _together(lambda: web.get(url + PATH))


@contextmanager
def _aiohttp(url: str, context: ssl.SSLContext) -> Iterator[Batch]:
    try:
        aiohttp: Any = import_module("aiohttp")
    except ImportError:
        raise MissingError("aiohttp is not installed: pip install aiohttp") from None

    async def poll(session: Any) -> bytes:
        async with session.get(url + PATH, ssl=context) as reply:
            body: bytes = await reply.read()
            return body

    async def batch() -> None:
        async with aiohttp.ClientSession() as session:
            for body in asyncio.as_completed([poll(session) for _ in range(TOGETHER)]):
                keep(await body)

    with _raw() as keep, asyncio.Runner() as runner:
        yield lambda: runner.run(batch())


@contextmanager
def _plain(url: str, context: ssl.SSLContext) -> Iterator[Batch]:
    port = int(url.rpartition(":")[2])

    def poll() -> None:
        with closing(http.client.HTTPSConnection("127.0.0.1", port, context=context)) as web:
            web.request("GET", PATH)
            keep(web.getresponse().read())

    with _raw() as keep:
        yield _together(poll)


@contextmanager
def _raw() -> Iterator[Callable[[bytes], None]]:
    """Yield what decodes a page and writes each of its rows, with nothing but msgspec and sqlite3."""
    decode, ids = msgspec.json.Decoder(_Page).decode, _Numbers()
    with empty("other") as store, closing(_connection(store)) as connection:

        def keep(body: bytes) -> None:
            parts, days = [], dict[int, int]()
            for bucket in decode(body).data:
                day = bucket.start_time * 1_000_000
                for row in bucket.results:
                    nanos = int(row.amount.value * NANOS)
                    who = (row.project_id, row.api_key_id, row.line_item)
                    parts.append((day, ids[who], nanos))
                    days[day] = days.get(day, 0) + nanos
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_DIMENSION, [(one, *who) for who, one in ids.items()])
            connection.executemany(_SPEND, parts)
            connection.executemany(_DAYS, [*days.items()])
            connection.execute("COMMIT")

        yield keep


class _Numbers(dict[tuple[str, str, str], int]):
    """Dimensions, numbered as they come."""

    def __missing__(self, who: tuple[str, str, str]) -> int:
        self[who] = len(self) + 1
        return self[who]


def _connection(store: Store) -> sqlite3.Connection:
    connection = sqlite3.connect(str(store.path), isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection
