from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from spendguard.core.money import Money
from spendguard.core.readings import Balance, RawReply, Spend, SpendRead
from spendguard.core.windows import DAY, HOUR, Window
from spendguard.pipeline.retain import RetainOutcome, retain
from spendguard.store import balances, readings, retention
from spendguard.store.connect import Store
from spendguard.store.schema import (
    alert_events,
    alerts,
    deliveries,
    outbox,
    outbox_alerts,
    raw_replies,
    restatements,
    spend,
)
from spendguard.store.schema import balances as stated_balances

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
WINDOW = Window(NOW - DAY * 500 - DAY / 2, NOW - DAY * 499 - DAY / 2)


def replies(store: Store, main: int, *at: datetime) -> None:
    with store.begin() as tx:
        for number, instant in enumerate(at):
            reply = RawReply("/organization/costs", 200, str(number))
            readings.put_replies(tx, main, [reply], instant)


def book(store: Store, main: int, amount: str, at: datetime) -> None:
    row = Spend(WINDOW, Money.parse(amount, "USD"))
    with store.begin() as tx:
        readings.put_spend(tx, main, "USD", SpendRead(WINDOW, (row,)), at)


def message(store: Store, state: str, at: datetime) -> None:
    """A message about an alert that began and ended with it."""
    known = {"severity": "warning", "step": "", "summary": "x"}
    with store.begin() as tx:
        alert = {"rule": "blind", "subject": f"{state}{at}", "scope": "s", "state": "resolved"}
        times = {"since": at, "escalated_at": at, "ended_at": at}
        one = tx.execute(sa.insert(alerts).values(**alert, **known, **times, rank=1, details="{}"))
        event = {"alert_id": one.lastrowid, "at": at, "what": "fired"}
        tx.execute(sa.insert(alert_events).values(**event, **known))
        owed = {"channel": "ops", "topic": "t", "state": state, "items": "[]"}
        sent = tx.execute(sa.insert(outbox).values(**owed, created_at=at, due_at=at))
        link = {"outbox_id": sent.lastrowid, "alert_id": one.lastrowid}
        tx.execute(sa.insert(outbox_alerts).values(link))
        tried = {"outbox_id": sent.lastrowid, "at": at, "state": "retrying"}
        tx.execute(sa.insert(deliveries).values(tried))


def held(store: Store, table: sa.Table) -> int:
    with store.begin() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def test_raw_replies_go_after_seven_days(store: Store, main: int) -> None:
    replies(store, main, *(NOW - age for age in (DAY * 8, DAY * 7 + MOMENT, DAY * 7, DAY)))

    assert retain(store, NOW).raw_replies == 2
    assert held(store, raw_replies) == 2


def test_former_values_go_after_400_days_and_spend_never(store: Store, main: int) -> None:
    for age, amount in ((DAY * 450, "1"), (DAY * 401, "2"), (DAY * 399, "3")):
        book(store, main, amount, NOW - age)

    assert retain(store, NOW).restatements == 1
    assert held(store, restatements) == 1
    assert held(store, spend) == 1


def test_messages_go_after_400_days_unless_they_are_owed(store: Store) -> None:
    for state in ("delivered", "given_up", "folded", "owed"):
        for age in (DAY * 401, DAY * 399):
            message(store, state, NOW - age)

    outcome = retain(store, NOW)

    assert (outcome.messages, outcome.events) == (3, 4)
    assert [held(store, one) for one in (outbox, outbox_alerts, deliveries)] == [5, 5, 5]
    assert held(store, alerts) == 8


def test_of_stated_balances_the_last_of_each_day_stays_after_62_days(
    store: Store, main: int
) -> None:
    day = datetime(2026, 9, 1, tzinfo=UTC)
    stated = [*(day + HOUR * n for n in (0, 1, 23)), day + DAY, NOW - DAY * 3, NOW - DAY * 3 + HOUR]
    for number, at in enumerate(stated):
        with store.begin() as tx:
            balances.put(tx, main, Balance(Money(number, "USD")), at)

    assert retain(store, NOW).balances == 2
    with store.begin() as tx:
        kept = list(tx.execute(sa.select(stated_balances.c.nanos)).scalars())
    assert kept == [2, 3, 4, 5]


def test_once_is_enough(store: Store, main: int) -> None:
    replies(store, main, NOW - DAY * 8)
    retain(store, NOW)

    assert retain(store, NOW) == RetainOutcome(0, 0, 0, 0, 0)


def test_many_rows_go_in_batches(store: Store, main: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spendguard.store.retention.BATCH", 2)
    replies(store, main, *[NOW - DAY * 8] * 5)

    assert retention.drop_replies(store, NOW) == 5
