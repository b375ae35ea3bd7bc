"""Accounts whose API states the balance, as stories: the real program over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from spendguard.app.program import App, configure
from spendguard.core.windows import DAY, HOUR
from spendguard.simulator import Card, DeepSeek, OpenRouter, Simulator, World
from tests.system.guarded import RECHARGE, Guarded
from tests.system.program import KEY, Program, channel
from tests.system.webhook import Webhook

START = datetime(2026, 10, 5, tzinfo=UTC)
OFF = "\n[accounts.recharge]\nenabled = false\n"
MINUTES = timedelta(minutes=5)
APIS = {"openrouter": OpenRouter, "deepseek": DeepSeek}


def table(provider: str, url: str) -> str:
    return (
        f'\n[[accounts]]\nname = "main"\nprovider = "{provider}"\n'
        f'key = "env:OPENAI_ADMIN_KEY"\nbase_url = "{url}"\n'
    )


@contextmanager
def wallet(
    directory: Path, provider: str, world: World, more: str = "", now: datetime = START
) -> Iterator[Guarded]:
    """Yield the program with one account of a provider that states the balance."""
    with ExitStack() as ends:
        hook = ends.enter_context(Webhook())
        api = APIS[provider](world, KEY)
        simulator = ends.enter_context(Simulator(world, KEY, api=api))
        text = table(provider, simulator.url) + more + channel("ops", hook.url)
        program = Program(directory, text)
        here: list[Guarded] = []
        configuration = configure(str(program.config), program.env)
        app = ends.enter_context(App(configuration, program.env, lambda: here[0].now))
        here.append(Guarded(app, program, {"main": world}, hook, now))
        app.prepare()
        yield here[0]


def test_one_top_up_that_the_api_and_a_person_state_is_one_deposit(tmp_path: Path) -> None:
    now = datetime.now(UTC)  # noqa: TID251 - the processes have the real clock
    world = World(now - DAY)
    world.purchase(now - HOUR, "6.00")
    world.now = now
    with wallet(tmp_path, "openrouter", world, OFF) as here:
        run = here.program
        (first,) = run("check", "--json").json["accounts"]
        assert first["polled"] == "ok"
        (balance,) = run("balance", "--json").json["accounts"]
        assert (balance["balance"]["floor"], balance["balance"]["source"]) == ("6.00", "api")

        world.spend(now, "1.25")
        world.purchase(now, "10.00")
        run("check")
        (deposit,) = run("deposit", "list", "--json").json["deposits"]
        assert (deposit["amount"], deposit["sources"]) == ("10.00", ["api"])
        rows = run("spend", "--json").json["rows"]
        assert sum(float(row["amount"]) for row in rows) == 1.25
        assert {(row["kind"], row["project"], row["model"], row["api_key"]) for row in rows} == {
            ("booked", None, None, None)
        }

        run("deposit", "add", "main", "10.00")
        seen = run("deposit", "list", "--json").json["deposits"]
        assert [one["sources"] for one in seen if not one["same_as"]] == [["api", "manual"]]
        (balance,) = run("balance", "--json").json["accounts"]
        assert balance["balance"]["floor"] == "14.75"

        said = run("balance", "set", "main", "99")
        assert "supersedes" in said.err
        run("check")
        (balance,) = run("balance", "--json").json["accounts"]
        assert (balance["balance"]["floor"], balance["balance"]["source"]) == ("14.75", "api")


def spend(world: World, per_day: str, until: datetime) -> None:
    hours = (until - START) // HOUR + 24 * 3
    for hour in range(hours):
        at = START - DAY * 3 + HOUR * hour + timedelta(minutes=7)
        world.spend(at, f"{float(per_day) / 24:.6f}")


def test_a_month_of_recharges_is_foretold_and_nothing_else(tmp_path: Path) -> None:
    card = Card("visa-1881")
    card.fill(START - DAY * 9, "500.00")
    world = World(START - DAY * 9, card=card, name="main")
    world.purchase(START - DAY * 8, "20.00")
    world.recharge(START - DAY * 7, trigger="5.00", amount="10.00")
    spend(world, "2.40", START + DAY * 21)
    with wallet(tmp_path, "openrouter", world, RECHARGE) as here:
        for _ in here.until(START + DAY * 20):
            continue

        assert len(world.charges) == 4
        assert set(here.titles()) == {"INFO recharge-due main"}
        assert len(here.titles()) in {4, 5}  # the fifth may be near
        (account,) = here.program("status", "--json").json["accounts"]
        assert account["balance"]["floor"] == world.balance.exact()
        assert account["balance"]["source"] == "api"


def test_a_recharge_that_does_not_come_is_missed_after_its_grace(tmp_path: Path) -> None:
    card = Card("visa-1881")
    world = World(START - DAY * 9, card=card, name="main")
    world.purchase(START - DAY * 8, "15.00")
    world.recharge(START - DAY * 7, trigger="5.00", amount="10.00")
    spend(world, "2.40", START + DAY * 5)
    with wallet(tmp_path, "deepseek", world, RECHARGE) as here:
        for _ in here.until(START + DAY * 3, HOUR):
            continue

        missed = [at for at, one in here.said if one.title == "CRITICAL recharge-missing main"]
        under = next(
            at
            for at in (START + HOUR * hour for hour in range(99))
            if world.balance_at(at).nanos < 5 * 10**9
        )
        assert timedelta(hours=2) < missed[0] - under <= timedelta(hours=3)


def test_credit_while_recharge_is_off_is_said_once_and_explained_by_an_entry(
    tmp_path: Path,
) -> None:
    world = World(START - DAY)
    world.purchase(START - HOUR, "30.00")
    world.purchase(START + HOUR * 2, "10.00")
    with wallet(tmp_path, "deepseek", world, OFF) as here:
        for _ in here.until(START + HOUR * 8, HOUR):
            continue
        assert here.titles() == ["WARNING recharge-unexpected main"]

        here.deposit("main", "10.00")
        here.check()
        assert here.titles()[1:] == ["RESOLVED recharge-unexpected main"]
