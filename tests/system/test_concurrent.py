"""Two checks at the same time on one database: both go well, and nothing is said twice."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from spendguard.app.clock import utc_now
from spendguard.core.windows import DAY, utc_day
from spendguard.simulator import Simulator, World
from tests.system import books
from tests.system.program import KEY, Program, account, channel
from tests.system.webhook import Webhook

NAMES = ("main", "second", "third")


@pytest.mark.parametrize("together", [2, 4])
def test_checks_at_the_same_time_agree(together: int, tmp_path: Path) -> None:
    now = utc_now()
    world = World(now, clock=utc_now)
    for days in range(5):
        at = now - timedelta(days=days)
        world.spend(at, "7.123456789", project="proj_web", api_key="key_prod", line_item="gpt, in")
    with ExitStack() as ends:
        simulator = ends.enter_context(Simulator(world, KEY))
        hooks = {name: ends.enter_context(Webhook()) for name in ("chat", "mail")}
        accounts = "".join(account(simulator.url, name=name) for name in NAMES)
        channels = "".join(channel(name, hook.url) for name, hook in hooks.items())
        run = Program(tmp_path / "guard", accounts + channels)

        assert checked(run, together) == [0] * together
        for name in NAMES:
            stated = utc_day(now).start - DAY * 2
            done = run("balance", "set", name, "20.00", "--at", stated.isoformat())
            assert done.code == 0
        world.spend(now, "1.00", project="proj_web", api_key="key_prod", line_item="gpt, in")
        for _ in range(2):
            assert checked(run, together) == [2] * together

        rows = books.outbox(run.database)
        assert {row["state"] for row in rows} == {"delivered"}
        for name, hook in hooks.items():
            delivered = [row for row in rows if row["channel"] == name]
            assert len(hook.messages) == len(delivered)
            titles = Counter(hook.titles)
            assert titles == {
                "spendguard is watching main, second, third": 1,
                **{f"CRITICAL balance-low {account}": 1 for account in NAMES},
            }
        assert books.whole(run.database)
        assert books.rolled_up(run.database)
        assert books.trail_fits(run.database)
        shown = books.booked(world, (utc_day(now - DAY * n).start for n in range(5)))
        assert books.spend(run.database) == shown


def checked(run: Program, together: int) -> list[int]:
    """Run several checks at once, find that none complains, and return how they ended."""
    children = [run.start("check", "--json") for _ in range(together)]
    complaints = [child.communicate(timeout=120)[1] for child in children]
    assert complaints == [""] * together
    return [child.returncode for child in children]
