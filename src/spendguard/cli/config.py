"""config check: everything that is wrong with the configuration, and everything to be wary of."""

from __future__ import annotations

import os
from collections.abc import Iterator

from spendguard.app.ends import Ends
from spendguard.app.program import configure
from spendguard.cli.output import emit, say, warn
from spendguard.cli.parser import Options
from spendguard.cli.writing import quiet
from spendguard.config.concerns import unresolved
from spendguard.config.configuration import Configuration, ConfigWarning
from spendguard.config.secrets import check_reference
from spendguard.core.errors import ConfigError, Problem


def check(options: Options) -> int:
    """Print problems as errors and warnings with their ids.

    Raises:
        ConfigError: with every problem, when there is one and JSON was not asked for.
    """
    quiet()
    warnings: tuple[ConfigWarning, ...] = ()
    problems: tuple[Problem, ...] = ()
    try:
        configuration = configure(options.config, os.environ)
        warnings = (*configuration.warnings, *unresolved(configuration, os.environ))
        problems = tuple(not_understood(configuration))
    except ConfigError as error:
        problems = error.problems
    if options.json:
        emit(
            {
                "valid": not problems,
                "problems": [{"message": one.message, "hint": one.hint} for one in problems],
                "warnings": [
                    {"id": one.id, "path": one.path, "message": one.message, "hint": one.hint}
                    for one in warnings
                ],
            }
        )
    else:
        for warning in warnings:
            warn(f"{warning}; {warning.hint}" if warning.hint else str(warning))
    if problems:
        raise ConfigError(problems)
    if not options.json:
        say(f"{configuration.path}: the configuration is valid")
    return 0


def not_understood(configuration: Configuration) -> Iterator[Problem]:
    """Yield a problem for each channel whose URL can be had but is of no use."""
    ends = Ends(configuration, os.environ)
    try:
        for channel in configuration.channels:
            reference = configuration.channel_urls[channel.name]
            sender = ends.sender(channel.name)
            if isinstance(sender, str) and check_reference(reference, os.environ) is None:
                yield Problem(
                    f"{sender} at channels.{channel.name}.url",
                    "docs/channels.md shows the URL of each service",
                )
    finally:
        ends.close()
