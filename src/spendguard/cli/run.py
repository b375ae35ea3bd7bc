"""run: the daemon. It reads, judges and tells, each thing when it is due."""

from __future__ import annotations

import os

from spendguard.cli.parser import Options
from spendguard.daemon import run as daemon


def run(options: Options) -> int:
    """Guard until a signal says to stop."""
    return daemon.run(options.config, os.environ)
