"""Outcomes: what was said, held against what then happened."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from spendguard.core.alerts import NotifyReason
from spendguard.core.findings import Severity
from spendguard.core.windows import DAY
from spendguard.core.world_run import Happening, Kind
from spendguard.pipeline.evaluate import Family
from spendguard.pipeline.replay.desk import Told
from spendguard.rules.card_short import CardShort

FORETELLERS = {
    Kind.CHARGE_FAILED: ("card-short", "recharge-missing", "charge-failed"),
    Kind.EXHAUSTED: (
        *("runway-short", "balance-low", "deposit-cap", "charge-failed", "recharge-missing"),
        "card-short",
    ),
}
"""The rules whose message, before it happened, was a warning of it."""
MONTH = DAY * 30


@dataclass(frozen=True, slots=True)
class Outcome:
    """A failed charge, or credit that ended, and the first message of the alert that foretold it."""

    event: Happening
    told: Told | None

    @property
    def lead(self) -> timedelta | None:
        """How long before it the warning came, None without one."""
        return None if self.told is None else self.event.at - self.told.at


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How well the rules did. `false` are the warnings of `card-short` that nothing came of.

    A warning whose horizon lies beyond the end is neither true nor false.
    """

    each: tuple[Outcome, ...]
    false: tuple[Told, ...]
    length: timedelta

    def __add__(self, other: Outcomes) -> Outcomes:
        length = max(self.length, other.length)
        return Outcomes(self.each + other.each, self.false + other.false, length)

    @property
    def false_per_month(self) -> float:
        """How many warnings of 30 days were false."""
        return len(self.false) * (MONTH / self.length) if self.length else 0.0


def outcomes(
    family: Family,
    alerts: Sequence[Told],
    events: Sequence[Happening],
    begin: datetime,
    end: datetime,
) -> Outcomes:
    """Return what the alerts were worth from one instant to another, given what happened.

    What was said before the first of them may have foretold what happened after it.
    """
    card = None if family.paying is None else f"card:{family.paying.card.name}"
    heard = [one for one in alerts if one.severity >= Severity.WARNING]
    each = tuple(
        Outcome(one, _foretold(one, {one.account, card or one.account}, heard))
        for one in events
        if one.kind in FORETELLERS and begin <= one.at <= end
    )
    counted = [one for one in heard if one.at >= begin]
    return Outcomes(each, tuple(_false(family, counted, events, end)), end - begin)


def _foretold(event: Happening, subjects: Collection[str], alerts: Iterable[Told]) -> Told | None:
    """Return the first message, before the event, of an alert that was not over at it."""
    first: dict[tuple[str, str], Told] = {}
    for told in alerts:
        key = (told.rule, told.subject)
        if told.at >= event.at:
            break
        if told.subject not in subjects or told.rule not in FORETELLERS[event.kind]:
            continue
        if told.reason is NotifyReason.RESOLVED:
            first.pop(key, None)
        else:
            first.setdefault(key, told)
    return min(first.values(), key=lambda one: one.at, default=None)


def _false(
    family: Family, alerts: Iterable[Told], events: Iterable[Happening], end: datetime
) -> Iterable[Told]:
    rules = () if family.paying is None else family.paying.bench.rules
    horizon = next((rule.horizon for rule in rules if isinstance(rule, CardShort)), None)
    if horizon is None:
        return
    failed = [one.at for one in events if one.kind is Kind.CHARGE_FAILED]
    for told in alerts:
        if told.rule != CardShort.name or told.reason is not NotifyReason.FIRED:
            continue
        came = any(told.at <= at <= told.at + horizon for at in failed)
        if not came and told.at + horizon <= end:
            yield told
