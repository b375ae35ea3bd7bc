"""status: balances and open alerts, as they were last evaluated."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from spendguard.cli.instants import rfc3339, rfc3339_text
from spendguard.cli.output import Cell, Column, emit, say, severity_cell, table
from spendguard.cli.parser import Options
from spendguard.cli.reading import Source, StoredAlert, lasting, open_alerts, source, stored_money
from spendguard.store.history import maybe_instant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class AccountStatus:
    """What is stored about one account: its last poll and its last evaluation."""

    __slots__ = ("currency", "error", "evaluation", "failures", "name", "provider", "read_at")

    def __init__(
        self,
        name: str,
        provider: str,
        currency: str,
        evaluation: Mapping[str, Any],
        read_at: datetime | None,
        failures: int,
        error: str | None,
    ) -> None:
        self.name = name
        self.provider = provider
        self.currency = currency
        self.evaluation = evaluation
        self.read_at = read_at
        self.failures = failures
        self.error = error

    def as_json(self, now: datetime, alerts: Sequence[StoredAlert]) -> dict[str, Any]:
        """Return what `status --json` says of an account."""
        return {
            "name": self.name,
            "provider": self.provider,
            "currency": self.currency,
            "balance": balance_json(self.evaluation),
            "burn_per_day": self.evaluation.get("burn_per_day"),
            "runway_hours": self.evaluation.get("runway_hours"),
            "next_recharge": _next_json(self.evaluation.get("next_recharge")),
            "strikes": self.evaluation.get("strikes"),
            "usage": _usage_json(self.evaluation.get("usage")),
            "data_age_seconds": None
            if self.read_at is None
            else max(int((now - self.read_at).total_seconds()), 0),
            "alerts": [
                str(alert.row["id"]) for alert in alerts if alert.row["account"] == self.name
            ],
        }


def run(options: Options) -> int:
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
        "cards": [card_json(card) for card in cards(asked)],
        "alerts": [alert.as_json() for alert in alerts],
    }


def _next_json(coming: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the next automatic charge as JSON has it."""
    if coming is None:
        return None
    instants = ("expected_at", "earliest", "latest")
    return {**coming, **{key: rfc3339_text(coming[key]) for key in instants}}


def _usage_json(usage: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return how usage is read, and how its estimates do, as JSON has it; null is not known."""
    if usage is None:
        return None
    return {
        "as_of": rfc3339(datetime.fromisoformat(usage["read_at"])),
        "estimated_percent": usage["percent"],
        "settled": [{**one, "day": rfc3339_text(one["day"])} for one in usage.get("days", [])],
        "unpriced_requests": usage["unpriced"],
    }


def estimates_told(account: str, evaluation: Mapping[str, Any]) -> str | None:
    """Return how the estimates of the last settled days compare with what was booked."""
    usage = evaluation.get("usage") or {}
    part = usage.get("percent")
    if part is None:
        return None
    told = f"estimates of {account} were {part} % of what was booked in the last 7 settled days"
    days = sorted(one["percent"] for one in usage.get("days", []) if one["percent"] is not None)
    apart = bool(days) and days[0] != days[-1]
    return f"{told}, day by day {days[0]} to {days[-1]} %" if apart else told


def estimates_drift(evaluation: Mapping[str, Any]) -> bool:
    """Tell whether estimates are so far off that prices must be wrong."""
    from spendguard.core.estimates import drifts

    return drifts((evaluation.get("usage") or {}).get("percent"))


CARD = ("balance", "as_of", "needed", "short_by", "strikes")


def cards(asked: Source) -> list[dict[str, Any]]:
    """Return the configured cards with what was last evaluated of each; null is not known."""
    evaluations = {
        row["name"]: json.loads(row["evaluation"]) for row in asked.history.ask("evaluations")
    }
    unknown: dict[str, Any] = {
        **dict.fromkeys(CARD),
        "unusable": False,
        "complete": False,
        "coming": [],
    }
    return [
        {**card, **unknown, **evaluations.get(f"card:{card['name']}", {})}
        for card in asked.configuration().get("cards", [])
    ]


def card_json(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `status --json` says of a card."""
    needed, as_of = card["needed"], card["as_of"]
    return {
        "name": card["name"],
        "balance": card["balance"],
        "as_of": None if as_of is None else rfc3339(datetime.fromisoformat(as_of)),
        "needed": None
        if needed is None
        else {**needed, "until": rfc3339(datetime.fromisoformat(needed["until"]))},
        "short_by": card["short_by"],
        "strikes": card["strikes"],
    }


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
        Column("next charge", folds=True),
        Column("read", folds=True),
    )
    table(columns, [_row(asked, account) for account in accounts])
    held = cards(asked)
    if held:
        say()
        print_cards(asked, held)
    _print_estimates(accounts)
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


