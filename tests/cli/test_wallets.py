"""Commands about an account whose API states the balance."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from spendguard.providers.openrouter import OpenRouter
from spendguard.simulator import OpenRouter as Api
from spendguard.simulator import Simulator, World
from spendguard.store import schema
from tests.cli.conftest import Run
from tests.cli.seeding import DAY, DOLLAR, HOUR, NOW, TODAY, Seed

KEY = "sk-or-v1-canary-5501"


@pytest.fixture
def world() -> World:
    """Twenty dollars, of which nothing is spent yet."""
    world = World(NOW)
    world.purchase(NOW - DAY, "20.00")
    return world


@pytest.fixture
def simulator(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """OpenRouter, where the program looks for it."""
    monkeypatch.setenv("OPENROUTER_MANAGEMENT_KEY", KEY)
    with Simulator(world, api=Api(world, KEY)) as running:
        monkeypatch.setattr(OpenRouter, "default_base_url", running.url)
        yield running


@pytest.mark.usefixtures("simulator")
def test_init_reads_the_balance_and_asks_for_nothing_more(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SPENDGUARD_DATABASE__URL", f"sqlite:///{tmp_path}/init.db")
    ran = run("init", "--provider", "openrouter", "--output", str(tmp_path / "config.toml"))

    assert ran.code == 0, ran.err
    assert "the key works, and reads the balance: 20.00 USD" in ran.out
    assert ran.out.splitlines()[-1].endswith(" check")
    assert KEY not in ran.out + ran.err


@pytest.mark.usefixtures("simulator")
def test_the_balance_is_stated_by_the_api_whatever_anybody_types(
    run: Run, seed: Seed, world: World
) -> None:
    with seed.config.open("a") as file:
        file.write(
            '[[accounts]]\nname = "main"\nprovider = "openrouter"\n'
            'key = "env:OPENROUTER_MANAGEMENT_KEY"\n'
        )
    assert run("check").code == 0
    assert "its balance can be read" in run("doctor").out

    said = run("balance", "set", "main", "99")
    assert "the next poll supersedes this one" in said.err
    world.spend(NOW, "0.50")
    run("check")

    (told,) = run("balance", "--json").json["accounts"]
    assert (told["balance"]["floor"], told["balance"]["source"]) == ("19.50", "api")
    assert "api" in run("balance", "list").out


@pytest.mark.usefixtures("simulator")
def test_an_hour_costs_what_the_balance_fell_by_in_it(run: Run, seed: Seed, world: World) -> None:
    with seed.config.open("a") as file:
        file.write(
            '[[accounts]]\nname = "main"\nprovider = "openrouter"\n'
            'key = "env:OPENROUTER_MANAGEMENT_KEY"\n'
        )
    polls = {240: "", 110: "0.50", 30: "0.25", 20: "3.00", 10: "0.25", 0: ""}  # minutes ago
    for back, fall in polls.items():
        world.now = NOW - timedelta(minutes=back)
        if fall:
            world.spend(world.now - timedelta(minutes=5), fall)
        if back == 20:
            world.purchase(world.now, "10.00")
        run("check", at=world.now)

    def spent(since: str) -> str:
        (row,) = run("spend", "--since", since, "--by", "account", "--json").json["rows"]
        return str(row["amount"])

    assert [spent(since) for since in ("15m", "1h", "2h", "6h")] == ["0.25", "3.50", "4.00", "4.00"]


def stated(seed: Seed, left: dict[datetime, int]) -> None:
    """Put what an API said of the balance, in dollars, and that it tells no lifetime credit."""
    same = {"account_id": 1, "currency": "USD", "credited_nanos": None}
    for at, dollars in left.items():
        seed.insert(schema.balances, same | {"at": at, "nanos": dollars * DOLLAR})


def test_the_first_fall_after_quiet_days_is_a_fall(run: Run, seed: Seed) -> None:
    seed.empty().configured("main").read().spent(TODAY, 4 * DOLLAR)
    stated(seed, {NOW - 3 * DAY: 10, NOW - 4 * HOUR: 7, NOW - HOUR: 6})

    rows = run("spend", "--since", "2h", "--by", "account", "--json").json["rows"]

    assert [row["amount"] for row in rows] == ["1.00"]


def test_days_of_which_one_balance_is_kept_are_divided_evenly(run: Run, seed: Seed) -> None:
    seed.empty().configured("main").read()
    day = TODAY - 70 * DAY
    seed.spent(day, 2 * DOLLAR)
    stated(seed, {day - HOUR: 10, day + 23 * HOUR: 8})

    window = ("--since", "2026-09-14T00:00:00Z", "--until", "2026-09-14T12:00:00Z")
    rows = run("spend", *window, "--by", "account", "--json").json["rows"]

    assert [row["amount"] for row in rows] == ["1.00"]
