"""guard: the guard itself is in trouble: no usable channel, a full disk, a clock that jumped."""

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
WEIGHTS = {"clock-jump": 1, "disk-full": 2, "no-channel": 4}


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
            "clock-jump": facts.latest_seen_at is not None
            and facts.latest_seen_at - facts.now > JUMP,
            "disk-full": self._disk_full(facts),
            "no-channel": bool(facts.channels)
            and not any(channel.usable for channel in facts.channels),
        }
        return tuple(trouble for trouble in WEIGHTS if found[trouble])

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
        unusable = sorted(channel.name for channel in facts.channels if not channel.usable)
        return told | {"unusable": tuple(unusable)}
