"""Aims 11 to 17: what the daemon weighs, and how soon it speaks, beside Prometheus and its kin.

Prometheus, Alertmanager and a small exporter guard the same accounts at the same far end, and hear
of the same crossing. What is compared runs in turn or side by side, in one run.
"""

from __future__ import annotations

import http.client
import os
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from benchmarks import guards
from benchmarks.far_end import FarEnd
from benchmarks.fleet import day_of_a_fleet
from benchmarks.frame import PYTHON, Figure, Line, Scale, functions, short, spawn
from benchmarks.guards import configured, folder, fund, ours, peers, rest, start_to_ready, wait
from benchmarks.history import seeded
from benchmarks.peers import MissingError
from spendguard.app.clock import utc_now
from spendguard.app.program import App, configure
from spendguard.core.ledger import Kind
from spendguard.core.money import Money
from spendguard.core.windows import DAY, HOUR, utc_day
from spendguard.pipeline.poll import DEEP
from spendguard.store.ledger import Stated
from spendguard.store.types import EPOCH, to_microseconds

MEBIBYTE = 1 << 20
MANY = 100
PEERS = "Prometheus, Alertmanager, an exporter"
IMPORTS = (PYTHON, "-c", "import sqlalchemy, httpx")
FREQUENT = 1000
"""Accounts of a fleet that can be read twice a day before that takes too long."""
SETTLED = 8.0
"""Seconds after which memory is steady."""


