"""Chaos: every fault at random, yet the same for the same seed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from spendguard.simulator.dice import dice
from spendguard.simulator.faults import Fault

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
FLAKY = 3  # one request in three fails while the weather is flaky


class Chaos:
    """The weather of a world: of its spells, some are calm, some flaky, some one long fault."""

    def __init__(self, seed: int, spell: timedelta = timedelta(hours=3)) -> None:
        self._seed = seed
        self._spell = spell
        self._asked: tuple[datetime, int] = (EPOCH, 0)

    def standing(self, now: datetime) -> Fault | None:
        """Return the fault that befalls every request of the spell, None when there is none."""
        chance = self._weather(now)
        return chance.choice(list(Fault)) if chance.random() < 0.3 else None

    def flaky(self, now: datetime) -> bool:
        """Tell whether single requests of the spell fail at random."""
        return 0.3 <= self._weather(now).random() < 0.6

    def pick(self, now: datetime) -> Fault | None:
        """Return what befalls the next request."""
        at, asked = self._asked
        self._asked = (now, asked + 1 if at == now else 1)
        if not self.flaky(now):
            return self.standing(now)
        chance = dice(self._seed, now.isoformat(), self._asked[1])
        return chance.choice(list(Fault)) if chance.randrange(FLAKY) == 0 else None

    def _weather(self, now: datetime) -> Random:
        return dice(self._seed, (now - EPOCH) // self._spell)
