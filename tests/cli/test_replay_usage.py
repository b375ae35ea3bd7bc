"""replay of a history with usage, by the real process: who spent it is in the story."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from spendguard.store import schema
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
[[cards]]
name = "visa-1881"
[[budgets]]
name = "intern"
account = "main"
window = "day"
amount = "4.00"
api_key = "the intern"
"""
BEGIN = TODAY - 30 * DAY
SPIKE = TODAY - 2 * DAY + 9 * HOUR
Replay = Callable[..., Any]


@pytest.fixture
def replay() -> Replay:
    """Run the real command line, and return what it printed as JSON."""

    def process(seed: Seed, *arguments: str) -> Any:
        command = [sys.executable, "-m", "spendguard", "--config", str(seed.config), "replay"]
        until = ("--until", NOW.isoformat(), "--json")
        ran = subprocess.run(  # noqa: S603
            [*command, *until, *arguments], capture_output=True, text=True, check=False, timeout=60
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        return json.loads(ran.stdout)

    return process


@pytest.fixture
def used(seed: Seed) -> Seed:
    """A quarter of a dollar in each hour from eight to eight; then a new key takes five in one."""
    seed.config.write_text(seed.config.read_text() + CONFIGURED, encoding="utf-8")
    account = {"name": "main", "provider": "openai", "currency": "USD", "usage_known": True}
    times = {"first_ok_at": NOW - DAY * 3, "last_ok_at": NOW, "usage_read_at": NOW}
    seed.empty().insert(schema.accounts, {**account, **times, "usage_from": BEGIN})
    with seed.at_once():
        for back in range(31):
            day = TODAY - DAY * back
            hours = [day + HOUR * n for n in range(8, 20) if day + HOUR * n < NOW]
            for hour in hours:
                seed.used(hour, DOLLAR // 4, "key_a", "gpt-5")
            seed.spent(day, len(hours) * DOLLAR // 4, api_key="key_a", model="gpt-5")
        seed.used(SPIKE, 5 * DOLLAR, "key_b", "gpt-5")
        seed.spent(TODAY - 2 * DAY, 5 * DOLLAR, api_key="key_b", model="gpt-5")
    blank = {"account_id": 1, "series": "completions", "project": "", "tier": ""}
    seed.insert(schema.usage_dimensions, {**blank, "id": 9, "api_key": "key_a", "model": "gpt-99"})
    seed.insert(
        schema.usage_hours,
        {
            "account_id": 1,
            "hour": int(SPIKE.timestamp()) // 3600,
            "dimension_id": 9,
            "nanos": None,
            "requests": 40,
            "unpriced": 40,
        },
    )
    of_key = {"account_id": 1, "kind": "api_key", "provider_id": "key_b"}
    seed.insert(schema.names, {**of_key, "name": "the intern", "active": True})
    seed.insert(schema.spenders, {**of_key, "first_seen_at": SPIKE + HOUR})
    stated_at = TODAY - 20 * DAY
    seed.entry("checkpoint", nanos=12 * DOLLAR, at=stated_at, recorded_at=stated_at)
    return seed


def first(played: Any, rule: str) -> Any:
    return next(one for one in played["alerts"] if one["rule"] == rule)


@pytest.mark.parametrize("charges", ["played", "recorded"])
def test_a_key_that_takes_much_in_an_hour_is_named_when_the_hour_is_over(
    charges: str, used: Seed, replay: Replay
) -> None:
    if charges == "recorded":
        at = TODAY - 18 * DAY
        told = {"nanos": 50 * DOLLAR, "outcome": "succeeded", "card": "visa-1881"}
        used.entry("charge", at=at, recorded_at=at, **told)
    played = replay(used)

    assert played["accounts"][0]["charges"] == charges
    spike = first(played, "spend-spike")
    assert spike["at"] == f"{SPIKE + HOUR:%Y-%m-%dT%H:%M:%SZ}"
    assert "the intern" in spike["summary"]
    assert first(played, "key-unknown")["subject"] == "main/key:key_b"
    unpriced = first(played, "unpriced")
    assert (unpriced["at"], unpriced["subject"]) == (spike["at"], "main/model:gpt-99")
    assert first(played, "budget")["subject"] == "budget:intern"
    assert first(played, "budget")["at"] == spike["at"]


def test_a_charge_that_is_played_falls_where_money_was_used(used: Seed, replay: Replay) -> None:
    events = replay(used, "--every", "12h", "--until", "2026-11-20T00:00:00Z")["events"]

    assert [one["at"][11:13] for one in events[:3]] == ["12", "16", "08"]
    assert all(8 <= int(one["at"][11:13]) < 20 for one in events)
