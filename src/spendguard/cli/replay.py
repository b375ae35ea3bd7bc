"""replay: spend is played as if it were live, and what would have been said is listed."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path

from spendguard.app.trial import alone, default_configuration, with_an_account
from spendguard.cli.parser import Options
from spendguard.cli.reading import known_account
from spendguard.cli.replay_history import LAG, play_history
from spendguard.cli.replay_output import Account, Replayed, show
from spendguard.cli.replay_rounds import Progress, candidates
from spendguard.config.configuration import Configuration
from spendguard.config.load import load
from spendguard.config.locate import find_config
from spendguard.core.accounts import Account as Configured
from spendguard.core.errors import ConfigError, SpendguardError, UsageError
from spendguard.core.windows import HOUR
from spendguard.core.world_run import Trace
from spendguard.pipeline.replay import Scenario, live, read_trace, watched
from spendguard.providers import PROVIDERS

EVERY = HOUR
MOST = 2_000_000
"""Looks at most: a year of half minutes, or two centuries of hours."""


def run(options: Options) -> int:
    """Play a trace, or what is stored."""
    _check(options)
    show(options, play_history(options) if options.csv is None else play_trace(options))
    return 0


def _check(options: Options) -> None:
    """Refuse options that do not go together.

    Raises:
        UsageError: for the first of them.
    """
    if options.csv is None:
        for name in ("balance", "card"):
            if getattr(options, name) is not None:
                raise UsageError(f"--{name} goes with --csv", "stored history has its own")
        return
    if options.balance is None:
        raise UsageError("--csv needs --balance", "the balance of the account at the first row")
    for name in ("since", "until"):
        if getattr(options, name) is not None:
            raise UsageError(f"--{name} does not go with --csv", "cut the file instead")


def play_trace(options: Options) -> Replayed:
    """Play the trace of a file."""
    whole = _configuration(options)
    account = _account(whole, options.account)
    trace = _read(options.csv, whole, account.currency)
    configuration = alone(whole, account)
    scenario = _scenario(options, trace, account, configuration.cards[0].currency)
    rounds = candidates(options, configuration)
    life = live(rounds[0].family(account), scenario)
    shown = Progress(len(rounds) * (scenario.end - scenario.begin))
    for one in rounds:
        family = one.family(account)
        played = watched(
            family, scenario, life, forecasts=one.wants, progress=shown.look, helped=True
        )
        one.take(family, played, scenario.begin, scenario.end, played)
    shown.end()
    return Replayed(
        accounts=(Account(account.name, configuration.cards[0].name, "played"),),
        zone=configuration.zone,
        since=scenario.begin,
        until=scenario.end,
        every=scenario.every,
        lag=scenario.lag,
        candidates=tuple(rounds),
    )


def _configuration(options: Options) -> Configuration:
    """Return the configuration; where none is named and none is found, what is usual."""
    named = options.config or os.environ.get("SPENDGUARD_CONFIG")
    try:
        path = Path(find_config(options.config, os.environ))
    except ConfigError:
        if named:
            raise
        return default_configuration()
    return with_an_account(load(path, os.environ, PROVIDERS.keys()))


def _account(configuration: Configuration, name: str | None) -> Configured:
    """Return the account that is meant: the first where none is named."""
    accounts = {one.name: one for one in configuration.accounts}
    known_account(name, [*accounts])
    if name is None:
        return configuration.accounts[0]
    return accounts[name]


def _read(name: str, configuration: Configuration, currency: str) -> Trace:
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise SpendguardError(f"cannot read '{name}': {why}", "name a file of a trace") from None
    return read_trace(content, "stdin" if name == "-" else name, configuration.zone, currency)


def _scenario(options: Options, trace: Trace, account: Configured, currency: str) -> Scenario:
    every = options.every or EVERY
    begin = _floored(trace.at[0], min(every, HOUR))
    scenario = Scenario(
        begin=begin,
        end=trace.at[-1] if trace.at[-1] > begin else begin + every,
        traces={account.name: trace},
        balances={account.name: options.balance.of(account.currency)},
        card=None if options.card is None else options.card.of(currency),
        lag=LAG if options.lag is None else options.lag,
        every=every,
    )
    if (scenario.end - begin) // every > MOST:
        raise SpendguardError("that is too many looks", "look less often: --every 1d")
    return scenario


def _floored(at: datetime, length: timedelta) -> datetime:
    """Return the last whole multiple of a length, counted from midnight, before an instant."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (at - midnight) // length * length
