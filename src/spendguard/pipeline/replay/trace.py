"""Trace: spend from a file of comma-separated values, `timestamp,amount`, or as `spend` writes it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from zoneinfo import ZoneInfo

from spendguard.core.cardnumbers import holds_card_number
from spendguard.core.errors import Problem, SpendguardError
from spendguard.core.money import MOST, NANOS, nanos_of
from spendguard.core.spread import divide
from spendguard.core.windows import HOUR, midnight
from spendguard.core.world_run import Trace

TOLD = 5
"""So many lines that cannot be read are shown; of the rest only the number."""
LONGEST = 40  # of what is quoted
LONGEST_WINDOW = 24 * 366  # hours
COLUMNS = ("timestamp", "amount")
WINDOWS = ("start", "amount")  # as `spend --csv` names them, with the end of each window
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS = Decimal(10**11)  # as seconds it would be the year 5138
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\Z", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?) ?"
    r"(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?\Z",
    re.ASCII,
)


class TraceError(SpendguardError):
    """A file that is not a trace, with every line that is wrong, or the first of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems[0].message, problems[0].hint)
        self._problems = tuple(problems)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong, as far as it is told."""
        return self._problems


def read_trace(content: bytes, name: str, zone: ZoneInfo, currency: str = "") -> Trace:
    """Return the spend of a file, in the order of time; rows of one instant all count.

    What was spent over a window is spread evenly over its hours. Where the file tells currencies,
    all must be that of the account.

    Raises:
        TraceError: when there is no row, or a line cannot be read.
    """
    rows: list[tuple[datetime, int]] = []
    problems: list[Problem] = []
    wrong = 0
    for number, fields in _fields(_text(content, name), name):
        try:
            rows += _spread(fields, zone, currency)
        except ValueError as error:
            wrong += 1
            if wrong <= TOLD:
                problems.append(Problem(f"{name}, line {number}: {error}", _HINT))
    if wrong > TOLD:
        problems.append(Problem(f"{name}: {wrong - TOLD} more lines cannot be read", _HINT))
    if not rows and not problems:
        problems.append(Problem(f"{name}: no row of spend is in it", _HINT))
    if problems:
        raise TraceError(problems)
    return Trace.of(rows)


_HINT = "each line is an instant and an amount, such as 2026-11-20T14:00:00Z,0.0125"


def _text(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TraceError([Problem(f"{name} is not UTF-8 text at line {line}", _HINT)]) from None
    if "\0" in text:
        raise TraceError([Problem(f"{name} is not text: it holds zero bytes", _HINT)])
    return text


@dataclass(frozen=True, slots=True)
class _Fields:
    """What a row says; '' where there is no such column."""

    timestamp: str
    amount: str
    end: str = ""
    currency: str = ""


def _spread(fields: _Fields, zone: ZoneInfo, currency: str) -> list[tuple[datetime, int]]:
    """Return what a row says, hour by hour where it is about more than one."""
    at, nanos = _instant(fields.timestamp, zone), _nanos(fields.amount)
    if fields.currency and currency and fields.currency.upper() != currency:
        raise ValueError(
            f"{_shown(fields.currency)} is not {currency}, the currency of the account"
        )
    hours = (_instant(fields.end, zone) - at) // HOUR if fields.end else 1
    if hours <= 1:
        return [(at, nanos)]
    if hours > LONGEST_WINDOW:
        raise ValueError("its window is longer than a year")
    return [(at + HOUR * n, part) for n, part in enumerate(divide(nanos, [1] * hours))]


def _fields(text: str, name: str) -> Iterator[tuple[int, _Fields]]:
    """Yield what each row that is not empty says, with its line."""
    reader = csv.reader(StringIO(text, newline=""), skipinitialspace=True)
    places: _Places | None = None
    strict = False
    try:
        for row in reader:
            fields = [field.strip() for field in row]
            if not any(fields):
                continue
            if places is None:
                places = _named(fields)
                strict = places is None
                places = places or _Places(0, 1)
                if not strict or _untitled(fields):
                    continue
            yield reader.line_num, _pick(fields, places, strict=strict)
    except csv.Error as error:
        told = Problem(f"{name}, line {reader.line_num}: not comma-separated: {error}", _HINT)
        raise TraceError([told]) from None


@dataclass(frozen=True, slots=True)
class _Places:
    """Which column is which; None where there is none."""

    timestamp: int
    amount: int
    end: int | None = None
    currency: int | None = None


def _named(fields: Sequence[str]) -> _Places | None:
    """Return the places of the columns where this row names them."""
    names = {name.lower(): place for place, name in reversed([*enumerate(fields)])}
    for at, amount in (COLUMNS, WINDOWS):
        if at in names and amount in names:
            end = names.get("end") if (at, amount) == WINDOWS else None
            return _Places(names[at], names[amount], end, names.get("currency"))
    return None


def _untitled(fields: Sequence[str]) -> bool:
    """Tell whether the first row is a heading of other names: there is no digit in it."""
    return not any(sign.isdigit() for field in fields for sign in field)


def _pick(fields: Sequence[str], places: _Places, *, strict: bool) -> _Fields:
    """Return the fields that count; a third one of a row without names may be a decimal comma."""
    if strict and any(fields[2:]):
        return _Fields(fields[0], ",".join(fields[1:]))
    wanted = (places.timestamp, places.amount, places.end, places.currency)
    return _Fields(*("" if n is None or n >= len(fields) else fields[n] for n in wanted))


def _instant(text: str, zone: ZoneInfo) -> datetime:
    """Read RFC 3339, a date, or seconds since 1970; without an offset it is local to the zone."""
    try:
        found = _number(text) if _NUMBER.match(text) else _written(text, zone)
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise ValueError(f"{_shown(text)} is not an instant")
    if not EARLIEST <= found < LATEST:
        raise ValueError(f"{_shown(text)} is before the year 2000, or after 2200")
    return found


def _number(text: str) -> datetime:
    seconds = Decimal(text)
    if abs(seconds) >= _MILLISECONDS:
        seconds /= 1000
    return _EPOCH + timedelta(microseconds=int(seconds.scaleb(6)))


def _written(text: str, zone: ZoneInfo) -> datetime | None:
    match = _INSTANT.match(text)
    if match is None:
        return midnight(date.fromisoformat(text), zone) if _DATE.match(text) else None
    day, clock, offset = match.groups()
    if offset is None:
        return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=zone).astimezone(UTC)
    ends = "+00:00" if offset.upper() in {"Z", "UTC"} else offset
    return datetime.fromisoformat(f"{day}T{clock}{ends}").astimezone(UTC)


def _nanos(text: str) -> int:
    """Read an amount of at least nothing, exactly; beyond nine decimals it is rounded half-even."""
    if not _NUMBER.match(text):
        raise ValueError(f"{_shown(text)} is not an amount")
    amount = Decimal(text)
    if amount < 0:
        raise ValueError(f"{_shown(text)} is less than zero")
    if amount > MOST // NANOS:
        raise ValueError(f"{_shown(text)} is too large an amount")
    return nanos_of(amount)


def _shown(text: str) -> str:
    """Return a text in quotes; a long one, and one that may hold a number of a card, is not shown."""
    if not text:
        return "an empty field"
    if len(text) > LONGEST or holds_card_number(text):
        return "the text"
    return f"'{text}'"
