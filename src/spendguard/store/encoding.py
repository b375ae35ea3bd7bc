"""Encoding: a notification as the outbox holds it: values, not text."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from spendguard.core.alerts import NotifyReason
from spendguard.core.findings import Severity, decode_values, encode_values
from spendguard.core.notifications import Item, Notification, Topic


def encode(notification: Notification) -> str:
    """Return what a row of the outbox holds of a notification."""
    return json.dumps(
        {
            "accounts": list(notification.accounts),
            "items": [_encode_item(item) for item in notification.items],
        }
    )


def _encode_item(item: Item) -> dict[str, Any]:
    return {
        "alert": item.alert_id,
        "rule": item.rule,
        "subject": item.subject,
        "severity": item.severity.label,
        "step": item.step,
        "reason": item.reason.value,
        "since": item.since.isoformat(),
        "values": encode_values(item.values),
        "values_at": item.values_at.isoformat() if item.values_at else None,
        "ended_at": item.ended_at.isoformat() if item.ended_at else None,
    }


def _decode_item(data: dict[str, Any]) -> Item:
    return Item(
        alert_id=data["alert"],
        rule=data["rule"],
        subject=data["subject"],
        severity=Severity.of(data["severity"]),
        step=data["step"],
        reason=NotifyReason(data["reason"]),
        since=datetime.fromisoformat(data["since"]),
        values=decode_values(data["values"]),
        values_at=datetime.fromisoformat(data["values_at"]) if data["values_at"] else None,
        ended_at=datetime.fromisoformat(data["ended_at"]) if data["ended_at"] else None,
    )


def decode(row: Any) -> Notification:
    """Return the notification a row of the outbox holds."""
    return decoded(row.topic, row.items, row.channel)


def decoded(topic: str, content: str, channel: str) -> Notification:
    """Return the notification that the columns of a row hold."""
    data = json.loads(content)
    return Notification(
        topic=Topic(topic),
        items=tuple(_decode_item(item) for item in data["items"]),
        accounts=tuple(data["accounts"]),
        channel=channel,
    )
