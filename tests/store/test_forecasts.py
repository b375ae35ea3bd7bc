"""Forecasts in the database: the last one, written again only where it says something else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import sqlalchemy as sa

from spendguard.core.forecasts import HOURS, LEVELS, Forecast
from spendguard.core.windows import HOUR
from spendguard.store.connect import Store
from spendguard.store.forecasts import put
from spendguard.store.schema import forecasts

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TOLD = Forecast(NOW, NOW - HOUR, "USD", None, {level: range(HOURS) for level in LEVELS})


def kept(store: Store, account: int, told: Forecast) -> Forecast:
    with store.begin() as tx:
        put(tx, account, told)
        rows = tx.execute(sa.select(forecasts).where(forecasts.c.account_id == account)).all()
    (row,) = rows
    assert row.made_at == datetime.fromisoformat(json.loads(row.forecast)["made_at"])
    return Forecast.restored(json.loads(row.forecast))


def said(told: Forecast) -> Forecast:
    return replace(told, fan={percent: list(line) for percent, line in told.fan.items()})


def test_what_says_the_same_stays_with_the_instant_at_which_it_was_made(
    store: Store, main: int
) -> None:
    assert said(kept(store, main, TOLD)) == said(TOLD)
    later = replace(TOLD, made_at=NOW + HOUR)
    assert said(kept(store, main, later)) == said(TOLD)


def test_what_says_something_else_takes_its_place(store: Store, main: int) -> None:
    kept(store, main, TOLD)
    for other in (
        replace(TOLD, start=NOW, made_at=NOW + HOUR),
        replace(TOLD, fan={**TOLD.fan, 5: range(1, HOURS + 1)}, made_at=NOW + HOUR * 2),
        replace(TOLD, fan={}, silent="idle", made_at=NOW + HOUR * 3),
    ):
        assert said(kept(store, main, other)) == said(other)


def test_what_another_process_wrote_meanwhile_does_not_stay(store: Store, main: int) -> None:
    kept(store, main, TOLD)
    with store.begin() as tx:
        tx.execute(sa.update(forecasts).values(made_at=NOW + HOUR, forecast="{}"))
    later = replace(TOLD, made_at=NOW + HOUR * 2)
    assert said(kept(store, main, later)) == said(later)


def test_a_write_that_was_undone_is_made_again(store: Store, main: int) -> None:
    kept(store, main, TOLD)
    other = replace(TOLD, start=NOW, made_at=NOW + HOUR)
    with store.begin() as tx:
        put(tx, main, other)
        tx.rollback()
    assert said(kept(store, main, other)) == said(other)
