"""Run: the daemon as a process: its signals, its log, and how it ends."""

from __future__ import annotations

import gc
import logging
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from spendguard.daemon import logs
from spendguard.daemon.life import Life

log = logging.getLogger("spendguard.daemon")
STOP = frozenset({signal.SIGTERM, signal.SIGINT})
HEARD = STOP | {signal.SIGHUP}
LOOK = 1.0
"""Seconds between two looks at the clock and at what other processes wrote."""
SHORT = 0.05
BRIEF = 0.005  # being armed waits for the last of these looks
GRACE = 9.0
"""Seconds that what is in flight has to finish once we are asked to stop."""


def run(explicit: str | None, env: Mapping[str, str]) -> int:
    """Guard until a signal says to stop; return the exit code.

    What lives once it guards is no garbage, and is not looked through for it again.

    Raises:
        ConfigError: when the configuration does not hold.
        StoreError: when the database cannot be used, or another daemon has it.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    logs.begin(env)
    with _stoppable():
        life = Life(explicit, env, os.getpid())
    life.begin()
    gc.collect()
    gc.freeze()
    gc.enable()
    while True:
        heard = signal.sigtimedwait(HEARD, SHORT if life.reloading else LOOK)
        life.look()
        if heard is None:
            continue
        if heard.si_signo in STOP:
            return _stop(life, signal.Signals(heard.si_signo).name)
        life.reload()


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let a signal end the process while nothing is under way yet, whatever it waits for."""
    begun = threading.Event()

    def listen() -> None:
        while not begun.is_set():
            if signal.sigtimedwait(STOP, BRIEF) is not None:
                _leave("stopped before it was armed")

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield
    finally:
        begun.set()
        listener.join()


def _stop(life: Life, by: str) -> int:
    """Let what is in flight finish, for a while; a second signal ends that at once."""
    log.info("stopping", extra={"signal": by})
    done = life.stop()
    waited = 0.0
    while not done.is_set():
        if signal.sigtimedwait(STOP, SHORT) is not None or waited >= GRACE:
            _leave("stopped, not all was finished")
        waited += SHORT
    log.info("stopped")
    return 0


def _leave(told: str) -> None:
    """End now: what hangs would keep the process, and its claims are taken back at the next start."""
    log.info(told)
    logging.shutdown()
    os._exit(0)
