"""App: the composition root. It wires the verbs together and owns the only clock.

Importing this package is cheap: commands that only read take the clock from here.
"""

from __future__ import annotations

from spendguard.app.clock import utc_now

__all__ = ["utc_now"]
