"""DeepSeek: the balance of an account, in one currency or two."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import msgspec

from spendguard.core.errors import ErrorKind
from spendguard.core.readings import Balance
from spendguard.providers.base import Dialect, Wallet, malformed

NAME = "deepseek"
MAKE = "make an api key at https://platform.deepseek.com/api_keys"


class _Info(msgspec.Struct):
    currency: str
    total_balance: Decimal  # granted and topped up; a string in the reply


class _Reply(msgspec.Struct):
    balance_infos: list[_Info]


class DeepSeek(Wallet):
    """One DeepSeek account, read with any of its api keys, in the account's currency."""

    default_base_url: ClassVar[str] = "https://api.deepseek.com"
    own: ClassVar[str] = ""
    strangers: ClassVar[dict[str, str]] = {
        "sk-ant-": "a key of Anthropic",
        "sk-or-": "a key of OpenRouter",
        "sk-admin-": "an admin key of OpenAI",
        "sk-proj-": "a project key of OpenAI",
    }
    make: ClassVar[str] = MAKE
    # https://api-docs.deepseek.com/quick_start/error_codes, as of 2026-11.
    dialect: ClassVar[Dialect] = Dialect(
        NAME,
        "https://status.deepseek.com",
        {"authentication_error": ErrorKind.AUTH},
        {
            ErrorKind.AUTH: f"the key is deleted or mistyped; {MAKE}",
            ErrorKind.EXHAUSTED: "credit is used up: see https://platform.deepseek.com/top_up",
        },
    )

    def balance(self) -> Balance:
        """Return what is left in the currency of the account; another currency's is not its own."""
        told = self.api.get("/user/balance", _Reply).balance_infos
        if not told:
            raise malformed(NAME, "states no balance at all")
        own = [one for one in told if one.currency == self.currency]
        if len(own) > 1:
            raise malformed(NAME, "states two balances in one currency")
        chosen = own[0] if own else told[0]
        return Balance(self.money(chosen.total_balance, chosen.currency))
