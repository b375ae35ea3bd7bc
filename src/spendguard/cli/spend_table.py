"""spend as people read it: amounts, what of them is estimated, share, the window before, bars."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from spendguard.cli.output import (
    GAP,
    Cell,
    Column,
    on_terminal,
    say,
    table,
    terminal_width,
    width,
)
from spendguard.cli.reading import Source, lasting
from spendguard.core.nanos import NANOS, ceiled, exact
from spendguard.core.windows import Unit, Window
from spendguard.store.history import to_instant
from spendguard.store.spending import BOOKED, COLUMNS, ESTIMATED, Question, Row, Spending, totals

BAR = 24
_SHORTEST = 8
"""How long the longest bar is at least; where a terminal leaves less room, there are none."""
_NAME = 16
"""How much of a name stands on one line at least, or all of it; other columns give way to it."""
_LESSER = ("before", "share", "estimated")
"""The columns that give way on a narrow terminal, one after the other."""

_HALF_A_CENT = NANOS // 200
_SIGNS = ("█", "░", "▏")
_PLAIN_SIGNS = ("#", ".", ".")


class _Line(NamedTuple):
    """The rows of one window and part: what is booked, and what is only estimated."""

    window: Window
    part: str | None
    currency: str
    booked: int
    estimated: int

    @property
    def nanos(self) -> int:
        """All of it."""
        return self.booked + self.estimated


def show(asked: Source, spending: Spending, question: Question, rows: Sequence[Row]) -> None:
    """Print what was spent as a table, with its totals."""
    if not any(row.nanos for row in rows):
        _print_nothing(asked, spending, question)
        return
    lines, former = _lines(rows), spending.before(question)
    columns: dict[str, list[str | Cell]] = {
        question.by: [_label(asked, question, line) for line in lines],
        "amount": [_amount(line.nanos) for line in lines],
        "": [line.currency for line in lines],
        **_details(question, lines, rows, former),
    }
    if on_terminal():
        _fit(columns, question.by)
        if (room := _room(columns)) >= _SHORTEST:
            columns[" "] = _bars(lines, min(room, BAR))
    titles = [
        Column(title, right=title not in {question.by, "", " "}, folds=title == question.by)
        for title in columns
    ]
    table(titles, [*zip(*columns.values(), strict=True)])
    say()
    _print_totals(asked, question, rows, former)
    _print_ages(asked, question, lines)


def _lines(rows: Iterable[Row]) -> list[_Line]:
    found: dict[tuple[Window, str | None, str], dict[str, int]] = {}
    for row in rows:
        found.setdefault((row.window, row.part, row.currency), {})[row.kind] = row.nanos
    return [
        _Line(*key, kinds.get(BOOKED, 0), kinds.get(ESTIMATED, 0)) for key, kinds in found.items()
    ]


def _details(
    question: Question,
    lines: Sequence[_Line],
    rows: Sequence[Row],
    former: Sequence[Row] | None,
) -> dict[str, list[str | Cell]]:
    """Return the columns that are there only where they say something."""
    columns: dict[str, list[str | Cell]] = {}
    if any(line.estimated for line in lines):
        columns["estimated"] = [_amount(line.estimated) for line in lines]
    if question.by in COLUMNS:
        sums = {currency: sum(kinds.values()) for currency, kinds in totals(rows).items()}
        columns["share"] = [_share(line.nanos, sums[line.currency]) for line in lines]
        if former is not None:
            then = {(one.part, one.currency): one.nanos for one in _lines(former)}
            columns["before"] = [_amount(then.get((line.part, line.currency), 0)) for line in lines]
    return columns


def _fit(columns: dict[str, list[str | Cell]], name: str) -> None:
    """Take lesser columns away until the names have room."""
    wanted = min(_wide(name, columns[name]), _NAME)
    for lesser in _LESSER:
        rest = {title: column for title, column in columns.items() if title != name}
        if _room(rest) >= wanted:
            return
        columns.pop(lesser, None)


def _room(columns: Mapping[str, Sequence[str | Cell]]) -> int:
    """Return how wide one more column may be where these stand on one line."""
    taken = sum(_wide(title, column) + len(GAP) for title, column in columns.items())
    return terminal_width() - taken


def _wide(title: str, column: Sequence[str | Cell]) -> int:
    return max(map(width, [title, *map(str, column)]))


def _bars(lines: Sequence[_Line], length: int) -> list[str | Cell]:
    """Return bars of which the longest is the most of each currency: they do not compare."""
    most: dict[str, int] = {}
    for line in lines:
        most[line.currency] = max(most.get(line.currency, 0), line.nanos)
    return [
        Cell(bar(line.booked, line.nanos, most[line.currency], length), "cyan") for line in lines
    ]


def _amount(nanos: int) -> str:
    return exact(ceiled(nanos))


def _share(nanos: int, whole: int) -> str:
    """Return a part of a whole in percent, nothing where credits make that senseless."""
    if nanos < 0 or whole <= 0:
        return ""
    percent = (200 * nanos + whole) // (2 * whole)
    return f"{percent} %" if percent or not nanos else "<1 %"


def bar(booked: int, nanos: int, most: int, length: int = BAR) -> str:
    """Return a bar as long as an amount is large; what is only estimated of it is lighter."""
    full, light, trace = _signs()
    if nanos <= 0:
        return ""
    cells = nanos * length // most
    solid = min(max(booked, 0) * length // most, cells)
    return full * solid + light * (cells - solid) or trace


def _signs() -> tuple[str, str, str]:
    """Return the signs that bars are made of, as far as the terminal has them."""
    try:
        "".join(_SIGNS).encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _PLAIN_SIGNS
    return _SIGNS


def _label(asked: Source, question: Question, line: _Line) -> str:
    if question.by in COLUMNS:
        names = asked.names(question.by)
        return "(not told)" if line.part is None else names.get(line.part, line.part)
    local = line.window.start.astimezone(asked.zone)
    if question.by == Unit.HOUR:
        return f"{local:%Y-%m-%d %H:%M %z}"
    if question.by == Unit.WEEK:
        return f"{local:%G-W%V}"
    return f"{local:%Y-%m}" if question.by == Unit.MONTH else f"{local:%Y-%m-%d %a}"


def _print_totals(
    asked: Source, question: Question, rows: Sequence[Row], former: Sequence[Row] | None
) -> None:
    window = question.window
    known = totals(former or ())
    for currency, kinds in sorted(totals(rows).items()):
        total = sum(kinds.values())
        of_it = f" ({_amount(kinds[ESTIMATED])} of it estimated)" if kinds[ESTIMATED] else ""
        say(
            f"total {_amount(total)} {currency}{of_it}, "
            f"from {asked.local(window.start)} to {asked.local(window.end)} ({asked.zone})"
        )
        if former is not None:
            then = sum(known.get(currency, {}).values())
            say(f"{_change(total - then, currency)} in the {lasting(window.length)} before", "dim")


def _change(more: int, currency: str) -> str:
    if abs(more) < _HALF_A_CENT:
        return "as much as"
    return f"{_amount(abs(more))} {currency} {'more' if more > 0 else 'less'} than"


def _print_ages(asked: Source, question: Question, lines: Sequence[_Line]) -> None:
    accounts = _accounts(asked, question)
    read = [row["last_ok_at"] for row in accounts if row["last_ok_at"]]
    used = [row["usage_read_at"] for row in accounts if row["usage_read_at"]]
    if read:
        say(f"booked by the provider, read {asked.ago(to_instant(min(read)))}", "dim")
    if used and any(line.estimated for line in lines):
        told = asked.ago(to_instant(min(used)))
        say(f"estimated from usage that is not booked yet, read {told}", "dim")


def _print_nothing(asked: Source, spending: Spending, question: Question) -> None:
    window = question.window
    told = f"{asked.local(window.start)} to {asked.local(window.end)} ({asked.zone})"
    if not any(row["last_ok_at"] for row in _accounts(asked, question)):
        say("nothing has been read yet")
        say("read the accounts: spendguard check", "dim")
    elif spending.first_read(question) is None:
        say(f"no cost was read for {told}")
    else:
        say(f"nothing was spent from {told}")


def _accounts(asked: Source, question: Question) -> list[Mapping[str, int | None]]:
    rows = asked.history.ask("accounts")
    return [row for row in rows if question.account in {None, row["name"]}]
