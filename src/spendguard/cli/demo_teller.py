"""Teller: the story as a newcomer reads it, a line for what happens, each message as it arrives."""

from __future__ import annotations

import shutil
import sys
import textwrap
from datetime import datetime

from spendguard.cli.demo_receiver import Received
from spendguard.cli.output import SEVERITY_STYLES, say
from spendguard.core.windows import DAY

WIDEST = 100
NARROWEST = 20
INDENT = " " * 15
MARGIN = f"{INDENT}| "


def tell(text: str = "", *, head: str = "", below: str = "", style: str = "") -> None:
    """Print a text beside a head, folded where it is long: what follows stands behind `below`."""
    columns = min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns)
    width = max(columns - len(head), NARROWEST)
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    for place, line in enumerate(lines or [""]):
        say(f"{below if place else head}{line}".rstrip(), style)
    sys.stdout.flush()


class Teller:
    """Prints what it hears, with the simulated time before it."""

    def __init__(self, first: datetime) -> None:
        self._first = first
        self._known: set[str] = set()

    def happens(self, at: datetime, text: str, *, quietly: bool = False) -> None:
        """Tell what happens, faintly where it is nothing new."""
        tell(text, head=self._stamp(at), below=INDENT, style="dim" if quietly else "")

    def heard(self, at: datetime, message: Received) -> None:
        """Show a message: whole when it is the first of its rule, else what it begins with.

        Of an info, which asks for nothing now, its first line and its last are enough.
        """
        severity, _, rest = message.title.partition(" ")
        style = SEVERITY_STYLES.get(severity.lower(), "green")
        tell(message.title, head=self._stamp(at), below=INDENT, style=style)
        rule = rest.partition(" ")[0]
        lines = message.body.splitlines()
        if rule in self._known:
            lines = lines[:1]
        elif severity == "INFO":
            lines = [lines[0], lines[-1]]
        for line in lines:
            tell(line, head=MARGIN, below=MARGIN)
        self._known.add(rule)

    def _stamp(self, at: datetime) -> str:
        return f"day {(at - self._first) // DAY + 1:2}  {at:%H:%M}  "
