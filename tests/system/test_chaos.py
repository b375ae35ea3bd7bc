"""A month with every fault at random, then one clean reading: as if there had been none."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from spendguard.app.program import App, Checked, configure
from spendguard.core.ledger import Kind, Position
from spendguard.core.money import Money
from spendguard.core.windows import DAY, Window
from spendguard.simulator import LEGAL, Fault, Simulator, Stream, World, feed, restate_at_random
from spendguard.simulator.dice import dice
from spendguard.simulator.faults import ENDLESS, Order
from spendguard.simulator.wire import Request
from spendguard.store.ledger import Stated
from tests.system import books
from tests.system.program import KEY, Program, account, channel
from tests.system.webhook import Webhook

SEED = 11
NAME = "openai-main"
START = datetime(2026, 10, 1, 9, tzinfo=UTC)
END = START + DAY * 30
REFUSALS = {Fault.REVOKED, Fault.DEACTIVATED, Fault.MISSING_SCOPES, Fault.MISSING_SCOPES_401}
STREAMS = (
    Stream("proj_web", "key_prod", "gpt-6-astra", Money.parse("4.10", "USD")),
    Stream("proj_web", "key_test", "gpt-6-astra-mini", Money.parse("0.35", "USD")),
    Stream("proj_lab", "key_lab", "gpt-6-astra", Money.parse("1.73", "USD")),
)
LEDGER = """
SELECT kind, nanos, currency, at, expires_at, source, external_id, voided_at NOTNULL AS voided
FROM entries ORDER BY id
"""

log = logging.getLogger(__name__)


class Weather(Simulator):
    """A simulator that remembers what befell each reading of the recent costs."""

    def __init__(self, world: World) -> None:
        super().__init__(world, KEY, patience=timedelta(milliseconds=20))
        self.befell: list[Fault | None] = []
        self.faults: Counter[Fault] = Counter()

    def befalls(self, request: Request) -> Order | None:
        order = super().befalls(request)
        fault = order.fault if order else None
        self.faults.update([fault] if fault else [])
        if request.path == "/organization/costs" and request.one("end_time") is None:
            self.befell.append(fault)
        return order


@dataclass
class Month:
    """What is left of a month."""

    polls: list[tuple[datetime, bool, bool]] = field(default_factory=list)  # at, failed, refused
    heard: list[tuple[datetime, str]] = field(default_factory=list)
    codes: Counter[int] = field(default_factory=Counter)
    faults: Counter[Fault] = field(default_factory=Counter)
    episodes: list[tuple[datetime | None, ...]] = field(default_factory=list)
    spend: dict[books.Cell, int] = field(default_factory=dict)
    booked: dict[books.Cell, int] = field(default_factory=dict)
    ledger: Sequence[Any] = ()
    position: Position | None = None


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory in memory, where there is one."""
    fast = Path("/dev/shm")  # noqa: S108
    path = Path(tempfile.mkdtemp(dir=fast if fast.is_dir() else None))
    yield path
    shutil.rmtree(path)


def scripted() -> World:
    """Return an account that lives for a month, is corrected, and loses rows now and then."""
    world = World(START)
    world.purchase(START - DAY * 60, "100000.00")
    window = Window(START - DAY * 20, END)
    feed(world, STREAMS, window, seed=SEED)
    restate_at_random(world, window, seed=SEED)
    for day in (4, 13, 22):
        at = START + DAY * day
        world.erase(at + DAY * 2, at, line_item="gpt-6-astra-mini, input_tokens")
        world.move(at + DAY * 3, at, line_item="gpt-6-astra, output_tokens", to="web search, calls")
    for project, name in (("proj_web", "Website"), ("proj_lab", "Laboratory")):
        world.project(project, name)
    return world


def instants(least: timedelta) -> Iterator[datetime]:
    """Yield when it is polled: after `least` to twice as long."""
    chance, now = dice("polls", SEED), START
    while now < END:
        yield now
        now += least * chance.randint(100, 200) / 100


def live(directory: Path, *, faults: bool) -> Month:
    """Live through the month, and read once more at its end, when nothing is in the way.

    How often it is read must not matter: without faults that is less often.
    """
    month, world = Month(), scripted()
    with ExitStack() as ends:
        weather = ends.enter_context(Weather(world))
        hook, eyes = ends.enter_context(Webhook()), ends.enter_context(Webhook())
        channels = channel("ops", hook.url) + channel("eyes", eyes.url, 'rules = ["blind"]')
        program = Program(directory, account(weather.url) + channels)
        configuration = configure(str(program.config), program.env)
        app = ends.enter_context(App(configuration, program.env, lambda: world.now))
        app.prepare()
        app.check()
        deed = told(app)
        eyes.messages.clear()
        if faults:
            weather.chaos(SEED)
        for now in instants(timedelta(minutes=30 if faults else 150)):
            world.now = now
            next(deed, None)
            weather.befell.clear()
            month.codes[app.check().exit_code] += 1
            month.polls.append((now, *outcome(weather.befell)))
            month.heard += [(now, title) for title in eyes.titles]
            eyes.messages.clear()
        weather.clear()
        world.now = END
        month.polls.append((END, False, False))
        remember(month, app.check(), program, world)
        month.heard += [(END, title) for title in eyes.titles]
        month.faults = weather.faults
    return month


