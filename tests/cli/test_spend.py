"""spend: exact rows, divided days, and never a figure that nobody read."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from spendguard.cli.spend_table import BAR, bar
from spendguard.core.windows import Window
from spendguard.store import schema
from spendguard.store.history import History
from spendguard.store.spending import COLUMNS, Question, Spending, totals
from tests.cli.conftest import Run
from tests.cli.seeding import DAY, DOLLAR, HOUR, NOW, TODAY, Seed

BLANK = {"account": None, "project": None, "model": None, "api_key": None, "line_item": None}


@pytest.fixture
def spent(seed: Seed) -> Seed:
    """Forty days of two dollars and a nano, half a dollar today."""
    seed.empty().configured("main").read()
    with seed.at_once():
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
@pytest.mark.parametrize(
    ("arguments", "first", "last"),
    [
        pytest.param(["--days", "1"], "2026-11-23", "2026-11-23", id="today"),
        pytest.param(["--days", "7"], "2026-11-17", "2026-11-23", id="a week with today"),
        pytest.param(
            ["--days", "2", "--until", "2026-11-20"], "2026-11-18", "2026-11-19", id="until a date"
        ),
    ],
)
def test_as_many_days_as_are_asked_for(
    run: Run, arguments: list[str], first: str, last: str
) -> None:
    rows = run("spend", "--json", *arguments).json["rows"]

    assert rows[0]["window"]["start"] == f"{first}T00:00:00Z"
    assert rows[-1]["window"]["start"] == f"{last}T00:00:00Z"


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
    seed.empty().configured("main").read().spent(TODAY, 0, api_key="key_1")

    assert amounts(run) == ["0.00"]
    assert amounts(run, "--by", "key") == []
    assert run("spend").out.startswith("nothing was spent from 2026-10-25 00:00")


@pytest.mark.parametrize(
    ("by", "name"),
    [("project", "project"), ("model", "model"), ("key", "api_key"), ("line-item", "line_item")],
)
def test_dimensions_come_dearest_first_and_the_untold_is_null(
    run: Run, seed: Seed, by: str, name: str
) -> None:
    seed.empty().configured("main").read()
    for day, cost, told in (
        (TODAY, 1, "one"),
        (TODAY - DAY, 3, "two"),
        (TODAY - 90 * DAY, 1, "old"),
    ):
        seed.spent(day, cost * DOLLAR, **{name: told})  # type: ignore[arg-type]
    seed.spent(TODAY, 2 * DOLLAR)

    rows = run("spend", "--json", "--by", by).json["rows"]

    assert [(row[name], row["amount"]) for row in rows] == [
        ("two", "3.00"),
        (None, "2.00"),
        ("one", "1.00"),
    ]
    assert all(row[other] is None for row in rows for other in BLANK if other != name)


def test_edges_of_a_dimension_are_divided_too(run: Run, seed: Seed) -> None:
    seed.empty().configured("main").read()
    seed.spent(TODAY - DAY, 3 * DOLLAR, model="m").spent(TODAY, DOLLAR, model="n")

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


def test_tables_round_up_name_keys_and_say_how_old_they_are(run: Run, seed: Seed) -> None:
    seed.empty().configured("main").read()
    seed.spent(TODAY, DOLLAR + 1, api_key="key_1").spent(TODAY - DAY, 3 * DOLLAR)
    name = {"account_id": 1, "kind": "api_key", "provider_id": "key_1", "name": "robot"}
    seed.insert(schema.names, {**name, "active": True})

    assert run("spend", "--by", "key").out.splitlines() == [
        "key            amount       share",
        "(not told)       3.00  USD   75 %",
        "robot (key_1)    1.01  USD   25 %",
        "",
        "total 4.01 USD, from 2026-10-25 00:00 to 2026-11-23 12:00 (UTC)",
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


def test_a_difference_of_less_than_half_a_cent_is_none(run: Run, seed: Seed) -> None:
    seed.empty().configured("main").read()
    seed.spent(TODAY - DAY, 2 * DOLLAR - 4_000_000)
    seed.spent(TODAY - 2 * DAY, 2 * DOLLAR)

    said = run("spend", "--since", "2026-11-22", "--until", "2026-11-23").out

    assert "as much as in the 1 d before" in said


class TestWhatIsEstimated:
    """An account that booked yesterday, and whose usage of today no cost covers yet."""

    @pytest.fixture
    def used(self, seed: Seed) -> Seed:
        """Two keys of which one began to spend fifty dollars in the last hour."""
        seed.empty().configured("main").read()
        seed.change(schema.accounts, usage_read_at=NOW - timedelta(minutes=1))
        with seed.at_once():
            for back in range(1, 5):
                seed.spent(TODAY - back * DAY, 24 * DOLLAR, api_key="key_1", model="m")
            seed.spent(TODAY, 24 * DOLLAR // 10, api_key="key_1", model="m")
            for hour in range(12):
                seed.used(TODAY + hour * HOUR, DOLLAR // 2, "key_1", "m")
            seed.used(NOW - HOUR, 50 * DOLLAR, "key_2", "n")
            seed.unbooked(TODAY, 36 * DOLLAR // 10, api_key="key_1", model="m")
            seed.unbooked(TODAY, 50 * DOLLAR, api_key="key_2", model="n")
        return seed

    @pytest.mark.usefixtures("used")
    def test_where_did_fifty_dollars_go_in_the_last_hour(self, run: Run) -> None:
        assert run("spend", "--since", "1h", "--by", "key").out.splitlines() == [
            "key    amount       estimated  share  before",
            "key_2   50.00  USD      50.00   99 %    0.00",
            "key_1    0.50  USD       0.30    1 %    0.50",
            "",
            "total 50.50 USD (50.30 of it estimated), from 2026-11-23 11:00 to 2026-11-23 12:00 (UTC)",
            "50.00 USD more than in the 1 h before",
            "booked by the provider, read 2 h ago",
            "estimated from usage that is not booked yet, read 1 min ago",
        ]

    @pytest.mark.usefixtures("used")
    def test_is_a_row_of_its_own_kind(self, run: Run) -> None:
        told = run("spend", "--since", "2026-11-22", "--by", "day", "--json").json

        assert [(row["kind"], row["amount"]) for row in told["rows"]] == [
            ("booked", "24.00"),
            ("booked", "2.40"),
            ("estimated", "53.60"),
        ]
        assert told["rows"][1]["window"] == told["rows"][2]["window"]
        assert told["totals"] == [
            {
                "currency": "USD",
                "amount": "80.00",
                "booked": "26.40",
                "estimated": "53.60",
            }
        ]

    @pytest.mark.usefixtures("used")
    def test_totals_of_a_dimension_tell_what_the_window_before_cost(self, run: Run) -> None:
        whole = {"currency": "USD", "amount": "50.50", "booked": "0.20", "estimated": "50.30"}

        hour = run("spend", "--since", "1h", "--by", "key", "--json").json
        unread = run("spend", "--since", "30d", "--by", "model", "--json").json

        assert hour["totals"] == [{**whole, "before": "0.50"}]
        assert unread["totals"][0]["before"] is None

    def test_totals_name_a_currency_that_only_the_window_before_has(
        self, run: Run, used: Seed
    ) -> None:
        used.spent(TODAY - 3 * DAY, DOLLAR, currency="EUR")
        window = ("--since", "2026-11-21", "--until", "2026-11-23", "--by", "account")

        [euro, _] = run("spend", *window, "--json").json["totals"]

        none = {"amount": "0.00", "booked": "0.00", "estimated": "0.00"}
        assert euro == {"currency": "EUR", **none, "before": "1.00"}

    def test_of_a_settled_day_is_dropped(self, run: Run, used: Seed) -> None:
        used.unbooked(TODAY - 3 * DAY, DOLLAR, api_key="key_1", model="m")
        used.unbooked(TODAY - 2 * DAY, 3 * DOLLAR, api_key="key_1", model="m")

        rows = run("spend", "--json", "--since", "2026-11-01").json["rows"]

        estimated = [row for row in rows if row["kind"] == "estimated"]
        assert [row["amount"] for row in estimated] == ["3.00", "53.60"]

    def test_is_no_row_where_usage_was_never_read(self, run: Run, spent: Seed) -> None:
        assert {row["kind"] for row in run("spend", "--json").json["rows"]} == {"booked"}
        assert "estimated" not in run("spend").out
        assert spent.database.exists()


class TestADayThatIsDivided:
    def test_follows_the_usage_of_the_same_key_and_model(self, run: Run, seed: Seed) -> None:
        seed.empty().configured("main").read()
        seed.spent(TODAY - DAY, 3 * DOLLAR, api_key="key_1", model="m")
        seed.spent(TODAY - DAY, 3 * DOLLAR, api_key="key_2", model="m")
        seed.used(TODAY - 20 * HOUR, 20, "key_1", "m").used(TODAY - 3 * HOUR, 10, "key_1", "m")
        seed.used(TODAY - 3 * HOUR, 10, "key_2", "m")

        window = ("--since", "2026-11-22T12:00:00Z", "--until", "2026-11-23", "--json")
        rows = run("spend", "--by", "key", *window).json["rows"]

        assert {row["api_key"]: row["amount"] for row in rows} == {"key_1": "1.00", "key_2": "3.00"}

    def test_follows_the_account_where_a_part_has_no_usage(self, run: Run, seed: Seed) -> None:
        seed.empty().configured("main").read().spent(TODAY - DAY, 3 * DOLLAR, line_item="storage")
        seed.used(TODAY - 20 * HOUR, 20, "key_1", "m").used(TODAY - 3 * HOUR, 10, "key_1", "m")

        window = ("--since", "2026-11-22T12:00:00Z", "--until", "2026-11-23")
        assert amounts(run, "--by", "month", *window) == ["1.00"]

    def test_has_minutes_where_they_were_read(self, run: Run, seed: Seed) -> None:
        seed.empty().configured("main").read().spent(TODAY, 4 * DOLLAR, api_key="key_1", model="m")
        seed.used(NOW - HOUR, 40, "key_1", "m")
        for back in (50, 30, 20, 10):
            seed.used_in_minute(NOW - timedelta(minutes=back), 10, "key_1", "m")

        assert amounts(run, "--by", "key", "--since", "20m") == ["2.00"]
        assert amounts(run, "--by", "key", "--since", "45m") == ["3.00"]

    def test_divides_an_hour_evenly_where_nothing_finer_was_read(
        self, run: Run, seed: Seed
    ) -> None:
        seed.empty().configured("main").read().spent(TODAY, 4 * DOLLAR, api_key="key_1", model="m")
        seed.used(NOW - HOUR, 40, "key_1", "m")

        assert amounts(run, "--by", "key", "--since", "15m") == ["1.00"]


class TestTheTerminal:
    @pytest.mark.usefixtures("spent")
    def test_has_bars_in_color_unless_there_shall_be_none(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        for name, value in (("COLUMNS", "100"), ("TERM", "xterm")):
            monkeypatch.setenv(name, value)
        drawn = "█" * BAR

        assert f"\x1b[36m{drawn}\x1b[0m" in run("spend").out
        monkeypatch.setenv("NO_COLOR", "1")
        plain = run("spend").out
        assert (drawn in plain, "\x1b[36m" in plain) == (True, False)

    def test_too_narrow_for_bars_shows_each_key_on_one_line(
        self, run: Run, seed: Seed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seed.empty().configured("main").read().spent(TODAY, DOLLAR, api_key="key_" + "1" * 48)
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        for name, value in (("COLUMNS", "80"), ("TERM", "dumb")):
            monkeypatch.setenv(name, value)

        lines = run("spend", "--by", "key").out.splitlines()

        assert lines[1].split() == ["key_" + "1" * 48, "1.00", "USD", "100", "%"]
        assert "█" in run("spend", "--by", "model").out

    @pytest.mark.parametrize(
        ("columns", "titles"),
        [
            ("80", "key amount estimated share before"),
            ("50", "key amount estimated share"),
            ("40", "key amount estimated"),
            ("30", "key amount"),
        ],
    )
    def test_that_is_narrow_shows_names_and_amounts_before_all_else(
        self, columns: str, titles: str, run: Run, seed: Seed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seed.empty().configured("main").read(NOW, usage_read_at=NOW)
        names = {"account_id": 1, "kind": "api_key", "provider_id": "key_1", "active": True}
        seed.insert(schema.names, {**names, "name": "客服机器人生产环境"})
        with seed.at_once():
            for back in range(3):
                seed.spent(TODAY - back * DAY, 155 * DOLLAR, api_key="key_1")
            seed.unbooked(TODAY, DOLLAR, api_key="key_1")
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        for name, value in (("COLUMNS", columns), ("TERM", "xterm"), ("NO_COLOR", "1")):
            monkeypatch.setenv(name, value)

        out = run("spend", "--since", "1d", "--by", "key").out
        head, first, *_ = re.sub(r"\x1b\[[0-9]*m", "", out).splitlines()

        assert head.split() == titles.split()
        assert first.startswith("客服机器人生产环")
        assert "233.50  USD" in first

    def test_has_bars_of_each_currency_by_itself(
        self, run: Run, seed: Seed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seed.empty().configured("main").read()
        seed.spent(TODAY, DOLLAR).spent(TODAY, 700 * DOLLAR, currency="CNY")
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        for name, value in (("COLUMNS", "80"), ("TERM", "dumb")):
            monkeypatch.setenv(name, value)

        assert run("spend").out.count("█" * BAR) == 2

    @pytest.mark.usefixtures("spent")
    def test_alone_has_bars(self, run: Run) -> None:
        assert run("spend").out.isascii()

    def test_draws_what_is_only_estimated_lighter(self) -> None:
        assert bar(3, 4, 4) == "█" * 18 + "░" * 6
        assert (bar(0, 0, 4), bar(0, -1, 4), bar(1, 1, 10**9)) == ("", "", "▏")

    def test_without_such_signs_has_plain_ones(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
        assert bar(3, 4, 4) == "#" * 18 + "." * 6


MINUTES = st.integers(min_value=0, max_value=60 * 24 * 45)
GROUPINGS = st.sampled_from(("", "day", "week", "month", "hour", *COLUMNS))


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six weeks of two keys and storage, in odd nanos; usage in odd places; two unsettled days."""
    place = tmp_path_factory.mktemp("busy")
    seed = Seed(place / "spendguard.toml", place / "spendguard.db")
    seed.empty().configured("main").read()
    with seed.at_once():
        for back in range(42):
            day = TODAY - back * DAY
            seed.spent(day, 2 * DOLLAR + back, api_key="key_1", model="m", project="p")
            seed.spent(day, DOLLAR // 3 + back, api_key="key_2", model="m")
            if back % 3:
                seed.spent(day, 7_000_001, line_item="storage")
            if back % 4:
                seed.used(day + (back % 24) * HOUR, 10_007, "key_1", "m")
                seed.used(day + (back * 7 % 11) * HOUR, 5_003, "key_1", "m")
        seed.used_in_minute(TODAY + 3 * HOUR + timedelta(minutes=7), 3, "key_1", "m")
        for back in (0, 1):
            seed.unbooked(TODAY - back * DAY, 1_234_567, api_key="key_1", model="m")
            seed.unbooked(TODAY - back * DAY, 7_654_321, api_key="key_3", model="n")
    return seed.database


class TestWhateverIsAsked:
    @given(since=MINUTES, middle=MINUTES, until=MINUTES, by=GROUPINGS, other=GROUPINGS)
    @settings(max_examples=40, deadline=None)
    def test_totals_are_equal_however_grouped_and_a_window_is_the_sum_of_its_parts(
        self, busy: Path, since: int, middle: int, until: int, by: str, other: str
    ) -> None:
        first, cut, last = (
            NOW - timedelta(minutes=back) for back in sorted((since, middle, until))[::-1]
        )
        assume(first < cut < last)

        with History(str(busy)) as history:
            spending = Spending(history, ZoneInfo("Asia/Kathmandu"), NOW)

            def told(start: datetime, end: datetime, grouped: str) -> dict[str, int]:
                rows = spending.answer(Question(None, Window(start, end), grouped))
                return totals(rows).get("USD", {"booked": 0, "estimated": 0})

            whole = told(first, last, by)
            assert told(first, last, other) == whole
            parts = (told(first, cut, by), told(cut, last, other))
            assert {kind: parts[0][kind] + parts[1][kind] for kind in whole} == whole


@pytest.mark.usefixtures("spent")
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--json", "--csv"], "--json and --csv are two forms"),
        (["--since", "1d", "--until", "2d"], "--since is not before --until"),
        (["--since", "1d", "--days", "1"], "--since and --days both say where it begins"),
        (["--days", "0"], "--days: '0' is not a number of days"),
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
