"""completion: a script for the shell, made from the same declarations that parse."""

from __future__ import annotations

import sys

import shtab

from spendguard.cli.grammar import Parser
from spendguard.cli.parser import COMMANDS, Options, commands_of, everywhere, fill


def run(options: Options) -> int:
    """Print the completion script of a shell."""
    sys.stdout.write(shtab.complete(whole_parser(), options.shell) + "\n")
    return 0


def whole_parser() -> Parser:
    """Return one parser with every command in it, as shtab wants it."""
    whole = Parser(prog="spendguard")
    whole.add_argument("--version", action="store_true", help="print the version")
    everywhere(whole)
    _add(whole, "")
    return whole


def _add(parser: Parser, group: str) -> None:
    below = parser.add_subparsers(metavar="COMMAND", parser_class=Parser)
    for path in commands_of(group):
        command = COMMANDS[path]
        made = below.add_parser(path.rpartition(" ")[2], help=command.told)
        fill(made, command)
        if not command.code:
            _add(made, path)
