"""kill -9 at random points of `check`: nothing is lost, nothing is counted twice.

Short in the suite; for longer: `KILLS=200 pytest -n auto tests/system/test_kill.py`.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from time import perf_counter

import pytest

from spendguard.app.program import Checked
from spendguard.core.money import Money
from tests.system.life import Life
from tests.system.program import Done

KILLS = int(os.environ.get("KILLS", "100"))
LIVES = 4

log = logging.getLogger(__name__)


def over(child: subprocess.Popen[str], seconds: float) -> bool:
    """Wait for a moment; tell whether a process has ended."""
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


class CheckedLife(Life):
    """A life in which each check is killed at some point, or comes to its end."""

    def kill(self) -> bool:
        """Kill a check at some point; tell whether it had not ended before."""
        child = self.run.start("check")
        ended = partial(over, child)
        way = self.chance.random()
        if way < 0.2:
            self.wait(ended, self.chance.uniform(0, self.lasts))
        elif way < 0.6:
            self.wait(ended, until=self.seen + self.chance.randrange(1, self.events + 1))
            self.wait(ended, self.chance.uniform(0, 0.03))
        else:
            self.wait(ended, taken=self.taken + 1)
            self.wait(ended, self.chance.uniform(0, 0.01))
        with child, suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        killed = child.returncode == -signal.SIGKILL
        self.counts["kills" if killed else "escapes"] += 1
        self.account_for(killed=killed)
        return killed

    def check(self) -> Done:
        """Let a check come to its end, and note how long that takes."""
        begun, seen = perf_counter(), self.seen
        done = self.run("check", "--json")
        self.lasts, self.events = perf_counter() - begun, self.seen - seen
        assert done.code in {0, 1, 2, 69}, done.err
        self.account_for(killed=False)
        return done

    # what must be so in the end

    def settle(self) -> tuple[Done, Checked]:
        """End all trouble, and bring both accounts to the same, quiet place."""
        self.simulator.clear()
        for hook in self.hooks.values():
            hook.down = False
        self.check()
        self.calm.check()
        # Far from a step of deposit-cap: its base is a guess within the day.
        self.deposit("60.00")
        self.spend_down_to(Money.parse("4.00", "USD"))
        self.check()
        return self.check(), self.calm.check()

    def compare(self, done: Done, calm: Checked) -> None:
        """Find the same in both databases, and in the world."""
        self.same_books()
        (told,) = done.json["accounts"]
        found = [
            (one.rule, one.subject, one.status.value, one.severity.label, one.step)
            for one in calm.accounts[0].judged.findings
        ]
        parts = ("rule", "subject", "status", "severity", "step")
        assert [tuple(one[part] for part in parts) for one in told["findings"]] == found
        assert ("balance-low", "openai-main", "firing") in {one[:3] for one in found}
        facts = calm.accounts[0].judged.facts
        assert facts is not None
        assert facts.position is not None
        position = facts.position
        assert position.floor <= position.billed == Money.parse("4.00", "USD")
        assert self.balance(self.run) == (position.floor.exact(), "4.00")


@pytest.mark.parametrize("seed", range(LIVES))
def test_a_check_that_is_killed_anywhere_loses_nothing_and_counts_nothing_twice(
    seed: int, tmp_path: Path
) -> None:
    with ExitStack() as ends:
        life = CheckedLife(seed, tmp_path, ends)
        while not life.kill() or life.counts["kills"] < KILLS // LIVES // 10:
            continue  # in the midst of creating the database and of reading 180 days
        life.check()
        life.state_balance()
        while life.counts["kills"] < KILLS // LIVES:
            life.happen()
            if life.chance.random() < 0.1:
                life.check()
            else:
                life.kill()
            life.calm.check()
        done, calm = life.settle()
        life.compare(done, calm)
        assert done.json["notifications"] == []
        life.nothing_is_owed()
        log.info("life %d: %s", seed, dict(life.counts))
