"""Cutting: how a UTC day that edges of windows cut is divided: as it was used, else evenly.

Where an API states the balance and no usage, the day was used as the balance fell.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from spendguard.core.windows import HOUR, Window, utc_day
from spendguard.store.history import to_column, to_instant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class History(Protocol):
        """What answers the named questions: a database opened to read, or a transaction."""

        def ask(self, name: str, **parameters: Any) -> list[Any]:
            """Return the rows of a named query."""
            ...


_MICROSECOND = timedelta(microseconds=1)
_FINER = (("minutes", timedelta(minutes=1)), ("quarters", timedelta(minutes=15)))
"""What there may be below an hour; the first that was read counts."""

EACH_BALANCE = timedelta(days=62)
"""How long each balance that an API stated is kept; of earlier days the last, which divides none."""

Spender = tuple[int, str, str]
"""An account, an api key and a model of it; where '' is asked for, any is meant."""


def span_of(day: Window, now: datetime) -> Window:
    """Return the time that a UTC day's spend lies in: today is not over yet."""
    return Window(day.start, max(now, day.start + _MICROSECOND)) if now in day else day


class Cuts:
    """The windows of an answer, and the UTC days that their edges cut."""

    def __init__(self, windows: Sequence[Window], now: datetime) -> None:
        self.windows = windows
        self._now = now
        self._starts = [window.start for window in windows]
        self._edges = [*self._starts, windows[-1].end]
        self.days = frozenset(day.start for day in map(utc_day, self._edges) if self.inside(day))

    def inside(self, day: Window) -> list[datetime]:
        """Return the edges that cut a day."""
        span = span_of(day, self._now)
        first, last = bisect_right(self._edges, span.start), bisect_left(self._edges, span.end)
        return self._edges[first:last]

    def place(self, instant: datetime) -> int | None:
        """Return which window holds an instant."""
        place = bisect_right(self._starts, instant) - 1
        return place if place >= 0 and instant in self.windows[place] else None

    def shape(self, history: History, account: str | None, day: Window) -> Shape:
        """Return how a day is divided."""
        span, edges = span_of(day, self._now), self.inside(day)
        pieces = [Window(*pair) for pair in pairwise([span.start, *edges, span.end])]
        used = _used(history, account, span, edges) if edges else {}
        if edges and span.start >= self._now - EACH_BALANCE:
            used |= _fallen(history, account, span, edges)
        lengths = [piece.length // _MICROSECOND for piece in pieces]
        return Shape(day, [self.place(piece.start) for piece in pieces], lengths, used)


class Shape:
    """The pieces of a day: the window each falls into, how long it is, and what was used in it."""

    __slots__ = ("_sums", "day", "lengths", "places", "used")

    def __init__(
        self,
        day: Window,
        places: list[int | None],
        lengths: list[int],
        used: Mapping[Spender, list[int]],
    ) -> None:
        self.day = day
        self.places = places
        self.lengths = lengths
        self.used = used
        self._sums: dict[Spender, list[int]] = {}

    def weights(self, spender: Spender) -> list[int]:
        """Return how much of a spender's cost falls on each piece.

        It is as the same key and model were used, else as the account was, else even.
        """
        for one in (spender, (spender[0], "", "")):
            weights = self._weights(one)
            if any(weights):
                return weights
        return self.lengths

    def _weights(self, spender: Spender) -> list[int]:
        account, api_key, model = spender
        if api_key and model:
            return self.used.get(spender, [])
        if spender not in self._sums:
            meant = [
                used
                for (whose, key, name), used in self.used.items()
                if whose == account and api_key in {"", key} and model in {"", name}
            ]
            self._sums[spender] = [sum(piece) for piece in zip(*meant, strict=True)]
        return self._sums[spender]


def _used(
    history: History, account: str | None, span: Window, edges: Sequence[datetime]
) -> dict[Spender, list[int]]:
    """Return what each spender used between the edges of a day."""
    hours = [_hour(span.start), *map(_hour, edges), _hour(span.end - _MICROSECOND) + 1]
    passed: dict[Spender, int] = {}
    until: dict[Spender, list[int]] = {}
    for place, (since, hour) in enumerate(pairwise(hours)):
        for spender, nanos in _hours(history, account, since, hour):
            passed[spender] = passed.get(spender, 0) + nanos
        for spender, nanos in passed.items():
            until.setdefault(spender, [0] * (len(edges) + 1))[place] = nanos
        if place < len(edges) and edges[place] != _instant(hour):
            for spender, nanos in _begun(history, account, edges[place], span):
                upto = until.setdefault(spender, [0] * (len(edges) + 1))
                upto[place] = passed.get(spender, 0) + nanos
    return {
        spender: [upto - before for before, upto in pairwise([0, *sums])]
        for spender, sums in until.items()
    }


def _hours(
    history: History, account: str | None, since: int, until: int
) -> Iterator[tuple[Spender, int]]:
    """Yield what was used in whole hours."""
    if since < until:
        for row in history.ask("usage_hours", account=account, since=since, until=until):
            yield (row["account_id"], row["api_key"], row["model"]), row["nanos"]


def _begun(
    history: History, account: str | None, edge: datetime, span: Window
) -> Iterator[tuple[Spender, int]]:
    """Yield what was used in an hour before an edge in it: by minutes, quarters, else evenly."""
    hour = _hour(edge)
    start, end = _instant(hour), min(_instant(hour + 1), span.end)
    passed, length = (edge - start) // _MICROSECOND, (end - start) // _MICROSECOND
    finer = _finer(history, account, edge)
    for spender, nanos in _hours(history, account, hour, hour + 1):
        before, told = finer.get(spender, (0, 0))
        yield spender, nanos * before // told if told else nanos * passed // length


def _finer(history: History, account: str | None, edge: datetime) -> dict[Spender, tuple[int, int]]:
    """Return what smaller buckets tell of an hour: what was used before an edge, and in all."""
    start = _instant(_hour(edge))
    for name, width in _FINER:
        since, cut, until = (_bucket(at, width) for at in (start, edge, start + HOUR))
        rows = history.ask(f"usage_{name}", account=account, since=since, cut=cut, until=until)
        if rows:
            return {
                (row["account_id"], row["api_key"], row["model"]): (row["passed"], row["nanos"])
                for row in rows
            }
    return {}


def _fallen(
    history: History, account: str | None, span: Window, edges: Sequence[datetime]
) -> dict[Spender, list[int]]:
    """Return what the balances that an API stated fell by, each fall when it was seen."""
    since, until = to_column(span.start), to_column(span.end)
    fallen: dict[Spender, list[int]] = {}
    for row in history.ask("balance_falls", account=account, since=since, until=until):
        pieces = fallen.setdefault((row["account_id"], "", ""), [0] * (len(edges) + 1))
        pieces[bisect_left(edges, to_instant(row["at"]))] += row["nanos"]
    return fallen


def _bucket(instant: datetime, width: timedelta) -> int:
    return to_column(instant) // (width // _MICROSECOND)


def _hour(instant: datetime) -> int:
    return _bucket(instant, HOUR)


def _instant(hour: int) -> datetime:
    return to_instant(hour * (HOUR // _MICROSECOND))