def told(app: App) -> Iterator[None]:
    """State a balance, deposits, a grant and a refund, and void one, in the course of the month."""
    entries = (
        (0, Kind.CHECKPOINT, "90.00"),
        (6, Kind.DEPOSIT, "40.00"),
        (9, Kind.GRANT, "12.345678901"),
        (12, Kind.DEPOSIT, "99.00"),
        (17, Kind.REFUND, "3.21"),
        (24, Kind.DEPOSIT, "60.00"),
    )
    for day, kind, amount in entries:
        at = START + DAY * day
        while app.clock() < at:
            yield
        stated = Stated(kind, Money.parse(amount, "USD"), at, at_stated=True)
        if kind is Kind.CHECKPOINT:
            app.set_balance(NAME, stated)
        else:
            entry = app.add_credit(NAME, stated)
            if amount == "99.00":
                app.void(entry.id, frozenset({Kind.DEPOSIT}))
        yield


def outcome(befell: Iterable[Fault | None]) -> tuple[bool, bool]:
    """Tell whether a poll must have failed, and for want of a key that may read.

    A cursor that leads nowhere makes it ask once more: then what befell that request counts.
    """
    first, *rest = befell
    if first is None or first in LEGAL:
        return False, False
    last = rest[-1] if first in ENDLESS and rest else first
    return True, last in REFUSALS


def remember(month: Month, last: Checked, program: Program, world: World) -> None:
    (one,) = last.accounts
    assert one.poll.error is None
    assert one.judged.facts is not None
    month.position = one.judged.facts.position
    month.spend = books.spend(program.database)
    month.ledger = [tuple(row) for row in books.ask(program.database, LEDGER)]
    days = (START.replace(hour=0) + DAY * day for day in range(-25, 31))
    month.booked = books.booked(world, days)
    month.episodes = [
        tuple(None if at is None else books.instant(at) for at in row)
        for row in books.ask(
            program.database,
            "SELECT fired_at, ended_at FROM alerts WHERE rule = 'blind' ORDER BY id",
        )
    ]
    assert books.whole(program.database)
    assert books.rolled_up(program.database)
    assert books.trail_fits(program.database)


def blindness(polls: Iterable[tuple[datetime, bool, bool]]) -> Iterator[tuple[datetime, str]]:
    """Yield what is to be said of blindness: raised, worse after 6 h, repeated, and over."""
    failures, since, said_at, worse_at = 0, START, START, None
    blind = False
    for now, failed, refused in polls:
        if not failed:
            if blind:
                yield now, "RESOLVED"
            failures, worse_at, blind = 0, None, False
            continue
        failures += 1
        since = now if failures == 1 else since
        if failures < (2 if refused else 3):
            continue
        long = now - since >= timedelta(hours=6)
        pause = timedelta(hours=4) if worse_at and now - worse_at < DAY else DAY
        if not blind or (long and worse_at is None) or now - said_at >= pause:
            worse_at = worse_at or (now if long else None)
            blind, said_at = True, now
            yield now, "CRITICAL" if long else "WARNING"


def test_a_month_of_faults_leaves_what_a_month_without_them_leaves(directory: Path) -> None:
    calm, rough = live(directory / "calm", faults=False), live(directory / "rough", faults=True)

    assert calm.spend == calm.booked == rough.spend == rough.booked
    assert calm.ledger == rough.ledger
    assert calm.position == rough.position
    assert calm.position is not None
    assert not calm.faults
    assert calm.heard == []
    assert set(rough.faults) == set(Fault)

    told = [(at, f"{word} blind {NAME}") for at, word in blindness(rough.polls)]
    assert rough.heard == told
    raised = [at for at, word in blindness(rough.polls) if word == "WARNING"]
    ended = [at for at, word in blindness(rough.polls) if word == "RESOLVED"]
    assert rough.episodes == list(zip(raised, ended, strict=True))
    failed = sum(failed for _, failed, _ in rough.polls)
    log.info("%d polls, %d failed, exit codes %s", len(rough.polls), failed, dict(rough.codes))
    log.info("%d faults, blind: %s", rough.faults.total(), Counter(title for _, title in told))
