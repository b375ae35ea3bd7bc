"""Column types that refuse wrong values."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_microseconds(instant: datetime) -> int:
    """Return an instant as microseconds since 1970 in UTC.

    Raises:
        ValueError: for an instant without an offset.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs an offset")
    return (instant - EPOCH) // MICROSECOND


def from_microseconds(value: int) -> datetime:
    """Return the instant that `to_microseconds` was given."""
    return EPOCH + value * MICROSECOND


def row_id(text: str) -> int | None:
    """Return the id that a person typed, None where no row can have it."""
    return int(text) if text.isdecimal() and len(text) <= 18 else None  # more fits no column


class Instant(TypeDecorator[datetime]):
    """A point in time: UTC microseconds in the column, an aware datetime outside."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        """Refuse a naive datetime."""
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        """Return an aware datetime in UTC."""
        return None if value is None else from_microseconds(value)


class Nanos(TypeDecorator[int]):
    """Billionths of a currency unit: an integer, never a float."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Any) -> int | None:
        """Refuse everything that is not an integer."""
        if value is not None and type(value) is not int:
            raise TypeError("nanos are integers")
        return value


class Packed(TypeDecorator[str]):
    """A long text, compressed in the column."""

    impl = sa.LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> bytes | None:
        """Compress the text."""
        return None if value is None else zlib.compress(value.encode())

    def process_result_value(self, value: bytes | None, dialect: Any) -> str | None:
        """Return the text."""
        return None if value is None else zlib.decompress(value).decode()
