"""Run: the life of the daemon, from the lock it takes to the signal that ends it."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from spendguard import __version__
from spendguard.app.hold import guarding
from spendguard.app.program import App, configure
from spendguard.daemon import logs
from spendguard.daemon.crew import MINUTE, Crew
from spendguard.daemon.pulse import Pulse
from spendguard.daemon.systemd import Supervisor
from spendguard.daemon.teller import Teller

log = logging.getLogger("spendguard.daemon")
STOP = frozenset({signal.SIGTERM, signal.SIGINT})
HEARD = STOP | {signal.SIGHUP}
GRACE = 10.0
"""Seconds that what is in flight has to finish once we are asked to stop."""


def run(explicit: str | None, env: Mapping[str, str]) -> int:
    """Guard until a signal says to stop; return the exit code.

    Raises:
        ConfigError: when the configuration does not hold.
        StoreError: when the database cannot be used, or another daemon has it.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    logs.begin(env)
    with App(configure(explicit, env), env) as app:
        app.prepare()
        with guarding(Path(str(app.store.path)), app.take_back):
            return _guard(app, env)


def _guard(app: App, env: Mapping[str, str]) -> int:
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    supervisor = Supervisor(env, os.getpid())
    pulse = Pulse(time.monotonic, lambda: supervisor.tell("WATCHDOG=1"))
    every = MINUTE if supervisor.watchdog is None else min(MINUTE, supervisor.watchdog / 4)
    crew = Crew(app, pulse, Teller(), every)
    crew.start()
    told = {
        "accounts": len(app.configuration.accounts),
        "channels": len(app.configuration.channels),
    }
    log.info("armed", extra={**told, "version": __version__})
    supervisor.tell("READY=1", f"STATUS={told['accounts']} accounts, {told['channels']} channels")
    while True:
        heard = signal.sigtimedwait(HEARD, 1.0)
        if heard is None:
            continue
        if heard.si_signo in STOP:
            return _stop(crew, supervisor, signal.Signals(heard.si_signo).name)


def _stop(crew: Crew, supervisor: Supervisor, by: str) -> int:
    """Let what is in flight finish, for a while; a second signal ends that at once."""
    supervisor.tell("STOPPING=1")
    log.info("stopping", extra={"signal": by})
    crew.stop()
    ends_at = time.monotonic() + GRACE - 0.5
    while not crew.idle and time.monotonic() < ends_at:
        if signal.sigtimedwait(STOP, 0.05) is not None:
            break
    log.info("stopped", extra={"finished": crew.idle})
    logging.shutdown()
    if not crew.idle:
        os._exit(0)  # a thread that hangs would keep the process
    return 0
