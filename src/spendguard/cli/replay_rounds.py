"""The rounds of a replay: the present configuration and each candidate, and how far it has come."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from spendguard.app.benches import Benches
from spendguard.app.trial import varied
from spendguard.cli.parser import Options
from spendguard.config.configuration import Configuration
from spendguard.core.accounts import Account
from spendguard.pipeline.evaluate import Family
from spendguard.pipeline.replay import Outcomes, Played, outcomes

NOTHING = Outcomes((), (), timedelta(0))


@dataclass(slots=True)
class Round:
    """One set of parameters, and what it made of what was played; the present one has no name."""

    name: str
    configuration: Configuration
    played: Played = field(default_factory=lambda: Played((), ()))
    outcomes: Outcomes = NOTHING

    def wants(self, _at: datetime) -> bool:
        """Tell whether forecasts are made: they are the same for every candidate."""
        return not self.name

    def family(self, account: Account) -> Family:
        """Return an account with its card and the card's other accounts, as judged here."""
        return Benches(self.configuration).family_of(
            next(one for one in self.configuration.accounts if one.name == account.name)
        )

    def take(
        self, family: Family, played: Played, since: datetime, until: datetime, told: Played
    ) -> None:
        """Add what was played of a family, what it was worth in a window, and what is told of it."""
        found = outcomes(family, played.alerts, played.events, since, until)
        self.played += told
        self.outcomes = found + self.outcomes


def candidates(options: Options, configuration: Configuration) -> list[Round]:
    """Return the present configuration, and each candidate beside it."""
    named = [one.strip() for one in dict.fromkeys(options.candidates)]
    return [
        Round("", configuration),
        *(Round(one or " ", varied(configuration, one)) for one in named),
    ]


class Progress:
    """How far it has come, told on a terminal."""

    def __init__(self, length: timedelta) -> None:
        self._length = length
        self._past = timedelta(0)
        self._last: datetime | None = None
        self._percent = -1
        self._shown = sys.stderr.isatty()

    def look(self, at: datetime) -> None:
        """Note that something was looked at."""
        if self._last is not None and at > self._last:
            self._past += at - self._last
        self._last = at
        percent = min(int(100 * (self._past / self._length)) if self._length else 100, 100)
        if self._shown and percent != self._percent:
            self._percent = percent
            sys.stderr.write(f"\rplaying, {percent} %: {at:%Y-%m-%d}")
            sys.stderr.flush()

    def end(self) -> None:
        """Wipe the line."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
