"""init: from an admin key to a guarded account: verify, read back, test, write, print."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import datetime, tzinfo
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from spendguard.app.program import App
from spendguard.cli.output import Column, complain, on_terminal, say, table, warn
from spendguard.cli.parser import Options
from spendguard.cli.progress import ReadingBack
from spendguard.cli.reading import Source
from spendguard.cli.template import Choices, render
from spendguard.cli.writing import quiet
from spendguard.config.configuration import Configuration
from spendguard.config.load import load
from spendguard.config.locate import find_config
from spendguard.config.secrets import resolve
from spendguard.core.accounts import Account
from spendguard.core.errors import ConfigError, ProviderError, SpendguardError, UsageError
from spendguard.core.ledger import Kind
from spendguard.core.money import Money
from spendguard.core.windows import DAY, Window, midnight, utc_day
from spendguard.notify.results import Refused
from spendguard.providers import PROVIDERS
from spendguard.store.history import History
from spendguard.store.ledger import Stated
from spendguard.store.spending import Question, Spending

if TYPE_CHECKING:
    from spendguard.core.facts import AccountFacts

KEYS = {
    "openai": "env:OPENAI_ADMIN_KEY",
    "openrouter": "env:OPENROUTER_MANAGEMENT_KEY",
    "deepseek": "env:DEEPSEEK_API_KEY",
}
CHANNEL = "SLACK_URL"
TOP = 3


def run(options: Options) -> int:
    """Do all that the first five minutes need; nothing is written before the key has worked."""
    quiet()
    chosen = _chosen(options)
    target = _target(options, os.environ)
    _may_write(target, replace=options.yes)
    configuration = _configuration(render(chosen))
    with App(configuration, os.environ) as app:
        account = configuration.accounts[0]
        _verify(app, account)
        app.prepare()
        _read_back(app, account)
        if options.balance is not None:
            _state_balance(app, account, options.balance.of(account.currency))
        facts = app.evaluate(account).facts
        delivered = _send_test(app)
        with History(str(app.store.path)) as history:
            asked = Source(history, configuration.zone, app.clock())
            month = _spent(asked, account.name, 30)
            _write(target, render(chosen, month), secret=chosen.secret)
            _summarize(asked, account.name, facts)
    stated = options.balance is not None or PROVIDERS[account.provider].states_balance
    _finish(target, account, stated=stated, used=options.config)
    return 0 if delivered else 1


def _target(options: Options, env: Mapping[str, str]) -> Path:
    named = options.output or options.config or env.get("SPENDGUARD_CONFIG")
    if named:
        return Path(named).absolute()
    if os.geteuid() == 0:
        return Path("/etc/spendguard/config.toml")
    home = Path(env.get("XDG_CONFIG_HOME") or Path(env.get("HOME", "~")).expanduser() / ".config")
    return home / "spendguard" / "config.toml"


def _may_write(target: Path, *, replace: bool) -> None:
    try:
        there = target.exists()
        place = next(parent for parent in target.parents if parent.exists())
    except OSError as error:
        raise _unwritable(target, error.strerror or type(error).__name__) from None
    if not os.access(place, os.W_OK) or not place.is_dir():
        raise _unwritable(target, "permission denied")
    if replace or not there:
        return
    if not (sys.stdin.isatty() and on_terminal() and _agreed(target)):
        raise SpendguardError(
            f"'{target}' exists", "replace it with --yes, or name another --output"
        )


def _agreed(target: Path) -> bool:
    say(f"replace {target}? [y/N]")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _chosen(options: Options) -> Choices:
    provider = options.provider
    if provider not in PROVIDERS:
        close = get_close_matches(provider, PROVIDERS, n=1)
        meant = f"did you mean '{close[0]}'? " if close else ""
        raise UsageError(f"unknown provider '{provider}'", f"{meant}known: {', '.join(PROVIDERS)}")
    key = options.key or KEYS[provider]
    if options.key is None and KEYS[provider].removeprefix("env:") not in os.environ:
        name = KEYS[provider].removeprefix("env:")
        raise SpendguardError(
            f"no key: {name} is not set", f"export {name}, or name the key: --key file:PATH"
        )
    channel = options.channel or (f"env:{CHANNEL}" if CHANNEL in os.environ else None)
    return Choices(provider, _absolute(key), channel and _absolute(channel))


def _absolute(reference: str) -> str:
    """Return a reference that means the same from anywhere."""
    if not reference.startswith("file:"):
        return reference
    path = reference.removeprefix("file:")
    return reference if path.startswith("//") else f"file:{Path(path).absolute()}"


def _configuration(text: str) -> Configuration:
    """Return what the file is going to say, read as any command reads it."""
    with TemporaryDirectory(prefix="spendguard-") as directory:
        draft = Path(directory) / "config.toml"
        draft.touch(mode=0o600)
        draft.write_text(text, encoding="utf-8")
        return load(draft, os.environ, PROVIDERS.keys())


def _write(target: Path, text: str, *, secret: bool) -> None:
    """Put the file in its place, whole; only its owner reads it when it holds a secret."""
    draft = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.touch(mode=0o600 if secret else 0o644)
        draft.write_text(text, encoding="utf-8")
        draft.replace(target)
    except OSError as error:
        raise _unwritable(target, error.strerror or type(error).__name__) from None
    finally:
        draft.unlink(missing_ok=True)


def _unwritable(target: Path, why: str) -> SpendguardError:
    return SpendguardError(
        f"cannot write '{target}': {why.lower()}", "name another file with --output"
    )


def _verify(app: App, account: Account) -> None:
    """Make one call for the costs, or for the balance where the API states that.

    Raises:
        SpendguardError: when the key is of the wrong kind, or does not read it.
    """
    key = resolve(account.key, os.environ).get_secret_value()
    problem = PROVIDERS[account.provider].key_problem(key)
    if problem is not None:
        raise SpendguardError(problem.message, problem.hint)
    provider = app.ends.provider(account)
    if provider.states_balance:
        say(f"{account.name}: the key works, and reads the balance: {provider.balance().left}")
        return
    provider.costs(utc_day(app.clock()))
    say(f"{account.name}: the key works, and reads costs")


def _read_back(app: App, account: Account) -> None:
    progress = ReadingBack()
    outcome = app.poll(account, partial(progress, account.name))
    progress.end()
    if outcome.error is not None:
        raise ProviderError(outcome.error, outcome.message, outcome.hint)
    if PROVIDERS[account.provider].states_balance:
        say("spend is what the balance falls by from now on: there is no history to read")
    else:
        days, used = progress.reached["cost"], progress.reached["usage"]
        say(f"read {days} days of cost" + (f" and {used} of usage" if used else ""))


def _state_balance(app: App, account: Account, amount: Money) -> None:
    app.set_balance(account.name, Stated(Kind.CHECKPOINT, amount, app.clock()))
    say(f"balance: {amount}")


def _send_test(app: App) -> bool:
    for channel in app.configuration.channels:
        result = app.send_test(channel)
        if isinstance(result, Refused):
            complain(
                f"channel '{channel.name}': {result.why}",
                f"correct its url, then try it: `spendguard channel test {channel.name}`",
            )
            return False
        say(f"{channel.name}: a test message was delivered")
    if not app.configuration.channels:
        warn("there is no channel: nobody will be told; add one to the file, or use --channel")
    return True


def _spent(asked: Source, account: str, days: int) -> Money | None:
    """Return the spend of the last days, today included, in the account's main currency."""
    parts = _parts(asked, account, days, "account")
    return parts[0][1] if parts else None


