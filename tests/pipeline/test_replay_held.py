"""Stored usage in memory answers as the database does, whatever it is asked about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest

from spendguard.core.readings import Usage, UsageRead
from spendguard.core.windows import DAY, HOUR, Window
from spendguard.pipeline.replay.held import Held
from spendguard.pipeline.replay.used import read_usage
from spendguard.pipeline.rush import OfAccount, Use
from spendguard.store import due, usage
from spendguard.store.connect import Store
from spendguard.store.history import History
from spendguard.store.usage import MINUTE, QUARTER
from tests.databases import account, opened

BEGIN = datetime(2026, 11, 20, tzinfo=UTC)
END = BEGIN + DAY * 4
UNPRICED_ONLY = BEGIN + DAY * 3
SERIES = ("completions", "moderations")
K = TypeVar("K")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "spendguard.db") as store:
        yield store


def nonzero(sums: Mapping[K, int]) -> dict[K, int]:
    return {who: nanos for who, nanos in sums.items() if nanos}


def plain(keys: Mapping[str, Mapping[int, int]]) -> dict[str, dict[int, int]]:
    return {key: dict(buckets) for key, buckets in keys.items()}


ASKED: list[Callable[[Use, Window], object]] = [
    lambda use, window: [use.first_used(window, width) for width in (MINUTE, QUARTER, HOUR)],
    lambda use, window: [plain(use.by_api_key(window, width)) for width in (MINUTE, QUARTER)],
    lambda use, window: plain(use.by_api_key(window, MINUTE, {"key_a"})),
    lambda use, window: nonzero(use.by_spender(window)),
    lambda use, window: use.dearest(window, MINUTE * 5),
    lambda use, window: use.dearest_quarter(window),
]


def used(random: Random) -> tuple[tuple[Usage, ...], list[int | None]]:
    """Usage of two keys with prices and without, and a day of which nothing has a price."""
    rows, costs = [], list[int | None]()
    for n in range(60):
        at = UNPRICED_ONLY if n == 0 else BEGIN + MINUTE * random.randrange(2880)
        key, model = random.choice(["key_a", "key_b"]), random.choice(["gpt-4o", "tts-1"])
        rows.append(Usage(Window(at, at + MINUTE), random.choice(SERIES), 1, {}, model, "web", key))
        costs.append(None if n == 0 else random.choice([None, 0, 5, 17, 100]))
    return tuple(rows), costs


def test_what_is_held_of_usage_answers_as_the_database_does(store: Store, tmp_path: Path) -> None:
    random = Random(7)  # noqa: S311  the same windows each time
    rows, costs = used(random)
    with store.begin() as tx:
        due.register(tx, [account()])
        number = due.load(tx, "main").id
        read = UsageRead(Window(BEGIN, END), MINUTE, frozenset(SERIES), rows)
        usage.put_usage(tx, number, read, costs)
        due.update(tx, number, usage_from=BEGIN, usage_read_at=END)
    with History(tmp_path / "spendguard.db") as history:
        stored = read_usage(history, number)
    assert stored is not None
    held = Held(stored, MINUTE, {})

    with store.begin() as tx:
        live = OfAccount(tx, number)
        for _ in range(40):
            start = BEGIN + timedelta(seconds=random.randrange(-40_000, 300_000))
            window = Window(start, start + timedelta(seconds=random.randrange(1, 300_000)))
            for ask in ASKED:
                assert ask(held, window) == ask(live, window)
            days = Window(BEGIN - DAY, BEGIN + DAY * random.randrange(5))
            (told, count), (expected, many) = (
                one.by_spender_and_days(days) for one in (held, live)
            )
            assert (nonzero(told), count) == (nonzero(expected), many)
