"""Foresight through the real database: what must not change what is foreseen."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spendguard.core.accounts import Recharge
from spendguard.core.charges import Strikes
from spendguard.core.forecasts import Forecast, Passage
from spendguard.core.ledger import Kind
from spendguard.core.money import NANOS, Money
from spendguard.core.outlook import next_of
from spendguard.core.readings import Spend, SpendRead
from spendguard.core.recharge import Coming
from spendguard.core.windows import DAY, Window, utc_day
from spendguard.pipeline.foresight import forecast_of, look_ahead, spent_of, unpaid
from spendguard.pipeline.known import Plan, course, know
from spendguard.store import due, ledger, readings
from spendguard.store.connect import Store, Tx
from spendguard.store.ledger import Stated
from tests.databases import account
from tests.rules.charging import card, payer

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = utc_day(NOW).start
DAYS = 30
RECHARGE = Recharge(
    enabled=True,
    trigger=Money.parse("5", "USD"),
    amount=Money.parse("10", "USD"),
    restore_to=None,
    monthly_limit=None,
    overdraft=Money.parse("2", "USD"),
)
Told = tuple[Forecast, Passage, Coming | None]


class UndoneError(Exception):
    """Ends a transaction as if it had never been."""


def book(tx: Tx, cents: list[int]) -> None:
    """Read a month of days, the last of which is today."""
    window = Window(TODAY - DAY * (DAYS - 1), TODAY + DAY)
    rows = tuple(
        Spend(Window(window.start + DAY * place, window.start + DAY * (place + 1)), _cents(one))
        for place, one in enumerate(cents)
    )
    row = due.load(tx, "main")
    readings.put_spend(tx, row.id, "USD", SpendRead(window, rows), NOW)
    due.succeeded(tx, row, NOW, timedelta(minutes=5), read_from=window.start)


def _cents(number: int) -> Money:
    return Money(number * NANOS // 100, "USD")


def state(tx: Tx, cents: int, at: datetime) -> None:
    ledger.record(tx, due.load(tx, "main").id, Stated(Kind.CHECKPOINT, _cents(cents), at), NOW)


def told(tx: Tx) -> Told:
    known = know(tx, Plan(replace(account(), recharge=RECHARGE), (), ZoneInfo("UTC")), NOW)
    told = forecast_of(known, NOW, spent_of(tx, known, NOW))
    seen = look_ahead(known, course(known, Strikes(2), NOW), told)
    assert seen.outlook is not None
    falls = seen.outlook.falls_to(RECHARGE.trigger, NOW)
    return seen.forecast, falls, next_of(RECHARGE, seen.outlook, NOW)


@given(st.lists(st.integers(0, 500), min_size=DAYS, max_size=DAYS), st.integers(0, DAYS - 3))
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_checkpoint_that_agrees_changes_no_forecast(
    store: Store, cents: list[int], ago: int
) -> None:
    with suppress(UndoneError), store.begin() as tx:
        book(tx, cents)
        state(tx, 20_000, TODAY - DAY * (DAYS - 1))
        before = told(tx)
        state(tx, 20_000 - sum(cents[: DAYS - 1 - ago]), TODAY - DAY * ago)
        assert told(tx) == before
        raise UndoneError


@pytest.mark.parametrize(("off", "sooner"), [(-5_000, True), (5_000, False)])
def test_one_that_does_not_agree_changes_when_and_not_how_much(
    store: Store,
    off: int,
    sooner: bool,  # noqa: FBT001
) -> None:
    with store.begin() as tx:
        book(tx, [500] * DAYS)
        state(tx, 20_000, TODAY - DAY * (DAYS - 1))
        (forecast, before, _) = told(tx)
        state(tx, 20_000 - 500 * (DAYS - 1) + off, TODAY)
        (again, after, _) = told(tx)
    assert again == forecast
    assert before.p50 is not None
    assert (after.p50 is not None and after.p50 < before.p50) is sooner


@pytest.mark.parametrize(("holds", "fails"), [("9.99", True), ("10.00", False), ("11.99", False)])
def test_a_charge_that_is_paid_out_of_the_margin_does_not_fail(
    holds: str,
    fails: bool,  # noqa: FBT001
) -> None:
    failing = unpaid(card(holds, payer("a", "9.00", "0.80")), "a")
    assert (failing is not None) is fails
