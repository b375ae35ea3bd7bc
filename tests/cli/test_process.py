"""The real process: what it loads, what it prints where, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.seeding import DOLLAR, NOW, TODAY, Seed

WRITE_STACK = (
    *("sqlalchemy", "pydantic", "pydantic_settings", "httpx", "apprise", "asyncio", "alembic"),
    *("rich", "logging", "msgspec", "numpy", "matplotlib"),
)
LOADED = """
import sys
from spendguard.cli.main import main
code = main(sys.argv[2:])
found = [name for name in sys.argv[1].split(",") if name in sys.modules]
sys.exit(",".join(found) if found else code)
"""
CODES = {"status --exit-code": 2, "preflight main 10 --json": 69, "doctor --alive --json": 1}
Process = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def spendguard() -> Process:
    """Run the real command line."""

    def process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "spendguard", *arguments]
        return subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=False, timeout=60, **options
        )

    return process


@pytest.fixture
def main(seed: Seed) -> Seed:
    """An account with some history."""
    seed.empty().configured("main").read().evaluated("main").alert()
    return seed.spent(TODAY, DOLLAR, project="项目", api_key="key_1")


@pytest.mark.parametrize(
    "command",
    [
        *("status --json", "status --exit-code", "balance", "balance list", "deposit list"),
        *("spend", "spend --by key --csv", "spend --since 2026-11-01T00:00:00Z --by week"),
        *("alerts", "alerts show 1", "rules", "providers", "db check", "db upgrade"),
        *("db backup copy.db", "export", "export --json"),
        *("charge list", "card list --json", "preflight main 10 --json", "forecast"),
        "doctor --alive --json",
    ],
)
def test_a_command_that_reads_loads_none_of_what_writes(main: Seed, command: str) -> None:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", LOADED, ",".join(WRITE_STACK), *command.split()],
        env={**os.environ, "SPENDGUARD_CONFIG": str(main.config)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.returncode == CODES.get(command, 0)


@pytest.mark.parametrize("command", ["status --json", "spend --json", "spend --since 1h --csv"])
def test_what_scripts_ask_loads_nothing_that_is_slow_to_load(main: Seed, command: str) -> None:
    slow = "argparse,dataclasses,decimal,inspect,pathlib,zoneinfo"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", LOADED, slow, *command.split()],
        env={**os.environ, "SPENDGUARD_CONFIG": str(main.config)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["--help", "--version", "spend --help", "deposit -h", "x"])
def test_help_and_refusals_load_next_to_nothing(command: str) -> None:
    loaded = subprocess.run(  # noqa: S603
        [
            sys.executable,
            "-c",
            LOADED,
            "json,sqlite3,zoneinfo,decimal,pathlib,typing",
            *command.split(),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if command != "x":
        assert (loaded.returncode, loaded.stderr) == (0, "")
    assert "Traceback" not in loaded.stderr


def test_exit_codes_are_those_of_the_contract(spendguard: Process, main: Seed) -> None:
    config = ("--config", str(main.config))

    assert spendguard("--version").stdout.startswith("spendguard ")
    assert spendguard("status", *config).returncode == 0
    assert spendguard("status", "--exit-code", *config).returncode == 2
    assert spendguard("status", "--bogus").returncode == 64
    assert spendguard("spend", "--account", "other", *config).returncode == 1
    main.change(_alerts(), ended_at=NOW)
    main.change(_accounts(), failures=1)
    assert spendguard("status", "--exit-code", *config).returncode == 69


def _alerts() -> Any:
    from spendguard.store.schema import alerts

    return alerts


def _accounts() -> Any:
    from spendguard.store.schema import accounts

    return accounts


def test_errors_go_to_stderr_and_json_to_stdout(spendguard: Process, main: Seed) -> None:
    done = spendguard("status", "--json", "--config", str(main.config))
    assert (json.loads(done.stdout)["jsonversion"], done.stderr) == (1, "")

    done = spendguard("status", "--json", "--config", "/nowhere.toml")
    assert done.stdout == ""
    assert [line[:7] for line in done.stderr.splitlines()] == ["error: ", "hint:  "]


def test_a_reader_that_goes_away_is_no_error_message(main: Seed) -> None:
    done = subprocess.run(  # noqa: S603
        ["sh", "-c", f"{sys.executable} -m spendguard rules --config {main.config} | true"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""


def started(main: Seed, command: str, ends: str) -> subprocess.CompletedProcess[str]:
    """Run a command with its outputs led elsewhere by the shell."""
    line = f"{sys.executable} -m spendguard {command} --config {main.config} {ends}"
    return subprocess.run(  # noqa: S603
        ["sh", "-c", line],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("command", ["status", "spend --json"])
def test_an_output_that_is_full_is_an_error_of_two_lines(main: Seed, command: str) -> None:
    done = started(main, command, "> /dev/full")

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: cannot write the output: no space left on device",
        "hint:  send it where there is room for it",
    ]


def test_without_an_output_nothing_is_printed_and_the_answer_is_the_same(main: Seed) -> None:
    assert started(main, "db check", ">&-").returncode == 0
    assert started(main, "db check", ">&- 2>&-").returncode == 0
    assert started(main, "status --nosuch", "2>&-").returncode == 64


def test_a_terminal_without_the_signs_of_a_name_is_no_trouble(
    spendguard: Process, main: Seed
) -> None:
    env = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    done = spendguard(
        *("spend", "--by", "project", "--since", "2026-11-01", "--config", str(main.config)),
        env=env,
    )

    assert done.returncode == 0
    assert "\\u9879\\u76ee" in done.stdout


def test_an_interruption_is_130_and_quiet(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_options: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("spendguard.cli.providers.run", interrupted)
    ran = run("providers")
    assert (ran.code, ran.out, ran.err) == (130, "", "")


def test_a_bug_keeps_its_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spendguard.cli.providers.run", lambda _options: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        run("providers")
