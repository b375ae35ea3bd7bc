from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import StatementError

from spendguard.core.money import MOST
from spendguard.store.connect import Store
from spendguard.store.schema import spend_days
from spendguard.store.types import Nanos, from_microseconds, to_microseconds

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)


def row(account_id: int, **changed: Any) -> dict[str, Any]:
    known = {"account_id": account_id, "day": NOW, "currency": "USD", "nanos": 1}
    return known | {"first_read_at": NOW} | changed


@given(st.datetimes(timezones=st.timezones()))
def test_an_instant_survives_to_the_microsecond(instant: datetime) -> None:
    assert from_microseconds(to_microseconds(instant)) == instant.astimezone(UTC)


def test_an_instant_comes_back_in_utc(store: Store, main: int) -> None:
    there = NOW.astimezone(timezone(timedelta(hours=5, minutes=45)))
    with store.begin() as tx:
        tx.execute(sa.insert(spend_days).values(row(main, day=there)))
        held = tx.execute(sa.select(spend_days.c.day)).scalar_one()

    assert (held, held.utcoffset()) == (NOW, timedelta(0))


def test_an_instant_without_an_offset_is_refused(store: Store, main: int) -> None:
    with pytest.raises(StatementError, match="needs an offset"), store.begin() as tx:
        tx.execute(sa.insert(spend_days).values(row(main, day=NOW.replace(tzinfo=None))))

    with pytest.raises(ValueError, match="needs an offset"):
        to_microseconds(NOW.replace(tzinfo=None))


@pytest.mark.parametrize("nanos", [1.0, 1e9, "1", True])
def test_nanos_that_are_no_integer_are_refused(store: Store, main: int, nanos: object) -> None:
    with pytest.raises(StatementError, match="nanos are integers"), store.begin() as tx:
        tx.execute(sa.insert(spend_days).values(row(main, nanos=nanos)))


@pytest.mark.parametrize("nanos", [0, -1, MOST, -MOST])
def test_nanos_survive_as_they_are(store: Store, main: int, nanos: int) -> None:
    with store.begin() as tx:
        tx.execute(sa.insert(spend_days).values(row(main, nanos=nanos)))
        assert tx.execute(sa.select(spend_days.c.nanos)).scalar_one() == nanos


def test_nothing_is_nothing() -> None:
    assert Nanos().process_bind_param(None, None) is None
