"""What is listed: balances, deposits, alerts, rules, providers."""

from __future__ import annotations

import json

import pytest

from spendguard.cli.init import KEYS
from spendguard.cli.providers import PROVIDERS as TOLD_PROVIDERS
from spendguard.cli.rules import TOLD
from spendguard.providers import PROVIDERS
from spendguard.rules import RULES
from spendguard.store import schema
from tests.cli.conftest import Run
from tests.cli.seeding import DAY, DEFAULTS, DOLLAR, HOUR, NOW, Seed

MINUTE = HOUR / 60


@pytest.fixture
def main(seed: Seed) -> Seed:
    """An account that was read and evaluated."""
    return seed.empty().configured("main").read().evaluated("main")


def entry(seed: Seed, kind: str, **more: object) -> None:
    """Write a line of the ledger."""
    seed.entry(kind, **{"nanos": 5 * DOLLAR, "at": NOW - DAY, "recorded_at": NOW - HOUR, **more})


def test_the_balance_is_shown_rounded_down_and_told_exactly(run: Run, main: Seed) -> None:
    main.change(
        schema.scopes,
        evaluation=json.dumps(
            {
                "balance": {
                    "floor": "4.319",
                    "billed": "5.001",
                    "as_of": NOW.isoformat(),
                    "source": "manual",
                    "costs_read": False,
                }
            }
        ),
    )

    out = run("balance", "main").out
    assert "4.31 USD  5.00 USD  2026-11-23 12:00  manual" in out
    assert "have not been read yet" in out
    assert run("balance", "--json").json == {
        "jsonversion": 1,
        "as_of": "2026-11-23T12:00:00Z",
        "accounts": [
            {
                "name": "main",
                "currency": "USD",
                "balance": {
                    "floor": "4.319",
                    "billed": "5.001",
                    "as_of": "2026-11-23T12:00:00Z",
                    "source": "manual",
                },
            }
        ],
    }


def test_a_balance_nobody_stated_is_unknown(run: Run, seed: Seed) -> None:
    seed.empty().configured("main").evaluated("main", floor=None)

    ran = run("balance")
    assert "unknown" in ran.out
    assert "spendguard balance set main <figure on the billing page>" in ran.out
    assert run("balance", "show", "mian").code == 1


def test_entries_are_listed_with_their_ids_and_voided_ones_marked(run: Run, main: Seed) -> None:
    entry(main, "checkpoint")
    entry(main, "deposit", external_id="inv-7", expires_at=NOW + DAY)
    entry(main, "grant", voided_at=NOW)

    listed = run("deposit", "list").out.splitlines()
    assert listed[1].split()[:4] == ["2", "main", "deposit", "5.00"]
    assert listed[2].endswith("voided")
    told = run("deposit", "list", "main", "--json").json["deposits"]
    assert [(one["id"], one["kind"], one["voided_at"]) for one in told] == [
        ("2", "deposit", None),
        ("3", "grant", "2026-11-23T12:00:00Z"),
    ]
    assert told[0] == {
        "id": "2",
        "account": "main",
        "kind": "deposit",
        "charge": False,
        "sources": ["manual"],
        "same_as": None,
        "amount": "5.00",
        "currency": "USD",
        "at": "2026-11-22T12:00:00Z",
        "expires_at": "2026-11-24T12:00:00Z",
        "source": "manual",
        "external_id": "inv-7",
        "recorded_at": "2026-11-23T11:00:00Z",
        "voided_at": None,
    }
    assert [one["id"] for one in run("balance", "list", "--json").json["checkpoints"]] == ["1"]


@pytest.mark.usefixtures("main")
def test_an_empty_ledger_says_so(run: Run) -> None:
    assert run("deposit", "list").out == "no deposits yet\n"
    assert run("balance", "list", "main").out == "no checkpoints yet\n"
    assert run("balance", "list", "other").code == 1


def test_alerts_are_those_open_then_those_lately_over(run: Run, main: Seed) -> None:
    for back in range(25):
        at = NOW - back * DAY
        main.alert(state="resolved", since=at - HOUR, ended_at=at)
    main.alert()

    def states(*arguments: str) -> list[str]:
        return [one["state"] for one in run("alerts", "--json", *arguments).json["alerts"]]

    assert states() == ["firing"] + ["resolved"] * 20
    assert states("--open") == ["firing"]
    assert states("--all") == ["firing"] + ["resolved"] * 25
    assert run("alerts", "list").out.splitlines()[2].endswith("(resolved) 4.31 USD left")


def test_silences_in_force_are_listed_with_alerts(run: Run, main: Seed) -> None:
    common = {"created_at": NOW - HOUR, "accounts": '["main"]'}
    main.insert(schema.silences, {**common, "rules": "[]", "ends_at": NOW})
    main.insert(schema.silences, {**common, "rules": '["blind"]', "ends_at": NOW + HOUR})
    main.alert("blind", muted_severity="warning", muted_rank=1)

    told = run("alerts", "--json").json
    assert told["silences"] == [
        {
            "id": "2",
            "rules": ["blind"],
            "accounts": ["main"],
            "created_at": "2026-11-23T11:00:00Z",
            "ends_at": "2026-11-23T13:00:00Z",
        }
    ]
    assert told["alerts"][0]["silenced"] is True
    assert run("alerts").out.splitlines()[-1].split() == [
        "2",
        "2026-11-23",
        "13:00",
        "blind,",
        "main",
    ]


