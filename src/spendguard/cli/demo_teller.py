"""Teller: the story as a newcomer reads it, a line for what happens, each message as it arrives."""

from __future__ import annotations

import shutil
import sys
import textwrap
from datetime import datetime

from spendguard.cli.demo_receiver import Received
from spendguard.cli.output import SEVERITY_STYLES, say
from spendguard.core.money import Money
from spendguard.core.windows import DAY

WIDEST = 100
INDENT = " " * 15


class Teller:
    """Prints what it is told, with the simulated time before it."""

    def __init__(self, first: datetime) -> None:
        self._first = first
        self._heard: set[str] = set()
        self._width = min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns)

    def happens(self, at: datetime, text: str) -> None:
        """Tell what happens in the world."""
        self._print(self._stamp(at), text)

    def balance(self, at: datetime, left: Money) -> None:
        """Tell what spendguard takes the balance to be."""
        self._print(self._stamp(at), f"{left.floored()} left", "dim")

    def heard(self, at: datetime, message: Received) -> None:
        """Show a message: whole when it is the first of its rule, else its first line."""
        severity, _, rest = message.title.partition(" ")
        style = SEVERITY_STYLES.get(severity.lower(), "green")
        self._print(self._stamp(at), message.title, style)
        rule = rest.partition(" ")[0]
        lines = message.body.splitlines()
        for line in lines[:1] if rule in self._heard else lines:
            self._print(INDENT + "| ", line)
        self._heard.add(rule)

    def _stamp(self, at: datetime) -> str:
        return f"day {(at - self._first) // DAY + 1:2}  {at:%H:%M}  "

    def _print(self, head: str, text: str, style: str = "") -> None:
        """Print a text beside a head, folded beneath it where it is long."""
        below = head if head.endswith("| ") else " " * len(head)
        folded = textwrap.wrap(
            text, max(self._width - len(head), 20), break_long_words=False, break_on_hyphens=False
        )
        for place, line in enumerate(folded or [""]):
            say(f"{below if place else head}{line}".rstrip(), style)
        sys.stdout.flush()
