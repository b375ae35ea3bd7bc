"""Grammar: the command line as argparse has it, for help, for completion, and for what is not plain."""

from __future__ import annotations

import os
from argparse import ArgumentParser, RawDescriptionHelpFormatter

from spendguard.cli.parser import COMMANDS, commands_of, everywhere, fill, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_DESCRIPTION = "Warns before the card is charged, before a charge fails, before the credit ends."
_CODES = "exit codes: 0 fine, 1 error, 2 firing, 64 wrong usage, 69 could not tell"


class Help(RawDescriptionHelpFormatter):
    """Help as wide as the terminal, without loading what argparse would ask for its width."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


def _columns() -> int:
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told) > 20:
        return int(told)
    try:
        return os.get_terminal_size(1).columns or 80
    except OSError:
        return 80


class Parser(ArgumentParser):
    """An argument parser whose refusals are usage errors with a hint."""

    def __init__(self, prog: str, **options: Any) -> None:
        super().__init__(prog=prog, formatter_class=Help, allow_abbrev=False, **options)

    @property
    def known_options(self) -> list[str]:
        """The options that it takes, as they are written."""
        return [*self._option_string_actions]

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments.

        Raises:
            UsageError: always.
        """
        said = message.removeprefix("argument ")
        said = said.replace("the following arguments are required: ", "missing ")
        refuse(said, self.prog)


def command_parser(path: str, prog: str = "spendguard") -> Parser:
    """Return the parser of one command."""
    command = COMMANDS[path]
    described = f"{command.told[0].upper()}{command.told[1:]}."
    parser = Parser(f"{prog} {path}", description=described)
    fill(parser, command)
    return parser


def group_parser(group: str = "") -> Parser:
    """Return the parser that prints the help of a group of commands, or of all."""
    prog = f"spendguard {group}".strip()
    listed = {path: COMMANDS[path].told for path in commands_of(group)}
    width = max(map(len, listed))
    lines = [f"  {name:{width}}  {told}" for name, told in listed.items()]
    parser = Parser(
        prog=prog,
        usage=f"{prog} [--config FILE] [--json] COMMAND ...",
        description=_DESCRIPTION if not group else COMMANDS[group].told.capitalize() + ".",
        epilog="\n".join(["commands:", *lines, "", _CODES]),
    )
    if not group:
        parser.add_argument("--version", action="store_true", help="print the version")
    everywhere(parser)
    return parser
