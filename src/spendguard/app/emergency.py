"""Emergency: what is told past the outbox, because nothing can be written into it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import cast

from spendguard.app.ends import Ends
from spendguard.config.configuration import Configuration
from spendguard.core.alerts import NotifyReason
from spendguard.core.facts import GuardFacts, Health
from spendguard.core.findings import Severity, Status
from spendguard.core.notifications import Item, Notification, Topic
from spendguard.core.routing import Channel
from spendguard.messages import render
from spendguard.notify.results import Delivered, Refused
from spendguard.rules.guard import SUBJECT, Guard


class Emergency:
    """Speaks for the rule `guard` while the database cannot keep what it finds."""

    def __init__(self, configuration: Configuration, ends: Ends) -> None:
        self._configuration = configuration
        self._ends = ends

    @property
    def channels(self) -> list[str]:
        """The channels that hear of trouble with the guard; none where the rule is off."""
        if self._rule() is None:
            return []
        return [
            channel.name
            for channel in self._configuration.channels
            if channel.hears(Severity.CRITICAL, None, Guard.name)
        ]

    def tell(
        self, channels: Collection[str], health: Health, since: datetime, now: datetime
    ) -> list[str]:
        """Say what is wrong; return the channels that took it."""
        rule = self._rule()
        if rule is None:
            return []
        finding = rule.evaluate(GuardFacts(now, health=health))[0]
        if finding.status is not Status.FIRING:
            return []
        item = Item(
            alert_id="",
            rule=finding.rule,
            subject=finding.subject,
            severity=finding.severity,
            step=finding.step,
            reason=NotifyReason.FIRED,
            since=since,
            values=finding.values,
            values_at=now,
        )
        return self._send(channels, item, now)

    def over(self, channels: Collection[str], since: datetime, now: datetime) -> list[str]:
        """Say that it is over, to those who heard of it; return the channels that took it."""
        item = Item(
            alert_id="",
            rule=Guard.name,
            subject=SUBJECT,
            severity=Severity.CRITICAL,
            step="",
            reason=NotifyReason.RESOLVED,
            since=since,
            ended_at=now,
        )
        return self._send(channels, item, now)

    def _rule(self) -> Guard | None:
        for one in self._configuration.guard_rules:
            if one.rule.name == Guard.name and one.policy.enabled:
                return cast("Guard", one.rule)
        return None

    def _send(self, names: Collection[str], item: Item, now: datetime) -> list[str]:
        meant = [one for one in self._configuration.channels if one.name in names]
        return [one.name for one in meant if isinstance(self._sent(one, item, now), Delivered)]

    def _sent(self, channel: Channel, item: Item, now: datetime) -> Delivered | Refused:
        sender = self._ends.sender(channel.name)
        if isinstance(sender, str):
            return Refused(permanent=True, why=sender)
        told = Notification(Topic.ALERTS, (item,), channel=channel.name)
        zone = self._configuration.zone
        message = render(told, language=channel.language, now=now, zone=zone)
        severity = None if item.ended_at else item.severity
        return sender.send(message.title, message.body, severity)
