"""What a picture is made of: instants and money, no colors and no pixels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum

from spendguard.core.money import Money


class MarkKind(StrEnum):
    """What happened, or is expected, at an instant."""

    RECHARGED = "recharged"
    FAILED = "failed"
    EXPECTED = "expected"


@dataclass(frozen=True, slots=True)
class Mark:
    """A charge in the picture; `amount` is None where nobody knows how much it was."""

    at: datetime
    kind: MarkKind
    amount: Money | None


@dataclass(frozen=True, slots=True)
class Fan:
    """The foreseen balance at an instant, in nanos: the low, the middle and the high end of it."""

    at: datetime
    low: int
    middle: int
    high: int


@dataclass(frozen=True, slots=True)
class BalancePicture:
    """The balance of an account: what it was, what it is foreseen to be, and what was charged.

    `past` is in the order of time, in nanos; it may rise at an instant that stands twice.
    """

    account: str
    currency: str
    zone: tzinfo
    now: datetime
    past: tuple[tuple[datetime, int], ...]
    fan: tuple[Fan, ...] = ()
    trigger: Money | None = None
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """What one part spent in each window of a picture, in nanos."""

    label: str
    nanos: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SpendPicture:
    """Spend over windows, stacked by what it was spent on; the largest part first."""

    title: str
    currency: str
    zone: tzinfo
    starts: tuple[datetime, ...]
    bars: tuple[Bar, ...]
