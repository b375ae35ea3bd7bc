"""forecast: what will be spent, charged and used up, as it was last foreseen."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from spendguard.cli.fan import chart
from spendguard.cli.instants import rfc3339, rfc3339_text
from spendguard.cli.output import Cell, Column, emit, on_terminal, say, table
from spendguard.cli.parser import Options
from spendguard.cli.reading import Source, known_account, source, stored_money
from spendguard.core.forecasts import HOURS, Forecast, History
from spendguard.core.money import Money
from spendguard.core.windows import DAY, HOUR

TOLD = (10, 50, 90)
DAYS = (1, 3, 7, 14)
SILENT = {
    "no-history": "nothing was read of it yet",
    "too-short": "less than a day by the hour, or than two whole days, is known of its spend",
    "idle": "it spent nothing in the last weeks",
}


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What is stored of an account: its forecast, and what follows from it."""

    name: str
    currency: str
    forecast: Forecast | None
    evaluation: Mapping[str, Any]

    @property
    def told(self) -> Mapping[str, Any]:
        """What follows for the balance and the budgets."""
        found: Mapping[str, Any] = self.evaluation.get("foresight", {})
        return found

    @property
    def silent(self) -> str | None:
        """Why nothing is foreseen, None where something is."""
        return "no-history" if self.forecast is None else self.forecast.silent or None

    def money(self, exact: str | None) -> Money | None:
        """Return an amount that was stored of it."""
        return stored_money(exact, self.currency)


def run(options: Options) -> int:
    """Print what is foreseen of every account."""
    with source(options) as asked:
        wanted = known_account(options.account, asked.account_names())
        found = [one for one in _foreseen(asked) if wanted in (None, one.name)]
        if options.json:
            emit({"as_of": _as_of(found), "accounts": [_json(one) for one in found]})
        elif not found:
            say("no account is configured: `spendguard init` writes a configuration")
        else:
            _print(asked, found)
    return 0


def _foreseen(asked: Source) -> Iterator[Foreseen]:
    evaluations = asked.evaluations()
    stored = {row["name"]: json.loads(row["forecast"]) for row in asked.history.ask("forecasts")}
    for account in asked.configuration().get("accounts", []):
        name = account["name"]
        told = stored.get(name)
        yield Foreseen(
            name,
            account["currency"],
            None if told is None else Forecast.restored(told),
            evaluations.get(f"account:{name}", {}),
        )


def _as_of(found: list[Foreseen]) -> str | None:
    judged = [one.evaluation["evaluated_at"] for one in found if one.evaluation]
    return rfc3339(max(judged)) if judged else None


def _json(one: Foreseen) -> dict[str, Any]:
    told, forecast = one.told, one.forecast
    return {
        "name": one.name,
        "currency": one.currency,
        "made_at": None if forecast is None else rfc3339(forecast.made_at),
        "silent": one.silent,
        "history": None
        if forecast is None or forecast.history is None
        else _history(forecast.history),
        "fan": [] if forecast is None else list(_fan(forecast)),
        "trigger": told.get("trigger"),
        "trigger_at": _instants(told.get("trigger_at")),
        "empty_at": _instants(told.get("empty_at")),
        "fails_at": _instants(told.get("fails_at")),
        "charges": _each(told.get("charges")),
        "charges_until": rfc3339_text(told.get("until")),
        "lapses": _each(told.get("lapses")) or [],
        "budgets": _each(told.get("budgets")) or [],
    }


def _history(known: History) -> dict[str, Any]:
    return {
        "start": rfc3339(known.window.start),
        "end": rfc3339(known.window.end),
        "hours": known.hours,
        "days": known.days,
        "kind": known.kind,
    }


def _fan(forecast: Forecast) -> Iterator[dict[str, str]]:
    """Yield the cumulative spend by the hour: what it stays under one, five and nine times in ten."""
    lines = [(f"p{percent}", forecast.fan.get(percent, ())) for percent in TOLD]
    for hour in range(HOURS if forecast.fan else 0):
        amounts = {name: Money(line[hour], forecast.currency).exact() for name, line in lines}
        yield {"at": rfc3339(forecast.start + HOUR * (hour + 1)), **amounts}


