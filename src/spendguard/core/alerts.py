"""Alerts: one episode of a rule firing for a subject, and the state machine it lives in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from spendguard.core.findings import Finding, Severity, Status, Value

DAY = timedelta(days=1)
KIN = (
    "charge-failed",
    "recharge-missing",
    "card-short",
    "balance-low",
    "runway-short",
    "deposit-cap",
    "recharge-due",
)
CLOSED_BY_ACK = frozenset({"recharge-unexpected", "key-unknown", "spend-spike", "config-drift"})


class NotifyReason(StrEnum):
    """Why a message is owed."""

    FIRED = "fired"
    ESCALATED = "escalated"
    REPEATED = "repeated"
    RESOLVED = "resolved"
    STANDING = "standing"  # nothing new: named beside a kin that escalated


@dataclass(frozen=True, slots=True)
class Policy:
    """How long a finding is held before it is said, and how often it is said again.

    `calm` is the repeat interval of a rule below critical, where it is not that of every rule.
    """

    enabled: bool = True
    hold: timedelta = timedelta(0)
    repeat: timedelta | None = None
    calm: timedelta = DAY

    def repeat_after(self, severity: Severity, escalated_at: datetime, now: datetime) -> timedelta:
        """Return the repeat interval: critical every 4 h for a day, everything else daily."""
        if self.repeat is not None:
            return self.repeat
        if severity is not Severity.CRITICAL:
            return self.calm
        return timedelta(hours=4) if now - escalated_at < DAY else DAY


@dataclass(frozen=True, slots=True)
class Level:
    """A severity and a step; either rising is an escalation."""

    severity: Severity
    rank: int

    def above(self, other: Level) -> bool:
        """Tell whether severity or step is higher than in `other`."""
        return self.severity > other.severity or self.rank > other.rank

    def least(self, other: Level) -> Level:
        """Return the lower of both, severity and step apart."""
        return Level(min(self.severity, other.severity), min(self.rank, other.rank))


@dataclass(frozen=True, slots=True)
class Alert:
    """One episode, from the first firing finding to its end.

    `said` is the level of the last message, lowered as the alert falls, so that the next rise
    escalates again. `told` is the worst severity of any message of the episode. `acknowledged`,
    `muted` and `inhibited` are the levels at which a person, a silence or a kin holds it back:
    a rise above them is told all the same.
    """

    rule: str
    subject: str
    level: Level
    step: str
    since: datetime
    escalated_at: datetime
    values: Mapping[str, Value] = field(default_factory=dict)
    values_at: datetime | None = None
    fired_at: datetime | None = None  # None while pending
    said: Level | None = None
    said_at: datetime | None = None
    told: Severity | None = None
    acknowledged: Level | None = None
    muted: Level | None = None
    inhibited: Level | None = None
    quiet: bool = False  # it is known, and sent to nobody

    @property
    def pending(self) -> bool:
        """True until the alert has outlasted the policy's hold."""
        return self.fired_at is None

    @property
    def severity(self) -> Severity:
        """How much it matters now."""
        return self.level.severity

    @property
    def silenced(self) -> bool:
        """True while a silence holds it, and it has not risen above what was silenced."""
        return self.muted is not None and not self.level.above(self.muted)


Step = tuple[Alert | None, NotifyReason | None]


def advance(alert: Alert | None, finding: Finding, policy: Policy, now: datetime) -> Step:
    """Return the alert after `finding`, and why a message is due, if one is.

    A due message is not yet said: `withhold` decides, and what it withholds is due again at the
    next evaluation. An UNKNOWN finding changes nothing but the passage of time: a provider that
    stops answering must not look like one that has been paid.
    """
    if finding.status is Status.CLEAR:
        return _end(alert)
    if finding.status is Status.FIRING:
        alert = _fire(alert, finding, policy, now)
    if alert is None or alert.fired_at is None or alert.quiet:
        return alert, None
    return alert, _due(alert, policy, now)


def _end(alert: Alert | None) -> Step:
    spoken = alert is not None and alert.told is not None and alert.told >= Severity.WARNING
    return None, NotifyReason.RESOLVED if spoken else None


def _fire(alert: Alert | None, finding: Finding, policy: Policy, now: datetime) -> Alert:
    level = Level(finding.severity, finding.rank)
    if alert is None:
        alert = Alert(finding.rule, finding.subject, level, finding.step, now, now)
    rose = level.above(alert.level)
    return replace(
        alert,
        level=level,
        step=finding.step,
        values=finding.values,
        values_at=now,
        escalated_at=now if rose else alert.escalated_at,
        fired_at=now if alert.pending and now - alert.since >= policy.hold else alert.fired_at,
        quiet=finding.quiet,
        said=_lowered(alert.said, level),
        acknowledged=_lowered(alert.acknowledged, level),
        muted=_lowered(alert.muted, level),
        inhibited=_lowered(alert.inhibited, level),
    )


def _lowered(held: Level | None, level: Level) -> Level | None:
    return None if held is None else held.least(level)


def _due(alert: Alert, policy: Policy, now: datetime) -> NotifyReason | None:
    if alert.said is None or alert.said_at is None:
        return NotifyReason.FIRED
    if alert.level.above(alert.said):
        return NotifyReason.ESCALATED
    if alert.severity < Severity.WARNING:
        return None
    interval = policy.repeat_after(alert.severity, alert.escalated_at, now)
    # abs(): what was said by a clock that ran ahead does not silence what stands
    return NotifyReason.REPEATED if abs(now - alert.said_at) >= interval else None


def hold_back(alert: Alert, *, silenced: bool, inhibited: bool) -> Alert:
    """Note at which level a silence or a kin first found the alert, or that it found its end."""
    return replace(
        alert,
        muted=(alert.muted or alert.level) if silenced else None,
        inhibited=(alert.inhibited or alert.level) if inhibited else None,
    )


def withheld(alert: Alert, reason: NotifyReason) -> bool:
    """Tell whether a due message is withheld by an acknowledgement, a silence or a kin.

    A rise above the level at which the alert was held is never withheld.
    """
    holds = [held for held in (alert.acknowledged, alert.muted, alert.inhibited) if held]
    if reason is NotifyReason.ESCALATED:
        return alert.acknowledged is not None and not alert.level.above(alert.acknowledged)
    if reason is NotifyReason.REPEATED:
        return bool(holds)
    return any(not alert.level.above(held) for held in holds)


def mention(alert: Alert) -> Alert:
    """Return the alert after the message of another told of it, so that its end is told too."""
    told = alert.severity if alert.told is None else max(alert.told, alert.severity)
    return replace(alert, told=told)


def say(alert: Alert, now: datetime) -> Alert:
    """Return the alert after a message of its present level was recorded as owed."""
    raised = alert.acknowledged is not None and alert.level.above(alert.acknowledged)
    return replace(
        alert,
        said=alert.level,
        said_at=now,
        told=mention(alert).told,
        acknowledged=None if raised else alert.acknowledged,
        muted=None if alert.muted is None else alert.level,
        inhibited=None if alert.inhibited is None else alert.level,
    )


def acknowledge(alert: Alert) -> Alert | None:
    """Return the alert with a person on it; None where that ends the episode, without a message."""
    return None if alert.rule in CLOSED_BY_ACK else replace(alert, acknowledged=alert.level)


def inhibits(one: Alert, other: Alert) -> bool:
    """Tell whether `one` speaks for `other`: a kin above it in the list, at least as severe."""
    return (
        one.rule in KIN
        and other.rule in KIN
        and not one.pending
        and not one.quiet
        and KIN.index(one.rule) < KIN.index(other.rule)
        and other.severity <= one.severity
    )
