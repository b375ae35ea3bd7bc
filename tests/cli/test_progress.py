from __future__ import annotations

from io import StringIO

import pytest

from spendguard.cli.progress import ReadingBack


class Terminal(StringIO):
    """An error stream that a person looks at."""

    def isatty(self) -> bool:
        return True


def test_a_line_is_drawn_while_history_is_read_and_taken_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    progress = ReadingBack()

    progress("main", 60, 180, "cost")
    progress("main", 180, 180, "cost")
    progress("main", 7, 31, "usage")
    progress.end()

    assert screen.getvalue().split("\r\x1b[K") == [
        "",
        "main: reading 60 of 180 days of cost",
        "main: reading 7 of 31 days of usage",
        "",
    ]
    assert progress.reached == {"cost": 180, "usage": 7}


def test_an_ordinary_poll_and_a_pipe_show_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = Terminal()
    for stream, read in ((screen, 180), (StringIO(), 60)):
        monkeypatch.setattr("sys.stderr", stream)
        progress = ReadingBack()
        progress("main", read, 180, "cost")
        progress.end()
        assert stream.getvalue() == ""
