"""Commands about an account whose API states the balance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from spendguard.providers.openrouter import OpenRouter
from spendguard.simulator import OpenRouter as Api
from spendguard.simulator import Simulator, World
from tests.cli.conftest import Run
from tests.cli.seeding import DAY, NOW, Seed

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
