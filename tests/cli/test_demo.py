"""The demo: what it tells is what happens, it happens alike at all times, and what it leaves works."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from freezegun import freeze_time

from spendguard.cli.demo import NEXT, undisturbed
from spendguard.cli.demo_receiver import Received
from spendguard.cli.demo_stage import ACCOUNT, KEY, Stage, stage
from spendguard.cli.demo_story import READ, dollars, play
from spendguard.cli.demo_world import ON_CARD, first_day, world
from spendguard.cli.main import main
from spendguard.core.money import Money
from spendguard.core.world import Charged
from spendguard.store import due
from spendguard.store.ledger import live

DAY = timedelta(days=1)
MIDDAY = datetime(2026, 11, 23, 12, 34, tzinfo=UTC)
TIMES = {
    "the last second of February": datetime(2027, 2, 28, 23, 59, 59, tzinfo=UTC),
    "midnight after a leap day": datetime(2028, 3, 1, tzinfo=UTC),
    "the hour in which Europe's clocks change": datetime(2027, 3, 28, 1, 30, tzinfo=UTC),
}
STORY = [
    ("day  1  00:00", "spendguard is watching openai-main"),
    ("day  2  18:00", "INFO runway-short openai-main"),
    ("day  3  13:40", "WARNING blind openai-main"),
    ("day  3  17:00", "RESOLVED blind openai-main"),
    ("day  6  10:00", "WARNING runway-short openai-main"),
    (
        "day  7  06:00",
        "WARNING runway-short openai-main",
    ),  # the deposit is three quarters used, too
    ("day  7  10:00", "WARNING runway-short openai-main"),
    ("day  7  20:00", "WARNING balance-low openai-main"),
    ("day  8  10:00", "CRITICAL runway-short openai-main"),
    ("day  8  12:00", "CRITICAL runway-short openai-main"),  # and nine tenths
    ("day  8  14:00", "CRITICAL balance-low openai-main"),
    ("day  8  16:00", "RESOLVED balance-low openai-main"),
    ("day  8  18:00", "CRITICAL card-short card:visa-1881"),
    ("day  9  18:00", "CRITICAL card-short card:visa-1881"),  # less than a day, told with it
    ("day 10  18:00", "CRITICAL charge-failed openai-main"),
    ("day 10  18:00", "RESOLVED card-short card:visa-1881"),
    ("day 11  12:00", "RESOLVED charge-failed openai-main"),
    ("day 12  14:00", "INFO recharge-due openai-main"),
]
CHARGES = [
    ("day  8  15:30", True),
    ("day 10  16:12", False),
    ("day 11  10:12", True),
    ("day 13  12:29", True),
]


@dataclass
class Listening:
    """Writes down what it is told."""

    happened: list[tuple[datetime, str]] = field(default_factory=list)
    messages: list[tuple[datetime, Received]] = field(default_factory=list)

    def happens(self, at: datetime, text: str, *, quietly: bool = False) -> None:
        self.happened.append((at, text))

    def heard(self, at: datetime, message: Received) -> None:
        self.messages.append((at, message))


@pytest.mark.parametrize("now", TIMES.values(), ids=TIMES)
def test_the_story_is_the_same_whenever_it_is_played(now: datetime, tmp_path: Path) -> None:
    told, made = Listening(), world(now)
    with stage(made, tmp_path, now) as played:
        play(played, told, now)
        entered = charges_entered(played)

    first = first_day(now)
    assert [(stamp(at, first), message.title) for at, message in told.messages] == STORY
    charges = made.charges_until(now)
    assert [(stamp(one.at, first), one.succeeded) for one in charges] == CHARGES
    assert entered == [(one.at + READ, one.amount, one.succeeded) for one in charges]
    check_card(told, charges)
    for at, message in told.messages:
        severity, rule, *_ = message.title.split()
        if rule in {"balance-low", "deposit-cap"} and severity != "RESOLVED":
            assert dollars(made.balance_at(at)) in message.body
    for at, text in told.happened:
        if text.endswith(" left"):
            assert text == f"{dollars(made.balance_at(at))} left"
    assert Money.zero("USD") < made.balance_at(now) == played.floor
    assert played.card_at(now) == played.on_card


def charges_entered(played: Stage) -> list[tuple[datetime, Money | None, bool]]:
    with played.app.store.begin() as tx:
        stated = live(tx, due.load(tx, ACCOUNT).id)
    return [(one.at, one.amount, one.outcome == "succeeded") for one in stated if one.outcome]


def check_card(told: Listening, charges: Sequence[Charged]) -> None:
    """What is short on the card is what the next charge needs, less what the first one left."""
    said = {message.title: message.body for _, message in told.messages}
    first, failed, *_ = charges
    held, margin = ON_CARD - first.paid, Money.parse("2.00", "USD")
    assert dollars(held) in said["CRITICAL card-short card:visa-1881"]
    assert dollars(failed.paid + margin - held) in said["CRITICAL card-short card:visa-1881"]
    assert dollars(failed.amount) in said["CRITICAL charge-failed openai-main"]


def stamp(at: datetime, first: datetime) -> str:
    return f"day {(at - first) // DAY + 1:2}  {at:%H:%M}"


def test_it_tells_the_story_and_what_it_leaves_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPENDGUARD_DATABASE__URL", f"sqlite:///{tmp_path}/real.db")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    directory = tmp_path / "a demo"
    with freeze_time(MIDDAY, real_asyncio=True):
        assert main(["demo", "--output", str(directory)]) == 0
    printed, complained = capsys.readouterr()

    assert complained == ""
    titles = {title for _, title in STORY}
    lines = [re.fullmatch(r"(day .\d  \d\d:\d\d)  (.*)", line) for line in printed.splitlines()]
    assert [line.groups() for line in lines if line and line[2] in titles] == STORY
    story = printed[printed.index("day  0") : printed.index("$ spendguard status")].splitlines()
    assert len(story) <= 140
    assert max(map(len, story)) <= 100
    assert KEY not in printed
    status = printed[printed.index("$ spendguard status") :]
    assert "critical" not in status
    assert "warning" not in status
    assert not (tmp_path / "real.db").exists()
    assert sorted(path.name for path in directory.iterdir() if "-" not in path.name) == [
        "balance.png",
        "channel.secret",
        "key.secret",
        "spendguard.db",
        "spendguard.toml",
    ]

    typed = [shlex.split(line) for line in printed.splitlines() if "spendguard.toml" in line]
    assert [shlex.join(words[words.index("--config") + 2 :]) for words in typed] == list(NEXT)
    assert all(words[:3] == ["env", "-u", "SPENDGUARD_DATABASE__URL"] for words in typed)
    monkeypatch.delenv("SPENDGUARD_DATABASE__URL")
    with freeze_time(MIDDAY + timedelta(minutes=1), real_asyncio=True):
        for words in typed:
            assert main(words[words.index("--config") :]) == 0
        assert "card-short" in "".join(capsys.readouterr().out.splitlines()[-3:])
        assert main(["config", "check", "--config", str(directory / "spendguard.toml")]) == 0
        assert capsys.readouterr().err == ""


def test_the_environment_comes_back() -> None:
    env = {"https_proxy": "http://127.0.0.1:9", "SPENDGUARD_LANGUAGE": "zh-CN", "PATH": "/bin"}
    before = dict(env)
    with undisturbed(env) as settings:
        assert (env, settings) == ({"PATH": "/bin"}, ["SPENDGUARD_LANGUAGE"])
    assert env == before


def test_a_directory_that_holds_something_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").touch()
    assert main(["demo", "--output", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith(f"error: '{tmp_path}' is not empty\nhint:  ")
    assert main(["demo", "--output", str(tmp_path / "mine")]) == 1
    assert "cannot make a directory for the demo: file exists" in capsys.readouterr().err
    assert (tmp_path / "mine").exists()


@pytest.mark.parametrize("option", [("--config", "spendguard.toml"), ("--json",)])
def test_it_takes_no_configuration_and_has_no_json(
    option: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", *option]) == 64
    assert capsys.readouterr().err.startswith("error: ")


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Let programs started from here be interrupted, also where a shell started us with `&`."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
@pytest.mark.parametrize("there", [True, False], ids=["of yours", "of its own"])
def test_broken_off_it_leaves_nothing_behind(tmp_path: Path, *, there: bool) -> None:
    directory = tmp_path / "demo"
    if there:
        directory.mkdir()
    command = [sys.executable, "-m", "spendguard", "demo", "--output", str(directory)]
    with subprocess.Popen(  # noqa: S603
        command, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        next(line for line in running.stdout if line.startswith("day  2"))
        running.send_signal(signal.SIGINT)
        complained = running.stderr.read()
    assert (running.returncode, complained) == (130, "")
    assert directory.exists() == there
    assert not there or list(directory.iterdir()) == []
