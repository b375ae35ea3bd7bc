"""Ahead: a second process works out what a long play foresees, while the first one judges.

How spend goes on does not depend on what the guard says of it, and to foresee it takes about as
long as all the rest of a look.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection

from spendguard.core.forecasts import Forecast
from spendguard.forecast import foresee
from spendguard.pipeline.replay.sight import Sight

Foretold = Callable[[], Forecast | None]
"""The next forecast, look by look and account by account; None where nobody works ahead."""


def nobody() -> None:
    """Tell nothing: who asks works it out."""


@contextmanager
def ahead(sights: Mapping[str, Sight], looks: Iterable[datetime]) -> Iterator[Foretold]:
    """Let another process foresee what these accounts spend, at each of these instants.

    It is a copy of this one that needs nothing but a pipe. Where none can be had, or only one core,
    nobody works ahead.
    """
    if (os.cpu_count() or 1) < 2:
        yield nobody
        return
    try:
        context = get_context("fork")
        told, tell = context.Pipe(duplex=False)
        process = context.Process(target=_foresee, args=(sights, looks, told, tell), daemon=True)
        process.start()
    except (OSError, ValueError):
        yield nobody
        return
    tell.close()
    try:
        yield _received(told)
    finally:
        told.close()
        process.terminate()
        process.join()


def _received(told: Connection) -> Foretold:
    def following() -> Forecast | None:
        try:
            forecast: Forecast = told.recv()
        except (EOFError, OSError):  # it was killed
            return None
        return forecast

    return following


def _foresee(
    sights: Mapping[str, Sight], looks: Iterable[datetime], told: Connection, tell: Connection
) -> None:
    """Tell every forecast; whatever goes wrong here, the first process then finds by itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends this one
    told.close()
    with suppress(Exception):
        for at in looks:
            for _, sight in sorted(sights.items()):
                spent = sight.spent(at)
                if spent is None:  # it rests on days that only the first process keeps
                    return
                tell.send(foresee(spent, at, sight.plan.account.currency))
