"""Product copy: every message as it is sent. `UPDATE_GOLDEN=1 pytest tests/messages` rewrites it."""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from spendguard.core.notifications import Notification
from spendguard.messages import render, summary
from tests.messages.cases import FOUND, IN_ZONES, NOTIFICATIONS, NOW, UTC_ZONE

GOLDEN = Path(__file__).parent.parent / "data" / "messages"
UPDATE = bool(os.environ.get("UPDATE_GOLDEN"))
SENT = {case: (notification, UTC_ZONE) for case, notification in NOTIFICATIONS.items()} | IN_ZONES


def file_of(case: str) -> Path:
    return GOLDEN / f"{case.replace(' ', '-').replace('%', '')}.txt"


def check(path: Path, text: str) -> None:
    if UPDATE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("notification", "zone"), SENT.values(), ids=SENT)
def test_a_message_reads_as_reviewed(
    notification: Notification, zone: ZoneInfo, request: pytest.FixtureRequest
) -> None:
    message = render(notification, language="en", now=NOW, zone=zone)

    check(file_of(request.node.callspec.id), f"{message.title}\n\n{message.body}\n")


def test_summaries_read_as_reviewed() -> None:
    lines = [
        f"{case}: "
        + summary(
            found.rule,
            found.status,
            found.severity,
            found.step,
            found.values,
            language="en",
            zone=UTC_ZONE,
        )
        for case, found in FOUND.items()
    ]

    check(GOLDEN / "summaries.txt", "\n".join(lines) + "\n")


def test_no_reviewed_message_is_left_over() -> None:
    expected = {file_of(case) for case in SENT} | {GOLDEN / "summaries.txt"}

    assert set(GOLDEN.glob("*.txt")) == expected


@pytest.mark.parametrize("case", NOTIFICATIONS)
def test_most_messages_are_short(case: str) -> None:
    body = render(NOTIFICATIONS[case], language="en", now=NOW, zone=UTC_ZONE).body

    assert len(body) < (1500 if case.startswith("group") else 750)