def lines(scale: Scale) -> Iterator[Line]:
    """Measure aims 11 to 17."""
    quick = scale.runs < 5
    _progress("a cycle after five years, and after a day")
    yield from _cycles(scale)
    _progress("memory, ours and theirs")
    yield from _memory(few=3 if quick else MANY)
    _progress("idle, a minute")
    yield _idle(accounts=3 if quick else MANY, seconds=2.0 if quick else 60.0)
    _progress("crossings, every second")
    yield from _crossings(1 if quick else 5)
    if not quick:
        _progress("crossings as packaged, up to two minutes")
        yield _crossing_as_packaged()
    _progress("from the reply to the message, and the start")
    yield from _reply_to_hook(1 if quick else 9)
    yield _start(max(1, scale.runs // 2))


def _progress(told: str) -> None:
    sys.stderr.write(f"measuring {told}\n")


# aim 11


def _cycles(scale: Scale) -> Iterator[Line]:
    """Compare a poll and its evaluation over a long history with those of a day, and of a month.

    The accounts spend the same now, and what they spend of late the far end tells: that the long
    history has many more keys and models is part of it.
    """
    what = f"poll and evaluate after five years, {short(scale.largest)} buckets"
    with FarEnd() as end, _after_years(end, scale.largest) as old:
        for days, line in (
            (1, Line("11", what, "after a day", 1.2)),
            (31, Line("11", what, "after a month")),
        ):
            with FarEnd() as young_end, _after(young_end, days) as young:
                figure = functions(_cycle(old), _cycle(young), scale.runs * 2)
            yield replace(line, figure=figure)


def _cycle(app: App) -> Callable[[], None]:
    account = app.configuration.accounts[0]

    def cycle() -> None:
        app.poll(account)
        app.evaluate(account)

    for _ in range(2):
        cycle()
    return cycle


def _after(end: FarEnd, days: int) -> App:
    """Return a program of which the organization is so many days old."""
    end.tell(since=(utc_day(utc_now()).start - DAY * days).timestamp())
    config = configured(folder("young"), end, 1, "5m")
    fund(config)
    return App(configure(str(config), os.environ), os.environ)


def _after_years(end: FarEnd, size: int) -> App:
    """Return a program over a copy of a long history, of which the far end tells the last days."""
    path = folder("years")
    config = configured(path, end, 1, "5m")
    config.write_text(config.read_text().replace('"account-0"', '"main"'))
    database = path / "spendguard.db"
    _clone(seeded(size).database, database)
    _cut(database, utc_day(utc_now()).start - DEEP)
    app = App(configure(str(config), os.environ), os.environ)
    app.prepare()
    account = app.configuration.accounts[0]
    app.poll(account)
    at = utc_day(app.clock()).start - DAY
    app.set_balance("main", Stated(Kind.CHECKPOINT, Money.parse("100.00", "USD"), at))
    return app


def _clone(source: Path, copy: Path) -> None:
    with source.open("rb") as old, copy.open("wb") as new:
        while os.sendfile(new.fileno(), old.fileno(), None, 1 << 24):
            continue


def _cut(database: Path, at: datetime) -> None:
    """Let a history end at an instant: what is told of the days after it would correct each of them."""
    day, hour = to_microseconds(at), to_microseconds(at) // to_microseconds(EPOCH + HOUR)
    with closing(sqlite3.connect(database)) as base, base:
        for table in ("spend", "spend_days", "usage_days", "unbooked"):
            base.execute(f"DELETE FROM {table} WHERE day >= ?", (day,))  # noqa: S608  our own names
        for table in ("usage_hours", "usage_totals"):
            base.execute(f"DELETE FROM {table} WHERE hour >= ?", (hour,))  # noqa: S608
        base.execute("UPDATE accounts SET read_from = (SELECT MIN(day) FROM spend_days)")


# aim 12


def _memory(few: int) -> Iterator[Line]:
    """Weigh both guards with the same accounts, before and after their first alert."""
    before = Line("12", f"steady memory, {few} accounts", PEERS, 0.75)
    after = Line("12", "the same after the first alert", PEERS, 0.95)
    with FarEnd() as end:
        config = configured(folder("ours"), end, few, "15s")
        fund(config)
        with ours(config) as mine:
            wait(lambda: end.log()["costs"] > 2 * few)
            rest(SETTLED)
            weighed = [mine.memory]
            end.tell(extra=2 * guards.BALANCE)
            wait(lambda: bool(end.heard("ours")))
            rest(SETTLED)
            weighed.append(mine.memory)
    told = ", ".join(f"{one / MEBIBYTE:.0f}" for one in weighed)
    try:
        its = _memory_of_peers(few)
    except MissingError as error:
        for line in (before, after):
            yield replace(line, note=f"{error}; ours: {told} MiB")
        return
    note = f"ours {told} MiB, theirs {', '.join(f'{one / MEBIBYTE:.0f}' for one in its)} MiB"
    yield replace(before, figure=Figure(weighed[0] / its[0]), note=note)
    yield replace(after, figure=Figure(weighed[1] / its[1]))
    alone = _memory_alone()
    what = "steady memory, 1 account"
    told = f"{alone / MEBIBYTE:.0f} MiB"
    yield Line("12", what, "the same with more", None, Figure(alone / weighed[0]), note=told)


def _memory_of_peers(accounts: int) -> list[int]:
    with FarEnd() as end, peers(folder("peers"), end, accounts, "15s", "0s", "5s") as its:
        rest(2 * SETTLED)
        weighed = [its.memory]
        end.tell(extra=2 * guards.BALANCE)
        wait(lambda: bool(end.heard("peer")))
        rest(SETTLED)
        return [*weighed, its.memory]


def _memory_alone() -> int:
    with FarEnd() as end:
        config = configured(folder("alone"), end, 1, "1s")
        fund(config)  # which makes the database, as the service does before it starts
        with ours(config) as mine:
            wait(lambda: end.log()["costs"] > 5)
            rest(SETTLED / 2)
            return mine.memory


# aim 13


def _idle(accounts: int, seconds: float) -> Line:
    """Compare the processor time of a while with that of the polls in it, had they come close."""
    what = f"idle CPU, {accounts} accounts at 300 s, {seconds:.0f} s"
    with FarEnd() as end:
        busy = _poll_cost(end, configured(folder("busy"), end, accounts, "5s"))
        config = configured(folder("idle"), end, accounts, "300s")
        with ours(config) as mine:
            wait(lambda: _all_read(config), 600.0)  # a first poll reads a month, page by page
            rest(2.0)
            polls, used = end.log()["costs"], mine.cpu
            rest(seconds)
            polls, used = end.log()["costs"] - polls, mine.cpu - used
    told = f"{polls} polls of {busy * 1000:.1f} ms; {used / seconds:.2%} of a core"
    line = Line("13", what, "polls × CPU per poll", 1.2, note=told)
    return replace(line, figure=Figure(used / (polls * busy))) if polls else line


def _all_read(config: Path) -> bool:
    with closing(sqlite3.connect(config.with_name("spendguard.db"))) as base:
        found = base.execute("SELECT count(*) FROM accounts WHERE last_ok_at IS NULL")
        return not found.fetchone()[0]


def _poll_cost(end: FarEnd, config: Path) -> float:
    """Return the seconds of a poll, judging included, where nothing but polls is done."""
    with ours(config) as mine:
        wait(lambda: _all_read(config), 600.0)
        start, used = int(end.log()["costs"]), mine.cpu
        rest(5.0)
        return (mine.cpu - used) / max(1, int(end.log()["costs"]) - start)


# aims 14 and 15


def _crossings(times: int) -> Iterator[Line]:
    line = Line("14", "crossing → webhook, every second", f"{PEERS}, at their fastest", 0.6)
    try:
        figure, note = _side_by_side("1s", "0s", "1s", times)
    except MissingError as error:
        yield replace(line, note=str(error))
        return
    yield replace(line, figure=figure, note=note)


def _crossing_as_packaged() -> Line:
    line = Line("15", "crossing → webhook, every 15 s", f"{PEERS}, as packaged", 0.25)
    try:
        figure, note = _side_by_side("15s", "30s", "5m", 2)
    except MissingError as error:
        return replace(line, note=str(error))
    return replace(line, figure=figure, note=note)


def _side_by_side(
    every: str, group_wait: str, group_interval: str, times: int
) -> tuple[Figure, str]:
    """Let both guards hear of the same crossings; the ratio is of the medians."""
    waited: dict[str, list[float]] = {"ours": [], "peer": []}
    again = every == "1s"  # as packaged, a guard that has told of its end waits five minutes
    for turn in range(1 if again else times):
        with FarEnd() as end:
            config = configured(folder("ours"), end, 1, every)
            fund(config)
            its = peers(folder("peers"), end, 1, every, group_wait, group_interval)
            with ours(config), its:
                rest(4.0 + 3.7 * turn)
                for _ in range(times if again else 1):
                    _cross(end, waited, back=again)
    mine, other = (statistics.median(waited[who]) for who in ("ours", "peer"))
    told = f"ours {mine:.2f} s, theirs {other:.2f} s, of {len(waited['ours'])}"
    return Figure(mine / other), told


def _cross(end: FarEnd, waited: dict[str, list[float]], *, back: bool) -> None:
    """Let an account cross its threshold, and come back if it shall cross it again."""
    changed_at = end.tell(extra=2 * guards.BALANCE)
    before = {who: end.heard(who) for who in waited}
    for who, found in waited.items():
        wait(partial(_more, end, who, before[who]))
        found.append(end.heard(who)[len(before[who])][0] - changed_at)
    if back:
        before = {who: end.heard(who) for who in waited}
        end.tell(extra=0)
        for who in waited:
            wait(partial(_more, end, who, before[who]))


def _more(end: FarEnd, who: str, before: list[tuple[float, float]]) -> bool:
    return len(end.heard(who)) > len(before)


# aim 16


def _reply_to_hook(times: int) -> Iterator[Line]:
    """Compare the way from the last reply of a poll to the message with a bare POST."""
    with FarEnd() as end:
        config = configured(folder("ours"), end, 1, "1s")
        fund(config)
        with ours(config):
            wait(lambda: end.log()["costs"] > 4)
            spent: list[float] = []
            for _ in range(times):
                _cross_alone(end, spent)
        post = _bare_posts(end)
    told = f"{statistics.median(spent) * 1000:.1f} ms; a POST {post * 1000:.2f} ms"
    line = Line("16", "reply received → webhook received", "a bare POST", 5.0, note=told)
    yield replace(line, figure=Figure(statistics.median(spent[1:] or spent) / post))
    first = Line("16", "the first alert", "half a second", 1.0, note=f"{spent[0] * 1000:.0f} ms")
    yield replace(first, figure=Figure(spent[0] / 0.5))


def _cross_alone(end: FarEnd, spent: list[float]) -> None:
    before = end.heard("ours")
    end.tell(extra=2 * guards.BALANCE)
    wait(partial(_more, end, "ours", before))
    at, replied_at = end.heard("ours")[len(before)]
    spent.append(at - replied_at)
    before = end.heard("ours")
    end.tell(extra=0)
    wait(partial(_more, end, "ours", before))


def _bare_posts(end: FarEnd) -> float:
    """Return the seconds of a POST over a connection that is open, the median of many."""
    connection = http.client.HTTPConnection("127.0.0.1", end.port)
    taken = []
    for _ in range(200):
        begun = time.perf_counter()
        connection.request("POST", "/hook/bare", b"{}", {"Content-Type": "application/json"})
        connection.getresponse().read()
        taken.append(time.perf_counter() - begun)
    connection.close()
    return statistics.median(taken)


# aim 17


def _start(runs: int) -> Line:
    """Compare the time until the daemon is ready with that of its two largest imports."""
    with FarEnd() as end:
        config = configured(folder("start"), end, 3, "300s")
        fund(config)
        env = {**os.environ}
        start_to_ready(config)
        spawn(IMPORTS, env)
        pairs = [(start_to_ready(config), spawn(IMPORTS, env)) for _ in range(runs)]
    figure = Figure(
        statistics.median(a[0] / b[0] for a, b in pairs),
        statistics.median(a[1] / b[1] for a, b in pairs),
        statistics.median(a[0] for a, _ in pairs) * 1000,
    )
    return Line("17", "start → READY", '`python -c "import sqlalchemy, httpx"`', 2.0, figure)


# a fleet


def fleet(scale: Scale) -> Iterator[Line]:
    """Live through a day with a fleet, its time being an argument; memory must not grow."""
    accounts = scale.fleet
    every = "12h" if accounts <= FREQUENT else "24h"
    with FarEnd() as end:
        sizes, polls, seconds = day_of_a_fleet(end, accounts, every)
    told = f"{sizes[0] / MEBIBYTE:.0f} → {sizes[-1] / MEBIBYTE:.0f} MiB, {polls} polls"
    what = f"24 simulated hours, {accounts} accounts, every {every}: memory"
    note = f"{told}, {seconds / polls * 1000:.1f} ms of processor time each"
    yield Line("12", what, "once each was read", 1.1, Figure(sizes[-1] / sizes[0]), note=note)
