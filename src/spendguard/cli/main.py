"""main: from arguments to an exit code. Only the module of the command asked for is loaded."""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from io import TextIOWrapper

from spendguard import __version__
from spendguard.cli.parser import (
    COMMANDS,
    DEFAULTS,
    LATER,
    Options,
    commands_of,
    refuse,
)
from spendguard.cli.plain import plainly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

WITHOUT_JSON = frozenset({"init", "demo", "completion", "run"})
UNPRINTED = frozenset(
    {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
)
"""What an output answers that takes no more."""
HELP = frozenset({"-h", "--help"})
_SELDOM = 10_000
"""How many new objects make Python look for garbage: a short process never makes as many."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; what is expected to go wrong is two lines."""
    if argv is not None:
        return _ended(argv)
    _open_what_is_closed()
    gc.set_threshold(_SELDOM)
    code = _ended(sys.argv[1:])
    gc.freeze()  # the process ends: to look for garbage once more takes a tenth of a short one
    return code


def _ended(argv: Sequence[str]) -> int:
    try:
        try:
            code = _run(list(argv))
        except SystemExit as done:  # argparse has printed a help
            code = done.code if isinstance(done.code, int) else 0
        sys.stdout.flush()
    except OSError as error:
        if not _unprinted(error):
            raise
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        known = _report(error)
        if known is None:
            raise
        return known
    return code


def _open_what_is_closed() -> None:
    """Print into the void what was started without an output, so that no file takes its place."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115


def _unprinted(error: OSError) -> bool:
    """Tell whether an output took no more; then nothing is left to be printed at the end.

    A reader that went away is no error message; a full disk is one.
    """
    if error.filename is not None or error.errno not in UNPRINTED:
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if not isinstance(error, BrokenPipeError):
        from spendguard.cli.output import complain

        why = os.strerror(error.errno).lower()
        complain(f"cannot write the output: {why}", "send it where there is room for it")
    return True


def _run(arguments: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a name may hold signs the terminal does not have
            stream.reconfigure(errors="backslashreplace")
    _refuse_card_numbers(arguments)
    path, rest = _find(arguments)
    if path in COMMANDS and COMMANDS[path].code:
        options = _parse(path, rest)
        module, _, function = COMMANDS[path].code.partition(":")
        code: int = getattr(import_module(f"spendguard.cli.{module}"), function)(options)
        return code
    if "--version" in rest and not path:
        print(f"spendguard {__version__}")  # noqa: T201
    elif HELP.isdisjoint(rest):
        strange = [word for word in rest if word[:1] == "-" and word not in {"--json", "--config"}]
        if strange and not strange[0].startswith("--config="):
            refuse(f"unknown option '{strange[0]}'", f"spendguard {path}".strip())
        refuse("no command given", f"spendguard {path}".strip())
    else:
        from spendguard.cli.grammar import group_parser

        group_parser(path).print_help()
    return 0


def _refuse_card_numbers(arguments: Sequence[str]) -> None:
    if any(sum(map(str.isdecimal, argument)) > 12 for argument in arguments):
        from spendguard.cli.refusals import refuse_card_numbers

        refuse_card_numbers(arguments)


def _find(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """Return the command that is meant, '' for none, and the arguments without its words."""
    places = _words(arguments)
    if not places:
        return "", list(arguments)
    path = arguments[places[0]]
    if path not in COMMANDS:
        _unknown("", path)
    taken = 1
    if not COMMANDS[path].code and len(places) > 1:
        below = f"{path} {arguments[places[1]]}"
        if below in COMMANDS:
            path, taken = below, 2
        elif path != "balance":
            _unknown(path, arguments[places[1]])
    rest = [word for place, word in enumerate(arguments) if place not in places[:taken]]
    if path in DEFAULTS and HELP.isdisjoint(rest):
        path = DEFAULTS[path]
    return path, rest


def _words(arguments: Sequence[str]) -> list[int]:
    """Return the places of what is neither an option nor the value of --config."""
    places: list[int] = []
    value = False
    for place, argument in enumerate(arguments):
        if not value and not argument.startswith("-"):
            places.append(place)
        value = not value and argument == "--config"
    return places


def _unknown(group: str, name: str) -> NoReturn:
    prog = f"spendguard {group}".strip()
    whole = f"{group} {name}".strip()
    if whole in LATER:
        refuse(f"`{whole}` is not in this version", prog)
    known = [path.rpartition(" ")[2] for path in commands_of(group)]
    refuse(f"unknown command '{name}'", prog, _meant(name, known))


def _meant(written: str, known: Iterable[str]) -> str:
    """Return the beginning of a hint: what was probably meant, if anything is close."""
    from difflib import get_close_matches

    close = get_close_matches(written, known, n=1)
    return f"did you mean '{close[0]}'? " if close else ""


def _parse(path: str, arguments: Sequence[str]) -> Options:
    options = plainly(COMMANDS[path], arguments) or _grammatically(path, arguments)
    if options.json and path in WITHOUT_JSON:
        refuse(f"`{path}` has no JSON form", f"spendguard {path}")
    return options


def _grammatically(path: str, arguments: Sequence[str]) -> Options:
    from spendguard.cli.grammar import command_parser

    parser = command_parser(path)
    options, unknown = parser.parse_known_args(arguments, Options())
    if unknown:
        if not unknown[0].startswith("-"):
            refuse(f"unknown argument '{unknown[0]}'", parser.prog)
        meant = _meant(unknown[0], parser.known_options)
        refuse(f"unknown option '{unknown[0]}'", parser.prog, meant)
    return options


def _report(error: Exception) -> int | None:
    """Print an expected error as pairs of lines; None when it is a bug."""
    from spendguard.core.errors import SpendguardError

    if not isinstance(error, SpendguardError):
        return None
    from spendguard.cli.output import complain

    for problem in error.problems:
        complain(problem.message, problem.hint)
    return error.exit_code
