"""Notifications: what is owed to a channel, as values; the words are found at delivery."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from spendguard.core.alerts import NotifyReason
from spendguard.core.findings import Severity, Values


class Topic(StrEnum):
    """What a notification is about: alerts, or the guard introducing itself."""

    ALERTS = "alerts"
    WELCOME = "welcome"  # what the guard can and cannot do yet
    REMINDER = "reminder"  # the same, once more after a week
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Item:
    """What one alert has to say in a notification.

    `values` are those of the last firing finding, except for a resolved one: those of the end.
    `ended_at` is set on a resolved item; `untold` on one whose beginning never got through.
    """

    alert_id: str
    rule: str
    subject: str
    severity: Severity
    step: str
    reason: NotifyReason
    since: datetime
    values: Values = field(default_factory=dict)
    values_at: datetime | None = None
    ended_at: datetime | None = None
    untold: bool = False


@dataclass(frozen=True, slots=True)
class Notification:
    """One message owed to one channel. `accounts` are those a welcome or reminder is about."""

    topic: Topic
    items: tuple[Item, ...] = ()
    accounts: tuple[str, ...] = ()
    channel: str = ""
