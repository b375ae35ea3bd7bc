"""Logs: one line for each transition, to stderr: a constant phrase, then key=value."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_PLAIN = re.compile(r"[^\s\"'=\\]+")
STDERR = 2
_PIN = ("apprise", "apscheduler", "httpcore", "httpx", "imapclient", "requests", "urllib3")
"""Libraries that would print addresses and tokens at the lower levels."""


class KeyValue(logging.Formatter):
    """Renders `level phrase key=value …`, with the time in front where nobody else notes it."""

    def __init__(self, *, timed: bool) -> None:
        super().__init__()
        self._timed = timed

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, whatever the values hold."""
        told = [record.levelname.lower(), record.getMessage()]
        if self._timed:
            at = datetime.fromtimestamp(record.created, UTC)
            told.insert(0, f"{at:%Y-%m-%dT%H:%M:%SZ}")
        given = {key: value for key, value in vars(record).items() if key not in _OWN}
        return " ".join([*told, *(f"{key}={_shown(value)}" for key, value in given.items())])


def _shown(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) and text.isprintable() else json.dumps(text)


def to_journal(env: Mapping[str, str], descriptor: int) -> bool:
    """Tell whether a descriptor leads to the journal, which notes the time itself."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return env.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def begin(env: Mapping[str, str]) -> None:
    """Write what this program logs to stderr, and nothing of what its libraries do."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(KeyValue(timed=not to_journal(env, STDERR)))
    ours = logging.getLogger("spendguard")
    ours.setLevel(logging.INFO)
    ours.propagate = False
    ours.addHandler(handler)
    logging.getLogger().addHandler(logging.NullHandler())
    for name in _PIN:
        logging.getLogger(name).setLevel(logging.WARNING)
