"""spend: what was spent, as the provider booked it, by calendar or by what spent it."""

from __future__ import annotations

import csv
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from spendguard.cli.instants import resolve, rfc3339
from spendguard.cli.output import Column, emit, say, table
from spendguard.cli.reading import Source, known_account, source
from spendguard.core.errors import UsageError
from spendguard.core.money import Money
from spendguard.core.windows import DAY, Unit, Window, midnight, share, tile, utc_day
from spendguard.store.history import maybe_instant, to_column, to_instant

DIMENSIONS = {
    "account": "account",
    "project": "project",
    "model": "model",
    "key": "api_key",
    "line-item": "line_item",
}
"""What `--by` calls a dimension, and what JSON calls it."""

DEFAULT_DAYS = 30
_MICROSECOND = timedelta(microseconds=1)


class Row(NamedTuple):
    """What was spent in a window, by one value of a dimension or by everything."""

    window: Window
    part: str | None
    amount: Money


class Question(NamedTuple):
    """What is asked: of which account, over which window, grouped how."""

    account: str | None
    window: Window
    by: str


def run(options: Namespace) -> int:
    """Print what was spent."""
    if options.json and options.csv:
        raise UsageError("--json and --csv are two forms", "give one of them")
    with source(options) as asked:
        question = _question(options, asked)
        rows = answer(asked, question)
        if options.json:
            emit({"rows": [_flat(row, question.by, nested=True) for row in rows]})
        elif options.csv:
            _csv(rows, question.by)
        else:
            _print(asked, question, rows)
    return 0


def _question(options: Namespace, asked: Source) -> Question:
    zone, now = asked.zone, asked.now
    until = now if options.until is None else resolve(options.until, "--until", zone, now)
    if options.since is None:
        last = (until - _MICROSECOND).astimezone(zone).date()
        since = midnight(last - DAY * (DEFAULT_DAYS - 1), zone)
    else:
        since = resolve(options.since, "--since", zone, now)
    if since >= until:
        raise UsageError("--since is not before --until", "give a window that holds something")
    account = known_account(options.account, asked.account_names())
    return Question(account, Window(since, until), options.by)


def answer(asked: Source, question: Question) -> list[Row]:
    """Return the rows of an answer: windows in time order, dimensions the dearest first."""
    if question.by in DIMENSIONS:
        return _by_dimension(asked, question)
    return _by_calendar(asked, question)


def _parameters(question: Question, window: Window) -> dict[str, Any]:
    return {
        "account": question.account,
        "since": to_column(window.start),
        "until": to_column(window.end),
    }


def _days_of(window: Window) -> Window:
    """Return the whole UTC days that a window touches."""
    return Window(utc_day(window.start).start, utc_day(window.end - _MICROSECOND).end)


def _span(day: Window, now: datetime) -> Window:
    """Return the time a booked day is spread over: today is not over yet."""
    if now not in day:
        return day
    return Window(day.start, max(now, day.start + _MICROSECOND))


def _by_calendar(asked: Source, question: Question) -> list[Row]:
    parameters = _parameters(question, _days_of(question.window))
    days = [
        (utc_day(to_instant(row["day"])), row["currency"], row["nanos"])
        for row in asked.history.ask("spend_days", **parameters)
    ]
    if not days:
        return []
    read = Window(max(days[0][0].start, question.window.start), question.window.end)
    windows = list(tile(read, Unit(question.by), asked.zone))
    sums: dict[tuple[Window, str], int] = {}
    place = 0
    for day, currency, nanos in days:
        span = _span(day, asked.now)
        while windows[place].end <= span.start and place + 1 < len(windows):
            place += 1
        for window in _touching(windows, place, span):
            key = (window, currency)
            sums[key] = sums.get(key, 0) + share(nanos, span, window)
    return [Row(window, None, Money(sums[window, code], code)) for window, code in sorted(sums)]


def _touching(windows: Sequence[Window], place: int, span: Window) -> Iterator[Window]:
    while place < len(windows) and windows[place].start < span.end:
        if windows[place].overlap(span):
            yield windows[place]
        place += 1


def _by_dimension(asked: Source, question: Question) -> list[Row]:
    """Sum whole days in the database, and divide only the days at the edges."""
    sums: dict[tuple[str, str], int] = {}
    query = f"spend_by_{question.by.replace('-', '_')}"
    for days, divided in _pieces(question.window, asked.now):
        for row in asked.history.ask(query, **_parameters(question, days)):
            nanos = row["nanos"]
            if divided:
                nanos = share(nanos, _span(days, asked.now), question.window)
            key = (row["part"], row["currency"])
            sums[key] = sums.get(key, 0) + nanos
    window = _read_part(asked, question)
    rows = [
        Row(window, part or None, Money(nanos, code))
        for (part, code), nanos in sums.items()
        if nanos
    ]
    return sorted(rows, key=lambda row: (row.amount.currency, -row.amount.nanos, row.part or ""))


