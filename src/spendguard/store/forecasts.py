"""Forecasts in the database: the last of each account, for the commands that read."""

from __future__ import annotations

import json

import sqlalchemy as sa

from spendguard.core.forecasts import Forecast
from spendguard.store.schema import forecasts


def put(tx: sa.Connection, account_id: int, forecast: Forecast) -> None:
    """Keep a forecast in the place of the account's last one."""
    text = json.dumps(forecast.stored(), separators=(",", ":"))
    told = {"made_at": forecast.made_at, "forecast": text}
    mine = forecasts.c.account_id == account_id
    if not tx.execute(sa.update(forecasts).where(mine).values(**told)).rowcount:
        tx.execute(sa.insert(forecasts).values(account_id=account_id, **told))
