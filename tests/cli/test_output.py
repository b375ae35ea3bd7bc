"""Output: plain when nobody looks, fitted and colored on a terminal."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from spendguard.cli.output import Cell, Column, clean, complain, say, table
from spendguard.cli.parser import COMMANDS
from tests.cli.conftest import Run

COLUMNS = (Column("name"), Column("amount", right=True), Column("what", folds=True))
ROWS: list[list[str | Cell]] = [
    ["中文", "1.00", Cell("a word " * 30, "bold red")],
    ["b", "10.00", "short"],
]


class Screen:
    """A terminal of forty columns."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", "40")
        monkeypatch.setenv("TERM", "xterm")


def test_plain_text_is_aligned_whole_and_without_trailing_blanks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table(COLUMNS, ROWS)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "name  amount  what"
    assert lines[1].startswith("中文    1.00  a word a word")
    assert lines[2] == "b      10.00  short"
    assert len(lines[1]) > 200


def test_a_terminal_gets_what_fits(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    Screen(monkeypatch)
    table(COLUMNS, ROWS)
    say("a [link] in brackets")

    out = capsys.readouterr().out
    lines = re.sub(r"\x1b\[[\d;]*m", "", out).splitlines()
    assert max(map(len, lines)) <= 40
    assert lines[-1] == "a [link] in brackets"
    assert not re.search(r"\x1b\[[\d;]*3\dm", out)


def test_a_terminal_gets_color(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Screen(monkeypatch)
    table(COLUMNS, ROWS)

    assert "\x1b[1;31m" in capsys.readouterr().out


def test_a_text_is_one_line_without_control_signs(capsys: pytest.CaptureFixture[str]) -> None:
    assert clean("a\tb\x1b[0m\nc") == "a b [0m c"
    complain("one\ntwo", "")
    assert (
        capsys.readouterr().err
        == "error: one two\nhint:  `spendguard doctor` looks for the cause\n"
    )


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_command_and_option(run: Run, shell: str) -> None:
    script = run("completion", shell).out

    for path in COMMANDS:
        assert path.rpartition(" ")[2] in script
    for option in ("exit-code", "expires", "until", "config", "json"):
        assert option in script
    assert "line-item" in script
    assert "_shtab_compgen_files" not in script or shell == "bash"


def test_bash_takes_the_completion_script(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "completion.bash"
    path.write_text(run("completion", "bash").out)
    subprocess.run(["bash", "-n", path], check=True, timeout=20)  # noqa: S603, S607
