"""status: balances and open alerts, as they were last evaluated."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from spendguard.cli.instants import rfc3339
from spendguard.cli.output import Cell, Column, emit, say, severity_cell, table
from spendguard.cli.reading import Source, StoredAlert, lasting, open_alerts, source, stored_money
from spendguard.store.history import maybe_instant


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """What is stored about one account: its last poll and its last evaluation."""

    name: str
    provider: str
    currency: str
    evaluation: Mapping[str, Any]
    read_at: datetime | None
    failures: int
    error: str | None

    def as_json(self, now: datetime, alerts: Sequence[StoredAlert]) -> dict[str, Any]:
        """Return what `status --json` says of an account."""
        return {
            "name": self.name,
            "provider": self.provider,
            "currency": self.currency,
            "balance": balance_json(self.evaluation),
            "burn_per_day": self.evaluation.get("burn_per_day"),
            "runway_hours": self.evaluation.get("runway_hours"),
            "next_recharge": None,
            "strikes": None,
            "data_age_seconds": None
            if self.read_at is None
            else max(int((now - self.read_at).total_seconds()), 0),
            "alerts": [
                str(alert.row["id"]) for alert in alerts if alert.row["account"] == self.name
            ],
        }


def run(options: Namespace) -> int:
    """Print the status of every account."""
    with source(options) as asked:
        accounts, alerts = statuses(asked), open_alerts(asked)
        if options.json:
            emit(_whole(asked, accounts, alerts))
        else:
            _print(asked, accounts, alerts)
    return _code(accounts, alerts) if options.exit_code else 0


def statuses(asked: Source) -> list[AccountStatus]:
    """Return the configured accounts in their order, whether or not they were ever read."""
    rows = {row["name"]: row for row in asked.history.ask("accounts")}
    evaluations = {
        row["name"]: json.loads(row["evaluation"]) for row in asked.history.ask("evaluations")
    }
    configured = asked.configuration().get("accounts", [])
    return [_status(account, rows.get(account["name"]), evaluations) for account in configured]


def _status(account: Mapping[str, Any], row: Any, evaluations: Mapping[str, Any]) -> AccountStatus:
    name = account["name"]
    return AccountStatus(
        name=name,
        provider=account["provider"],
        currency=account["currency"],
        evaluation=evaluations.get(f"account:{name}", {}),
        read_at=None if row is None else maybe_instant(row["last_ok_at"]),
        failures=0 if row is None else row["failures"],
        error=None if row is None else row["error_kind"],
    )


def balance_json(evaluation: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the balance of an evaluation as JSON has it."""
    balance = evaluation.get("balance")
    if balance is None:
        return None
    return {
        "floor": balance["floor"],
        "billed": balance["billed"],
        "as_of": rfc3339(datetime.fromisoformat(balance["as_of"])),
        "source": balance["source"],
    }


def evaluated_at(asked: Source) -> datetime | None:
    """Return the instant of the last stored evaluation."""
    rows = asked.history.ask("evaluations")
    return maybe_instant(max((row["evaluated_at"] for row in rows), default=None))


def _whole(
    asked: Source, accounts: Sequence[AccountStatus], alerts: Sequence[StoredAlert]
) -> dict[str, Any]:
    as_of = evaluated_at(asked)
    return {
        "as_of": None if as_of is None else rfc3339(as_of),
        "accounts": [account.as_json(asked.now, alerts) for account in accounts],
        "cards": [_card(card) for card in asked.configuration().get("cards", [])],
        "alerts": [alert.as_json() for alert in alerts],
    }


def _card(card: Mapping[str, Any]) -> dict[str, Any]:
    unknown = dict.fromkeys(("balance", "as_of", "needed", "short_by", "strikes"))
    return {"name": card["name"], **unknown}


def _code(accounts: Sequence[AccountStatus], alerts: Sequence[StoredAlert]) -> int:
    if any(alert.firing for alert in alerts):
        return 2
    return 69 if any(account.failures for account in accounts) else 0


def _print(asked: Source, accounts: Sequence[AccountStatus], alerts: Sequence[StoredAlert]) -> None:
    columns = (
        Column("account"),
        Column("balance", right=True),
        Column("burn/day", right=True),
        Column("lasts", right=True),
        Column("read", folds=True),
    )
    table(columns, [_row(asked, account) for account in accounts])
    if alerts:
        say()
        print_alerts(asked, alerts)
    missing = [account.name for account in accounts if account.evaluation.get("balance") is None]
    if missing:
        say()
    for name in missing:
        say(
            f"the balance of {name} is not known: "
            f"spendguard balance set {name} <figure on the billing page>",
            "dim",
        )


def _row(asked: Source, account: AccountStatus) -> list[str | Cell]:
    balance = account.evaluation.get("balance") or {}
    floor = stored_money(balance.get("floor"), account.currency)
    burn = stored_money(account.evaluation.get("burn_per_day"), account.currency)
    hours = account.evaluation.get("runway_hours")
    return [
        account.name,
        "unknown" if floor is None else str(floor.floored()),
        "unknown" if burn is None else str(burn.ceiled()),
        "" if hours is None else lasting(timedelta(hours=hours)),
        _read(asked, account),
    ]


def _read(asked: Source, account: AccountStatus) -> Cell:
    seen = "never" if account.read_at is None else asked.ago(account.read_at)
    if not account.failures:
        return Cell(seen)
    polls = "the last poll" if account.failures == 1 else f"the last {account.failures} polls"
    return Cell(f"{seen}; {polls} failed: {account.error}", "yellow")


def print_alerts(asked: Source, alerts: Sequence[StoredAlert]) -> None:
    """Print alerts, a line each."""
    columns = (
        Column("alert"),
        Column("id", right=True),
        Column("rule"),
        Column("subject"),
        Column("since"),
        Column("what", folds=True),
    )
    table(columns, [_alert_row(asked, alert) for alert in alerts])


def _alert_row(asked: Source, alert: StoredAlert) -> list[str | Cell]:
    row = alert.row
    since = maybe_instant(row["since"])
    marks = [
        word
        for word, holds in (
            (row["state"], row["state"] != "firing"),
            ("acknowledged", row["acknowledged_severity"] is not None and row["ended_at"] is None),
            ("silenced", alert.silenced),
        )
        if holds
    ]
    return [
        severity_cell(row["severity"]),
        str(row["id"]),
        row["rule"],
        row["subject"],
        "" if since is None else asked.local(since),
        f"({', '.join(marks)}) {row['summary']}" if marks else row["summary"],
    ]
