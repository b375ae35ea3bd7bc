"""preflight: would this charge succeed? Every verdict, its exit code, and why."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from spendguard.store import schema
from tests.cli.conftest import Run
from tests.cli.seeding import DAY, HOUR, NOW, Seed

CARD = {
    "name": "visa-1881",
    "currency": "USD",
    "tax_percent": "0",
    "verification_hold": "0.00",
    "margin": "2.00",
    "strikes_to_ban": 2,
}
RECHARGE = {"enabled": True, "trigger": "5.00", "amount": "10.00"}
OFF = {"enabled": False}


def account(name: str = "main", **more: Any) -> dict[str, Any]:
    """Return an account as the effective configuration has it."""
    return {
        "name": name,
        "provider": "openai",
        "currency": "USD",
        "card": "visa-1881",
        "poll_interval": 300,
        "recharge": OFF,
        "topup_min": None,
        "topup_max": None,
        **more,
    }


def held(balance: str | None, **more: Any) -> dict[str, Any]:
    """Return what is stored of a card."""
    evaluation = {"balance": balance, "strikes": 0, "unusable": False, "complete": True}
    return {**evaluation, "coming": [], **more}


def stored(
    seed: Seed,
    card: dict[str, Any] | None,
    *accounts: dict[str, Any],
    at: datetime = NOW,
    **of_card: Any,
) -> None:
    """Store a configuration, and the last evaluation of its card."""
    some = list(accounts) or [account()]
    seed.empty().configured(accounts=some, cards=[{**CARD, **of_card}])
    if card is not None:
        row = {"name": "card:visa-1881", "evaluated_at": at, "evaluation": json.dumps(card)}
        seed.insert(schema.scopes, row)


@pytest.mark.parametrize(
    ("balance", "amount", "code", "reason"),
    [
        pytest.param(
            *("12.00", "10", 0, "visa-1881 holds 12.00 USD, and 12.00 USD is needed"),
            id="it just covers the need",
        ),
        pytest.param(
            *("11.99", "10", 2, "visa-1881 holds 11.99 USD, and 12.00 USD is needed"),
            id="a cent is missing",
        ),
        pytest.param(
            *("0.00", "10", 2, "visa-1881 holds 0.00 USD, and 12.00 USD is needed"),
            id="an empty card",
        ),
        pytest.param(*(None, "10", 69, "nobody stated what is on visa-1881"), id="nobody knows"),
        pytest.param(
            *("99.00", "4.99", 2, "4.99 USD is outside 5.00 to 50.00 USD, the top-up range"),
            id="too little at once",
        ),
        pytest.param(
            *("99.00", "50.01", 2, "50.01 USD is outside 5.00 to 50.00 USD, the top-up range"),
            id="too much at once",
        ),
        pytest.param(
            *(None, "50.01", 2, "50.01 USD is outside 5.00 to 50.00 USD, the top-up range"),
            id="no goes before not knowing",
        ),
    ],
)
def test_the_verdict_its_code_and_why(
    run: Run, seed: Seed, balance: str | None, amount: str, code: int, reason: str
) -> None:
    stored(seed, held(balance))

    ran = run("preflight", "main", amount, "--json")

    assert ran.code == code
    assert ran.json["reasons"][0] == reason
    assert ran.json["verdict"] == {0: "yes", 2: "no", 69: "unknown"}[code]
    assert run("preflight", "main", amount).code == code


def test_what_is_not_known_is_null(run: Run, seed: Seed) -> None:
    stored(seed, None)

    ran = run("preflight", "main", "10", "--json")

    assert ran.code == 69
    assert ran.json == {
        "jsonversion": 1,
        "as_of": None,
        "account": "main",
        "amount": "10.00",
        "currency": "USD",
        "card": "visa-1881",
        "verdict": "unknown",
        "reasons": ["nobody stated what is on visa-1881"],
        "caveats": [],
        "needed": "12.00",
        "balance": None,
        "short_by": None,
        "coming": [],
    }
    assert (
        "next: spendguard card set visa-1881 <what is on it>" in run("preflight", "main", "5").out
    )


def test_the_range_is_the_accounts(run: Run, seed: Seed) -> None:
    stored(seed, held("99.00"), account(topup_min="1.00", topup_max="80.00"))
    assert [run("preflight", "main", amount).code for amount in ("0.99", "1", "80", "80.01")] == [
        2,
        0,
        0,
        2,
    ]


def test_the_card_holds_at_least_five_dollars(run: Run, seed: Seed) -> None:
    stored(seed, held("4.99"), account(topup_min="1.00"))

    ran = run("preflight", "main", "1", "--json")

    assert (ran.code, ran.json["needed"], ran.json["short_by"]) == (2, "3.00", "0.01")
    assert ran.json["reasons"] == ["visa-1881 holds 4.99 USD, less than 5.00 USD"]


def test_tax_hold_and_the_coming_charges_are_counted_once(run: Run, seed: Seed) -> None:
    coming = [{"account": "other", "at": (NOW + DAY).isoformat(), "amount": "10.00"}]
    more: dict[str, Any] = {"tax_percent": "8.25", "verification_hold": "1.00"}
    stored(seed, held("24.65", coming=coming), account(), account("other"), **more)

    ran = run("preflight", "main", "10", "--json")

    assert (ran.code, ran.json["needed"]) == (2, "24.66")  # twice 10.83, 1.00 and 2.00
    assert ran.json["coming"] == [
        {
            "account": "other",
            "at": "2026-11-24T12:00:00Z",
            "amount": "10.00",
            "currency": "USD",
            "taken": "10.83",
        }
    ]
    out = run("preflight", "main", "10").out
    assert "this charge, 8.25 % tax included" in out
    assert "other, expected 2026-11-24 12:00, 8.25 % tax included" in out
    assert "next: put at least 0.01 USD on visa-1881" in out


@pytest.mark.parametrize("balance", ["99.00", None])
def test_strikes_that_are_used_up_are_a_no(run: Run, seed: Seed, balance: str | None) -> None:
    stored(seed, held(balance, strikes=3, unusable=True))

    ran = run("preflight", "main", "10")

    assert ran.code == 2
    assert "no: strike 3 of 2: visa-1881 counts as banned, by the policy" in ran.out
    assert "next: pay with another card" in ran.out


def test_without_a_card_nobody_can_tell(run: Run, seed: Seed) -> None:
    stored(seed, held("99.00"), account(card=None))

    ran = run("preflight", "main", "10", "--json")

    assert (ran.code, ran.json["card"], ran.json["needed"]) == (69, None, None)
    assert ran.json["reasons"] == ["main names no card"]
    assert run("preflight", "main", "4").code == 2


def test_without_a_card_strikes_are_a_no_all_the_same(run: Run, seed: Seed) -> None:
    stored(seed, None, account(card=None))
    evaluation = json.dumps({"strikes": 2, "unusable": True})
    row = {"name": "account:main", "evaluated_at": NOW, "evaluation": evaluation}
    seed.insert(schema.scopes, row)

    ran = run("preflight", "main", "10")
    assert (ran.code, "strike 2 of 2: the account counts as banned" in ran.out) == (2, True)


def test_currencies_are_not_converted(run: Run, seed: Seed) -> None:
    stored(seed, held("99.00"), currency="EUR")

    ran = run("preflight", "main", "10")

    assert ran.code == 69
    assert "cannot tell: visa-1881 holds EUR, and main is charged in USD" in ran.out
    assert 'next: write what one EUR is worth: [rates] "EUR/USD" = ...' in ran.out


def test_unless_a_rate_is_stated(run: Run, seed: Seed) -> None:
    coming = {"account": "main", "at": NOW.isoformat(), "amount": "10.00", "currency": "USD"}
    rates = [{"one": "EUR", "other": "USD", "worth": "1.08"}]
    stored(seed, held("20.51", coming=[coming]), currency="EUR", rates=rates)

    ran = run("--json", "preflight", "main", "10")

    # twice 10 / 1.08, each rounded up to the cent, and the margin
    assert (ran.code, ran.json["needed"], ran.json["short_by"]) == (2, "20.52", "0.01")
    assert [one["taken"] for one in ran.json["coming"]] == ["9.26"]


@pytest.mark.parametrize(
    ("other", "evaluation", "why"),
    [
        pytest.param(
            *({"recharge": None}, {}, "the configuration does not say whether it recharges"),
            id="unknown settings",
        ),
        pytest.param(
            *({"recharge": RECHARGE}, {}, "nobody stated its balance"), id="an unknown balance"
        ),
        pytest.param(
            {"recharge": RECHARGE},
            {"balance": {"costs_read": False}},
            "its costs since the balance have not been read yet",
            id="unread costs",
        ),
        pytest.param(
            {"recharge": RECHARGE},
            {"balance": {"costs_read": True}, "burn_per_day": None},
            "too little of its spend is known",
            id="an unknown burn",
        ),
        pytest.param(
            {"recharge": RECHARGE, "currency": "EUR"},
            {},
            "it is charged in EUR, the card holds USD",
            id="another currency",
        ),
    ],
)
def test_a_course_that_nobody_knows_is_a_caveat(
    run: Run, seed: Seed, other: dict[str, Any], evaluation: dict[str, Any], why: str
) -> None:
    stored(seed, held("99.00", complete=False), account(), account("other", **other))
    row = {"name": "account:other", "evaluated_at": NOW, "evaluation": json.dumps(evaluation)}
    seed.insert(schema.scopes, row)

    ran = run("preflight", "main", "10", "--json")

    assert (ran.code, len(ran.json["caveats"])) == (0, 1)
    assert ran.json["caveats"][0].startswith(f"what other will charge is not known: {why}")
    assert "but what other will charge is not known" in run("preflight", "main", "10").out


def test_old_knowledge_is_a_caveat(run: Run, seed: Seed) -> None:
    stored(seed, held("99.00"), at=NOW - 5 * HOUR)

    ran = run("preflight", "main", "10", "--json")

    assert (ran.code, ran.json["as_of"]) == (0, "2026-11-23T07:00:00Z")
    assert ran.json["caveats"] == [
        "this rests on what was known 5 h ago: look again with spendguard check"
    ]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["mian", "10"], 1, id="an unknown account"),
        pytest.param(["main", "0"], 64, id="no money"),
        pytest.param(["main", "ten"], 64, id="not an amount"),
        pytest.param(["main"], 64, id="no amount"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    run: Run, seed: Seed, arguments: list[str], code: int
) -> None:
    stored(seed, held("99.00"))
    ran = run("preflight", *arguments)
    assert (ran.code, ran.out, ran.err.startswith("error: ")) == (code, "", True)


def test_it_writes_nothing_and_without_a_database_says_what_makes_one(run: Run, seed: Seed) -> None:
    ran = run("preflight", "main", "10")
    assert (ran.code, "`spendguard check`" in ran.err) == (1, True)
    assert not seed.database.exists()
