"""channel-failing: a channel refuses, loses or owes messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.facts import ChannelUse, GuardFacts
from spendguard.core.findings import Finding, Severity, Status, Value

STEPS = ("owing", "refused", "lost")


@dataclass(frozen=True, slots=True)
class ChannelFailing:
    """Fire when a channel refused or lost a message, or has owed one for `after`."""

    name: ClassVar[str] = "channel-failing"
    policy: ClassVar[Policy] = Policy()

    after: timedelta = timedelta(hours=1)

    def evaluate(self, facts: GuardFacts) -> list[Finding]:
        """Judge each channel."""
        channels = sorted(facts.channels, key=lambda channel: channel.name)
        return [self._judge(facts.now, channel) for channel in channels]

    def _judge(self, now: datetime, channel: ChannelUse) -> Finding:
        subject = f"channel:{channel.name}"
        values = _values(now, channel)
        rank = self._rank(now, channel)
        if rank == 0:
            return Finding(self.name, subject, Status.CLEAR, values=values)
        step = STEPS[rank - 1]
        return Finding(self.name, subject, Status.FIRING, Severity.WARNING, step, rank, values)

    def _rank(self, now: datetime, channel: ChannelUse) -> int:
        if channel.lost_at is not None:
            return 3
        if channel.refused:
            return 2
        return int(channel.owed_since is not None and now - channel.owed_since >= self.after)


def _values(now: datetime, channel: ChannelUse) -> dict[str, Value]:
    told: dict[str, Value] = {"channel": channel.name, "refused": channel.refused}
    if channel.owed_since is not None:
        told |= {"owed_since": channel.owed_since, "owed_for": now - channel.owed_since}
    if channel.lost_at is not None:
        told["lost_at"] = channel.lost_at
    if channel.error:
        told["error"] = channel.error
    return told
