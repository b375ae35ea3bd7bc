"""status: what was last evaluated, and an exit code that scripts rely on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spendguard.store import schema
from tests.cli.conftest import Run
from tests.cli.seeding import HOUR, NOW, Seed

NEXT = "spendguard balance set spare <figure on the billing page>"
SILENCE = {"rules": "[]", "accounts": '["main"]', "created_at": NOW - HOUR}


def test_json_is_as_the_contract_says(run: Run, seed: Seed) -> None:
    card = {"name": "visa-1881", "currency": "USD"}
    seed.empty().configured("main", cards=[card]).read().evaluated("main").alert()

    assert run("status", "--json").json == {
        "jsonversion": 1,
        "as_of": "2026-11-23T12:00:00Z",
        "accounts": [
            {
                "name": "main",
                "provider": "openai",
                "currency": "USD",
                "balance": {
                    "floor": "4.31",
                    "billed": "4.31",
                    "as_of": "2026-11-23T12:00:00Z",
                    "source": "manual",
                },
                "burn_per_day": "1.50",
                "runway_hours": 68.9,
                "next_recharge": None,
                "strikes": None,
                "usage": None,
                "data_age_seconds": 7200,
                "alerts": ["1"],
            }
        ],
        "cards": [
            {
                "name": "visa-1881",
                "balance": None,
                "as_of": None,
                "needed": None,
                "short_by": None,
                "strikes": None,
            }
        ],
        "alerts": [
            {
                "id": "1",
                "rule": "balance-low",
                "subject": "main",
                "severity": "warning",
                "step": "trigger",
                "state": "firing",
                "acknowledged": False,
                "since": "2026-11-23T11:00:00Z",
                "summary": "4.31 USD left",
            }
        ],
    }


def test_what_was_never_read_is_null_and_not_zero(run: Run, seed: Seed) -> None:
    seed.empty().configured("main")

    told = run("status", "--json").json

    assert told["as_of"] is None
    account = told["accounts"][0]
    unknown = ("balance", "burn_per_day", "runway_hours", "data_age_seconds", "strikes")
    assert {key: account[key] for key in unknown} == dict.fromkeys(unknown)


def test_people_get_a_table_the_alerts_and_the_next_step(run: Run, seed: Seed) -> None:
    seed.empty().configured("main", "spare").read().evaluated("main", floor="4.319").alert()

    assert run("status").out.splitlines() == [
        "account   balance  burn/day     lasts  next charge  read",
        "main     4.31 USD  1.50 USD  2 d 20 h               2 h ago",
        "spare     unknown   unknown                         2 h ago",
        "",
        "alert    id  rule         subject  since             what",
        "warning   1  balance-low  main     2026-11-23 11:00  4.31 USD left",
        "",
        f"the balance of spare is not known: {NEXT}",
    ]


def test_a_balance_below_zero_is_rounded_down(run: Run, seed: Seed) -> None:
    seed.empty().configured("main").evaluated("main", floor="-1.001")

    assert "-1.01 USD" in run("status").out


@pytest.mark.parametrize(
    ("alert", "code"),
    [
        pytest.param({}, 2, id="a warning fires"),
        pytest.param({"severity": "info"}, 0, id="an info does not count"),
        pytest.param({"state": "pending", "fired_at": None}, 0, id="nor what is pending"),
        pytest.param({"rule": "blind"}, 0, id="nor blind"),
        pytest.param({"state": "resolved", "ended_at": NOW}, 0, id="nor what is over"),
        pytest.param({"muted_severity": "warning", "muted_rank": 1}, 0, id="nor what is silenced"),
        pytest.param({"muted_severity": "warning", "muted_rank": 0}, 2, id="unless the step rose"),
        pytest.param({"muted_severity": "info", "muted_rank": 1}, 2, id="or the severity did"),
        pytest.param(
            {"acknowledged_severity": "warning", "acknowledged_rank": 1},
            2,
            id="what is acknowledged still fires",
        ),
    ],
)
def test_the_exit_code_says_whether_something_fires(
    run: Run, seed: Seed, alert: dict[str, Any], code: int
) -> None:
    seed.empty().configured("main").read().evaluated("main").alert(**alert)
    seed.insert(schema.silences, {**SILENCE, "ends_at": NOW + HOUR})

    assert run("status", "--exit-code").code == code
    assert run("status").code == 0


def test_a_silence_that_is_over_silences_nothing(run: Run, seed: Seed) -> None:
    seed.empty().configured("main").read().evaluated("main")
    seed.alert(muted_severity="warning", muted_rank=1)
    seed.insert(schema.silences, {**SILENCE, "ends_at": NOW})

    assert run("status", "--exit-code").code == 2


def test_a_failed_poll_is_69_unless_something_fires(run: Run, seed: Seed) -> None:
    seed.empty().configured("main").read(failures=2, error_kind="auth").evaluated("main")

    ran = run("status", "--exit-code")
    assert ran.code == 69
    assert "2 h ago; the last 2 polls failed: auth" in ran.out

    seed.alert()
    assert run("status", "--exit-code", "--json").code == 2


def test_the_worst_alert_comes_first(run: Run, seed: Seed) -> None:
    seed.empty().configured("main").alert().alert("guard", subject="guard", severity="critical")

    told = run("status", "--json").json["alerts"]
    assert [alert["severity"] for alert in told] == ["critical", "warning"]


def test_names_cannot_command_the_terminal(run: Run, seed: Seed) -> None:
    seed.empty().configured("main").alert(summary="\x1b[2J 4.31 left\nerror: none")

    out = run("status").out
    assert "\x1b" not in out
    assert " [2J 4.31 left error: none" in out
    assert json.loads(run("status", "--json").out)["alerts"][0]["summary"].startswith("\x1b")


def test_without_a_database_the_hint_says_check(run: Run) -> None:
    ran = run("status")

    assert ran.code == 1
    assert "there is no database yet" in ran.err
    assert "`spendguard check`" in ran.err
