"""Back up, lose the database, put the copy in its place, go on: nothing owed is lost."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from spendguard.core.windows import DAY, HOUR
from spendguard.simulator import Simulator, World
from tests.system.program import KEY, Program, account, channel
from tests.system.webhook import Webhook


def destroy(database: Path) -> None:
    for end in ("", "-wal", "-shm", ".lock"):
        database.with_name(database.name + end).unlink(missing_ok=True)


def test_a_restored_guard_goes_on_where_the_copy_was_made(tmp_path: Path) -> None:
    now = datetime.now(UTC)  # noqa: TID251 - the processes have the real clock
    world = World(now)
    world.purchase(now - DAY * 20, "50.00")
    for back in range(1, 11):
        world.spend(now - DAY * back, "2.00", line_item="gpt-6-astra, input_tokens")
    copy = tmp_path / "copy.db"
    with Simulator(world, KEY) as simulator, Webhook() as hook:
        run = Program(tmp_path / "here", account(simulator.url) + channel("ops", hook.url))
        run("check")
        run("balance", "set", "openai-main", "4.00")
        hook.down = True
        hook.messages.clear()
        run("check")
        run("alerts", "silence", "--rule", "blind", "--for", "4h")
        assert run("db", "backup", str(copy)).code == 0
        before = {name: run(*name, "--json").json for name in (("spend",), ("balance", "list"))}

        destroy(run.database)
        assert run("status").code == 1
        shutil.copy(copy, run.database)
        world.spend(now - HOUR, "1.00", line_item="gpt-6-astra, input_tokens")
        hook.down = False
        hook.messages.clear()
        assert run("db", "check").code == 0
        assert run("check").code == 2

        titles = [message.title for message in hook.messages]
        assert "WARNING balance-low openai-main" in titles
        assert len(titles) == len(set(titles))
        assert run("balance", "list", "--json").json == before["balance", "list"]
        spent = [
            sum(float(row["amount"]) for row in told["rows"])
            for told in (before["spend",], run("spend", "--json").json)
        ]
        assert spent[1] == spent[0] + 1
        assert [one["rules"] for one in run("alerts", "--json").json["silences"]] == [["blind"]]
