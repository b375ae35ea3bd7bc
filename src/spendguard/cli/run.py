"""run: the daemon. It reads, judges and tells, each thing when it is due."""

from __future__ import annotations

import gc
import os
from argparse import Namespace


def run(options: Namespace) -> int:
    """Guard until a signal says to stop."""
    gc.disable()  # what is loaded stays: to look it through again and again delays the start
    from spendguard.daemon import run as daemon

    return daemon.run(options.config, os.environ)