def _parts(asked: Source, account: str, days: int, by: str) -> list[tuple[str, Money]]:
    """Return what spent in the last days, the dearest first."""
    since = _midnight(asked.now, asked.zone, days)
    if since >= asked.now:
        return []
    spending = Spending(asked.history, asked.zone, asked.now)
    parts: dict[tuple[str, str], int] = {}
    for row in spending.answer(Question(account, Window(since, asked.now), by)):
        key = (row.part or "", row.currency)
        parts[key] = parts.get(key, 0) + row.nanos
    return [(part, Money(nanos, currency)) for (part, currency), nanos in parts.items()]


def _midnight(now: datetime, zone: tzinfo, days: int) -> datetime:
    return midnight(now.astimezone(zone).date() - DAY * (days - 1), zone)


def _summarize(asked: Source, account: str, facts: AccountFacts | None) -> None:
    say()
    figures = {"today": 1, "7 days": 7, "30 days": 30}
    spent = {name: _spent(asked, account, days) for name, days in figures.items()}
    told = [f"{name} {'0.00' if one is None else one.ceiled()}" for name, one in spent.items()]
    burn = None if facts is None else facts.burn
    if burn is not None:
        told.append(f"burn {burn.per_day.ceiled()} a day")
    say("spent: " + ", ".join(told))
    for by, title in (("key", "top api keys, 30 days"), ("model", "top models, 30 days")):
        parts = [one for one in _parts(asked, account, 30, by) if one[1].nanos > 0][:TOP]
        if parts:
            say()
            names = asked.names(by)
            cells = [
                [names.get(part, part or "(not told)"), str(amount.ceiled())]
                for part, amount in parts
            ]
            table((Column(title, folds=True), Column("", right=True)), cells)


def _finish(target: Path, account: Account, *, stated: bool, used: str | None) -> None:
    say()
    say(f"wrote {target}")
    option = "" if _found(target) else f" --config {target}"
    if option and not used:
        warn(f"other commands would not find that file by themselves: give them{option}")
    say()
    if stated:
        say(f"next: spendguard{option} check")
    else:
        say(f"next: spendguard{option} balance set {account.name} <figure on the billing page>")


def _found(target: Path) -> bool:
    try:
        return Path(find_config(None, os.environ)).absolute() == target
    except ConfigError:
        return False
