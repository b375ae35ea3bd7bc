"""replay over what is stored: what was known when, or the charges that would have been tried."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from spendguard.store import schema
from tests.cli.conftest import Run
from tests.cli.seeding import DAY, DOLLAR, HOUR, NOW, TODAY, Seed

CONFIGURED = """
[[accounts]]
name = "main"
provider = "openai"
key = "env:NOWHERE"
card = "visa-1881"
[accounts.recharge]
enabled = true
trigger = "5.00"
amount = "10.00"
[[accounts]]
name = "idle"
provider = "openai"
key = "env:NOWHERE"
[[cards]]
name = "visa-1881"
"""
STATED = TODAY - 20 * DAY


@pytest.fixture
def stored(seed: Seed) -> Seed:
    """Thirty days of three dollars, read back this morning; the balance of 20 days ago."""
    seed.config.write_text(seed.config.read_text() + CONFIGURED, encoding="utf-8")
    seed.empty().insert(
        schema.accounts,
        {
            "name": "main",
            "provider": "openai",
            "currency": "USD",
            "first_ok_at": NOW - HOUR,
            "last_ok_at": NOW - HOUR,
        },
        {"name": "idle", "provider": "openai", "currency": "USD"},
    )
    seed.insert(
        schema.spend_days,
        *(
            {
                "account_id": 1,
                "day": TODAY - DAY * back,
                "currency": "USD",
                "nanos": 3 * DOLLAR if back else DOLLAR,
                "first_read_at": NOW - HOUR,
            }
            for back in range(31)
        ),
    )
    seed.entry("checkpoint", nanos=12 * DOLLAR, at=STATED)
    held = {"card": "visa-1881", "nanos": 25 * DOLLAR, "currency": "USD"}
    seed.insert(schema.card_statements, {**held, "at": STATED, "recorded_at": NOW})
    return seed


def charge(seed: Seed, at: datetime, outcome: str, **columns: Any) -> None:
    told = {"nanos": 10 * DOLLAR, "outcome": outcome, "card": "visa-1881"}
    seed.entry("charge", at=at, **{**told, **columns})


def days(played: Any) -> list[tuple[str, str]]:
    return [(one["at"][:10], one["kind"]) for one in played["events"]]


@pytest.mark.usefixtures("stored")
def test_where_nobody_told_of_a_charge_those_of_the_provider_are_played(run: Run) -> None:
    played = run("replay", "--json", "--every", "12h").json

    assert played["accounts"] == [{"name": "main", "card": "visa-1881", "charges": "played"}]
    assert days(played) == [
        ("2026-11-05", "recharged"),
        ("2026-11-08", "recharged"),
        ("2026-11-12", "charge_failed"),
        ("2026-11-13", "charge_failed"),
        ("2026-11-13", "banned"),
    ]
    failed = played["outcomes"]["events"][0]
    assert failed["rule"] == "card-short"
    assert failed["lead_hours"] > 24
    assert played["until"] == "2026-11-23T12:00:00Z"


def test_charges_that_were_recorded_are_what_happened(run: Run, stored: Seed) -> None:
    charge(stored, STATED + 3 * DAY, "succeeded")
    charge(stored, STATED + 9 * DAY, "failed", nanos=None)
    charge(stored, STATED + 10 * DAY, "succeeded", nanos=50 * DOLLAR)
    charge(stored, STATED + 10 * DAY, "failed", voided_at=NOW)

    played = run("replay", "--json", "--every", "12h").json

    assert played["accounts"][0]["charges"] == "recorded"
    assert [(one["kind"], one["amount"], one["balance"]) for one in played["events"]] == [
        ("recharged", "10.00", "13.00"),
        ("exhausted", None, "0.00"),
        ("charge_failed", None, "-5.00"),
        ("recharged", "50.00", "42.00"),
    ]
    told = {(one["rule"], one["reason"]) for one in played["alerts"]}
    assert {("charge-failed", "fired"), ("charge-failed", "resolved")} <= told
    assert len(played["forecasts"]) == 30 * 2 + 1


def test_where_nothing_shows_a_charge_its_absence_is_a_warning(run: Run, stored: Seed) -> None:
    charge(stored, STATED + 3 * DAY, "succeeded")

    played = run("replay", "--json", "--every", "12h").json

    (first, *_) = [one for one in played["alerts"] if one["rule"] == "recharge-missing"]
    assert (first["reason"], first["severity"]) == ("fired", "warning")


def test_what_is_told_can_be_cut(run: Run, stored: Seed) -> None:
    charge(stored, STATED + 3 * DAY, "succeeded")
    charge(stored, STATED + 9 * DAY, "failed")
    cut = ("--since", "2026-11-08", "--until", "2026-11-11", "--every", "6h")
    played = run("replay", "--account", "main", "--json", *cut).json

    assert [one["made_at"] for one in played["forecasts"]] == [
        f"2026-11-{day:02}T{hour:02}:00:00Z" for day in (8, 9, 10) for hour in (0, 6, 12, 18)
    ]
    assert days(played) == [("2026-11-10", "exhausted")]
    assert {one["at"][:10] for one in played["alerts"]} <= {
        "2026-11-08",
        "2026-11-09",
        "2026-11-10",
    }


@pytest.mark.usefixtures("stored")
def test_thresholds_are_compared_over_it(run: Run) -> None:
    ran = run("replay", "--every", "1d", "--set", "rules.card-short.horizon=1d")

    assert ran.code == 0
    assert "rules.card-short.horizon=1d" in ran.out
    assert "main: its charges are those that the provider would have tried" in ran.out


@pytest.mark.usefixtures("stored")
def test_an_account_that_was_never_read_has_nothing_to_play(run: Run) -> None:
    ran = run("replay", "--account", "idle")

    assert (ran.code, ran.out) == (1, "")
    assert "error: nothing was read of that yet" in ran.err
    assert run("replay", "--account", "ilde").err.startswith("error: unknown account 'ilde'")
    assert run("replay", "--since", "1h", "--until", "2h").code == 64


@pytest.mark.parametrize(
    "written",
    ["export", "spend --csv --by hour --since 2026-10-01", "spend --csv --since 2026-10-01"],
)
def test_what_is_exported_can_be_played(written: str, run: Run, stored: Seed) -> None:
    stored.change(schema.spend_days, nanos=0)
    with stored.at_once():
        for back in range(31):
            stored.spent(TODAY - DAY * back, 3 * DOLLAR if back else DOLLAR, api_key="key_1")
    file = stored.database.with_name("spend.csv")
    arguments = written.split()
    file.write_text(run(*arguments, "--account", "main").out, encoding="utf-8")
    ran = run("replay", "--csv", str(file), "--balance", "50", "--json", "--every", "12h")

    assert (ran.code, ran.err) == (0, "")
    assert days(ran.json)[:2] == [("2026-11-08", "recharged"), ("2026-11-11", "recharged")]
    assert ran.json["since"] == "2026-10-24T00:00:00Z"


@pytest.fixture
def watched(stored: Seed, run: Run) -> Seed:
    """The same, watched for 25 days; each charge was entered by hand, the failed one two days late."""
    stored.change(schema.accounts, first_ok_at=TODAY - 25 * DAY, last_ok_at=NOW - HOUR)
    for table in (schema.entries, schema.card_statements):
        stored.change(table, recorded_at=STATED)
    for after, entered, outcome in (
        (timedelta(days=2, hours=8), HOUR, "--succeeded"),
        (timedelta(days=5, hours=16), HOUR, "--succeeded"),
        (timedelta(days=9), 2 * DAY, "--failed"),
    ):
        at = STATED + after
        told = ("charge", "add", "main", "10", outcome, "--at", at.isoformat())
        assert run(*told, at=at + entered).code == 0
    return stored


@pytest.mark.usefixtures("watched")
def test_a_failed_charge_entered_late_is_held_against_what_was_said_before_it(run: Run) -> None:
    narrower = ("--set", "rules.card-short.horizon=1d")
    played = run("replay", "--json", "--every", "2h", *narrower).json

    (failed,) = [one for one in played["outcomes"]["events"] if one["kind"] == "charge_failed"]
    assert (failed["at"], failed["rule"]) == ("2026-11-12T00:00:00Z", "card-short")
    assert 48 < failed["lead_hours"] <= 74
    told = [one["at"] for one in played["alerts"] if one["rule"] == "charge-failed"]
    assert told[0] == "2026-11-14T00:00:00Z"
    (later,) = [
        one
        for one in played["candidates"][0]["outcomes"]["events"]
        if one["kind"] == "charge_failed"
    ]
    assert (later["rule"], later["lead_hours"] <= 26) == ("card-short", True)


@pytest.mark.usefixtures("watched")
def test_the_last_sentences_tell_the_lead_and_the_false_alarms(run: Run) -> None:
    out = run("replay", "--every", "4h").out

    assert "charge failed on 2026-11-12 00:00: warned 2 d" in out
    assert "0 false alarms of card-short, 0.0 a month" in out


@pytest.mark.usefixtures("watched")
def test_what_was_said_before_the_window_foretold_what_happened_in_it(run: Run) -> None:
    whole, cut = (
        run("replay", "--json", "--every", "4h", *since).json["outcomes"]["events"]
        for since in ((), ("--since", "2026-11-11T12:00:00Z"))
    )

    assert cut == [one for one in whole if one["at"] >= "2026-11-11T12:00:00Z"]
    assert cut[0]["rule"] == "card-short"


def test_a_warning_whose_end_was_not_watched_is_no_false_alarm(run: Run, watched: Seed) -> None:
    watched.change(schema.accounts, last_ok_at=STATED + 8 * DAY)
    stopped = run("replay", "--json", "--every", "4h").json

    assert "card-short" in {one["rule"] for one in stopped["alerts"]}
    assert stopped["outcomes"]["false_alarms"] == []
