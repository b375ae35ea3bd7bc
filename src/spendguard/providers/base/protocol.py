"""Provider: what can be asked of a company that bills."""

from __future__ import annotations

from collections.abc import Collection, Container
from datetime import timedelta
from typing import ClassVar, Protocol

import httpx

from spendguard.core.errors import Problem
from spendguard.core.readings import Balance, Extras, RawReply, SpendRead, UsageRead
from spendguard.core.windows import Window
from spendguard.providers.base.deadline import Deadline


class Provider(Protocol):
    """One account, read with one key for the length of one poll.

    A provider only GETs. It does not sleep, retry, log or cache: when to ask again is the
    caller's to say.
    """

    states_balance: ClassVar[bool]  # the API itself states the balance; then it is asked no costs
    usage_series: ClassVar[frozenset[str]]  # what usage is told of; empty: it is not told
    default_base_url: ClassVar[str]

    def __init__(
        self,
        http: httpx.Client,
        key: str,
        *,
        base_url: str | None,
        currency: str,
        deadline: Deadline,
    ) -> None: ...

    @staticmethod
    def key_problem(key: str) -> Problem | None:
        """Say what is wrong with a key that cannot work, None when nothing can be told."""
        ...

    def costs(self, window: Window, *, ended: bool = False) -> SpendRead:
        """Return all that was booked in a window of whole UTC days, or nothing at all.

        `ended` tells that the window lies in the past, so that its end may be asked for.

        Raises:
            ProviderError: when any part of the window could not be read.
        """
        ...

    def usage(
        self, window: Window, width: timedelta, series: Collection[str] | None = None
    ) -> UsageRead:
        """Return what was used in a window, in buckets of a minute, an hour or a UTC day.

        The window begins and ends at multiples of the width. Each series asked for, by default
        all of them, costs a request at least, and is read to its end or left out of the result.

        Raises:
            ProviderError: when not one of them could be read, and not because none is offered.
        """
        ...

    def balance(self) -> Balance:
        """Return what is left now, where the API states it.

        Raises:
            ProviderError: of kind unsupported, where it does not; or when it could not be read.
        """
        ...

    def extras(self, *, names: bool, projects: Collection[str]) -> Extras:
        """Return limits, alerts and the key's expiry, and names if asked for.

        It never raises: a part that failed is None and named in `failures`.
        """
        ...

    def replies(self, but: Container[str] = ()) -> list[RawReply]:
        """Return what was read since the last call, scrubbed, and forget it.

        Good replies of the paths in `but` are left out.
        """
        ...
