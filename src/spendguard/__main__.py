"""Run the command line as `python -m spendguard`."""

from __future__ import annotations

import sys

from spendguard.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
