"""Plain files: whatever is read without a parser, the parser reads the same."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spendguard.config.plain import look

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
PLAIN = (
    'timezone = "UTC"',
    'timezone="Asia/Shanghai" # a comment',
    "[database]",
    '  url = "sqlite:///b#c" # "d"',
    '\turl\t=\t"t"\r',
    'url = ""',
    "[[accounts]]",
    "[accounts.recharge]",
    'name = "n"',
    'steps = [50, "a", true] # [database]',
    "strikes_to_ban = 2",
    "# [database]",
    "",
)
ODD = (
    "timezone = 3",
    'timezone = "a\\"b"',
    "timezone = 'UTC'",
    'timezone = "UTC" x',
    "[[database]]",
    "[ database ]",
    "[database.x]",
    '["database"]',
    'database = "x"',
    'database.url = "q"',
    'database = {url="z"}',
    'url = """x',
    '"""',
    "'''",
    "x = [",
    '"a", "b"]',
    'x = ["a]b"]',
    "x = [,]",
    "x = 007",
    "x = 1.5",
    'x = "\x0b"',
    "x = " + "9" * 5000,
    "\\",
)


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from(PLAIN * 4 + ODD), max_size=7).map("\n".join))
def test_what_is_read_without_a_parser_is_what_the_parser_reads(content: str) -> None:
    found = look(content)
    if found is None:
        return
    try:
        raw = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        assert str(error).startswith("Cannot")  # noqa: PT017  tables that exclude each other
        return
    told = {"timezone": raw.get("timezone"), "url": raw.get("database", {}).get("url")}
    assert found == {key: value for key, value in told.items() if value is not None}


@pytest.mark.parametrize("line", ODD)
def test_a_line_that_is_not_plain_is_left_to_the_parser(line: str) -> None:
    assert look(line) is None


def test_the_example_is_plain() -> None:
    assert look(EXAMPLE.read_text()) == {"timezone": "UTC"}
