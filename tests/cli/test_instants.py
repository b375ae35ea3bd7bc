"""Instants as people type them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from spendguard.cli.instants import (
    end_of,
    read_date,
    read_instant,
    read_instant_or_ago,
    resolve,
    rfc3339,
)
from spendguard.core.errors import UsageError
from tests.cli.seeding import NOW

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        pytest.param("2026-11-20T14:00:00Z", datetime(2026, 11, 20, 14, tzinfo=UTC), id="in UTC"),
        pytest.param("2026-11-20t14:00z", datetime(2026, 11, 20, 14, tzinfo=UTC), id="small"),
        pytest.param(
            "2026-11-20 14:00:00+08:00", datetime(2026, 11, 20, 6, tzinfo=UTC), id="with an offset"
        ),
        pytest.param(
            "2026-11-20T14:00:00.25Z",
            datetime(2026, 11, 20, 14, 0, 0, 250_000, tzinfo=UTC),
            id="with a fraction",
        ),
    ],
)
def test_an_instant_is_read(text: str, instant: datetime) -> None:
    assert read_instant(text) == instant


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-11-20T14:00:00", "without an offset"),
        ("20.11.2026", "not an instant such as"),
        ("2026-02-30T00:00:00Z", "not an instant of any calendar"),
        ("2026-02-30", "not a date"),
        ("1999-12-31T23:59:59Z", "before the year 2000"),
        ("0001-01-01T00:00:00+14:00", "not an instant of any calendar"),
        ("9999-12-31", "beyond the calendar"),
        ("٢٠٢٦-11-20", "not an instant such as"),
    ],
)
def test_anything_else_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_instant(text)


def test_a_duration_counts_back_from_now() -> None:
    assert resolve(read_instant_or_ago("30d"), "--since", BERLIN, NOW) == NOW - timedelta(days=30)
    assert resolve(read_instant_or_ago("now"), "--since", BERLIN, NOW) == NOW
    with pytest.raises(ValueError, match="longer than a hundred years"):
        read_instant_or_ago("999999999999w")
    with pytest.raises(ValueError, match="or a duration such as 30d"):
        read_instant_or_ago("30 days")


def test_a_date_is_its_first_instant_in_the_zone() -> None:
    assert resolve(read_date("2026-11-20"), "--at", BERLIN, NOW) == datetime(
        2026, 11, 19, 23, tzinfo=UTC
    )


def test_the_end_of_a_date_is_the_first_instant_after_it_also_through_a_change_of_clocks() -> None:
    assert end_of(date(2026, 10, 25), BERLIN) == datetime(2026, 10, 25, 23, tzinfo=UTC)


def test_a_minute_ahead_is_let_pass_and_more_is_refused() -> None:
    soon = NOW + timedelta(seconds=60)
    assert resolve(soon, "--at", BERLIN, NOW) == soon
    with pytest.raises(UsageError, match=r"--at .* is in the future"):
        resolve(soon + timedelta(seconds=1), "--at", BERLIN, NOW)


def test_json_has_instants_in_utc() -> None:
    local = datetime(2026, 11, 20, 14, tzinfo=timezone(timedelta(hours=8)))
    assert rfc3339(local) == "2026-11-20T06:00:00Z"
