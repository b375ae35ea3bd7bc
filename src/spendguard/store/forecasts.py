"""Forecasts in the database: the last of each account, for the commands that read."""

from __future__ import annotations

import json
from array import array
from datetime import datetime
from hashlib import blake2b
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from spendguard.core.forecasts import Forecast
from spendguard.store.schema import forecasts


def put(tx: sa.Connection, account_id: int, forecast: Forecast) -> None:
    """Keep a forecast in the place of the account's last one.

    Where that says the same it stays, with the instant at which it was made: a forecast is long.
    """
    kept = _KEPT.setdefault(tx.engine, {})
    mine, says = forecasts.c.account_id == account_id, _digest(forecast)
    made_at, said = kept.get(account_id, (None, b""))
    if said == says and made_at == tx.execute(sa.select(forecasts.c.made_at).where(mine)).scalar():
        return
    text = json.dumps(forecast.stored(), separators=(",", ":"))
    told = {"made_at": forecast.made_at, "forecast": text}
    if not tx.execute(sa.update(forecasts).where(mine).values(**told)).rowcount:
        tx.execute(sa.insert(forecasts).values(account_id=account_id, **told))
    kept[account_id] = forecast.made_at, says


_KEPT: WeakKeyDictionary[sa.Engine, dict[int, tuple[datetime, bytes]]] = WeakKeyDictionary()
"""When the last forecast was made that this process wrote for an account, and what it says."""


def _digest(forecast: Forecast) -> bytes:
    """Return what tells forecasts apart, whenever they were made."""
    told = (forecast.start, forecast.currency, forecast.history, forecast.silent)
    digest = blake2b(repr(told).encode(), digest_size=16)
    for percent, line in forecast.fan.items():
        digest.update(b"%d:" % percent)
        digest.update(array("q", line).tobytes())
    return digest.digest()
