"""run: the daemon. It reads, judges and tells, each thing when it is due."""

from __future__ import annotations

import gc
import os

from spendguard.cli.parser import Options


def run(options: Options) -> int:
    """Guard until a signal says to stop."""
    gc.disable()  # what is loaded stays: to look it through again and again delays the start
    from spendguard.daemon import run as daemon

    return daemon.run(options.config, os.environ)
