"""OpenRouter: credit bought and used over the life of an account; the rest of them is the balance."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar

import msgspec

from spendguard.core.errors import ErrorKind, ProviderError
from spendguard.core.readings import Balance, Extras, OwnKey
from spendguard.providers.base import Dialect, Wallet, malformed

NAME = "openrouter"
CURRENCY = "USD"  # GET /credits tells dollars and no currency
MAKE = "make a management key at https://openrouter.ai/settings/management-keys"


class _Credits(msgspec.Struct):
    total_credits: Decimal
    total_usage: Decimal


class _CreditsReply(msgspec.Struct):
    data: _Credits


class _Key(msgspec.Struct):
    expires_at: str | None = None


class _KeyReply(msgspec.Struct):
    data: _Key


class OpenRouter(Wallet):
    """One OpenRouter account, read with a management key."""

    default_base_url: ClassVar[str] = "https://openrouter.ai/api/v1"
    own: ClassVar[str] = "sk-or-"
    strangers: ClassVar[dict[str, str]] = {
        "sk-ant-": "a key of Anthropic",
        "sk-admin-": "an admin key of OpenAI",
        "sk-proj-": "a project key of OpenAI",
        "sk-svcacct-": "a service account key of OpenAI",
    }
    make: ClassVar[str] = MAKE
    # error.code repeats the status: https://openrouter.ai/docs/api/reference/errors, as of 2026-11.
    dialect: ClassVar[Dialect] = Dialect(
        NAME,
        "https://status.openrouter.ai",
        {"401": ErrorKind.AUTH, "403": ErrorKind.SCOPE},
        {
            ErrorKind.AUTH: f"the key is disabled, expired or mistyped; {MAKE}",
            ErrorKind.SCOPE: f"only a management key reads the credits; {MAKE}",
            ErrorKind.BLOCKED: "OpenRouter refuses this region, or a firewall answers in its "
            "place: set the account's `proxy`",
            ErrorKind.EXHAUSTED: "credit is used up: see https://openrouter.ai/settings/credits",
        },
    )

    def balance(self) -> Balance:
        """Return all credit so far less all usage so far; OpenRouter tells both up to 60 s late."""
        told = self.api.get("/credits", _CreditsReply).data
        credited = self.money(told.total_credits, CURRENCY)
        return Balance(credited - self.money(told.total_usage, CURRENCY), credited)

    def extras(self, *, names: bool, projects: Collection[str]) -> Extras:
        """Return when our key expires."""
        try:
            told = self.api.get("/key", _KeyReply).data.expires_at
            return Extras(own_key=OwnKey(None if told is None else _instant(told)))
        except ProviderError as error:
            return Extras(failures={"own_key": error.kind})


def _instant(text: str) -> datetime:
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        raise malformed(NAME, "states an instant that is none") from None
    return told if told.tzinfo else told.replace(tzinfo=UTC)