def test_one_alert_is_shown_with_its_life_and_its_messages(run: Run, main: Seed) -> None:
    main.alert()
    event = {"alert_id": 1, "at": NOW - HOUR, "what": "firing", "severity": "warning"}
    main.insert(schema.alert_events, {**event, "step": "trigger", "summary": "4.31 USD left"})
    message = {"channel": "ops", "topic": "alerts", "state": "owed", "created_at": NOW - HOUR}
    message |= {"due_at": NOW, "attempts": 3, "error": "HTTP 500"}
    message |= {"items": json.dumps({"items": [{"alert": "1", "reason": "fired"}]})}
    main.insert(schema.outbox, message)
    main.insert(schema.outbox_alerts, {"outbox_id": 1, "alert_id": 1})
    tried = {"outbox_id": 1, "state": "retrying", "status": 500, "why": "unavailable (HTTP 500)"}
    done = {"outbox_id": 1, "state": "delivered", "at": NOW - HOUR + 2 * MINUTE}
    main.insert(
        schema.deliveries,
        {**tried, "at": NOW - HOUR, "wait_seconds": 30},
        {**done, "status": 204},
        {**done, "status": None},
    )

    told = run("alerts", "show", "1", "--json").json
    assert told["alert"]["values"] == {"floor": {"amount": "4.31", "currency": "USD"}}
    assert told["events"] == [
        {
            "at": "2026-11-23T11:00:00Z",
            "what": "firing",
            "severity": "warning",
            "step": "trigger",
            "summary": "4.31 USD left",
        }
    ]
    assert told["messages"] == [
        {
            "id": "1",
            "channel": "ops",
            "reason": "fired",
            "state": "owed",
            "created_at": "2026-11-23T11:00:00Z",
            "due_at": "2026-11-23T12:00:00Z",
            "done_at": None,
            "attempts": 3,
            "error": "HTTP 500",
            "deliveries": [
                {
                    "at": "2026-11-23T11:00:00Z",
                    "state": "retrying",
                    "http_status": 500,
                    "wait_seconds": 30,
                    "why": "unavailable (HTTP 500)",
                },
                *(
                    {
                        "at": "2026-11-23T11:02:00Z",
                        "state": "delivered",
                        "http_status": status,
                        "wait_seconds": None,
                        "why": None,
                    }
                    for status in (204, None)
                ),
            ],
        }
    ]
    out = run("alerts", "show", "1").out
    assert "floor  4.31 USD" in out
    assert "due 2026-11-23 12:00, after 3 attempts: HTTP 500" in out
    assert "retrying   unavailable (HTTP 500), asks to wait 30 s" in out
    assert "delivered  accepted (HTTP 204)" in out
    assert out.splitlines()[-1].endswith("delivered  accepted")


@pytest.mark.parametrize("name", ["7", "x", "", "9" * 40, "²"])
def test_an_alert_that_is_not_there_is_an_error(run: Run, main: Seed, name: str) -> None:
    ran = run("alerts", "show", name)
    assert (ran.code, ran.err.startswith(f"error: there is no alert '{name}'")) == (1, True)
    assert main.database.exists()


def test_rules_print_the_values_in_effect(run: Run, seed: Seed) -> None:
    budget = {**DEFAULTS, "hold": "5m", "repeat": "1d", "steps": [50, 100]}
    short = {**DEFAULTS, "horizon": "3d", "minimum": "5.00"}
    rules = {"main": {"budget": budget}, "b": {"budget": budget}}
    seed.empty().configured("main", rules=rules, card_rules={"card-short": short})

    lines = {line.split()[0]: line for line in run("rules").out.splitlines()}
    assert "main, b  steps 50/100, hold 5m, repeat 1d" in lines["budget"]
    assert "cards    horizon 3d, minimum 5.00" in lines["card-short"]
    told = {one["name"]: one for one in run("rules", "--json").json["rules"]}
    assert told["card-short"]["effective"][0]["for"] == "cards"
    assert told["budget"]["effective"][0] == {
        "for": "main",
        "enabled": True,
        "hold": "5m",
        "repeat": "1d",
        "parameters": {"steps": [50, 100]},
    }


def test_rules_of_a_file_that_nothing_ever_loaded_are_the_ones_it_states(
    run: Run, seed: Seed
) -> None:
    with seed.config.open("a", encoding="utf-8") as file:
        file.write('[[accounts]]\nname = "main"\nprovider = "openai"\nkey = "env:NOWHERE"\n')
        file.write('[rules.balance-low]\ntrigger = "20.00"\n')

    for _ in range(2):
        told = {one["name"]: one for one in run("rules", "--json").json["rules"]}
        assert told["balance-low"]["effective"][0]["parameters"] == {"trigger": "20.00"}
        seed.empty()


def test_every_rule_is_told_of() -> None:
    assert set(TOLD) == {*RULES}


def test_every_provider_is_told_of(run: Run) -> None:
    assert {name: told["states_balance"] for name, told in TOLD_PROVIDERS.items()} == {
        name: provider.states_balance for name, provider in PROVIDERS.items()
    }
    assert KEYS.keys() == PROVIDERS.keys()
    assert "admin key" in run("providers").out
    assert [one["name"] for one in run("providers", "--json").json["providers"]] == [*PROVIDERS]


def test_mails_that_changed_nothing_are_listed_with_the_reason(run: Run, main: Seed) -> None:
    mail = {"mailbox": "billing", "external_id": "x", "account_id": 1, "state": "forged"}
    mail |= {"origin": "openai-funded", "claim": "funded", "nanos": 10 * DOLLAR, "currency": "USD"}
    main.insert(schema.mails, {**mail, "at": NOW, "why": "it is not signed", "recorded_at": NOW})

    assert run("charge", "list", "main").out.splitlines() == [
        "no charges yet",
        "not counted: a mail of 2026-11-23 12:00 (funded of 10.00 USD for main): it is not signed",
    ]
    (told,) = run("charge", "list", "--json").json["mails"]
    assert (told["state"], told["amount"], told["account"]) == ("forged", "10.00", "main")
