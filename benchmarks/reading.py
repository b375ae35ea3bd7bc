"""Aims 1 to 4: what a question costs, as a whole process, whatever the history holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from benchmarks import peers
from benchmarks.frame import NOTHING, OURS, Figure, Line, Scale, processes, short
from benchmarks.history import DAYS, History, midnight, seeded

SPEND = "spend --json"  # thirty days
CUT = "spend --since 30d --json"
EVENTS = {200_000: 0.04, 5_000: 0.6}
QUESTIONS = ("status --json", SPEND, CUT, "spend --since {years} --by month --json")
"""What must not take longer for a longer history; `years` is all of it."""

SAME_DAYS = """
SELECT day, currency, SUM(nanos) FROM spend_days
WHERE account_id = 1 AND day >= {since} AND day < {until} GROUP BY day, currency
"""


def lines(scale: Scale) -> Iterator[Line]:
    """Measure aims 1 to 4, then whether the length of the history matters."""
    histories = {size: seeded(size) for size in scale.sizes}
    largest = histories[scale.largest]
    told = f"`{SPEND}`, {short(scale.largest)} buckets"
    line = Line("1", told, "`python -c pass`", 3.0)
    yield replace(line, figure=_ours(SPEND, NOTHING, largest, scale))
    line = Line("1", f"`{CUT}`: its first day is cut", "`python -c pass`")
    yield replace(line, figure=_ours(CUT, NOTHING, largest, scale))
    for events, bound in EVENTS.items():
        line = Line("2", told, f"ccusage over {short(events)} events", bound)
        yield _beside(line, largest, scale, partial(peers.ccusage, events))
    query = SAME_DAYS.format(since=midnight(30), until=midnight(-1))
    line = Line("3", told, "the shell of SQLite, the same question", 9.0)
    yield _beside(line, largest, scale, lambda: (peers.sqlite_shell(largest.database, query), {}))
    line = Line("3", told, "`vnstat -d 30`", 9.0)
    yield _beside(line, largest, scale, lambda: (peers.vnstat(), {}))
    for command, bound in (("--help", 3.0), ("--version", 3.0), ("status --json", 4.0)):
        line = Line("4", f"`{command}`", "`python -c pass`", bound)
        yield replace(line, figure=_ours(command, NOTHING, largest, scale))
    yield from _lengths(histories, scale)


def _ours(command: str, other: tuple[str, ...], history: History, scale: Scale) -> Figure:
    return processes((OURS, *command.split()), other, scale.runs, history.env)


def _beside(
    line: Line,
    history: History,
    scale: Scale,
    peer: Callable[[], tuple[tuple[str, ...], dict[str, str]]],
) -> Line:
    try:
        command, env = peer()
    except peers.MissingError as error:
        return replace(line, note=str(error))
    ours = (OURS, *SPEND.split())
    return replace(line, figure=processes(ours, command, scale.runs, history.env, env))


def _lengths(histories: dict[int, History], scale: Scale) -> Iterator[Line]:
    """Compare each longer history with the shortest, by the same question."""
    least = min(histories)
    for question in QUESTIONS:
        for size, history in histories.items():
            if size == least:
                continue
            told = question.format(years=f"{DAYS - 1}d")
            ours = (OURS, *told.split())
            figure = processes(ours, ours, scale.runs, history.env, histories[least].env)
            what, against = f"`{told}`, {short(size)} buckets", f"{short(least)} buckets"
            yield Line("1, 4", what, against, 1.2, figure)
