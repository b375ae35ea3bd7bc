"""Plain arguments mean what argparse takes them to mean, for every command."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.cli.grammar import command_parser
from spendguard.cli.parser import COMMANDS, Options
from spendguard.cli.plain import plainly

WORDS = st.one_of(
    st.sampled_from(
        ["30d", "now", "2026-11-20", "2026-13-01", "key", "12.50", "balance", "-", "--"]
    ),
    st.text(max_size=6),
)


def options_of(path: str) -> list[str]:
    parser = command_parser(path)
    return [name for action in parser._actions for name in action.option_strings]  # noqa: SLF001


@st.composite
def arguments(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A command and words for it, most of which it knows."""
    path = draw(st.sampled_from(sorted(COMMANDS)))
    names = st.sampled_from([name for name in options_of(path) if "-h" not in name])
    joined = st.builds("{}={}".format, names, WORDS)
    return path, draw(st.lists(st.one_of(names, names, WORDS, joined), max_size=6))


@given(arguments())
def test_what_is_read_without_argparse_is_what_argparse_reads(drawn: tuple[str, list[str]]) -> None:
    path, words = drawn
    plain = plainly(COMMANDS[path], words)
    if plain is not None:
        assert plain == command_parser(path).parse_args(words, Options())


@pytest.mark.parametrize(
    ("path", "words"),
    [
        pytest.param("spend", ["--since", "1 fortnight"], id="a value that cannot be"),
        pytest.param("spend", ["--since"], id="an option without its value"),
        pytest.param("spend", ["--since", "--json"], id="an option where a value belongs"),
        pytest.param("spend", ["--by", "color"], id="a choice that is none"),
        pytest.param("spend", ["--json=yes"], id="a flag with a value"),
        pytest.param("spend", ["--bogus"], id="an option that is not known"),
        pytest.param("spend", ["--help"], id="help"),
        pytest.param("charge add", [], id="something is missing"),
        pytest.param("balance show", ["main"], id="a name without an option"),
        pytest.param("alerts list", ["--open", "--all"], id="options that exclude each other"),
        pytest.param("alerts silence", ["--for", "4h"], id="a required option"),
    ],
)
def test_what_is_not_plain_is_left_to_argparse(path: str, words: list[str]) -> None:
    assert plainly(COMMANDS[path], words) is None


def test_what_is_plain_is_read_at_once() -> None:
    plain = plainly(COMMANDS["spend"], ["--by", "key", "--account=main", "--json"])
    assert plain is not None
    assert (plain.by, plain.account, plain.json, plain.csv) == ("key", "main", True, False)
