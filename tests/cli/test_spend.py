"""spend: exact rows, divided days, and never a figure that nobody read."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from spendguard.cli.reading import Source
from spendguard.cli.spend import Question, answer
from spendguard.core.windows import Window
from spendguard.store import schema
from spendguard.store.history import History
from tests.cli.conftest import Run
from tests.cli.seeding import DAY, DOLLAR, HOUR, NOW, TODAY, Seed

BLANK = {"account": None, "project": None, "model": None, "api_key": None, "line_item": None}


@pytest.fixture
def spent(seed: Seed) -> Seed:
    """Forty days of two dollars and a nano, half a dollar today."""
    seed.empty().configured("main").read()
    seed.spent(TODAY, DOLLAR // 2)
    for back in range(1, 41):
        seed.spent(TODAY - back * DAY, 2 * DOLLAR + 1)
    return seed


def amounts(run: Run, *arguments: str) -> list[str]:
    """Return the amounts of the rows, as JSON has them."""
    return [row["amount"] for row in run("spend", "--json", *arguments).json["rows"]]


@pytest.mark.usefixtures("spent")
def test_by_default_it_is_the_last_thirty_days_with_today(run: Run) -> None:
    rows = run("spend", "--json").json["rows"]

    assert len(rows) == 30
    assert rows[0] == {
        "window": {"start": "2026-10-25T00:00:00Z", "end": "2026-10-26T00:00:00Z"},
        **BLANK,
        "amount": "2.000000001",
        "currency": "USD",
        "kind": "booked",
    }
    assert rows[-1]["window"] == {"start": "2026-11-23T00:00:00Z", "end": "2026-11-23T12:00:00Z"}
    assert rows[-1]["amount"] == "0.50"


@pytest.mark.usefixtures("spent")
def test_a_day_at_the_edge_is_divided_evenly_to_the_nano(run: Run) -> None:
    halves = [
        amounts(run, "--by", "month", "--since", start, "--until", end)
        for start, end in (
            ("2026-11-20", "2026-11-20T08:00:00Z"),
            ("2026-11-20T08:00:00Z", "2026-11-21"),
        )
    ]

    assert halves == [["0.666666667"], ["1.333333334"]]


@pytest.mark.usefixtures("spent")
def test_today_is_not_over_and_its_cost_lies_before_now(run: Run) -> None:
    hours = amounts(run, "--since", "3h", "--by", "hour")
    assert hours == ["0.041666666", "0.041666667", "0.041666667"]
    assert amounts(run, "--since", "2026-11-23", "--by", "month") == ["0.50"]


@pytest.mark.usefixtures("spent")
def test_calendars_and_dimensions_agree_on_a_window_with_two_edges(run: Run) -> None:
    window = ("--since", "2026-11-01T06:00:00Z", "--until", "2026-11-23T06:00:00Z")
    assert amounts(run, "--by", "account", *window) == ["43.750000022"]
    assert amounts(run, "--by", "month", *window) == ["43.750000022"]


@pytest.mark.usefixtures("spent")
@pytest.mark.parametrize(
    ("by", "starts"),
    [
        ("week", ["2026-11-14T00:00:00Z", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"]),
        ("month", ["2026-11-14T00:00:00Z"]),
    ],
)
def test_windows_are_clipped_to_what_is_asked(run: Run, by: str, starts: list[str]) -> None:
    rows = run("spend", "--json", "--by", by, "--since", "2026-11-14").json["rows"]
    assert [row["window"]["start"] for row in rows] == starts


def test_what_was_never_read_is_no_row(run: Run, seed: Seed) -> None:
    seed.empty().configured("main").read().spent(TODAY - DAY, 3 * DOLLAR)

    rows = run("spend", "--json", "--by", "month").json["rows"]

    assert [row["window"]["start"] for row in rows] == ["2026-11-22T00:00:00Z"]
    assert amounts(run, "--since", "2026-11-10", "--until", "2026-11-20") == []
    early = run("spend", "--since", "2026-11-10", "--until", "2026-11-20")
    assert (early.code, "no cost was read" in early.out) == (0, True)


def test_a_day_that_cost_nothing_is_a_row_and_a_key_that_cost_nothing_is_not(
    run: Run, seed: Seed
) -> None:
    seed.empty().configured("main").read().spent(TODAY, 0).spent_by(TODAY, 0, api_key="key_1")

    assert amounts(run) == ["0.00"]
    assert amounts(run, "--by", "key") == []
    assert run("spend").out.startswith("nothing was spent from 2026-10-25 00:00")


@pytest.mark.parametrize(
    ("by", "name"),
    [("project", "project"), ("model", "model"), ("key", "api_key"), ("line-item", "line_item")],
)
def test_dimensions_come_dearest_first_and_the_untold_is_null(
    run: Run, spent: Seed, by: str, name: str
) -> None:
    spent.spent_by(TODAY, DOLLAR, **{name: "one"}).spent_by(
        TODAY - DAY, 3 * DOLLAR, **{name: "two"}
    )
    spent.spent_by(TODAY, 2 * DOLLAR).spent_by(TODAY - 90 * DAY, DOLLAR, **{name: "old"})

    rows = run("spend", "--json", "--by", by).json["rows"]

    assert [(row[name], row["amount"]) for row in rows] == [
        ("two", "3.00"),
        (None, "2.00"),
        ("one", "1.00"),
    ]
    assert all(row[other] is None for row in rows for other in BLANK if other != name)


def test_edges_of_a_dimension_are_divided_too(run: Run, spent: Seed) -> None:
    spent.spent_by(TODAY - DAY, 3 * DOLLAR, model="m").spent_by(TODAY, DOLLAR, model="n")

    window = ("--by", "model", "--since", "2026-11-22T16:00:00Z", "--until", "2026-11-23T06:00:00Z")
    assert amounts(run, *window) == ["1.00", "0.50"]
    assert amounts(run, "--by", "model", "--since", "2026-11-22T08:00:00Z", "--until", "1d") == [
        "0.50"
    ]


def test_currencies_are_never_added(run: Run, seed: Seed) -> None:
    seed.empty().configured("main").read()
    seed.spent(TODAY, DOLLAR).spent(TODAY, 7 * DOLLAR, currency="CNY")

    rows = run("spend", "--json").json["rows"]
    assert [(row["amount"], row["currency"]) for row in rows] == [("7.00", "CNY"), ("1.00", "USD")]
    assert "total 7.00 CNY" in run("spend").out
    assert "total 1.00 USD" in run("spend").out


def test_only_one_account_is_told_when_it_is_named(run: Run, seed: Seed) -> None:
    seed.empty().configured("main", "spare").read()
    seed.spent(TODAY, DOLLAR).spent(TODAY, 5 * DOLLAR, account=2)

    assert amounts(run) == ["6.00"]
    assert amounts(run, "--account", "spare") == ["5.00"]
    rows = run("spend", "--by", "account", "--json").json["rows"]
    assert [(row["account"], row["amount"]) for row in rows] == [
        ("spare", "5.00"),
        ("main", "1.00"),
    ]
    ran = run("spend", "--account", "spar")
    assert (ran.code, "did you mean 'spare'?" in ran.err) == (1, True)


def test_tables_round_up_name_keys_and_say_how_old_they_are(run: Run, spent: Seed) -> None:
    spent.spent_by(TODAY, DOLLAR + 1, api_key="key_1")
    name = {"account_id": 1, "kind": "api_key", "provider_id": "key_1", "name": "robot"}
    spent.insert(schema.names, {**name, "active": True})

    assert run("spend", "--by", "key").out.splitlines() == [
        "key            amount",
        "robot (key_1)    1.01  USD",
        "",
        "total 1.01 USD, from 2026-10-25 00:00 to 2026-11-23 12:00 (UTC)",
        "booked by the provider, read 2 h ago",
    ]


@pytest.mark.usefixtures("spent")
def test_csv_is_exact(run: Run) -> None:
    ran = run("spend", "--csv", "--since", "2026-11-22")

    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert [row["amount"] for row in rows] == ["2.000000001", "0.50"]
    assert rows[0] == {
        "start": "2026-11-22T00:00:00Z",
        "end": "2026-11-23T00:00:00Z",
        **dict.fromkeys(BLANK, ""),
        "amount": "2.000000001",
        "currency": "USD",
        "kind": "booked",
    }


def test_a_zone_moves_the_edges_of_days(run: Run, spent: Seed) -> None:
    text = spent.config.read_text().replace("UTC", "Asia/Shanghai")
    spent.config.write_text(text)

    rows = run("spend", "--json", "--since", "2026-11-21", "--until", "2026-11-22").json["rows"]

    assert rows[0]["window"] == {"start": "2026-11-20T16:00:00Z", "end": "2026-11-21T16:00:00Z"}
    assert rows[0]["amount"] == "2.000000001"


def test_hours_of_a_day_of_25_hours_add_up(run: Run, seed: Seed) -> None:
    seed.config.write_text(seed.config.read_text().replace("UTC", "Europe/Berlin"))
    seed.empty().configured("main").read()
    for back in range(20, 40):
        seed.spent(TODAY - back * DAY, DOLLAR + 7)

    hours = run("spend", "--json", "--by", "hour", "--since", "2026-10-25", "--until", "2026-10-26")
    day = run("spend", "--json", "--since", "2026-10-25", "--until", "2026-10-26")

    assert len(hours.json["rows"]) == 25
    nanos = sum(round(float(row["amount"]) * DOLLAR) for row in hours.json["rows"])
    assert nanos == round(float(day.json["rows"][0]["amount"]) * DOLLAR)


ROLLED_UP = ("day", "week", "month", "hour", "account")
MINUTES = st.integers(min_value=0, max_value=60 * 24 * 45)


@given(since=MINUTES, middle=MINUTES, until=MINUTES, by=st.sampled_from(ROLLED_UP))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_a_window_cut_in_two_costs_what_the_whole_does(
    spent: Seed, since: int, middle: int, until: int, by: str
) -> None:
    first, cut, last = (
        NOW - timedelta(minutes=back) for back in sorted((since, middle, until))[::-1]
    )
    assume(first < cut < last)

    def total(start: datetime, end: datetime) -> int:
        rows = answer(asked, Question(None, Window(start, end), by))
        return sum(row.amount.nanos for row in rows)

    with History(spent.database) as opened:
        asked = Source(opened, ZoneInfo("Asia/Kathmandu"), NOW)
        assert total(first, cut) + total(cut, last) == total(first, last)


@pytest.mark.usefixtures("spent")
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--json", "--csv"], "--json and --csv are two forms"),
        (["--since", "1d", "--until", "2d"], "--since is not before --until"),
        (["--until", "2027-01-01"], "--until 2027-01-01T00:00:00+00:00 is in the future"),
    ],
)
def test_what_cannot_be_asked(run: Run, arguments: list[str], error: str) -> None:
    ran = run("spend", *arguments)
    assert (ran.code, ran.err.splitlines()[0]) == (64, f"error: {error}")


def test_before_anything_was_read_it_says_so(run: Run, seed: Seed) -> None:
    seed.empty().configured("main")

    ran = run("spend")
    assert (ran.code, ran.out) == (
        0,
        "nothing has been read yet\nread the accounts: spendguard check\n",
    )


@pytest.mark.usefixtures("spent")
def test_an_instant_just_after_midnight_is_no_trouble(run: Run) -> None:
    for at in (TODAY, TODAY + timedelta(microseconds=1), TODAY + HOUR):
        rows = run("spend", "--json", "--by", "day", at=at).json["rows"]
        assert rows[-1]["amount"] in {"0.50", "2.000000001"}
