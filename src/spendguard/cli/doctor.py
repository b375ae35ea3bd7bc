"""doctor: look for the cause when something does not work, one line for each thing that must."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from spendguard.app import utc_now
from spendguard.app.ends import Ends
from spendguard.app.program import configure
from spendguard.cli.output import Cell, Column, emit, table
from spendguard.cli.parser import Options
from spendguard.cli.reading import lasting, stored_money
from spendguard.cli.status import estimates_drift, estimates_told
from spendguard.cli.writing import quiet
from spendguard.config.concerns import unresolved
from spendguard.config.configuration import Configuration
from spendguard.config.locate import locate
from spendguard.config.secrets import resolve
from spendguard.core.accounts import Account, Card
from spendguard.core.errors import ConfigError, Problem, ProviderError, SpendguardError, StoreError
from spendguard.core.windows import utc_day
from spendguard.providers import PROVIDERS
from spendguard.providers.base import Provider
from spendguard.rules.guard import Guard
from spendguard.store.history import History, maybe_instant

OK, WARN, FAIL = "ok", "warn", "fail"
STYLES = {OK: "green", WARN: "yellow", FAIL: "bold red"}
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """What was looked at, how it is, and what to do about it."""

    status: str
    subject: str
    told: str
    hint: str = ""
    unread: bool = False  # an account that cannot be read


def run(options: Options) -> int:
    """Look at everything and print a line for each."""
    quiet()
    lines = list(_everything(options.config))
    if options.json:
        emit(
            {
                "checks": [
                    {
                        "status": line.status,
                        "subject": line.subject,
                        "message": line.told,
                        "hint": line.hint or None,
                    }
                    for line in lines
                ]
            }
        )
    else:
        columns = (Column(""), Column("what"), Column("how", folds=True))
        table(columns, [row for line in lines for row in _rows(line)])
    return _code(lines)


def _rows(line: Line) -> Iterator[Sequence[str | Cell]]:
    yield [Cell(line.status, STYLES[line.status]), line.subject, line.told]
    if line.hint and line.status != OK:
        yield ["", "", Cell(f"hint: {line.hint}", "dim")]


def _code(lines: Sequence[Line]) -> int:
    failed = [line for line in lines if line.status == FAIL]
    if any(not line.unread for line in failed):
        return 1
    return 69 if failed else 0


def _everything(explicit: str | None) -> Iterator[Line]:
    try:
        configuration = configure(explicit, os.environ)
    except ConfigError as error:
        for problem in error.problems:
            yield Line(FAIL, "configuration", problem.message, problem.hint)
        return
    yield Line(OK, "configuration", str(configuration.path))
    for warning in (*configuration.warnings, *unresolved(configuration, os.environ)):
        yield Line(WARN, "configuration", str(warning), warning.hint)
    local = utc_now().astimezone(configuration.zone)
    yield Line(OK, "time zone", f"{configuration.zone.key}, where it is {local:%Y-%m-%d %H:%M}")
    database = Path(locate(configuration.path, os.environ).database)
    rows: dict[str, Any] = {}
    evaluations: dict[str, Any] = {}
    yield from _database(database, rows, evaluations)
    yield _disk(database, configuration)
    ends = Ends(configuration, os.environ)
    try:
        for account in configuration.accounts:
            row = rows.get(account.name)
            yield from _account(account, ends, row)
            yield from _usage(account, row, evaluations.get(f"account:{account.name}", {}))
        for card in configuration.cards:
            yield _card(card, configuration, evaluations.get(f"card:{card.name}", {}))
        for channel in configuration.channels:
            yield _channel(channel.name, ends)
    finally:
        ends.close()


def _database(path: Path, rows: dict[str, Any], evaluations: dict[str, Any]) -> Iterator[Line]:
    """Look at the database, and leave its accounts in `rows`, what was found in `evaluations`."""
    if not path.exists():
        yield Line(WARN, "database", f"'{path}' is not there yet", "create it: `spendguard check`")
        return
    try:
        with History(path) as history:
            damage = history.damage(quick=True)
            rows.update((row["name"], row) for row in history.ask("accounts"))
            found = history.ask("evaluations")
            evaluations.update((row["name"], json.loads(row["evaluation"])) for row in found)
    except StoreError as error:
        yield Line(FAIL, "database", error.message, error.hint)
        return
    if damage:
        yield Line(FAIL, "database", f"'{path}' is damaged: {damage[0]}", "restore a backup")
    elif not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        hint = "only commands that print work for this user"
        yield Line(WARN, "database", f"'{path}' is not writable", hint)
    else:
        yield Line(OK, "database", str(path))


def _disk(path: Path, configuration: Configuration) -> Line:
    place = next(parent for parent in path.parents if parent.exists())
    free = shutil.disk_usage(place).free // MEBIBYTE
    found = [one.rule for one in configuration.guard_rules if isinstance(one.rule, Guard)]
    least = (found[0] if found else Guard()).minimum_free
    if free < least:
        return Line(FAIL, "disk", f"{free} MiB free beside the database", f"make it {least} MiB")
    return Line(OK, "disk", f"{free} MiB free beside the database")


def _account(account: Account, ends: Ends, row: Any) -> Iterator[Line]:
    subject = f"account {account.name}"
    problem = _key_problem(account)
    if problem is not None:
        yield Line(FAIL, subject, problem.message, problem.hint, unread=True)
        return
    yield Line(OK, subject, "its key is there and of the right kind")
    try:
        provider = ends.provider(account)
        what = _read(provider)
    except ProviderError as error:
        yield Line(FAIL, subject, error.message, error.hint, unread=True)
        return
    yield Line(OK, subject, f"its {what} can be read")
    for what, kind in provider.extras(names=True, projects=()).failures.items():
        told = f"{what} cannot be read: {kind.value}"
        yield Line(WARN, subject, told, "only the rules that need it stay unknown")
    yield _age(account, row, subject)


def _read(provider: Provider) -> str:
    """Read what the guard lives on, and return what that is."""
    if provider.states_balance:
        provider.balance()
        return "balance"
    provider.costs(utc_day(utc_now()))
    return "costs"


def _key_problem(account: Account) -> Problem | None:
    try:
        key = resolve(account.key, os.environ)
    except SpendguardError as error:
        return Problem(error.message, error.hint)
    return PROVIDERS[account.provider].key_problem(key.get_secret_value())


def _age(account: Account, row: Any, subject: str) -> Line:
    read_at = None if row is None else maybe_instant(row["last_ok_at"])
    if read_at is None:
        return Line(WARN, subject, "it was never read", "read it: `spendguard check`")
    age = max(utc_now() - read_at, timedelta(0))
    if age > 3 * account.poll_interval:
        hint = f"its poll interval is {lasting(account.poll_interval)}: does the daemon run?"
        return Line(WARN, subject, f"it was last read {lasting(age)} ago", hint)
    return Line(OK, subject, f"it was last read {lasting(age)} ago")


def _usage(account: Account, row: Any, evaluation: Mapping[str, Any]) -> Iterator[Line]:
    """Tell whether usage is read, and how well its estimates do."""
    subject = f"account {account.name}"
    if row is not None and row["usage_error"]:
        hint = "spend-spike and unpriced stay unknown, and the floor knows only what is booked"
        yield Line(WARN, subject, f"its usage cannot be read: {row['usage_error']}", hint)
    told = estimates_told(account.name, evaluation)
    if told is not None and estimates_drift(evaluation):
        yield Line(WARN, subject, told, "state what you pay under [[prices]], or upgrade")
    elif told is not None:
        yield Line(OK, subject, told)


def _card(card: Card, configuration: Configuration, evaluation: Mapping[str, Any]) -> Line:
    subject = f"card {card.name}"
    if all(account.card != card.name for account in configuration.accounts):
        hint = f'write card = "{card.name}" below the account it pays for'
        return Line(WARN, subject, "it pays for no account", hint)
    if evaluation.get("unusable"):
        told = f"it counts as banned, by the policy strikes_to_ban = {card.strikes_to_ban}"
        return Line(WARN, subject, told, "pay with another card; see `spendguard charge list`")
    balance = stored_money(evaluation.get("balance"), card.currency)
    if balance is None:
        hint = f"state it: spendguard card set {card.name} <what is on it>"
        return Line(WARN, subject, "what is on it is not known", hint)
    return Line(OK, subject, f"it holds {balance.floored()}")


def _channel(name: str, ends: Ends) -> Line:
    sender = ends.sender(name)
    if isinstance(sender, str):
        return Line(FAIL, f"channel {name}", sender, "correct its url; see docs/channels.md")
    hint = f"send a message: spendguard channel test {name}"
    return Line(OK, f"channel {name}", "its URL is understood", hint)
