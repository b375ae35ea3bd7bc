"""Configuration: what the file says, as core values. Nothing of pydantic is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

from spendguard.core.accounts import Account, Budget, Card, Mailbox
from spendguard.core.alerts import Policy
from spendguard.core.prices import PriceTable
from spendguard.core.routing import Channel
from spendguard.rules.base import AccountRule, CardRule, GuardRule


@dataclass(frozen=True, slots=True)
class ConfiguredRule:
    """A rule with its parameters, and how its findings are held and repeated."""

    rule: AccountRule | CardRule | GuardRule
    policy: Policy


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The hours of the day, in the configured zone, in which only critical alerts speak."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class ConfigWarning:
    """Something that is accepted, but that the operator should know of. `id` never changes."""

    id: str
    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.id} {self.path}: {self.message}"


@dataclass(frozen=True, slots=True)
class Configuration:
    """All that one file and the environment say. Secrets are references, and not printed."""

    path: Path
    zone: ZoneInfo
    language: str
    database_url: str
    accounts: tuple[Account, ...]
    cards: tuple[Card, ...]
    budgets: tuple[Budget, ...]
    channels: tuple[Channel, ...]
    account_rules: Mapping[str, tuple[ConfiguredRule, ...]]
    card_rules: tuple[ConfiguredRule, ...]
    guard_rules: tuple[ConfiguredRule, ...]
    mailboxes: tuple[Mailbox, ...] = ()
    prices: PriceTable = field(default_factory=PriceTable)
    channel_urls: Mapping[str, str] = field(repr=False, default_factory=dict)
    quiet_hours: QuietHours | None = None
    heartbeat: str | None = field(repr=False, default=None)
    warnings: tuple[ConfigWarning, ...] = ()
