"""replay over stored history: what was known when, judged by the present rules."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from spendguard.app import utc_now
from spendguard.app.benches import Benches
from spendguard.cli.instants import resolve
from spendguard.cli.parser import Options
from spendguard.cli.reading import known_account
from spendguard.cli.replay_output import Account, Replayed
from spendguard.cli.replay_rounds import Progress, Round, candidates
from spendguard.config.configuration import Configuration
from spendguard.config.load import load
from spendguard.config.locate import find_config, locate
from spendguard.core.errors import StoreError, UsageError
from spendguard.core.windows import HOUR, Window
from spendguard.pipeline.evaluate import Family
from spendguard.pipeline.replay import (
    CardLine,
    Played,
    Stored,
    live,
    read_cards,
    read_stored,
    recorded,
    supposable,
    supposed,
    supposing,
    watched,
)
from spendguard.providers import PROVIDERS
from spendguard.store.history import History

LAG = timedelta(hours=2)


def play_history(options: Options) -> Replayed:
    """Play what is stored of the configured accounts.

    Raises:
        StoreError: when nothing is stored of them.
    """
    path = Path(find_config(options.config, os.environ))
    configuration = load(path, os.environ, PROVIDERS.keys())
    known_account(options.account, [one.name for one in configuration.accounts])
    stored, cards = _stored(path, configuration)
    rounds = candidates(options, configuration)
    parts = [_Part(family, stored, cards) for family in _families(configuration, options.account)]
    parts = [part for part in parts if part.begin is not None]
    if not parts:
        raise StoreError("nothing was read of that yet", "read the accounts: `spendguard check`")
    window = _window(options, configuration, parts)
    every = options.every or HOUR
    lag = LAG if options.lag is None else options.lag
    shown = Progress(len(rounds) * sum((part.length(window) for part in parts), timedelta(0)))
    for one in rounds:
        for part in parts:
            family, played = part.play(one, window, every, lag, shown)
            mine = _only(played, options.account, configuration)
            known = part.known(window)
            if known is not None:
                one.take(family, mine, *known, told=mine.between(window.start, window.end))
    shown.end()
    return Replayed(
        accounts=tuple(
            Account(plan.account.name, plan.account.card, part.mode)
            for part in parts
            for plan in part.family.plans
            if options.account in {None, plan.account.name}
        ),
        zone=configuration.zone,
        since=window.start,
        until=window.end,
        every=every,
        lag=lag,
        candidates=tuple(rounds),
    )


def _stored(
    path: Path, configuration: Configuration
) -> tuple[dict[str, Stored], dict[str, list[CardLine]]]:
    located = locate(path, os.environ)
    if located.database is None:
        raise StoreError("the database is not an SQLite file", "set database.url to sqlite:///…")
    with History(located.database) as history:
        names = [account.name for account in configuration.accounts]
        return read_stored(history, names), read_cards(history)


def _families(configuration: Configuration, account: str | None) -> Iterator[Family]:
    for family in Benches(configuration).families():
        if account is None or account in {plan.account.name for plan in family.plans}:
            yield family


class _Part:
    """A card with its accounts, or an account without one, and what is stored of it."""

    def __init__(
        self, family: Family, stored: dict[str, Stored], cards: dict[str, list[CardLine]]
    ) -> None:
        held = {plan.account.name: stored.get(plan.account.name) for plan in family.plans}
        self.stored = {name: one for name, one in held.items() if one and one.begin}
        self.family = self._stored(family)
        self.card = cards.get(family.paying.card.name, []) if family.paying else []
        self.mode = "played" if supposable(self.family, self.stored) else "recorded"
        begins = [one.begin for one in self.stored.values() if one.begin]
        ends = [one.last_ok_at for one in self.stored.values() if one.last_ok_at]
        self.begin = min(begins, default=None)
        self.end = max(ends, default=None)

    def _stored(self, family: Family) -> Family:
        plans = tuple(plan for plan in family.plans if plan.account.name in self.stored)
        return replace(family, plans=plans)

    def until(self, window: Window) -> datetime:
        """Return up to when there is something to play."""
        return window.end if self.end is None else min(window.end, self.end)

    def length(self, window: Window) -> timedelta:
        """Return how much time is played."""
        until = self.until(window)
        return max(until - (self.begin or until), timedelta(0))

    def known(self, window: Window) -> Window | None:
        """Return the part of a window of which it is known what happened."""
        until = self.until(window)
        return Window(self.begin or until, until).overlap(window)

    def play(
        self, one: Round, window: Window, every: timedelta, lag: timedelta, shown: Progress
    ) -> tuple[Family, Played]:
        """Play it with one set of parameters."""
        family = self._stored(one.family(self.family.plans[0].account))
        until = self.until(window)
        if self.mode == "played":
            family, scenario = supposed(family, self.stored, self.card, until, every=every, lag=lag)
            life = live(family, scenario)
            played = watched(
                family,
                scenario,
                life,
                forecasts=one.wants,
                progress=shown.look,
                view=supposing(self.stored),
            )
            return family, played
        return family, recorded(
            family,
            self.stored,
            self.card,
            self._looks(until, every),
            lag,
            forecasts=lambda at: one.wants(at) and at >= window.start,
            progress=shown.look,
        )

    def _looks(self, until: datetime, every: timedelta) -> Sequence[datetime]:
        begin = self.begin or until
        return [begin + every * step for step in range(max((until - begin) // every, 0) + 1)]


def _window(options: Options, configuration: Configuration, parts: Sequence[_Part]) -> Window:
    zone, now = configuration.zone, utc_now()
    until = now if options.until is None else resolve(options.until, "--until", zone, now)
    first = min(part.begin for part in parts if part.begin is not None)
    since = first if options.since is None else resolve(options.since, "--since", zone, now)
    if since >= until:
        raise UsageError("--since is not before --until", "give a window that holds something")
    return Window(since, until)


def _only(played: Played, account: str | None, configuration: Configuration) -> Played:
    """Return what is about an account and its card, where only that was asked for."""
    if account is None:
        return played
    others = {one.name for one in configuration.accounts} - {account}
    budgets = {f"budget:{one.name}" for one in configuration.budgets if one.account != account}
    return Played(
        tuple(
            one
            for one in played.alerts
            if one.subject.partition("/")[0] not in others and one.subject not in budgets
        ),
        tuple(one for one in played.events if one.account == account),
        tuple(one for one in played.forecasts if one.account == account),
    )
