"""OpenAI: costs and usage of an organization, its limits, alerts and names."""

from __future__ import annotations

from collections.abc import Collection, Container
from datetime import timedelta
from typing import ClassVar

import httpx

from spendguard.core.errors import ErrorKind, Problem
from spendguard.core.readings import Balance, Extras, RawReply, SpendRead, UsageRead
from spendguard.core.windows import Window
from spendguard.providers.base import Api, Deadline
from spendguard.providers.openai.costs import read_costs
from spendguard.providers.openai.extras import read_extras
from spendguard.providers.openai.refusals import dialect, key_problem
from spendguard.providers.openai.series import SERIES
from spendguard.providers.openai.usage import read_usage

__all__ = ["OpenAI", "key_problem"]


class OpenAI:
    """One organization of OpenAI's API platform, read with an admin key."""

    states_balance: ClassVar[bool] = False
    usage_series: ClassVar[frozenset[str]] = frozenset(SERIES)
    default_base_url: ClassVar[str] = "https://api.openai.com/v1"

    def __init__(
        self,
        http: httpx.Client,
        key: str,
        *,
        base_url: str | None,
        currency: str,
        deadline: Deadline,
    ) -> None:
        self._dialect = dialect(key)
        self._api = Api(http, base_url or self.default_base_url, key, deadline, self._dialect)
        self._key = key
        self._currency = currency

    @staticmethod
    def key_problem(key: str) -> Problem | None:
        """Say what is wrong with a key that cannot read costs, None when nothing can be told."""
        return key_problem(key)

    def costs(self, window: Window, *, ended: bool = False) -> SpendRead:
        """Return what was booked in a window of whole UTC days, all of it or nothing."""
        return read_costs(self._api, window, self._currency, ended=ended)

    def usage(
        self, window: Window, width: timedelta, series: Collection[str] | None = None
    ) -> UsageRead:
        """Return what was used, in buckets of a minute, an hour or a UTC day."""
        return read_usage(self._api, window, width, series)

    def balance(self) -> Balance:
        """Refuse: no key reads the balance of an OpenAI account.

        Raises:
            ProviderError: always.
        """
        raise self._dialect.error(ErrorKind.UNSUPPORTED, "does not state the balance")

    def extras(self, *, names: bool, projects: Collection[str]) -> Extras:
        """Return limits, alerts, the expiry of our key, and names if asked for."""
        return read_extras(self._api, self._key, self._currency, projects, names=names)

    def replies(self, but: Container[str] = ()) -> list[RawReply]:
        """Return what was read since the last call, scrubbed, and forget it."""
        return self._api.drain(but)
