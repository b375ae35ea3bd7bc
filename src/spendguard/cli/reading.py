"""Reading: what every read command stands on: the database, the zone, the accounts and alerts in it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo

from spendguard.app import utc_now
from spendguard.cli.instants import rfc3339
from spendguard.cli.parser import Options
from spendguard.config.locate import find_config, locate
from spendguard.core.errors import SpendguardError
from spendguard.core.windows import zone_named
from spendguard.store.history import History, maybe_instant, to_column, to_instant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from spendguard.core.money import Money
    from spendguard.core.severity import Severity


class Source:
    """An opened history, the zone tables are printed in, and the instant of the question."""

    __slots__ = ("history", "now", "zone")

    def __init__(self, history: History, zone: tzinfo, now: datetime) -> None:
        self.history = history
        self.zone = zone
        self.now = now

    def configuration(self) -> dict[str, Any]:
        """Return the effective configuration as it was last loaded, empty before that."""
        rows = self.history.ask("configuration")
        effective: dict[str, Any] = json.loads(rows[0]["effective"]) if rows else {}
        return effective

    def evaluations(self) -> dict[str, dict[str, Any]]:
        """Return the last stored evaluation of each scope, with the instant it is of."""
        return {
            row["name"]: {
                **json.loads(row["evaluation"]),
                "evaluated_at": to_instant(row["evaluated_at"]),
            }
            for row in self.history.ask("evaluations")
        }

    def account_names(self) -> list[str]:
        """Return every account there is, configured or only in the history."""
        configured = [one["name"] for one in self.configuration().get("accounts", [])]
        held = [row["name"] for row in self.history.ask("accounts")]
        return [*configured, *(name for name in held if name not in configured)]

    def names(self, by: str) -> dict[str, str]:
        """Return what people call projects or api keys, with their ids; nothing for the rest."""
        kind = {"project": "project", "key": "api_key"}.get(by)
        return {
            row["provider_id"]: f"{row['name']} ({row['provider_id']})"
            for row in (self.history.ask("names") if kind else ())
            if row["kind"] == kind and row["name"]
        }

    def local(self, instant: datetime) -> str:
        """Return an instant as tables show it, to the minute, in the configured zone."""
        return f"{instant.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def ago(self, instant: datetime) -> str:
        """Return how long ago an instant was, for people."""
        return f"{lasting(max(self.now - instant, timedelta(0)))} ago"


@contextmanager
def source(options: Options) -> Iterator[Source]:
    """Yield the history that the configuration points to, opened read-only.

    Raises:
        ConfigError: when there is no configuration, or the place of the database is unusable.
        StoreError: when there is no database, or it cannot be read.
    """
    located = locate(find_config(options.config, os.environ), os.environ)
    with History(located.database) as history:
        yield Source(history, zone_named(located.timezone), utc_now())


def known_account(name: str | None, known: Sequence[str]) -> str | None:
    """Return the name of an account, None when none is asked for.

    Raises:
        SpendguardError: when there is no such account.
    """
    if name is None or name in known:
        return name
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1)
    meant = f"did you mean '{close[0]}'? " if close else ""
    listed = f"known: {', '.join(sorted(known))}" if known else "there is none yet"
    raise SpendguardError(f"unknown account '{name}'", f"{meant}{listed}")


def lasting(length: timedelta) -> str:
    """Return a length of time for people: its two largest units."""
    minutes = length // timedelta(minutes=1)
    if minutes < 1:
        return "less than a minute"
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days >= 10:
        return f"{days} d"
    parts = [
        f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (rest, "min")) if count
    ]
    return " ".join(parts[:2])


def instant_text(microseconds: int | None) -> str | None:
    """Return the instant of a column as JSON has it."""
    instant = maybe_instant(microseconds)
    return None if instant is None else rfc3339(instant)


def stored_money(exact: str | None, currency: str) -> Money | None:
    """Return an amount that an evaluation stored."""
    from spendguard.core.money import Amount

    return None if exact is None else Amount.parse(exact).of(currency)


class StoredAlert:
    """A row of the alerts, and whether an active silence holds it back."""

    __slots__ = ("row", "silenced")

    def __init__(self, row: Any, *, silenced: bool) -> None:
        self.row = row
        self.silenced = silenced

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        from spendguard.core.severity import Severity

        return Severity.of(self.row["severity"])

    @property
    def firing(self) -> bool:
        """True when it is one that exit code 2 stands for."""
        return (
            self.row["state"] == "firing"
            and self.row["rule"] != "blind"
            and self.row["severity"] != "info"
            and not self.silenced
        )

    def as_json(self) -> dict[str, Any]:
        """Return what `status --json` says of an alert."""
        row = self.row
        return {
            "id": str(row["id"]),
            "rule": row["rule"],
            "subject": row["subject"],
            "severity": row["severity"],
            "step": row["step"],
            "state": row["state"],
            "acknowledged": row["acknowledged_severity"] is not None,
            "since": instant_text(row["since"]),
            "summary": row["summary"],
        }


def alerts(source: Source, rows: Iterable[Any]) -> list[StoredAlert]:
    """Return stored alerts, knowing the silences in force now."""
    active = source.history.ask("silences", now=to_column(source.now))
    return [StoredAlert(row, silenced=_silenced(row, active)) for row in rows]


def open_alerts(source: Source) -> list[StoredAlert]:
    """Return every open alert, the worst first."""
    found = alerts(source, source.history.ask("open_alerts"))
    return sorted(found, key=lambda alert: -alert.severity)


def _silenced(row: Any, silences: Iterable[Any]) -> bool:
    if row["muted_severity"] is None or row["ended_at"] is not None:
        return False
    from spendguard.core.severity import Severity

    risen = (
        Severity.of(row["severity"]) > Severity.of(row["muted_severity"])
        or row["rank"] > row["muted_rank"]
    )
    return not risen and any(_matches(row, one) for one in silences)


def _matches(row: Any, silence: Any) -> bool:
    rules, accounts = json.loads(silence["rules"]), json.loads(silence["accounts"])
    return (not rules or row["rule"] in rules) and (not accounts or row["account"] in accounts)
