"""demo: the real program against a simulated provider, two weeks of an account's life."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

from spendguard.app import utc_now
from spendguard.cli import plot, spend, status
from spendguard.cli.demo_stage import ACCOUNT, AMOUNT, CARD, Stage, stage
from spendguard.cli.demo_story import dollars, play
from spendguard.cli.demo_teller import Teller, tell
from spendguard.cli.demo_world import first_day, world
from spendguard.cli.grammar import command_parser
from spendguard.cli.output import say
from spendguard.cli.parser import Options
from spendguard.cli.writing import quiet
from spendguard.core.errors import SpendguardError, UsageError

ELSEWHERE = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}
LOOKS = {"status": status.run, "spend": spend.run, "plot": plot.run}
NEXT = (
    "alerts list --all",
    "charge list",
    "spend --by day",
    f"preflight {ACCOUNT} {AMOUNT.exact()}",
    f"card set {CARD} 3.00",
    "status",
)


def run(options: Options) -> int:
    """Play the story, print what the read commands make of it, and say what to try next.

    Raises:
        UsageError: with --config: the demo writes its own.
        SpendguardError: when its directory cannot be made.
    """
    if options.config is not None:
        raise UsageError("the demo writes its own configuration", "leave --config out")
    quiet()
    now = utc_now()
    with undisturbed(os.environ) as settings, _directory(options.output) as directory:
        _open(directory)
        with stage(world(now), directory, now) as made:
            play(made, Teller(first_day(now)), now)
            _close(made, now)
        _look(made.config, now)
    _next(made.config, settings)
    return 0


@contextmanager
def undisturbed(env: MutableMapping[str, str]) -> Iterator[list[str]]:
    """Take what leads elsewhere out of an environment: proxies, and settings, which it yields."""
    kept = {
        name: value
        for name, value in env.items()
        if name.upper() in ELSEWHERE or name.startswith("SPENDGUARD_")
    }
    for name in kept:
        del env[name]
    try:
        yield [name for name in kept if name.startswith("SPENDGUARD_")]
    finally:
        env.update(kept)


@contextmanager
def _directory(wanted: str | None) -> Iterator[Path]:
    """Yield an empty directory; what is in it stays, unless the story is broken off.

    Raises:
        SpendguardError: when it holds something, or cannot be made.
    """
    try:
        path = Path(mkdtemp(prefix="spendguard-demo-") if wanted is None else wanted).absolute()
        new = wanted is None or not path.exists()
        path.mkdir(parents=True, exist_ok=True)
        holds = any(path.iterdir())
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        hint = "name another directory with --output"
        raise SpendguardError(f"cannot make a directory for the demo: {why}", hint) from None
    if holds:
        raise SpendguardError(f"'{path}' is not empty", "name a new directory with --output")
    try:
        yield path
    except BaseException:
        with suppress(OSError):
            _empty(path, new=new)
        raise


def _empty(path: Path, *, new: bool) -> None:
    for made in path.iterdir():
        made.unlink()
    if new:
        path.rmdir()


def _open(directory: Path) -> None:
    tell(
        "Two weeks of an account's life, played in seconds: the real program, a simulated "
        "provider, no key and no network. spendguard looks every two hours; all times are UTC. What "
        "stands behind a | is a message as it arrives. Everything is kept in"
    )
    tell(str(directory))
    tell()


def _close(made: Stage, now: datetime) -> None:
    """Compare what was derived with what no API tells."""
    if made.floor is None or made.on_card is None:
        return
    left, truth = made.floor.floored(), made.world.balance_at(now).floored()
    said = f"{dollars(left)} and {dollars(made.on_card)}"
    if left != truth:
        said += (
            f"; the {dollars(left - truth)} between them was spent in the last three hours and is "
            "not booked yet"
        )
    tell()
    tell(
        f"What no API tells: in truth {dollars(truth)} is left, and {dollars(made.card_at(now))} on "
        f"the card. spendguard says {said}."
    )


def _look(config: Path, now: datetime) -> None:
    """Print what is left, by the commands that anybody would use."""
    since = f"{first_day(now):%Y-%m-%d}"
    picture = str(config.with_name("balance.png"))
    for words in (
        ["status"],
        ["spend", "--by", "key", "--since", since],
        ["plot", "--output", picture],
    ):
        name, *arguments = words
        tell()
        tell(f"$ spendguard {shlex.join(words)}", style="bold")
        arguments += ["--config", str(config)]
        LOOKS[name](command_parser(name).parse_args(arguments, Options()))


def _next(config: Path, settings: Sequence[str]) -> None:
    """Print what can be typed now; settings in the environment would lead to another database."""
    without = "".join(f"-u {name} " for name in settings)
    start = f"{_program()} --config {shlex.quote(str(config))}"
    start = f"env {without}{start}" if without else start
    tell()
    tell("Try next, on the database that is left:")
    tell()
    for words in NEXT:
        say(f"  {start} {words}", "bold")
    tell()
    tell(
        "With no more than $3.00 on the card, `status` shows what comes. `check` would say that "
        "the provider is unavailable: it was simulated, and is gone. To remove everything:"
    )
    tell()
    say(f"  rm -r {shlex.quote(str(config.parent))}", "bold")


def _program() -> str:
    """Return what calls this program from here, as a shell takes it."""
    called = Path(sys.argv[0])
    if called.name != "spendguard":
        return f"{shlex.quote(sys.executable)} -m spendguard"
    found = shutil.which("spendguard")
    same = found is not None and Path(found).resolve() == called.resolve()
    return "spendguard" if same else shlex.quote(str(called))
