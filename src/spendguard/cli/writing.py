"""Writing: the program as a whole, for the commands that change something."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from spendguard.app.program import App, configure
from spendguard.cli.parser import Options
from spendguard.cli.reading import Source
from spendguard.store.history import History


@contextmanager
def program(options: Options, *, prepared: bool = True) -> Iterator[App]:
    """Yield the program, by default with its database created or brought to this version.

    Raises:
        ConfigError: when the configuration does not hold.
        StoreError: when the database cannot be written, or is newer than this program.
    """
    quiet()
    with App(configure(options.config, os.environ), os.environ) as app:
        if prepared:
            app.prepare()
        yield app


@contextmanager
def written(app: App) -> Iterator[Source]:
    """Yield what is stored now, for telling what follows from what was written."""
    with History(str(app.store.path)) as history:
        yield Source(history, app.configuration.zone, app.clock())


def quiet() -> None:
    """Keep the log off the terminal: a command says what happened in its own words."""
    logging.getLogger("spendguard").addHandler(logging.NullHandler())
