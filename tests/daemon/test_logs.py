from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.daemon.logs import KeyValue, to_journal


def line(message: str, *, timed: bool = False, **given: object) -> str:
    record = logging.makeLogRecord(
        {"msg": message, "levelname": "INFO", "created": 1_795_000_000.0, **given}
    )
    return KeyValue(timed=timed).format(record)


def test_a_line_is_a_phrase_and_what_belongs_to_it() -> None:
    assert line("armed", accounts=3, channels=2) == "info armed accounts=3 channels=2"


def test_the_time_is_in_front_where_nobody_else_notes_it() -> None:
    assert line("armed", timed=True) == "2026-11-18T11:06:40Z info armed"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("ops", "ops"),
        ("a b", '"a b"'),
        ("", '""'),
        ('say "no"', r'"say \"no\""'),
        ("two\nlines", r'"two\nlines"'),
        ("k=v", '"k=v"'),
        ("−$2.00", "−$2.00"),
        ("\x1b[31m", r'"\u001b[31m"'),
        (None, "None"),
    ],
)
def test_a_value_is_quoted_where_it_could_be_misread(value: object, shown: str) -> None:
    assert line("phrase", key=value) == f"info phrase key={shown}"


@given(st.text())
def test_whatever_a_value_holds_it_is_one_line(value: str) -> None:
    assert len(line("phrase", key=value).splitlines()) == 1


def test_the_journal_is_known_by_what_stderr_leads_to(tmp_path: Path) -> None:
    with (tmp_path / "stderr").open("w") as stream:
        found = os.fstat(stream.fileno())
        own = f"{found.st_dev}:{found.st_ino}"
        assert to_journal({"JOURNAL_STREAM": own}, stream.fileno())
        assert not to_journal({"JOURNAL_STREAM": "8:1"}, stream.fileno())
        assert not to_journal({}, stream.fileno())
    assert not to_journal({"JOURNAL_STREAM": own}, -1)
