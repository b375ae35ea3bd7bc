"""Inference: what usage tells of credit that nobody tells us about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.inference import proven_at, proven_by_hour, stopped_at, stopped_by_hour
from spendguard.core.ledger import DaySpend
from spendguard.core.money import Money
from spendguard.core.windows import DAY, utc_day

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MIDNIGHT = utc_day(NOON).start
HOUR = timedelta(hours=1)


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def spent(*amounts: str) -> list[DaySpend]:
    """The UTC days before today, oldest first, and today last; '-' is a day nobody read."""
    days = enumerate(reversed(amounts))
    return [
        DaySpend(utc_day(MIDNIGHT - DAY * back), usd(amount))
        for back, amount in days
        if amount != "-"
    ]


@pytest.mark.parametrize(
    ("exhausted_at", "days", "proven"),
    [
        pytest.param(None, spent("1", "1", "1"), None, id="never while credit is left"),
        pytest.param(MIDNIGHT - DAY, spent("1", "1"), None, id="not on the first day after"),
        pytest.param(MIDNIGHT - 2 * DAY, spent("1", "1", "1"), MIDNIGHT, id="on the second"),
        pytest.param(
            MIDNIGHT - DAY - HOUR, spent("9", "1", "1"), MIDNIGHT, id="its own day does not count"
        ),
        pytest.param(
            MIDNIGHT - 4 * DAY,
            spent("1", "1", "1", "1", "1"),
            MIDNIGHT - 2 * DAY,
            id="the second stays the second",
        ),
        pytest.param(
            MIDNIGHT - 4 * DAY, spent("0", "1", "0", "1"), MIDNIGHT, id="also after a pause"
        ),
        pytest.param(
            MIDNIGHT - 4 * DAY, spent("0", "1", "0", "0"), None, id="one day of spend is too few"
        ),
        pytest.param(
            MIDNIGHT - 4 * DAY, spent("1", "-1", "0", "0"), None, id="money given back is no spend"
        ),
        pytest.param(NOON, spent("1", "1", "1"), None, id="what was spent before proves nothing"),
    ],
)
def test_credit_is_proven(
    exhausted_at: datetime | None, days: list[DaySpend], proven: datetime | None
) -> None:
    assert proven_at(exhausted_at, days) == proven


@pytest.mark.parametrize(
    ("floor", "days", "stopped"),
    [
        pytest.param("0.49", spent("1", "0", "0", "0"), True, id="two days after the last spend"),
        pytest.param("-1.00", spent("1", "0", "0", "0"), True, id="also under zero"),
        pytest.param("0.49", spent("1", "0", "0", "0", "0"), True, id="also a day later"),
        pytest.param("0.49", spent("1", "0", "0", "0", "0", "0"), False, id="not two days later"),
        pytest.param("0.50", spent("1", "0", "0", "0"), False, id="not while 0.50 is left"),
        pytest.param("0.49", spent("1", "1", "0", "0"), False, id="not after one day"),
        pytest.param("0.49", spent("1", "0", "0", "0.01"), False, id="not when it goes on today"),
        pytest.param("0.49", spent("1", "0", "-", "0"), False, id="not when a day was not read"),
        pytest.param("0.49", spent("0", "0", "0", "0"), False, id="not where nothing was used"),
        pytest.param("0.49", spent("1", "0", "0"), False, id="today is no complete day"),
        pytest.param("0.49", spent("1", "0", "0", "-"), True, id="of today nothing need be known"),
    ],
)
def test_usage_stopped(
    floor: str,
    days: list[DaySpend],
    stopped: bool,  # noqa: FBT001
) -> None:
    assert (stopped_at(usd(floor), days, NOON) is not None) is stopped


def test_it_stopped_with_the_first_of_the_silent_days() -> None:
    assert stopped_at(usd("0"), spent("1", "0", "0", "0"), NOON) == MIDNIGHT - 2 * DAY


def test_what_was_never_read_has_not_stopped() -> None:
    assert stopped_at(usd("0"), spent("1", "0", "0", "0"), None) is None


histories = st.lists(st.sampled_from(["0", "1", "-"]), max_size=9).map(lambda days: spent(*days))


@given(histories, st.integers(0, 9))
def test_more_spend_never_takes_a_proof_back(days: list[DaySpend], back: int) -> None:
    exhausted_at = NOON - DAY * back
    more = [*days, DaySpend(utc_day(NOON + DAY), usd("1"))]
    proven, later = proven_at(exhausted_at, days), proven_at(exhausted_at, more)

    assert proven is None or (later is not None and later <= proven)


@given(histories, st.integers(0, 9), st.integers(-3, 3))
def test_what_goes_on_has_not_stopped(days: list[DaySpend], back: int, floor: int) -> None:
    read_at = NOON - DAY * back
    stopped = stopped_at(usd(str(floor)), days, read_at)

    if stopped is not None:
        assert not any(day.amount.nanos > 0 for day in days if day.day.start >= stopped)
        assert read_at - stopped >= 2 * DAY


class TestWhereUsageIsKnown:
    @pytest.mark.parametrize(
        ("used", "proven"),
        [
            ([0, 1, 5], None),
            ([0, 6], 6),
            ([6, 7, 9], 6),
            ([30], 30),
            ([], None),
        ],
    )
    def test_use_six_hours_after_exhaustion_proves_credit(
        self, used: list[int], proven: int | None
    ) -> None:
        hours = [NOON + HOUR * hour for hour in used]
        found = proven_by_hour(NOON, hours)
        assert found == (None if proven is None else NOON + HOUR * proven)
        assert proven_by_hour(None, hours) is None

    @pytest.mark.parametrize(
        ("floor", "used", "stopped"),
        [
            ("0.49", [-9, -7], -6),
            ("0.49", [-6], None),
            ("-1", [-20], -19),
            ("0.50", [-9], None),
            ("0.49", [], None),
        ],
    )
    def test_six_hours_without_use_near_zero_are_a_cut_off(
        self, floor: str, used: list[int], stopped: int | None
    ) -> None:
        found = stopped_by_hour(usd(floor), [NOON + HOUR * hour for hour in used], NOON)
        assert found == (None if stopped is None else NOON + HOUR * stopped)
        assert stopped_by_hour(usd(floor), [NOON - HOUR * 9], None) is None
