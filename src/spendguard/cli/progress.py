"""Progress: one line on a terminal while history is read, nothing where no person looks."""

from __future__ import annotations

import sys
from threading import Lock

CLEAR = "\r\x1b[K"


class ReadingBack:
    """Shows how far the history of accounts is read, and leaves no trace."""

    def __init__(self) -> None:
        self.reached = {"cost": 0, "usage": 0}  # days, by what was read
        self._watched = sys.stderr.isatty()
        self._drawn = False
        self._lock = Lock()

    def __call__(self, account: str, read: int, wanted: int, what: str) -> None:
        """Tell that so many days are read of those wanted."""
        with self._lock:
            self.reached[what] = read
            if self._watched and read < wanted:
                self._drawn = True
                sys.stderr.write(f"{CLEAR}{account}: reading {read} of {wanted} days of {what}")
                sys.stderr.flush()

    def end(self) -> None:
        """Take the line away."""
        if self._drawn:
            sys.stderr.write(CLEAR)
            sys.stderr.flush()
