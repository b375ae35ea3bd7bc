"""Severity: how much a finding matters. Alone, for commands that read and judge nothing."""

from __future__ import annotations

from enum import IntEnum


class Severity(IntEnum):
    """How much it matters; ordered, so that escalation is a comparison."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3

    @property
    def label(self) -> str:
        """The lower-case word used in JSON, configuration and the database."""
        return self.name.lower()

    @classmethod
    def of(cls, label: str) -> Severity:
        """Return the severity a label names."""
        return cls[label.upper()]
