"""Wallet: what providers share whose API states the balance, and of spend nothing but that."""

from __future__ import annotations

from collections.abc import Collection, Container
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar

import httpx

from spendguard.core.errors import ErrorKind, Problem, ProviderError
from spendguard.core.money import Money
from spendguard.core.readings import Extras, RawReply, SpendRead, UsageRead
from spendguard.core.windows import Window
from spendguard.providers.base.api import Api
from spendguard.providers.base.deadline import Deadline
from spendguard.providers.base.failures import Dialect, malformed


class Wallet:
    """One prepaid account whose balance is asked for; spend is what it falls by.

    A provider adds `balance`, how it is called and what its keys look like.
    """

    states_balance: ClassVar[bool] = True
    usage_series: ClassVar[frozenset[str]] = frozenset()
    default_base_url: ClassVar[str]
    dialect: ClassVar[Dialect]
    strangers: ClassVar[dict[str, str]]  # how keys of other providers begin, and whose they are
    own: ClassVar[str]  # how the keys of this one begin
    make: ClassVar[str]  # where a key is made

    def __init__(
        self,
        http: httpx.Client,
        key: str,
        *,
        base_url: str | None,
        currency: str,
        deadline: Deadline,
    ) -> None:
        self.api = Api(http, base_url or self.default_base_url, key, deadline, self.dialect)
        self.currency = currency

    @classmethod
    def key_problem(cls, key: str) -> Problem | None:
        """Say what is wrong with a key of another provider, None when nothing can be told."""
        for prefix, owner in cls.strangers.items():
            if key.startswith(prefix) and not (cls.own and key.startswith(cls.own)):
                what = (
                    f"this is {owner} ({prefix}…): it cannot read a {cls.dialect.provider} account"
                )
                return Problem(what, cls.make)
        return None

    def costs(self, window: Window, *, ended: bool = False) -> SpendRead:
        """Refuse: there are no costs to read.

        Raises:
            ProviderError: always.
        """
        raise self.dialect.error(ErrorKind.UNSUPPORTED, "states the balance, and no costs")

    def usage(
        self, window: Window, width: timedelta, series: Collection[str] | None = None
    ) -> UsageRead:
        """Return nothing: usage is not told."""
        return UsageRead(window, width, self.usage_series, ())

    def extras(self, *, names: bool, projects: Collection[str]) -> Extras:
        """Return nothing: what else there is, nobody asks for."""
        return Extras()

    def replies(self, but: Container[str] = ()) -> list[RawReply]:
        """Return what was read since the last call, scrubbed, and forget it."""
        return self.api.drain(but)

    def money(self, value: Decimal, currency: str) -> Money:
        """Return an amount of whole units in the currency of the account.

        Raises:
            ProviderError: when it is no amount of money, or of another currency.
        """
        name = self.dialect.provider
        if currency != self.currency:
            error = self.dialect.error(
                ErrorKind.UNSUPPORTED, f"states the balance in {currency}, not in {self.currency}"
            )
            hint = f'set the account\'s currency = "{currency}"'
            raise ProviderError(error.kind, error.message, hint)
        try:
            return Money.of(value, currency)
        except (ValueError, ArithmeticError):
            raise malformed(name, "states an amount that is not money") from None
