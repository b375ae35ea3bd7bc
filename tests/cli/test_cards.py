"""charge, card and preflight over real HTTP: two accounts that one card pays for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from spendguard.simulator.server import Simulator
from spendguard.simulator.world import World
from tests.cli.conftest import Ran, Run
from tests.cli.seeding import DAY, DOLLAR, HOUR, NOW, Seed
from tests.ends import HttpEnd

KEY = "sk-admin-canary-7702"
PER_DAY = {"alpha": "2.00", "beta": "1.00"}
ACCOUNT = """
[[accounts]]
name = "{name}"
provider = "openai"
key = "file:{key}"
base_url = "{url}"
{more}
[accounts.recharge]
enabled = true
trigger = "5.00"
amount = "10.00"
"""
CARD = '[[cards]]\nname = "visa-1881"\nmargin = "2.00"\n'
PAID = 'card = "visa-1881"'


def spending(per_day: str) -> World:
    """Ten days in which as much is spent every day."""
    made = World(NOW)
    made.purchase(NOW - DAY * 20, "50.00")
    for back in range(1, 11):
        made.spend(NOW - DAY * back, per_day, line_item="gpt-6-astra, input_tokens")
    return made


@pytest.fixture
def chat(seed: Seed, tmp_path: Path) -> Iterator[HttpEnd]:
    """Two simulators, and the chat that is told; both accounts are paid by one card."""
    key = tmp_path / "key"
    key.write_text(KEY, encoding="utf-8")
    with ExitStack() as stack:
        webhook = stack.enter_context(HttpEnd())
        text = seed.config.read_text(encoding="utf-8") + CARD
        for name, per_day in PER_DAY.items():
            world = spending(per_day)
            one = stack.enter_context(Simulator(world, KEY, patience=timedelta(seconds=2)))
            text += ACCOUNT.format(name=name, key=key, url=one.url, more=PAID)
        text += f'[[channels]]\nname = "ops"\nurl = "{webhook.url}"\n'
        seed.config.write_text(text, encoding="utf-8")
        yield webhook


@pytest.fixture
def alone(seed: Seed, tmp_path: Path) -> Seed:
    """One account, of which nothing was ever read, and no card."""
    key = tmp_path / "key"
    key.write_text(KEY, encoding="utf-8")
    text = seed.config.read_text(encoding="utf-8")
    account = ACCOUNT.format(name="alpha", key=key, url="http://127.0.0.1:9", more="")
    seed.config.write_text(text + account, encoding="utf-8")
    return seed


def settled(run: Run, card: str | None = "7.40") -> None:
    """Read both accounts, and state their balances and what is on the card."""
    run("check")
    run("balance", "set", "alpha", "9.00")
    run("balance", "set", "beta", "7.00")
    if card is not None:
        run("card", "set", "visa-1881", card)
    run("check")


def told_of(ran: Ran) -> dict[str, Any]:
    """Return the one card of `status --json` or `card list --json`."""
    (card,) = ran.json["cards"]
    found: dict[str, Any] = card
    return found


class TestTheStory:
    def test_a_card_that_is_short_is_told_of_before_a_charge_fails(
        self, run: Run, chat: HttpEnd
    ) -> None:
        settled(run)

        card = told_of(run("status", "--json"))
        assert (card["balance"], card["needed"]["amount"]) == ("7.40", "22.00")
        assert (card["short_by"], card["strikes"]) == ("14.60", 0)
        assert card["needed"]["until"] == "2026-11-26T12:00:00Z"
        ran = run("check")
        assert ran.code == 2
        assert len(re.findall(r"card-short +card:visa-1881", ran.out)) == 1
        titles = [one["title"] for one in chat.messages]
        assert titles.count("CRITICAL card-short card:visa-1881") == 1

    def test_preflight_says_no_with_every_line_of_the_sum(self, run: Run, chat: HttpEnd) -> None:
        settled(run)

        ran = run("preflight", "alpha", "10")

        assert ran.code == 2
        assert [line.split("  ")[0] for line in ran.out.splitlines()] == [
            "10.00 USD on alpha",
            "this charge",
            "alpha, expected 2026-11-25 12:00",
            "beta, expected 2026-11-25 12:00",
            "verification hold",
            "margin",
            "needed",
            "on visa-1881",
            "short by",
            "",
            "no: visa-1881 holds 7.40 USD, and 32.00 USD is needed",
            (
                "next: put at least 24.60 USD on visa-1881, "
                "then: spendguard card set visa-1881 <what is on it>"
            ),
        ]
        assert chat.messages

    def test_preflight_says_yes_once_the_card_is_filled(self, run: Run, chat: HttpEnd) -> None:
        settled(run, card="32.00")

        ran = run("preflight", "alpha", "10.00", "--json")

        assert ran.code == 0
        assert ran.json == {
            "jsonversion": 1,
            "as_of": "2026-11-23T12:00:00Z",
            "account": "alpha",
            "amount": "10.00",
            "currency": "USD",
            "card": "visa-1881",
            "verdict": "yes",
            "reasons": ["visa-1881 holds 32.00 USD, and 32.00 USD is needed"],
            "caveats": [],
            "needed": "32.00",
            "balance": "32.00",
            "short_by": "0.00",
            "coming": [
                {
                    "account": name,
                    "at": ran.json["coming"][place]["at"],
                    "amount": "10.00",
                    "currency": "USD",
                    "taken": "10.00",
                }
                for place, name in enumerate(("alpha", "beta"))
            ],
        }
        assert run("preflight", "alpha", "10.01").code == 2
        assert chat.messages

    def test_the_status_shows_the_next_charge_and_the_strikes(
        self, run: Run, chat: HttpEnd
    ) -> None:
        settled(run)
        run("charge", "add", "alpha", "10", "--failed")

        alpha, beta = run("status", "--json").json["accounts"]
        coming = alpha["next_recharge"]
        assert set(coming) == {"expected_at", "earliest", "latest", "amount", "card"}
        assert (coming["amount"], coming["card"]) == ("10.00", "visa-1881")
        assert coming["expected_at"] == "2026-11-23T12:00:00Z"  # after a failed charge: now
        assert (alpha["strikes"], beta["strikes"]) == (1, 1)
        out = run("status").out
        assert "1 failed; 10.00 USD 2026-11-23 12:00" in out
        assert "visa-1881" in out
        assert chat.messages


@pytest.mark.usefixtures("chat")
class TestCharge:
    def test_json_of_a_failed_one_is_a_strike(self, run: Run) -> None:
        arguments = ("alpha", "10", "--failed", "--reason", "card declined", "--id", "pay-1")
        assert run("charge", "add", *arguments, "--json").json == {
            "jsonversion": 1,
            "id": "1",
            "new": True,
            "account": "alpha",
            "kind": "charge",
            "amount": "10.00",
            "currency": "USD",
            "at": "2026-11-23T12:00:00Z",
            "expires_at": None,
            "external_id": "pay-1",
            "outcome": "failed",
            "card": "visa-1881",
            "reason": "card declined",
            "strikes": 1,
        }
        again = run("charge", "add", *arguments)
        assert again.out == "known already as charge 1: nothing changed\n"
        other = run("charge", "add", "alpha", "10", "--succeeded", "--id", "pay-1")
        assert (other.code, "already stands for another entry" in other.err) == (1, True)

    def test_it_says_how_many_strikes_are_left(self, run: Run) -> None:
        first = run("charge", "add", "alpha", "10", "--failed", "--at", "2026-11-23T10:00:00Z")
        assert first.out.splitlines() == [
            "charge 1: 10.00 USD on alpha failed at 2026-11-23 10:00 UTC",
            (
                "strike 1 of 2: one more and the card counts as banned, "
                "by the policy strikes_to_ban = 2"
            ),
        ]
        second = run("charge", "add", "beta", "10", "--failed")
        assert second.out.splitlines()[1] == (
            "strike 2 of 2: the card counts as banned, by the policy strikes_to_ban = 2"
        )
        ran = run("preflight", "alpha", "10")
        assert (ran.code, "no: strike 2 of 2: visa-1881 counts as banned" in ran.out) == (2, True)

    def test_one_that_succeeded_is_a_deposit_and_ends_the_strikes(self, run: Run) -> None:
        run("balance", "set", "alpha", "2.00", "--at", "2026-11-23T09:00:00Z")
        run("charge", "add", "alpha", "10", "--failed", "--at", "2026-11-23T10:00:00Z")

        told = run("charge", "add", "alpha", "10", "--succeeded")

        assert told.out.splitlines() == [
            (
                "charge 3: 10.00 USD on alpha succeeded at 2026-11-23 12:00 UTC, "
                "expires 2027-11-23 12:00 UTC"
            ),
            "the balance is 12.00 USD",
        ]
        (deposit,) = run("deposit", "list", "--json").json["deposits"]
        assert (deposit["kind"], deposit["charge"]) == ("deposit", True)
        assert run("status", "--json").json["accounts"][0]["strikes"] == 0

    def test_a_strike_that_a_later_success_ended_is_none(self, run: Run) -> None:
        run("charge", "add", "alpha", "10", "--succeeded")
        late = run("charge", "add", "alpha", "10", "--failed", "--at", "2026-11-22")
        assert late.out.splitlines()[1] == "no strike: a charge after it succeeded"

    def test_credit_that_a_later_balance_holds_is_not_added_again(self, run: Run) -> None:
        run("balance", "set", "alpha", "9.00")
        late = run("charge", "add", "alpha", "10", "--succeeded", "--at", "2026-11-22")
        assert late.out.splitlines()[1:] == [
            "the balance that was stated is no older: the credit is inside it",
            "the balance is 9.00 USD",
        ]

    def test_without_a_balance_it_says_how_to_state_one(self, run: Run) -> None:
        out = run("charge", "add", "alpha", "10", "--succeeded").out
        assert "spendguard balance set alpha" in out

    def test_they_are_listed_and_can_be_taken_back(self, run: Run) -> None:
        run("db", "upgrade")
        assert run("charge").out == "no charges yet\n"
        run("charge", "add", "alpha", "10", "--failed", "--reason", "declined")
        run("charge", "add", "beta", "5", "--succeeded", "--id", "x")

        assert run("deposit", "void", "2").err == (
            "error: entry '2' is a charge, not a deposit\nhint:  use `spendguard charge void 2`\n"
        )
        assert run("charge", "void", "1").out == "voided charge 1: 10.00 USD on alpha\n"
        assert run("charge", "void", "1", "--json").json["new"] is False
        assert run("charge", "void", "7").code == 1
        assert run("status", "--json").json["accounts"][0]["strikes"] == 0
        first, second = run("charge", "list", "--json").json["charges"]
        assert first == {
            "id": "1",
            "account": "alpha",
            "card": "visa-1881",
            "amount": "10.00",
            "currency": "USD",
            "outcome": "failed",
            "at": "2026-11-23T12:00:00Z",
            "reason": "declined",
            "source": "manual",
            "external_id": None,
            "recorded_at": "2026-11-23T12:00:00Z",
            "voided_at": "2026-11-23T12:00:00Z",
        }
        assert (second["outcome"], second["reason"]) == ("succeeded", None)
        lines = run("charge", "list").out.splitlines()
        assert lines[1].endswith("declined  voided")
        assert len(run("charge", "list", "beta").out.splitlines()) == 2
        assert run("charge", "list", "gamma").code == 1

    def test_voiding_one_that_succeeded_voids_its_deposit(self, run: Run) -> None:
        run("balance", "set", "alpha", "2.00", "--at", "2026-11-23T09:00:00Z")
        run("charge", "add", "alpha", "10", "--succeeded")
        run("charge", "void", "2")
        assert run("balance", "--json").json["accounts"][0]["balance"]["billed"] == "2.00"

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            pytest.param(["gamma", "5", "--failed"], 1, id="an unknown account"),
            pytest.param(["alpha", "5"], 64, id="neither succeeded nor failed"),
            pytest.param(["alpha", "5", "--failed", "--succeeded"], 64, id="both"),
            pytest.param(["alpha", "0", "--failed"], 64, id="no money"),
            pytest.param(["alpha", "5", "--failed", "--at", "2026-11-24"], 64, id="to come"),
            pytest.param(["alpha", "5", "--failed", "--reason", "a\nb"], 64, id="two lines"),
        ],
    )
    def test_what_cannot_be_is_refused(self, run: Run, arguments: list[str], code: int) -> None:
        assert run("charge", "add", *arguments).code == code

    @pytest.mark.parametrize("option", ["--reason", "--id"])
    def test_a_card_number_is_refused_and_not_shown(self, run: Run, option: str) -> None:
        said = "declined 4111 1111 1111 1111"
        ran = run("charge", "add", "alpha", "5", "--failed", option, said)
        assert (ran.code, "4111" in ran.out + ran.err) == (64, False)


def test_strikes_of_an_account_without_a_card_are_its_own(run: Run, alone: Seed) -> None:
    out = run("charge", "add", "alpha", "10", "--failed").out
    assert "strike 1 of 2: one more and the account counts as banned" in out
    assert run("charge", "list", "--json").json["charges"][0]["card"] is None
    assert alone.database.exists()


@pytest.mark.usefixtures("chat")
class TestCard:
    def test_what_is_stated_is_listed_and_can_be_taken_back(self, run: Run) -> None:
        at = "2026-11-23T10:00:00Z"
        assert run("card", "set", "visa-1881", "7.40", "--at", at, "--json").json == {
            "jsonversion": 1,
            "id": "1",
            "card": "visa-1881",
            "amount": "7.40",
            "currency": "USD",
            "at": at,
            "balance": "7.40",
            "needed": None,
            "short_by": None,
            "strikes": 0,
            "superseded_by": None,
        }
        assert told_of(run("card", "--json")) == {
            "name": "visa-1881",
            "balance": "7.40",
            "as_of": at,
            "needed": None,
            "short_by": None,
            "strikes": 0,
            "currency": "USD",
            "statements": [
                {
                    "id": "1",
                    "amount": "7.40",
                    "currency": "USD",
                    "at": at,
                    "recorded_at": "2026-11-23T12:00:00Z",
                    "voided_at": None,
                }
            ],
        }
        assert run("card", "void", "1").out == "voided statement 1: 7.40 USD on visa-1881\n"
        assert run("card", "void", "1", "--json").json["new"] is False
        assert run("card", "void", "9").code == 1
        out = run("card", "list").out
        assert "1  visa-1881  7.40 USD  2026-11-23 10:00  voided" in out
        assert "nobody stated what is on visa-1881: spendguard card set visa-1881" in out
        assert told_of(run("card", "--json"))["balance"] is None

    def test_it_says_what_follows(self, run: Run) -> None:
        assert "what is coming is not known" in run("card", "set", "visa-1881", "5").out
        settled(run, card=None)
        assert run("card", "set", "visa-1881", "7.40").out.splitlines() == [
            "visa-1881: 7.40 USD at 2026-11-23 12:00 UTC",
            "needed until 2026-11-26 12:00: 22.00 USD, short by 14.60 USD",
        ]
        assert "22.00 USD, which it covers" in run("card", "set", "visa-1881", "22").out
        early = run("card", "set", "visa-1881", "1", "--at", "2026-11-20").out
        assert "what was stated for 2026-11-23 12:00 is later, and goes on to count" in early

    def test_charges_since_are_taken_off(self, run: Run) -> None:
        run("card", "set", "visa-1881", "30", "--at", "2026-11-20")
        run("charge", "add", "alpha", "10", "--succeeded")
        assert told_of(run("card", "--json"))["balance"] == "20.00"
        assert (
            "after the charges since: 20.00 USD"
            in run(*("card", "set", "visa-1881", "30", "--at", "2026-11-21")).out
        )

    def test_an_empty_card_is_known_to_be_empty(self, run: Run) -> None:
        run("card", "set", "visa-1881", "0")
        assert told_of(run("card", "--json"))["balance"] == "0.00"

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            pytest.param(["visa-9", "5"], 1, id="an unknown card"),
            pytest.param(["visa-1881", "-1"], 64, id="less than nothing"),
            pytest.param(["visa-1881"], 64, id="no amount"),
            pytest.param(["visa-1881", "5", "--at", "2026-11-24"], 64, id="to come"),
            pytest.param(["visa-18812", "5"], 64, id="more than four digits"),
        ],
    )
    def test_what_cannot_be_is_refused(self, run: Run, arguments: list[str], code: int) -> None:
        ran = run("card", "set", *arguments)
        assert ran.code == code
        assert "18812" not in ran.out + ran.err
        if code == 1:
            assert "known: visa-1881" in ran.err


def test_without_a_card_the_list_says_so(run: Run, seed: Seed) -> None:
    seed.empty().configured("main")
    assert run("card").out.startswith("no card is configured")


class TestDoctor:
    def test_it_looks_at_cards(self, run: Run, chat: HttpEnd) -> None:
        settled(run, card=None)
        assert "warn  card visa-1881" in run("doctor").out
        run("card", "set", "visa-1881", "30")
        checks = run("doctor", "--json").json["checks"]
        (card,) = (one for one in checks if one["subject"] == "card visa-1881")
        assert (card["status"], card["message"]) == ("ok", "it holds 30.00 USD")
        run("charge", "add", "alpha", "10", "--failed", "--at", "2026-11-23T10:00:00Z")
        run("charge", "add", "alpha", "10", "--failed")
        assert "it counts as banned, by the policy strikes_to_ban = 2" in run("doctor").out
        assert chat.messages

    def test_a_card_nobody_uses_is_told(self, run: Run, alone: Seed) -> None:
        with alone.config.open("a", encoding="utf-8") as file:
            file.write(CARD)
        assert "it pays for no account" in run("doctor").out


class TestSources:
    def entry(self, seed: Seed, kind: str, nanos: int | None, **more: object) -> None:
        seed.entry(kind, nanos=nanos, **{"at": NOW - DAY, **more})

    def test_a_top_up_that_several_saw_is_listed_with_its_sources(
        self, run: Run, seed: Seed
    ) -> None:
        seed.empty().configured("main")
        self.entry(seed, "charge", 10 * DOLLAR, outcome="succeeded", card="visa-1881")
        self.entry(seed, "deposit", 10 * DOLLAR, source="receipt", origin="stripe")
        self.entry(seed, "deposit", None, source="inferred", at=NOW - HOUR)
        self.entry(seed, "charge", 10 * DOLLAR, outcome="failed")

        told = run("deposit", "list", "--json").json
        listed = {one["id"]: one for one in told["deposits"]}
        assert set(listed) == {"1", "2", "3"}
        assert listed["2"]["sources"] == ["receipt", "manual"]
        assert (listed["1"]["same_as"], listed["2"]["same_as"]) == ("2", None)
        assert (listed["3"]["amount"], listed["3"]["currency"]) == (None, "USD")
        assert told["conflicts"] == []
        out = run("deposit", "list").out
        assert "receipt, manual" in out
        assert "unknown" in out

    def test_what_may_be_one_or_two_is_shown(self, run: Run, seed: Seed) -> None:
        seed.empty().configured("main")
        self.entry(seed, "deposit", 20 * DOLLAR)
        self.entry(seed, "deposit", 10 * DOLLAR, source="receipt")

        told = run("deposit", "list", "--json").json
        assert told["conflicts"] == [{"account": "main", "ids": ["1", "2"]}]
        assert "1 and 2 may be one top-up or two" in run("deposit", "list").out
