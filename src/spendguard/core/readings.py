"""Readings: what a provider said, with the instant or the window it is true for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from spendguard.core.errors import ErrorKind
from spendguard.core.money import Money
from spendguard.core.windows import Window


class Spend(NamedTuple):
    """Money a provider booked over a window, by what it was spent on; '' where not told.

    A tuple: a poll makes hundreds of them.
    """

    window: Window
    amount: Money
    project: str = ""
    api_key: str = ""
    line_item: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class SpendRead:
    """A window that was read completely: a row that is not among `rows` is zero.

    Not so of `unnamed`, the UTC days that the reply left out: nothing new is known of these.
    """

    window: Window
    rows: tuple[Spend, ...]
    unnamed: frozenset[datetime] = frozenset()


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used over a window: not money. '' where a dimension is not told.

    `series` is the provider's name of what was counted, such as 'completions'; `quantities` are
    its measures (those of `core.prices.PER`, and bytes), each unit counted once. `tier` is what
    else decides the price: 'batch', a service tier, an image's size; '' is the standard.
    """

    window: Window
    series: str
    requests: int
    quantities: Mapping[str, int] = field(default_factory=dict)
    model: str = ""
    project: str = ""
    api_key: str = ""
    tier: str = ""


@dataclass(frozen=True, slots=True)
class UsageRead:
    """A window of usage in buckets of one width; of a series in `series` a missing row is none.

    `failures` tells why the other series that were asked for were not read.
    """

    window: Window
    width: timedelta
    series: frozenset[str]
    rows: tuple[Usage, ...]
    failures: Mapping[str, ErrorKind] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Balance:
    """What is left, as the provider states it. `credited` is all credit it ever gave, if it tells."""

    left: Money
    credited: Money | None = None

    def since(self, before: Balance) -> Movement:
        """Return what happened between an earlier balance and this one.

        Credit is what the lifetime figure rose by; without one, only a jump of the balance shows it,
        less what was spent in the same time.
        """
        change = self.left - before.left
        if self.credited is not None and before.credited is not None:
            credit = self.credited - before.credited
        else:
            credit = max(change, Money.zero(change.currency))
        return Movement(credit, credit - change)


@dataclass(frozen=True, slots=True)
class Movement:
    """Credit that came, negative where some was taken back, and what was spent."""

    credit: Money
    spent: Money


@dataclass(frozen=True, slots=True)
class Limit:
    """A monthly ceiling the provider itself enforces, for an organization ('') or a project."""

    project: str
    threshold: Money
    enforcing: bool


@dataclass(frozen=True, slots=True)
class SpendAlert:
    """A threshold at which the provider itself writes an e-mail. Whom it writes to is not kept."""

    project: str
    id: str
    threshold: Money


@dataclass(frozen=True, slots=True)
class Name:
    """What people call a project or an api key; `kind` is 'project' or 'api_key'."""

    kind: str
    id: str
    name: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class OwnKey:
    """When the key the guard reads with expires; None: never, as far as the provider says."""

    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Extras:
    """The optional part of a poll. None is *unknown* (the call failed); empty is *none set*."""

    limits: tuple[Limit, ...] | None = None
    alerts: tuple[SpendAlert, ...] | None = None
    own_key: OwnKey | None = None
    names: tuple[Name, ...] | None = None
    failures: dict[str, ErrorKind] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RawReply:
    """A reply as it came, scrubbed of names and mail addresses, kept for a bounded time."""

    path: str
    status: int
    body: str