def _pieces(window: Window, now: datetime) -> Iterator[tuple[Window, bool]]:
    """Yield the UTC days that lie wholly in a window, then each that does so only in part."""
    days = _days_of(window)
    inner = days
    for edge in {utc_day(days.start), utc_day(days.end - _MICROSECOND)}:
        if _span(edge, now).overlap(window) == _span(edge, now):
            continue
        yield edge, True
        if edge.start == inner.start:
            inner = Window(edge.end, inner.end)
        else:
            inner = Window(inner.start, edge.start)
    if inner.start < inner.end:
        yield inner, False


def _read_part(asked: Source, question: Question) -> Window:
    """Return the asked window from the first day on that was read in it."""
    first = _first_read(asked, question)
    start = question.window.start if first is None else max(first, question.window.start)
    return Window(start, question.window.end)


def _first_read(asked: Source, question: Question) -> datetime | None:
    """Return the first UTC day of the window whose costs were read."""
    parameters = _parameters(question, _days_of(question.window))
    return maybe_instant(asked.history.ask("first_spend_day", **parameters)[0]["day"])


def _flat(row: Row, by: str, *, nested: bool) -> dict[str, Any]:
    """Return a row as JSON has it, or with its window flat, as CSV has it."""
    window = {"start": rfc3339(row.window.start), "end": rfc3339(row.window.end)}
    dimensions: dict[str, str | None] = dict.fromkeys(DIMENSIONS.values())
    if by in DIMENSIONS:
        dimensions[DIMENSIONS[by]] = row.part
    return {
        **({"window": window} if nested else window),
        **dimensions,
        "amount": row.amount.exact(),
        "currency": row.amount.currency,
        "kind": "booked",
    }


def _csv(rows: Sequence[Row], by: str) -> None:
    names = ["start", "end", *DIMENSIONS.values(), "amount", "currency", "kind"]
    writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_flat(row, by, nested=False) for row in rows)


def _print(asked: Source, question: Question, rows: Sequence[Row]) -> None:
    read = [row["last_ok_at"] for row in _accounts(asked, question) if row["last_ok_at"]]
    window = question.window
    asked_for = f"{asked.local(window.start)} to {asked.local(window.end)} ({asked.zone})"
    if not any(row.amount for row in rows):
        _print_nothing(asked, question, asked_for, ever_read=bool(read))
        return
    columns = (Column(question.by, folds=True), Column("amount", right=True), Column(""))
    table(columns, [*_lines(asked, question, rows)])
    say()
    for currency, total in sorted(_totals(rows).items()):
        say(f"total {Money(total, currency).ceiled()}, from {asked_for}")
    if read:
        say(f"booked by the provider, read {asked.ago(to_instant(min(read)))}", "dim")


def _print_nothing(asked: Source, question: Question, window: str, *, ever_read: bool) -> None:
    if not ever_read:
        say("nothing has been read yet")
        say("read the accounts: spendguard check", "dim")
    elif _first_read(asked, question) is None:
        say(f"no cost was read for {window}")
    else:
        say(f"nothing was spent from {window}")


def _accounts(asked: Source, question: Question) -> list[Any]:
    rows = asked.history.ask("accounts")
    return [row for row in rows if question.account in {None, row["name"]}]


def _totals(rows: Iterable[Row]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for row in rows:
        code = row.amount.currency
        totals[code] = totals.get(code, 0) + row.amount.nanos
    return totals


def _lines(asked: Source, question: Question, rows: Sequence[Row]) -> Iterator[list[str]]:
    names = asked.names(question.by)
    for row in rows:
        amount = row.amount.ceiled()
        yield [_label(asked, question, row, names), amount.exact(), amount.currency]


def _label(asked: Source, question: Question, row: Row, names: Mapping[str, str]) -> str:
    if question.by in DIMENSIONS:
        return "(not told)" if row.part is None else names.get(row.part, row.part)
    local = row.window.start.astimezone(asked.zone)
    if question.by == Unit.HOUR:
        return f"{local:%Y-%m-%d %H:%M %z}"
    if question.by == Unit.WEEK:
        return f"{local:%G-W%V}"
    return f"{local:%Y-%m}" if question.by == Unit.MONTH else f"{local:%Y-%m-%d %a}"
