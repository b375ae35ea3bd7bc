"""Teller: outcomes become log lines, one for each transition; what stays as it is only counts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import PurePath
from traceback import extract_tb
from typing import Any

from spendguard.core.errors import SpendguardError
from spendguard.notify.results import Delivered, Refused
from spendguard.pipeline.deliver import DeliveryOutcome, DeliveryState
from spendguard.pipeline.poll import PollOutcome
from spendguard.pipeline.receipts import MailOutcome

log = logging.getLogger("spendguard.daemon")


class Teller:
    """Remembers what went wrong last with each account, mailbox and channel, and how often."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wrong: dict[tuple[str, str], tuple[str, int]] = {}

    def polled(self, outcome: PollOutcome) -> None:
        """Tell of an account that cannot be read, or can again."""
        error = None if outcome.error is None else outcome.error.value
        self._tell("account", outcome.account, error, outcome.message)
        log.debug(
            "account polled",
            extra={
                "account": outcome.account,
                "added": outcome.added,
                "restated": outcome.restated,
            },
        )

    def read(self, outcome: MailOutcome) -> None:
        """Tell of a mailbox that cannot be read, or can again, and of what its mails changed."""
        error = None if outcome.error is None else outcome.error.value
        self._tell("mailbox", outcome.mailbox, error, outcome.message)
        if outcome.entered or outcome.put_aside:
            told = {"entered": outcome.entered, "put_aside": outcome.put_aside}
            log.info("mails read", extra={"mailbox": outcome.mailbox, **told})

    def delivered(self, outcome: DeliveryOutcome) -> None:
        """Tell of each message that arrived or was given up, and of a channel that takes none."""
        given = {"channel": outcome.channel, "message_id": outcome.outbox_id}
        if outcome.state is DeliveryState.DELIVERED:
            self._tell("channel", outcome.channel, None, "")
            log.info("message delivered", extra=given)
            return
        self._tell("channel", outcome.channel, outcome.why, "")
        if outcome.state is DeliveryState.GIVEN_UP:
            log.error("message given up", extra={**given, "why": outcome.why})

    def beat(self, outcome: Delivered | Refused) -> None:
        """Tell of a watch that does not take the sign of life, or does again."""
        why = None if isinstance(outcome, Delivered) else outcome.why
        self._tell("heartbeat", "url", why, "")

    def moved(self, events: Sequence[Any]) -> None:
        """Tell of each transition of an alert."""
        for event in events:
            if event.what.startswith("said"):
                continue
            log.info(
                "alert %s",
                event.what,
                extra={
                    "rule": event.rule,
                    "subject": event.subject,
                    "severity": event.severity,
                    "step": event.step,
                    "id": event.alert_id,
                    "summary": event.summary,
                },
            )

    def failed(self, work: str, error: Exception) -> None:
        """Tell of work that could not be done: by our own words, or by the place of the bug."""
        if isinstance(error, SpendguardError):
            self._tell("work", work, error.message, error.hint)
        else:
            self._tell("work", work, type(error).__name__, _place(error))

    def done(self, work: str) -> None:
        """Tell of work that failed before and was done now."""
        self._tell("work", work, None, "")

    def _tell(self, kind: str, name: str, error: str | None, message: str) -> None:
        with self._lock:
            before, times = self._wrong.get((kind, name), (None, 0))
            if error is None:
                self._wrong.pop((kind, name), None)
            else:
                self._wrong[kind, name] = (error, times + 1 if error == before else 1)
        if error == before:
            return
        given: dict[str, Any] = {kind: name}
        former = {"before": before, "times": times} if before is not None else {}
        if error is None:
            log.info(_AGAIN[kind], extra={**given, **former})
        else:
            told = {"why": message} if message else {}
            log.warning(_WRONG[kind], extra={**given, "error": error, **told, **former})


_WRONG = {
    "account": "account cannot be read",
    "mailbox": "mailbox cannot be read",
    "channel": "channel takes no message",
    "heartbeat": "heartbeat is not taken",
    "work": "work failed",
}
_AGAIN = {
    "account": "account is read again",
    "mailbox": "mailbox is read again",
    "channel": "channel takes messages again",
    "heartbeat": "heartbeat is taken again",
    "work": "work goes on",
}


def _place(error: Exception) -> str:
    """Return where an unexpected error arose; its own text may hold anything."""
    frames = extract_tb(error.__traceback__)
    return "" if not frames else f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}"
