"""Findings: a rule's verdict at an instant, with typed values instead of prose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from spendguard.core.money import Money
from spendguard.core.severity import Severity

__all__ = [
    "Finding",
    "Severity",
    "Status",
    "Value",
    "Values",
    "decode_values",
    "encode_values",
]

Value = Money | datetime | timedelta | int | str | bool | None | tuple[str, ...]
Values = Mapping[str, Value]


class Status(StrEnum):
    """A verdict. Unknown is a third answer, never a soft clear."""

    CLEAR = "clear"
    FIRING = "firing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says of a subject at an instant.

    `step` names the threshold reached, `rank` orders the steps of one rule (higher is worse,
    0 when clear), `values` are what a message is made of. A `quiet` one is an alert that is sent
    to nobody while it stays so.
    """

    rule: str
    subject: str
    status: Status
    severity: Severity = Severity.INFO
    step: str = ""
    rank: int = 0
    values: Values = field(default_factory=dict)
    quiet: bool = False


def encode_values(values: Values) -> dict[str, Any]:
    """Return values as JSON data that `decode_values` turns back without loss."""
    return {key: _encode(value) for key, value in values.items()}


def _encode(value: Value) -> Any:
    if isinstance(value, Money):
        return {"money": [str(value.nanos), value.currency]}
    if isinstance(value, datetime):
        return {"at": value.astimezone(UTC).isoformat()}
    if isinstance(value, timedelta):
        return {"microseconds": str(value // timedelta(microseconds=1))}
    if isinstance(value, tuple):
        return list(value)
    return value


def decode_values(data: Mapping[str, Any]) -> dict[str, Value]:
    """Return what `encode_values` was given."""
    return {key: _decode(value) for key, value in data.items()}


def _decode(value: Any) -> Value:
    if isinstance(value, list):
        return tuple(str(part) for part in value)
    if not isinstance(value, dict):
        plain: int | str | bool | None = value
        return plain
    if "money" in value:
        nanos, currency = value["money"]
        return Money(int(nanos), currency)
    if "at" in value:
        return datetime.fromisoformat(value["at"])
    return timedelta(microseconds=int(value["microseconds"]))
