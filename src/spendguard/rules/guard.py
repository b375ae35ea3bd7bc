"""guard: the guard itself is in trouble: its clock, its work, its disk, its database, its channels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.facts import GuardFacts
from spendguard.core.findings import Finding, Severity, Status, Value
from spendguard.rules.base import held_rank, rank_under, unknown

SUBJECT = "guard"
MIB = 1024 * 1024
JUMP = timedelta(minutes=5)
WEIGHTS = {"clock-jump": 1, "stalled": 8, "disk-full": 2, "not-writable": 16, "no-channel": 4}
"""Every trouble, the worst last, and the bit it has in the rank."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Fire when the guard cannot do its work; `minimum_free` is in MiB beside the database."""

    name: ClassVar[str] = "guard"
    policy: ClassVar[Policy] = Policy()

    minimum_free: int = 64

    def evaluate(self, facts: GuardFacts) -> list[Finding]:
        """Name every trouble in one finding; any further one raises its rank."""
        values = self._values(facts)
        troubles = self._troubles(facts)
        if troubles:
            rank = sum(WEIGHTS[trouble] for trouble in troubles)
            values |= {"troubles": troubles}
            severity, step = Severity.CRITICAL, troubles[-1]
            return [Finding(self.name, SUBJECT, Status.FIRING, severity, step, rank, values)]
        if facts.disk_free is None:
            return [unknown(self.name, SUBJECT, "disk", **values)]
        return [Finding(self.name, SUBJECT, Status.CLEAR, values=values)]

    def _troubles(self, facts: GuardFacts) -> tuple[str, ...]:
        """Return what is wrong, the worst last."""
        found = {
            "clock-jump": self._jumped(facts),
            "stalled": facts.health.stalled_since is not None,
            "disk-full": self._disk_full(facts),
            "not-writable": bool(facts.health.unwritable),
            "no-channel": bool(facts.channels)
            and not any(channel.usable for channel in facts.channels),
        }
        return tuple(trouble for trouble in WEIGHTS if found[trouble])

    def _jumped(self, facts: GuardFacts) -> bool:
        ahead = facts.latest_seen_at is not None and facts.latest_seen_at - facts.now > JUMP
        moved = facts.health.jumped
        return ahead or (moved is not None and abs(moved) > JUMP)

    def _disk_full(self, facts: GuardFacts) -> bool:
        if facts.disk_free is None:
            return False
        held = bool(held_rank(facts.standing, self.name, SUBJECT) & WEIGHTS["disk-full"])
        return rank_under(facts.disk_free, (self.minimum_free * MIB,), int(held)) > 0

    def _values(self, facts: GuardFacts) -> dict[str, Value]:
        told: dict[str, Value] = {"now": facts.now, "minimum_free": self.minimum_free}
        if facts.disk_free is not None:
            told["disk_free"] = facts.disk_free // MIB
        if facts.latest_seen_at is not None:
            told["latest_seen_at"] = facts.latest_seen_at
        health = facts.health
        if health.jumped is not None:
            told["jumped"] = abs(health.jumped)
            told["back"] = health.jumped < timedelta(0)
        if health.stalled_since is not None:
            told["stalled_since"] = health.stalled_since
        if health.unwritable:
            told["unwritable"] = health.unwritable
        unusable = sorted(channel.name for channel in facts.channels if not channel.usable)
        return told | {"unusable": tuple(unusable)}
