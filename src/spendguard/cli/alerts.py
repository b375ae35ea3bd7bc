"""alerts: what fires, who was told, and who is to be left in peace."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from spendguard.cli.instants import rfc3339
from spendguard.cli.output import Column, emit, say, table
from spendguard.cli.parser import Options
from spendguard.cli.reading import (
    Source,
    StoredAlert,
    alerts,
    instant_text,
    lasting,
    open_alerts,
    source,
)
from spendguard.cli.status import print_alerts
from spendguard.core.errors import SpendguardError, UsageError
from spendguard.core.findings import decode_values
from spendguard.core.money import Money
from spendguard.store.history import to_column, to_instant

RECENT = 20
EVERY = 2**31 - 1


def listed(options: Options) -> int:
    """Print open alerts, those lately over, and the silences in force."""
    with source(options) as asked:
        shown = open_alerts(asked)
        if not options.open:
            most = EVERY if options.all else RECENT
            shown += alerts(asked, asked.history.ask("ended_alerts", most=most))
        silences = asked.history.ask("silences", now=to_column(asked.now))
        if options.json:
            emit(
                {
                    "alerts": [_json(alert) for alert in shown],
                    "silences": [_silence_json(one) for one in silences],
                }
            )
        else:
            _print(asked, shown, silences)
    return 0


def _json(alert: StoredAlert) -> dict[str, Any]:
    return {
        **alert.as_json(),
        "account": alert.row["account"],
        "silenced": alert.silenced,
        "ended_at": instant_text(alert.row["ended_at"]),
    }


def _silence_json(row: Any) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "rules": json.loads(row["rules"]),
        "accounts": json.loads(row["accounts"]),
        "created_at": instant_text(row["created_at"]),
        "ends_at": instant_text(row["ends_at"]),
    }


def _print(asked: Source, shown: Sequence[StoredAlert], silences: Sequence[Any]) -> None:
    if shown:
        print_alerts(asked, shown)
    else:
        say("no alerts")
    if silences:
        say()
        columns = (Column("silence", right=True), Column("until"), Column("what", folds=True))
        table(columns, [_silence_row(asked, row) for row in silences])


def _silence_row(asked: Source, row: Any) -> list[str]:
    matched = [*json.loads(row["rules"]), *json.loads(row["accounts"])]
    return [str(row["id"]), asked.local(to_instant(row["ends_at"])), ", ".join(matched)]


def show(options: Options) -> int:
    """Print one alert: what it says, its life, and who was told.

    Raises:
        SpendguardError: when there is no such alert.
    """
    with source(options) as asked:
        known = options.id.isascii() and options.id.isdecimal() and len(options.id) < 19
        rows = asked.history.ask("alert", id=int(options.id)) if known else []
        if not rows:
            raise SpendguardError(
                f"there is no alert '{options.id}'", "list them: `spendguard alerts --all`"
            )
        life = _read(asked, alerts(asked, rows)[0])
        if options.json:
            emit(_whole(life))
        else:
            _print_whole(asked, life)
    return 0


@dataclass(frozen=True, slots=True)
class _Life:
    """An alert with its transitions, its messages, and what became of each attempt to send one."""

    alert: StoredAlert
    events: Sequence[Any]
    messages: Sequence[Any]
    deliveries: Sequence[Any]

    def of(self, message: Any) -> list[Any]:
        """Return the attempts to send a message."""
        return [row for row in self.deliveries if row["outbox_id"] == message["id"]]


def _read(asked: Source, alert: StoredAlert) -> _Life:
    told = ("alert_events", "alert_messages", "alert_deliveries")
    return _Life(alert, *(asked.history.ask(name, id=alert.row["id"]) for name in told))


def _whole(life: _Life) -> dict[str, Any]:
    values = decode_values(json.loads(life.alert.row["details"]))
    return {
        "alert": {**_json(life.alert), "values": {key: _plain(one) for key, one in values.items()}},
        "events": [{**dict(row), "at": instant_text(row["at"])} for row in life.events],
        "messages": [
            {
                **_message_json(row, life.alert),
                "deliveries": [_delivery_json(one) for one in life.of(row)],
            }
            for row in life.messages
        ],
    }


def _plain(value: Any) -> Any:
    """Return a typed value as JSON has it: money and its currency, RFC 3339, seconds."""
    if isinstance(value, Money):
        return {"amount": value.exact(), "currency": value.currency}
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, timedelta):
        return {"seconds": int(value.total_seconds())}
    return list(value) if isinstance(value, tuple) else value


def _message_json(row: Any, alert: StoredAlert) -> dict[str, Any]:
    owed = row["state"] == "owed"
    return {
        "id": str(row["id"]),
        "channel": row["channel"],
        "reason": _reason(row, alert),
        "state": row["state"],
        "created_at": instant_text(row["created_at"]),
        "due_at": instant_text(row["due_at"]) if owed else None,
        "done_at": instant_text(row["done_at"]),
        "attempts": row["attempts"],
        "error": row["error"],
    }


def _reason(row: Any, alert: StoredAlert) -> str | None:
    """Return why a message speaks of the alert; None where it came to speak of something newer."""
    items = json.loads(row["items"])["items"]
    told = (one["reason"] for one in items if one["alert"] == str(alert.row["id"]))
    return next(told, None)


def _delivery_json(row: Any) -> dict[str, Any]:
    return {
        "at": instant_text(row["at"]),
        "state": row["state"],
        "http_status": row["status"],
        "wait_seconds": row["wait_seconds"],
        "why": row["why"] or None,
    }


def _print_whole(asked: Source, life: _Life) -> None:
    print_alerts(asked, [life.alert])
    values = _whole(life)["alert"]["values"]
    if values:
        say()
        table(
            (Column("value"), Column("", folds=True)), [_value_row(*one) for one in values.items()]
        )
    say()
    columns = (Column("when"), Column("what"), Column("severity"), Column("step"))
    table((*columns, Column("", folds=True)), [_event_row(asked, row) for row in life.events])
    say()
    if not life.messages:
        say("nobody was told")
        return
    told = (Column("message", right=True), Column("channel"), Column("about"), Column("state"))
    rows = [_message_row(asked, row, life.alert) for row in life.messages]
    table((*told, Column("", folds=True)), rows)
    if life.deliveries:
        say()
        sent = (Column("sent"), Column("message", right=True), Column("channel"), Column("became"))
        rows = [_delivery_row(asked, row) for row in life.deliveries]
        table((*sent, Column("answer", folds=True)), rows)


def _value_row(key: str, value: Any) -> list[str]:
    return [key.replace("_", " "), _shown(value)]


def _shown(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, dict):
        seconds = value.get("seconds")
        return " ".join(value.values()) if seconds is None else lasting(timedelta(seconds=seconds))
    return str(value)


def _event_row(asked: Source, row: Any) -> list[str]:
    at = asked.local(to_instant(row["at"]))
    return [at, row["what"], row["severity"], row["step"], row["summary"]]


def _delivery_row(asked: Source, row: Any) -> list[str]:
    heard = "accepted" if row["status"] is None else f"accepted (HTTP {row['status']})"
    answer = row["why"] or heard
    if row["wait_seconds"] is not None:
        answer += f", asks to wait {row['wait_seconds']} s"
    at = f"{to_instant(row['at']).astimezone(asked.zone):%Y-%m-%d %H:%M:%S}"
    return [at, str(row["outbox_id"]), row["channel"], row["state"].replace("_", " "), answer]


def _message_row(asked: Source, row: Any, alert: StoredAlert) -> list[str]:
    instant = row["due_at"] if row["state"] == "owed" else row["done_at"]
    told = "" if instant is None else asked.local(to_instant(instant))
    if row["state"] == "owed":
        told = f"due {told}, after {row['attempts']} attempts"
    return [
        str(row["id"]),
        row["channel"],
        _reason(row, alert) or "",
        row["state"].replace("_", " "),
        f"{told}: {row['error']}" if row["error"] else told,
    ]


def acknowledge(options: Options) -> int:
    """Note that a person has an alert."""
    from spendguard.cli.writing import program

    with program(options) as app:
        became = app.acknowledge(options.id)
        if options.json:
            emit({"id": options.id, "state": became})
        elif became == "closed":
            say(f"alert {options.id} is closed")
        else:
            say(f"alert {options.id} is acknowledged: it is not repeated until it rises or ends")
    return 0


def silence(options: Options) -> int:
    """Say nothing about what matches for a while; a rise is told all the same.

    Raises:
        UsageError: without a matcher, or for a rule that does not exist.
    """
    rules, accounts = frozenset(options.rule), frozenset(options.account)
    _check_matcher(rules, accounts)
    if not options.length:
        raise UsageError("--for is no time at all", "give a duration such as 4h")
    from spendguard.cli.writing import program

    with program(options) as app:
        ends_at = app.clock() + options.length
        made = app.silence(rules, accounts, ends_at)
        if options.json:
            told = {"rules": sorted(rules), "accounts": sorted(accounts)}
            emit({"id": made.id, **told, "ends_at": rfc3339(ends_at)})
        else:
            until = f"{ends_at.astimezone(app.configuration.zone):%Y-%m-%d %H:%M %Z}"
            matched = ", ".join(sorted(rules) + sorted(accounts))
            say(f"silence {made.id}: {matched} for {lasting(options.length)}, until {until}")
            say(f"end it earlier: spendguard alerts unsilence {made.id}", "dim")
    return 0


def _check_matcher(rules: frozenset[str], accounts: frozenset[str]) -> None:
    if not rules and not accounts:
        raise UsageError(
            "a silence needs --rule or --account", "see 'spendguard alerts silence --help'"
        )
    from difflib import get_close_matches

    from spendguard.rules import RULES

    for name in sorted(rules - RULES.keys()):
        close = get_close_matches(name, RULES, n=1)
        meant = f"did you mean '{close[0]}'? " if close else ""
        raise UsageError(f"unknown rule '{name}'", f"{meant}`spendguard rules` lists them")


def unsilence(options: Options) -> int:
    """End a silence now."""
    from spendguard.cli.writing import program

    with program(options) as app:
        app.unsilence(options.id)
        if options.json:
            emit({"id": options.id, "state": "ended"})
        else:
            say(f"silence {options.id} is over")
    return 0
