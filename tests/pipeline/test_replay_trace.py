from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.money import NANOS
from spendguard.core.windows import HOUR
from spendguard.pipeline.replay import TraceError, read_trace

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def read(content: str | bytes, zone: str = "UTC") -> list[tuple[datetime, int]]:
    """What a file says: each instant, and the nanos of it."""
    raw = content.encode() if isinstance(content, str) else content
    trace = read_trace(raw, "spend.csv", ZoneInfo(zone))
    return [(at, trace.until(place + 1) - trace.until(place)) for place, at in enumerate(trace.at)]


def refusal(content: str | bytes) -> list[str]:
    with pytest.raises(TraceError) as caught:
        read(content)
    assert all(problem.hint for problem in caught.value.problems)
    return [problem.message for problem in caught.value.problems]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("2026-11-20T12:00:00Z,1.25\n", id="without a heading"),
        pytest.param("timestamp,amount\n2026-11-20T12:00:00Z,1.25\n", id="with one"),
        pytest.param("Amount,Model,Timestamp\n1.25,gpt,2026-11-20T12:00:00Z\n", id="any order"),
        pytest.param("when,cost\n2026-11-20T12:00:00Z,1.25", id="other names"),
        pytest.param("\ufefftimestamp,amount\r\n2026-11-20T12:00:00Z,1.25\r\n\r\n", id="Excel"),
        pytest.param('"2026-11-20 12:00:00+00:00" , "1.25"\n', id="quoted"),
        pytest.param("2026-11-20T13:00+01:00,1.25", id="another offset"),
        pytest.param("2026-11-20t12:00:00.000000000z,1.25", id="nanoseconds"),
        pytest.param("2026-11-20 12:00:00 UTC,1.25", id="UTC"),
        pytest.param("2026-11-20 12:00:00,1.25", id="no offset"),
        pytest.param("1795176000,1.25", id="unix seconds"),
        pytest.param("1795176000.0,1.250000000000", id="with a fraction"),
        pytest.param("1795176000000,125e-2", id="milliseconds"),
    ],
)
def test_a_row_is_an_instant_and_an_amount(content: str) -> None:
    assert read(content) == [(NOON, 1_250_000_000)]


def test_a_date_and_an_instant_without_offset_are_local() -> None:
    found = read("2026-11-20,1\n2026-11-20T00:30:00,2\n", "Europe/Berlin")

    midnight = datetime(2026, 11, 20, tzinfo=BERLIN)
    half = datetime(2026, 11, 20, 0, 30, tzinfo=BERLIN)
    assert found == [(midnight, NANOS), (half, 2 * NANOS)]


HEADING = "start,end,account,project,model,api_key,line_item,amount,currency,kind\n"


def window(start: str, end: str, amount: str, currency: str = "USD") -> str:
    return f"{start},{end},,,,,,{amount},{currency},booked\n"


def test_what_spend_wrote_is_spread_over_the_hours_of_its_windows() -> None:
    hour = window("2026-11-20T12:00:00Z", "2026-11-20T13:00:00Z", "1.25")
    three = window("2026-11-20T13:00:00Z", "2026-11-20T16:00:00Z", "0.000000004")

    assert read(HEADING + hour) == [(NOON, 1_250_000_000)]
    assert read(HEADING + three + hour) == [
        (NOON, 1_250_000_000),
        *((NOON + HOUR * n, nanos) for n, nanos in ((1, 1), (2, 1), (3, 2))),
    ]


def test_another_currency_than_the_account_has_and_a_window_without_end_are_refused() -> None:
    euros = HEADING + window("2026-11-20T12:00:00Z", "2026-11-20T13:00:00Z", "1.25", "EUR")
    with pytest.raises(TraceError) as caught:
        read_trace(euros.encode(), "spend.csv", ZoneInfo("UTC"), "USD")

    assert caught.value.message == (
        "spend.csv, line 2: 'EUR' is not USD, the currency of the account"
    )
    assert read_trace(euros.encode(), "spend.csv", ZoneInfo("UTC"), "EUR").at == [NOON]
    endless = window("2026-11-20T12:00:00Z", "2199-11-20T13:00:00Z", "1")
    assert refusal(HEADING + endless) == ["spend.csv, line 2: its window is longer than a year"]


def test_rows_may_stand_in_any_order_and_those_of_one_instant_all_count() -> None:
    found = read("2026-11-21,3\n2026-11-20,1\n2026-11-21,3\n2026-11-20T12:00:00Z,0\n")

    assert [nanos // NANOS for _, nanos in found] == [1, 0, 3, 3]


def test_an_amount_is_exact_and_beyond_nine_decimals_it_is_rounded() -> None:
    found = read("2026-11-20,0.000000001\n2026-11-21,0.1234567895\n2026-11-22,1e-10\n")

    assert [nanos for _, nanos in found] == [1, 123_456_790, 0]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("2026-11-20T12:00:00Z,-1", "'-1' is less than zero"),
        ("2026-11-20T12:00:00Z,NaN", "'NaN' is not an amount"),
        ("2026-11-20T12:00:00Z,Infinity", "'Infinity' is not an amount"),
        ("2026-11-20T12:00:00Z,1_000", "'1_000' is not an amount"),
        ("2026-11-20T12:00:00Z,$1", "'$1' is not an amount"),
        ("2026-11-20T12:00:00Z,1,25", "'1,25' is not an amount"),
        ("2026-11-20T12:00:00Z,1e99", "'1e99' is too large an amount"),
        ("2026-11-20T12:00:00Z", "an empty field is not an amount"),
        (",1", "an empty field is not an instant"),
        ("2026-02-30,1", "'2026-02-30' is not an instant"),
        ("2026-11-20T25:00:00Z,1", "'2026-11-20T25:00:00Z' is not an instant"),
        ("20.11.2026,1", "'20.11.2026' is not an instant"),
        ("1e300,1", "'1e300' is not an instant"),
        ("12,1", "'12' is before the year 2000, or after 2200"),
        ("4111111111111111,1", "the text is not an instant"),
        (f"{'x' * 50}7,1", "the text is not an instant"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(line: str, why: str) -> None:
    content = f"timestamp-of-it,amount\n\n2026-11-20T12:00:00Z,1\n{line}\n"

    assert refusal(content) == [f"spend.csv, line 4: {why}"]


def test_many_such_lines_are_counted() -> None:
    messages = refusal("2026-11-20,1\n" + "2026-11-20,x\n" * 30)

    assert len(messages) == 6
    assert messages[-1] == "spend.csv: 25 more lines cannot be read"


@pytest.mark.parametrize("content", ["", "\n\n", "timestamp,amount\n", "\ufeff"])
def test_a_file_without_a_row_is_refused(content: str) -> None:
    assert refusal(content) == ["spend.csv: no row of spend is in it"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"2026-11-20,1\n\xff\xfe\n", "spend.csv is not UTF-8 text at line 2"),
        (b"PK\x03\x04\x00\x00", "spend.csv is not text: it holds zero bytes"),
    ],
)
def test_what_is_no_text_is_refused(content: bytes, why: str) -> None:
    assert refusal(content) == [why]


@given(st.binary(max_size=80) | st.text(alphabet='0123456789,-T:Z.e+"\n ').map(str.encode))
def test_nothing_but_a_refusal_comes_of_garbage(content: bytes) -> None:
    try:
        trace = read_trace(content, "spend.csv", BERLIN)
    except TraceError:
        return
    assert list(trace.at) == sorted(trace.at)
    assert list(trace.sums) == sorted(trace.sums)
