"""Accounts, cards and budgets: what the operator told us, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from spendguard.core.evidence import MailPattern, Trust
from spendguard.core.money import Money
from spendguard.core.rates import Rate
from spendguard.core.windows import Unit


@dataclass(frozen=True, slots=True)
class Recharge:
    """The provider's own automatic charge; a recharge nobody configured is unknown, not off."""

    enabled: bool
    trigger: Money
    amount: Money | None
    restore_to: Money | None
    monthly_limit: Money | None
    overdraft: Money


@dataclass(frozen=True, slots=True)
class Account:
    """One billed thing at a provider. `key` is a reference, or a literal key, and not printed."""

    name: str
    provider: str
    key: str = field(repr=False)
    currency: str
    poll_interval: timedelta
    base_url: str | None = None
    proxy: str | None = field(repr=False, default=None)
    card: str | None = None
    recharge: Recharge | None = None
    topup_min: Money | None = None
    topup_max: Money | None = None
    organization: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """What pays the charges: a name and its policy, never a number."""

    name: str
    currency: str
    tax_percent: str
    verification_hold: Money
    margin: Money
    strikes_to_ban: int
    rates: tuple[Rate, ...] = ()


@dataclass(frozen=True, slots=True)
class Budget:
    """A ceiling we were given for a calendar window of an account, or of a part of it."""

    name: str
    account: str
    window: Unit
    amount: Money
    project: str | None = None
    model: str | None = None
    api_key: str | None = None

    @property
    def narrow(self) -> bool:
        """True where it is about a part of the account."""
        return (self.project, self.model, self.api_key) != (None, None, None)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where receipts arrive. `password` is a reference, or a literal one, and not printed."""

    name: str
    host: str
    user: str
    password: str = field(repr=False)
    port: int = 993
    folder: str = "INBOX"
    interval: timedelta = timedelta(minutes=5)
    trust: Trust = Trust.DKIM
    authserv_id: str | None = None
    tls_ca: str | None = None
    accounts: tuple[str, ...] | None = None
    patterns: tuple[MailPattern, ...] = ()
