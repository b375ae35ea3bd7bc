"""export: a trace that says all that was spent, and the ledger beside it."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from spendguard.store import schema
from tests.cli.conftest import Ran, Run
from tests.cli.seeding import DAY, DOLLAR, HOUR, NOW, TODAY, Seed


@pytest.fixture
def main(seed: Seed) -> Seed:
    """Three days of one account: a dollar and a nano, nothing, two dollars until noon."""
    seed.empty().configured("main").read()
    return seed.spent(TODAY - DAY * 2, DOLLAR + 1).spent(TODAY - DAY, 0).spent(TODAY, 2 * DOLLAR)


def lines(ran: Ran) -> list[tuple[str, str]]:
    assert ran.code == 0, ran.err
    read = csv.DictReader(io.StringIO(ran.out))
    assert read.fieldnames == ["timestamp", "amount"]
    return [(row["timestamp"], row["amount"]) for row in read]


def test_a_trace_by_day_is_what_was_booked(run: Run, main: Seed) -> None:
    assert main.database.exists()
    assert lines(run("export", "--by", "day")) == [
        ("2026-11-21T00:00:00Z", "1.000000001"),
        ("2026-11-22T00:00:00Z", "0.00"),
        ("2026-11-23T00:00:00Z", "2.00"),
    ]


@pytest.mark.usefixtures("main")
def test_hours_sum_to_their_days_and_today_ends_now(run: Run) -> None:
    hours = lines(run("export"))

    assert len(hours) == 24 + 24 + 12
    assert sum(Decimal(amount) for _, amount in hours) == Decimal("3.000000001")
    assert hours[-1][0] == "2026-11-23T11:00:00Z"
    assert lines(run("export", "--csv")) == hours


@pytest.mark.usefixtures("main")
def test_a_window_cuts_the_trace(run: Run) -> None:
    cut = lines(run("export", "--since", "2026-11-23", "--until", "2026-11-23T06:00:00Z"))

    assert [amount for _, amount in cut] == ["0.166666666", "0.166666667", "0.166666667"] * 2
    assert run("export", "--since", "2026-11-23", "--until", "2026-11-22").code == 64


def test_a_trace_is_of_one_account_in_one_currency(run: Run, main: Seed) -> None:
    main.spent(TODAY, 5 * DOLLAR, currency="EUR")
    refused = run("export", "--account", "main")
    assert (refused.code, "EUR and USD" in refused.err) == (1, True)

    main.insert(schema.accounts, {"name": "b", "provider": "openai", "currency": "USD"})
    several = run("export")
    assert (several.code, "--account: b, main" in several.err) == (64, True)
    assert lines(run("export", "--account", "b")) == []
    assert run("export", "--account", "nobody").code == 1


def test_without_any_account_it_is_a_heading(run: Run, seed: Seed) -> None:
    seed.empty()
    assert lines(run("export")) == []


def test_json_has_the_ledger_beside_the_spend(run: Run, main: Seed) -> None:
    told = {"nanos": DOLLAR, "outcome": "failed", "card": "visa-1881", "reason": "declined"}
    for at in (NOW - HOUR, NOW - DAY * 9):
        main.entry("charge", at=at, **told)
    stated = {"card": "visa-1881", "nanos": 0, "currency": "USD", "at": NOW, "recorded_at": NOW}
    main.insert(schema.card_statements, stated)

    told = run("export", "--json", "--by", "day").json
    (account,) = told["accounts"]
    assert [row["amount"] for row in account["spend"]] == ["1.000000001", "0.00", "2.00"]
    assert [(one["amount"], one["outcome"], one["card"]) for one in account["entries"]] == [
        ("1.00", "failed", "visa-1881")
    ] * 2
    assert [one["amount"] for one in told["card_statements"]] == ["0.00"]
    narrow = run("export", "--json", "--account", "main", "--since", "1d").json
    assert len(narrow["accounts"][0]["entries"]) == 1
    assert "card_statements" not in narrow
    assert run("export", "--json", "--csv").code == 64
