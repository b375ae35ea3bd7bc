"""run: the daemon. It reads, judges and tells, each thing when it is due."""

from __future__ import annotations

import os
from argparse import Namespace

from spendguard.daemon import run as daemon


def run(options: Namespace) -> int:
    """Guard until a signal says to stop."""
    return daemon.run(options.config, os.environ)
