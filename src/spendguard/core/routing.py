"""Routing: who hears of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from spendguard.core.findings import Severity


@dataclass(frozen=True, slots=True)
class Channel:
    """One place a notification goes. Its URL is a secret and is not in here."""

    name: str
    severities: frozenset[Severity] = field(default_factory=lambda: frozenset(Severity))
    accounts: frozenset[str] | None = None
    rules: frozenset[str] | None = None
    language: str = "en"
    pictures: bool = True  # where the service carries them

    def hears(self, severity: Severity, account: str | None, rule: str) -> bool:
        """Tell whether an alert of this severity, account and rule goes here."""
        return (
            severity in self.severities
            and (self.accounts is None or account is None or account in self.accounts)
            and (self.rules is None or rule in self.rules)
        )