def _each(stored: list[Mapping[str, Any]] | None) -> list[dict[str, Any] | None] | None:
    return None if stored is None else [_instants(one) for one in stored]


INSTANTS = ("p10", "p50", "p90", "expected_at", "earliest", "latest", "at", "end", "over_at")


def _instants(stored: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what was stored, its instants as JSON has them."""
    if stored is None:
        return None
    return {key: rfc3339_text(value) if key in INSTANTS else value for key, value in stored.items()}


def _print(asked: Source, found: list[Foreseen]) -> None:
    for place, one in enumerate(found):
        if place:
            say()
        if one.silent is None and one.forecast is not None:
            _print_fan(asked, one, one.forecast)
        else:
            why = SILENT.get(one.silent or "", one.silent)
            say(f"{one.name}: nothing can be foreseen yet, {why}")
        rows = sorted(_events(one), key=lambda event: event.order)
        if rows:
            say()
            columns = (
                Column("what comes", folds=True),
                Column("earliest"),
                Column("expected"),
                Column("latest"),
            )
            table(columns, [[event.what, *_cells(asked, event)] for event in rows])


def _print_fan(asked: Source, one: Foreseen, forecast: Forecast) -> None:
    known = forecast.history
    told = "" if known is None else f", by {_length(known)} of {known.kind} spend"
    say(f"{one.name}: from {asked.local(forecast.start)} on{told}")
    columns = (
        Column("spent within"),
        *(Column(title, right=True) for title in ("at least", "expected", "at most")),
    )
    rows = []
    for days in DAYS:
        amounts = (
            Money(forecast.fan[percent][days * (DAY // HOUR) - 1], one.currency).ceiled()
            for percent in TOLD
        )
        rows.append([f"{days} d", *map(str, amounts)])
    table(columns, rows)
    if on_terminal():
        balance = one.evaluation.get("balance")
        say()
        for line in chart(forecast, one.money(balance["floor"]) if balance else None):
            say(line)


def _length(known: History) -> str:
    days = -(-known.window.length // DAY)
    return f"{known.hours} hours" if days < 2 else f"{days} days"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that is foreseen, and when: None is later than can be told."""

    what: str | Cell
    earliest: str | None
    expected: str | None
    latest: str | None

    @property
    def order(self) -> str:
        """By when it may come first; what is not foreseen comes last."""
        return self.expected or self.earliest or "9999"


def _cells(asked: Source, event: Event) -> list[str]:
    instants = (event.earliest, event.expected, event.latest)
    return ["later" if at is None else asked.local(datetime.fromisoformat(at)) for at in instants]


def _events(one: Foreseen) -> Iterator[Event]:
    told = one.told
    if told.get("trigger_at"):
        yield _passed(f"balance under {one.money(told['trigger'])}", told["trigger_at"])
    if told.get("empty_at"):
        yield _passed("balance used up, if nothing is added", told["empty_at"])
    failing = told.get("fails_at")
    for charge in told.get("charges") or ():
        if charge == failing:
            continue
        yield _charged(f"{one.money(charge['amount'])} charged", charge)
    if failing:
        what = f"{one.money(failing['amount'])} charged, which the card cannot pay"
        yield _charged(Cell(what, "bold red"), failing)
    for lapse in told.get("lapses", ()):
        what = f"{one.money(lapse['amount'])} of credit expires unused"
        yield Event(what, lapse["at"], lapse["at"], lapse["at"])
    for budget in told.get("budgets", ()):
        if budget["over_at"] is not None:
            at = budget["over_at"]
            yield Event(f"budget {budget['name']} used up", at, at, at)


def _passed(what: str, stored: Mapping[str, Any]) -> Event:
    return Event(what, stored["p10"], stored["p50"], stored["p90"])


def _charged(what: str | Cell, stored: Mapping[str, Any]) -> Event:
    return Event(what, stored["earliest"], stored["expected_at"], stored["latest"])
