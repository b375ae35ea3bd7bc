from __future__ import annotations

from datetime import timedelta

import pytest

from spendguard.core.alerts import Alert, Level
from spendguard.core.errors import ErrorKind, ProviderError
from spendguard.core.findings import Severity
from spendguard.pipeline.seen import every_account_seen
from spendguard.store import alerts, due
from spendguard.store.connect import Store
from tests.databases import account
from tests.pipeline.conftest import NOW

MINUTE = timedelta(minutes=1)
MAIN = account()


def seen(store: Store) -> bool:
    with store.begin() as tx:
        return every_account_seen(tx, [MAIN], NOW)


def read(store: Store, ago: timedelta = MINUTE) -> None:
    with store.begin() as tx:
        due.succeeded(tx, due.load(tx, "main"), NOW - ago, MAIN.poll_interval)


def fail(store: Store) -> None:
    with store.begin() as tx:
        error = ProviderError(ErrorKind.UNAVAILABLE, "no answer")
        due.failed(tx, due.load(tx, "main"), NOW, MAIN.poll_interval, error)


def blind(store: Store, *, pending: bool = False) -> None:
    level = Level(Severity.WARNING, 1)
    fired_at = None if pending else NOW
    alert = Alert("blind", "main", level, "failing", NOW, NOW, fired_at=fired_at)
    with store.begin() as tx:
        alerts.insert(tx, "account:main", "main", alert, "no answer")


def test_an_account_is_not_seen_before_it_was_read(store: Store) -> None:
    assert not seen(store)
    read(store)
    assert seen(store)


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        pytest.param(12 * MINUTE, True, id="two intervals and a little"),
        pytest.param(13 * MINUTE, False, id="longer ago"),
        pytest.param(-MINUTE, True, id="a clock that was corrected"),
    ],
)
def test_an_account_is_seen_for_a_while(store: Store, ago: timedelta, *, expected: bool) -> None:
    read(store, ago)
    assert seen(store) is expected


def test_an_account_that_fails_is_seen_by_nobody_until_it_is_called_blind(store: Store) -> None:
    read(store)
    fail(store)
    assert not seen(store)
    blind(store)
    assert seen(store)


def test_who_is_not_called_blind_yet_is_not_known(store: Store) -> None:
    fail(store)
    blind(store, pending=True)
    assert not seen(store)
