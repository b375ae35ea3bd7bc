"""Figures: what a message says that follows from an alert's values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from spendguard.core.findings import Severity
from spendguard.core.money import Money
from spendguard.core.notifications import Item

STALE = timedelta(minutes=30)


def of_item(item: Item, now: datetime, zone: ZoneInfo) -> dict[str, object]:
    """Return everything the texts of an item may name."""
    values = of_finding(item.rule, item.subject, item.step, item.values)
    own: dict[str, object] = {
        "id": item.alert_id,
        "since": item.since,
        "ended_at": item.ended_at,
        "values_at": item.values_at,
        "severity": item.severity.label,
        "reason": item.reason.value,
        "repeats": item.severity >= Severity.WARNING,
        "old": item.values_at is not None and now - item.values_at >= STALE,
    }
    if item.ended_at is not None:
        own["lasted"] = item.ended_at - item.since
        own["same_day"] = _day(item.since, zone) == _day(item.ended_at, zone)
    return {**values, **own}


def of_finding(
    rule: str, subject: str, step: str, values: Mapping[str, object]
) -> dict[str, object]:
    """Return the values of a finding with what follows from them."""
    known = {
        "account": subject.partition("/")[0],
        "name": subject.rpartition(":")[2],
        **{key: value for key, value in values.items() if value is not None},
        "rule": rule,
        "subject": subject,
        "step": step,
        "given": tuple(sorted(values)),
        "stating": values.get("checkpoint_source") == "api",  # the provider states the balance
    }
    return {
        **known,
        **_arithmetic(known),
        **_comparison(known),
        **_charging(known),
        **_troubles(known),
    }


def _day(instant: datetime, zone: ZoneInfo) -> object:
    try:
        return instant.astimezone(zone).date()
    except (OverflowError, ValueError):
        return None


def _all_money(*amounts: object) -> list[Money] | None:
    """Return the amounts if every one is money, all of one currency."""
    money = [amount for amount in amounts if isinstance(amount, Money)]
    same = len({amount.currency for amount in money}) == 1
    return money if same and len(money) == len(amounts) else None


def _arithmetic(known: Mapping[str, object]) -> dict[str, object]:
    """Take apart the balance: what was added, refunded, is perhaps spent, and whether it adds up."""
    names = ("checkpoint_amount", "credit", "expired", "spent", "billed", "floor")
    money = _all_money(*(known.get(name) for name in names))
    if money is None:
        return {}
    stated, credit, expired, spent, billed, floor = money
    unbooked = known.get("unbooked")
    used = unbooked if isinstance(unbooked, Money) else Money.zero(floor.currency)
    unsure = billed - floor - used
    shown = stated - expired.ceiled() - spent.ceiled() - used.ceiled() - unsure.ceiled()
    shown += credit.floored() if credit.nanos > 0 else -(-credit).ceiled()
    return {
        "added": credit if credit.nanos > 0 else None,
        "refunded": -credit if credit.nanos < 0 else None,
        "unsure": unsure if unsure.nanos > 0 else None,
        "equals": "=" if shown == floor.floored() else "≈",
    }


def _comparison(known: Mapping[str, object]) -> dict[str, object]:
    """Tell on which side of a threshold a figure is: an alert is left later than it is entered."""
    told: dict[str, object] = {}
    balance = _all_money(known.get("floor"), known.get("threshold"))
    if balance is not None:
        told["under"] = balance[0] < balance[1]
    left = known.get("left")
    if isinstance(left, Money):
        told["over"] = -left if left.nanos < 0 else None
    return told


def _charging(known: Mapping[str, object]) -> dict[str, object]:
    """Take apart what a card needs, and tell whether there is any credit left, or more than one."""
    told: dict[str, object] = {}
    needed, floor, count = (known.get(name) for name in ("needed", "floor", "count"))
    extra = _all_money(needed, *(known[name] for name in ("hold", "margin") if name in known))
    if extra:
        whole, *others = (amount.nanos for amount in extra)
        told["charged_sum"] = Money(whole - sum(others), extra[0].currency)
    if isinstance(floor, Money):
        told["used_up"] = floor.nanos <= 0
    if isinstance(count, int):
        told["several"] = count > 1
    return told


def _troubles(known: Mapping[str, object]) -> dict[str, object]:
    """Put the worst trouble first."""
    troubles = known.get("troubles")
    return {"troubles": troubles[::-1]} if isinstance(troubles, tuple) else {}
