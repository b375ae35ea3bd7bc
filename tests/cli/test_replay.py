"""replay on a trace: what a file comes to, whatever is configured."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time

from spendguard.cli.main import main
from tests.cli.conftest import Ran, Run
from tests.cli.seeding import NOW, Seed

FIRST = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def write(path: Path, hours: int = 24 * 12, amount: str = "0.125") -> str:
    """Write a trace that spends three dollars a day, and return its name."""
    lines = [f"{(FIRST + HOUR * n).isoformat()},{amount}\n" for n in range(hours)]
    path.write_text("timestamp,amount\n" + "".join(lines), encoding="utf-8")
    return str(path)


@pytest.fixture
def trace(tmp_path: Path) -> str:
    return write(tmp_path / "spend.csv")


def play(run: Run, trace: str, *options: str) -> Any:
    ran = run("replay", "--csv", trace, "--balance", "10", "--json", "--every", "6h", *options)
    assert (ran.code, ran.err) == (0, "")
    return ran.json


CONFIGURED = """
[[accounts]]
name = "main"
provider = "openai"
key = "env:NOWHERE"
card = "visa-1881"
[accounts.recharge]
enabled = true
trigger = "4.00"
restore_to = "12.00"
[accounts.topup]
min = "5.00"
max = "50.00"
[accounts.rules.recharge-due]
lead = "12h"
[[accounts]]
name = "other"
provider = "openai"
key = "env:NOWHERE"
card = "visa-1881"
[[cards]]
name = "visa-1881"
tax_percent = "10"
[[channels]]
name = "ops"
url = "env:NOWHERE"
severities = ["critical"]
[[budgets]]
name = "daily"
account = "main"
window = "day"
amount = "2.00"
"""


@pytest.fixture
def configured(seed: Seed) -> Seed:
    seed.config.write_text(seed.config.read_text() + CONFIGURED, encoding="utf-8")
    return seed


def test_the_first_account_is_played_as_it_is_configured(
    run: Run, configured: Seed, trace: str
) -> None:
    played = play(run, trace, "--card", "20")

    assert played["accounts"] == [{"name": "main", "card": "visa-1881", "charges": "played"}]
    assert [
        (one["at"], one["kind"], one["amount"], one["balance"]) for one in played["events"]
    ] == [
        ("2026-06-03T00:00:00Z", "recharged", "8.13", "12.005"),
        ("2026-06-05T17:00:00Z", "recharged", "8.12", "12.00"),
        ("2026-06-08T10:00:00Z", "charge_failed", "8.13", "3.875"),
        ("2026-06-09T10:00:00Z", "charge_failed", "11.13", "0.875"),
        ("2026-06-09T10:00:00Z", "banned", None, "0.875"),
    ]
    assert not configured.database.exists()


@pytest.mark.usefixtures("configured")
def test_it_tells_what_would_have_been_sent_and_to_whom(run: Run, trace: str) -> None:
    alerts = play(run, trace, "--card", "20")["alerts"]

    short = next(one for one in alerts if one["rule"] == "card-short")
    assert short == {
        "at": short["at"],
        "rule": "card-short",
        "subject": "card:visa-1881",
        "severity": "critical",
        "step": "short",
        "reason": "fired",
        "summary": short["summary"],
        "since": short["at"],
        "channels": ["ops"],
    }
    assert short["at"] < "2026-06-08T10:00:00Z"
    failed = [one["at"] for one in alerts if one["rule"] == "charge-failed"]
    assert failed[:1] == ["2026-06-08T10:00:00Z"]
    heard = {(one["severity"], tuple(one["channels"])) for one in alerts}
    assert heard == {("info", ()), ("warning", ()), ("critical", ("ops",))}
    assert {one["subject"] for one in alerts if one["rule"] == "budget"} == {"budget:daily"}


def test_a_forecast_is_made_at_each_look_and_is_silent_until_it_knows_enough(
    run: Run, trace: str
) -> None:
    forecasts = play(run, trace)["forecasts"]

    assert [one["made_at"] for one in forecasts[:2]] == [
        "2026-06-01T00:00:00Z",
        "2026-06-01T06:00:00Z",
    ]
    assert len(forecasts) == 12 * 4 + 1
    assert forecasts[0] == {
        "made_at": "2026-06-01T00:00:00Z",
        "account": "trace",
        "floor": "10.00",
        "trigger_at": None,
    }
    known = [one["trigger_at"] for one in forecasts if one["trigger_at"]]
    assert len(known) > 30
    assert all(one["p10"] <= one["p50"] <= (one["p90"] or "9") for one in known if one["p50"])


def test_costs_are_seen_late(run: Run, trace: str) -> None:
    def floors(lag: str) -> list[str]:
        found = play(run, trace, "--lag", lag)["forecasts"]
        return [one["floor"] for one in found[:3]]

    assert floors("0s") == ["9.875", "9.125", "8.375"]
    assert floors("3h") == ["10.00", "9.50", "8.75"]


def test_without_a_configuration_the_usual_recharge_is_played(
    tmp_path: Path,
    trace: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    with freeze_time(NOW):
        code = main(["replay", "--json", "--csv", trace, "--balance", "6"])

    assert code == 0
    played = json.loads(capsys.readouterr().out)
    assert played["accounts"] == [{"name": "trace", "card": "card", "charges": "played"}]
    assert {(one["kind"], one["amount"]) for one in played["events"]} == {("recharged", "10.00")}
    assert "card-short" not in {one["rule"] for one in played["alerts"]}  # it is not known


def test_a_failed_charge_is_held_against_what_was_said_before(run: Run, trace: str) -> None:
    ran = run("replay", "--csv", trace, "--balance", "10", "--card", "20", "--every", "6h")

    assert ran.code == 0
    assert "charge failed on 2026-06-09 08:00: warned " in ran.out
    assert ", by card-short\n" in ran.out
    assert " of card-short, " in ran.out
    assert "looked every 6h, costs seen 2h late" in ran.out


def test_candidates_stand_beside_the_present_rules(run: Run, trace: str) -> None:
    options = (
        *("--set", "rules.card-short.horizon=96h  rules.card-short.minimum=2.00"),
        *("--set", "rules.card-short.enabled=false"),
    )
    played = play(run, trace, "--card", "20", *options)
    plain = ("--csv", trace, "--balance", "10", "--card", "20", "--every", "6h")
    table = run("replay", *plain, *options).out

    wide, off = played["candidates"]
    assert wide["set"] == "rules.card-short.horizon=96h  rules.card-short.minimum=2.00"
    leads = [of["outcomes"]["events"][0]["lead_hours"] for of in (wide, played)]
    assert leads[0] > leads[1]
    assert [one["rule"] for one in off["outcomes"]["events"]] == [None, "charge-failed"]
    assert "the present rules" in table
    assert "rules.card-short.enabled=false" in table


@pytest.mark.parametrize(
    ("candidate", "code", "why"),
    [
        ("lead=48h", 64, "'lead=48h' is not a parameter"),
        (" ", 64, "--set is empty"),
        ("rules.recharge-due.lead=soon", 1, "'soon' is not a duration"),
        ("rules.recharge-do.lead=48h", 1, "unknown rule 'recharge-do'"),
        ("rules.recharge-due.leed=48h", 1, "unknown key 'leed'"),
        ("rules.guard.hold=1h", 1, "the rule 'guard' is not replayed"),
        ("rules.deposit-cap.steps=[90,50]", 1, "steps must rise"),
    ],
)
def test_a_candidate_that_is_none_is_refused(
    run: Run, trace: str, candidate: str, code: int, why: str
) -> None:
    ran = run("replay", "--csv", trace, "--balance", "1", "--set", candidate)

    assert (ran.code, ran.out) == (code, "")
    assert why in ran.err


def refused(run: Run, *options: str) -> tuple[int, str]:
    ran: Ran = run("replay", *options)
    assert ran.out == ""
    return ran.code, ran.err.splitlines()[0]


def test_options_that_do_not_go_together_are_refused(run: Run, trace: str) -> None:
    assert refused(run, "--csv", trace) == (64, "error: --csv needs --balance")
    assert refused(run, "--balance", "5") == (64, "error: --balance goes with --csv")
    since = ("--csv", trace, "--balance", "5", "--since", "1d")
    assert refused(run, *since) == (64, "error: --since does not go with --csv")
    every = ("--csv", trace, "--balance", "5", "--every", "30s")
    assert refused(run, *every) == (64, "error: --every: '30s' is less than a minute")
    assert refused(run, "--csv", trace, "--balance", "nan")[0] == 64
    assert refused(run, "--csv", trace, "--balance", "5", "--card", "-1")[0] == 64


def test_a_file_that_cannot_be_read_is_refused(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("2026-06-01,1\n2026-06-02,-1\n", encoding="utf-8")

    missing = ("--csv", str(tmp_path / "none.csv"), "--balance", "5")
    assert refused(run, *missing)[1].endswith("none.csv': no such file or directory")
    code, message = refused(run, "--csv", str(bad), "--balance", "5")
    assert (code, message.endswith("bad.csv, line 2: '-1' is less than zero")) == (1, True)
    assert refused(run, "--csv", str(tmp_path), "--balance", "5")[0] == 1


@pytest.mark.usefixtures("configured")
def test_an_unknown_account_is_refused(run: Run, trace: str) -> None:
    options = ("--csv", trace, "--balance", "5", "--account", "maine")

    assert refused(run, *options) == (1, "error: unknown account 'maine'")
    assert play(run, trace, "--account", "other")["accounts"][0]["name"] == "other"


def test_a_trace_of_one_row_and_a_debt_are_played(run: Run, tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", hours=1)
    ran = run("replay", "--csv", one, "--balance", "-3", "--json")

    assert [(event["kind"], event["balance"]) for event in ran.json["events"]] == [
        ("recharged", "7.00")
    ]


def test_a_trace_of_one_instant_is_played_to_the_look_after_it(run: Run, tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", hours=1, amount="9.00")
    ran = run("replay", "--csv", one, "--balance", "10", "--json")

    assert [(event["kind"], event["balance"]) for event in ran.json["events"]] == [
        ("recharged", "11.00")
    ]
    assert len(ran.json["forecasts"]) == 2


def test_a_card_with_nothing_on_it_pays_nothing(run: Run, trace: str) -> None:
    played = play(run, trace, "--card", "0")

    assert [event["kind"] for event in played["events"]] == [
        "charge_failed",
        "charge_failed",
        "banned",
    ]


def test_a_charge_of_the_first_instant_is_not_in_the_balance_stated_there(
    run: Run, trace: str
) -> None:
    played = play(run, trace, "--balance", "4.99")

    assert played["events"][0]["at"] == "2026-06-01T00:00:00Z"
    assert played["forecasts"][0]["floor"] == "14.99"
    assert {alert["rule"] for alert in played["alerts"]} <= {"recharge-due"}


IN_EUROS = """
[[accounts]]
name = "main"
provider = "openai"
key = "env:NOWHERE"
card = "girocard"
[accounts.recharge]
enabled = true
trigger = "5.00"
amount = "10.00"
[[cards]]
name = "girocard"
currency = "EUR"
margin = "0.00"
"""


@pytest.mark.parametrize(
    ("rates", "failed"), [('[rates]\n"EUR/USD" = "1.25"\n', 1), ("", 0)], ids=["a rate", "none"]
)
def test_a_card_in_another_currency_pays_by_the_stated_rate_and_without_one_nobody_can_tell(
    rates: str, failed: int, run: Run, trace: str, seed: Seed
) -> None:
    seed.config.write_text(seed.config.read_text() + IN_EUROS + rates, encoding="utf-8")
    played = play(run, trace, "--card", "23.99")

    kinds = [one["kind"] for one in played["events"]]
    assert kinds[:2] == ["recharged", "recharged"]
    assert ("charge_failed" in kinds) == bool(failed)
    assert any(one["rule"] == "card-short" for one in played["alerts"]) == bool(failed)