def _print_estimates(accounts: Sequence[AccountStatus]) -> None:
    told = {one.name: estimates_told(one.name, one.evaluation) for one in accounts}
    if any(told.values()):
        say()
    for account in accounts:
        line = told[account.name]
        if line is not None and estimates_drift(account.evaluation):
            say(f"{line}: state what you pay under [[prices]]", "yellow")
        elif line is not None:
            say(line, "dim")


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
        _next(asked, account),
        _read(asked, account),
    ]


def _next(asked: Source, account: AccountStatus) -> str | Cell:
    """Return the next automatic charge, or the failed ones that stand."""
    strikes = account.evaluation.get("strikes")
    if account.evaluation.get("unusable"):
        return Cell(f"{strikes} failed: the card counts as banned", "bold red")
    coming = account.evaluation.get("next_recharge")
    amount = None if coming is None else stored_money(coming["amount"], account.currency)
    at = "" if coming is None else asked.local(datetime.fromisoformat(coming["expected_at"]))
    told = "" if amount is None else f"{amount} {at}"
    if not strikes:
        return told
    return Cell(f"{strikes} failed; {told}" if told else f"{strikes} failed", "yellow")


def _read(asked: Source, account: AccountStatus) -> Cell:
    seen = "never" if account.read_at is None else asked.ago(account.read_at)
    if not account.failures:
        return Cell(seen)
    polls = "the last poll" if account.failures == 1 else f"the last {account.failures} polls"
    return Cell(f"{seen}; {polls} failed: {account.error}", "yellow")


def print_cards(asked: Source, held: Sequence[Mapping[str, Any]]) -> None:
    """Print cards, a line each."""
    columns = (
        Column("card"),
        Column("holds", right=True),
        Column("needs", right=True),
        Column("until"),
        Column("short by", right=True),
        Column("failed", folds=True),
    )
    table(columns, [_card_row(asked, one) for one in held])


def _card_row(asked: Source, card: Mapping[str, Any]) -> list[str | Cell]:
    needed, short = card["needed"], stored_money(card["short_by"], card["currency"])
    balance = stored_money(card["balance"], card["currency"])
    wanted = None if needed is None else stored_money(needed["amount"], card["currency"])
    lacks = Cell(str(short.ceiled()), "bold red") if short else ""
    return [
        card["name"],
        "unknown" if balance is None else str(balance.floored()),
        "unknown" if wanted is None else str(wanted.ceiled()),
        "" if needed is None else asked.local(datetime.fromisoformat(needed["until"])),
        "unknown" if short is None else lacks,
        strikes_cell(card["strikes"], unusable=card["unusable"]),
    ]


def strikes_cell(strikes: int | None, *, unusable: bool) -> Cell:
    """Return failed charges in a row for a table; nothing where there is none."""
    if unusable:
        return Cell(f"{strikes} in a row: counts as banned", "bold red")
    return Cell(f"{strikes} in a row" if strikes else "", "yellow")


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
