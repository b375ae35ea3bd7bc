"""Spending: what was spent in a window, booked and estimated, by calendar or by what spent it.

Every sum is made of the same parts: what one combination of dimensions cost on one UTC day. A day
that an edge cuts is divided part by part, and whole days are summed in the database: totals are
equal however they are grouped, and take no longer in a longer history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta, tzinfo

from spendguard.core.spread import SETTLES, divide
from spendguard.core.windows import DAY, Unit, Window, tile, utc_day
from spendguard.store.cutting import Cuts, Shape
from spendguard.store.history import History, to_column, to_instant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BOOKED, ESTIMATED = KINDS = ("booked", "estimated")

COLUMNS = {
    "account": "account",
    "project": "project",
    "model": "model",
    "key": "api_key",
    "line-item": "line_item",
}
"""What a dimension is called by a person, and what by JSON and the database."""

_MICROSECOND = timedelta(microseconds=1)
_Sums = dict[tuple[int, str, str, str], int]  # which window, part, kind, currency
_Sum = tuple[tuple[int, str, str, str], int]


class Question:
    """What is asked: of which account, over which window, grouped how; '' sums everything."""

    __slots__ = ("account", "by", "window")

    def __init__(self, account: str | None, window: Window, by: str = "") -> None:
        self.account = account
        self.window = window
        self.by = by


class Row:
    """What was spent in a window, by one value of a dimension or by everything."""

    __slots__ = ("currency", "kind", "nanos", "part", "window")

    def __init__(
        self, window: Window, part: str | None, kind: str, nanos: int, currency: str
    ) -> None:
        self.window = window
        self.part = part
        self.kind = kind
        self.nanos = nanos
        self.currency = currency


class Spending:
    """The spend that a history holds, asked at an instant, with calendars of a zone."""

    def __init__(self, history: History, zone: tzinfo, now: datetime) -> None:
        self._history = history
        self._zone = zone
        self._now = now

    def answer(self, question: Question) -> list[Row]:
        """Return the rows of an answer: windows in time order, dimensions the dearest first."""
        cuts = self._cuts(question)
        sums: _Sums = {}
        for key, nanos in (*self._booked(question, cuts), *self._estimated(question, cuts)):
            sums[key] = sums.get(key, 0) + nanos
        calendar = _calendar(question.by)
        rows = [
            Row(cuts.windows[place], part or None, kind, nanos, currency)
            for (place, part, kind, currency), nanos in sums.items()
            if nanos or (calendar and kind == BOOKED)
        ]
        return sorted(rows, key=_in_time if calendar else _dearest_first(rows))

    def first_read(self, question: Question) -> datetime | None:
        """Return the first UTC day of the window whose costs were read."""
        return min(self._first_days(question), default=None)

    def before(self, question: Question) -> list[Row] | None:
        """Return what was spent in the window before, as long; None when it was not read whole."""
        window = question.window
        try:
            since = window.start - window.length
        except OverflowError:
            return None
        first = self._first_days(Question(question.account, Window(since, window.end)))
        if not first or max(first) > since:
            return None
        by = question.by if question.by in COLUMNS else ""
        return self.answer(Question(question.account, Window(since, window.start), by))

    def _first_days(self, question: Question) -> list[datetime]:
        rows = self._ask("first_spend_days", question, _days_of(question.window))
        return [to_instant(row["day"]) for row in rows]

    def _cuts(self, question: Question) -> Cuts:
        """Return the windows of the answer; one that was read in part begins where reading did."""
        first = self.first_read(question)
        start = question.window.start if first is None else max(first, question.window.start)
        read = Window(start, question.window.end)
        calendar = _calendar(question.by)
        windows = [*tile(read, Unit(question.by), self._zone)] if calendar else [read]
        return Cuts(windows, self._now)

    def _booked(self, question: Question, cuts: Cuts) -> Iterator[_Sum]:
        asked = Window(cuts.windows[0].start, cuts.windows[-1].end)
        for days, cut in _runs(_days_of(asked), cuts):
            if cut:
                rows = self._ask("spend_parts", question, days)
                yield from self._divided(question, cuts, rows, BOOKED)
            elif question.by in COLUMNS:
                for row in self._by_column(question, days):
                    yield (0, row["part"], BOOKED, row["currency"]), row["nanos"]
            else:
                yield from _placed(cuts, self._ask("spend_days", question, days), BOOKED)

    def _estimated(self, question: Question, cuts: Cuts) -> Iterator[_Sum]:
        """Yield what is not booked of the days that are not settled."""
        days = _days_of(question.window)
        unsettled = Window(max(days.start, utc_day(self._now - SETTLES).start), days.end)
        if unsettled.start >= unsettled.end:
            return
        for run, cut in _runs(unsettled, cuts):
            if cut or question.by in COLUMNS:
                rows = self._ask("unbooked_parts", question, run)
                yield from self._divided(question, cuts, rows, ESTIMATED)
            else:
                yield from _placed(cuts, self._ask("unbooked_days", question, run), ESTIMATED)

    def _divided(
        self, question: Question, cuts: Cuts, rows: Iterable[Any], kind: str
    ) -> Iterator[_Sum]:
        """Yield what of each part of a day falls into each window; `rows` come by day."""
        column, shape = COLUMNS.get(question.by), None
        for row in rows:
            shape = self._shape(question, cuts, row["day"], shape)
            part = row[column] if column else ""
            parts = [row["nanos"]]
            if len(shape.places) > 1:
                weights = shape.weights((row["account_id"], row["api_key"], row["model"]))
                parts = divide(row["nanos"], weights)
            for place, nanos in zip(shape.places, parts, strict=True):
                if place is not None:
                    yield (place, part, kind, row["currency"]), nanos

    def _shape(self, question: Question, cuts: Cuts, day: int, last: Shape | None) -> Shape:
        start = to_instant(day)
        if last is not None and last.day.start == start:
            return last
        return cuts.shape(self._history, question.account, Window(start, start + DAY))

    def _by_column(self, question: Question, days: Window) -> list[Any]:
        if question.by == "account":
            return self._ask("spend_by_account", question, days)
        return self._ask("spend_by_dimension", question, days, column=COLUMNS[question.by])

    def _ask(self, query: str, question: Question, days: Window, **more: str) -> list[Any]:
        return self._history.ask(
            query,
            account=question.account,
            since=to_column(days.start),
            until=to_column(days.end),
            **more,
        )


def _placed(cuts: Cuts, rows: Iterable[Any], kind: str) -> Iterator[_Sum]:
    """Yield the sums of days that no edge cuts, in the windows they fall into."""
    for row in rows:
        place = cuts.place(to_instant(row["day"]))
        if place is not None:
            yield (place, "", kind, row["currency"]), row["nanos"]


def totals(rows: Iterable[Row]) -> dict[str, dict[str, int]]:
    """Return the sums of rows by currency and kind."""
    sums: dict[str, dict[str, int]] = {}
    for row in rows:
        sums.setdefault(row.currency, dict.fromkeys(KINDS, 0))[row.kind] += row.nanos
    return sums


def _calendar(by: str) -> bool:
    return bool(by) and by not in COLUMNS


def _in_time(row: Row) -> Any:
    return row.window, row.currency, row.kind


def _dearest_first(rows: Iterable[Row]) -> Callable[[Row], Any]:
    parts: dict[tuple[str, str | None], int] = {}
    for row in rows:
        parts[row.currency, row.part] = parts.get((row.currency, row.part), 0) + row.nanos
    return lambda row: (row.currency, -parts[row.currency, row.part], row.part or "", row.kind)


def _days_of(window: Window) -> Window:
    """Return the whole UTC days that a window touches."""
    return Window(utc_day(window.start).start, utc_day(window.end - _MICROSECOND).end)


def _runs(days: Window, cuts: Cuts) -> Iterator[tuple[Window, bool]]:
    """Yield runs of UTC days, as long as they can be, and whether edges cut each of their days."""
    start = day = days.start
    while day < days.end:
        day += DAY
        if day == days.end or (day in cuts.days) != (start in cuts.days):
            yield Window(start, day), start in cuts.days
            start = day
