"""The output of replay: one story in the order of time, and what the warnings were worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median_low
from typing import Any
from zoneinfo import ZoneInfo

from spendguard.cli.instants import rfc3339
from spendguard.cli.output import Cell, Column, emit, say, severity_cell, table
from spendguard.cli.parser import Options
from spendguard.cli.reading import lasting
from spendguard.cli.replay_rounds import Round
from spendguard.core.durations import format_duration
from spendguard.core.world_run import Happening, Kind
from spendguard.pipeline.replay import Foreseen, Outcome, Outcomes, Told

HOUR = timedelta(hours=1)
WORDS = {
    Kind.RECHARGED: "recharged",
    Kind.CHARGE_FAILED: "charge failed",
    Kind.EXHAUSTED: "credit ended",
    Kind.BANNED: "account and card banned",
}
MODES = {
    "recorded": "its charges are those that were recorded",
    "played": "its charges are those that the provider would have tried",
}
STYLES = {Kind.CHARGE_FAILED: "bold red", Kind.EXHAUSTED: "bold red", Kind.BANNED: "bold red"}


@dataclass(frozen=True, slots=True)
class Account:
    """An account that was played, its card, and whether its charges are `recorded` or `played`."""

    name: str
    card: str | None
    charges: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was played and what came of it, the present configuration first."""

    accounts: tuple[Account, ...]
    zone: ZoneInfo
    since: datetime
    until: datetime
    every: timedelta
    lag: timedelta
    candidates: tuple[Round, ...]

    @property
    def present(self) -> Round:
        """What the present configuration made of it."""
        return self.candidates[0]

    def local(self, at: datetime) -> str:
        """Return an instant as tables show it."""
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M}"


def show(options: Options, replayed: Replayed) -> None:
    """Print what was played."""
    if options.json:
        emit(_json(replayed))
    else:
        _print(replayed)


def _json(replayed: Replayed) -> dict[str, Any]:
    present = replayed.present
    return {
        "accounts": [
            {"name": one.name, "card": one.card, "charges": one.charges}
            for one in replayed.accounts
        ],
        "since": rfc3339(replayed.since),
        "until": rfc3339(replayed.until),
        "every": format_duration(replayed.every),
        "lag": format_duration(replayed.lag),
        "alerts": [_alert(one) for one in present.played.alerts],
        "events": [_event(one) for one in present.played.events],
        "forecasts": [_forecast(one) for one in present.played.forecasts],
        "outcomes": _outcomes(present.outcomes),
        "candidates": [
            {
                "set": one.name,
                "alerts": [_alert(told) for told in one.played.alerts],
                "outcomes": _outcomes(one.outcomes),
            }
            for one in replayed.candidates[1:]
        ],
    }


def _alert(told: Told) -> dict[str, Any]:
    return {
        "at": rfc3339(told.at),
        "rule": told.rule,
        "subject": told.subject,
        "severity": told.severity.label,
        "step": told.step,
        "reason": told.reason.value,
        "summary": told.summary,
        "since": rfc3339(told.since),
        "channels": list(told.channels),
    }


def _event(one: Happening) -> dict[str, Any]:
    return {
        "at": rfc3339(one.at),
        "account": one.account,
        "kind": one.kind.value,
        "amount": None if one.amount is None else one.amount.exact(),
        "balance": None if one.balance is None else one.balance.exact(),
    }


def _forecast(one: Foreseen) -> dict[str, Any]:
    passage = one.trigger_at
    lines = {"p10": passage.p10, "p50": passage.p50, "p90": passage.p90}
    told = {name: None if at is None else rfc3339(at) for name, at in lines.items()}
    return {
        "made_at": rfc3339(one.made_at),
        "account": one.account,
        "floor": None if one.floor is None else one.floor.exact(),
        "trigger_at": told if any(told.values()) else None,
    }


def _outcomes(found: Outcomes) -> dict[str, Any]:
    return {
        "events": [
            {
                "at": rfc3339(one.event.at),
                "account": one.event.account,
                "kind": one.event.kind.value,
                "warned_at": None if one.told is None else rfc3339(one.told.at),
                "rule": None if one.told is None else one.told.rule,
                "lead_hours": None if one.lead is None else round(one.lead / HOUR, 1),
            }
            for one in found.each
        ],
        "false_alarms": [rfc3339(one.at) for one in found.false],
        "false_alarms_per_month": round(found.false_per_month, 2),
    }


def _print(replayed: Replayed) -> None:
    rows = [*_story(replayed)]
    if rows:
        table((Column("at"), Column("what"), Column(""), Column("", folds=True)), rows)
    else:
        say("nothing happened, and nothing would have been said")
    say()
    for one in replayed.present.outcomes.each:
        say(_verdict(replayed, one))
    say(_false(replayed.present.outcomes))
    if len(replayed.candidates) > 1:
        say()
        _compare(replayed.candidates)
    say()
    _print_terms(replayed)


def _print_terms(replayed: Replayed) -> None:
    names = ", ".join(one.name for one in replayed.accounts)
    since, until = replayed.local(replayed.since), replayed.local(replayed.until)
    say(
        f"{names} from {since} to {until} ({replayed.zone.key}); "
        f"looked every {format_duration(replayed.every)}, "
        f"costs seen {format_duration(replayed.lag)} late",
        "dim",
    )
    for mode, told in MODES.items():
        named = [one.name for one in replayed.accounts if one.charges == mode]
        if named:
            say(f"{', '.join(named)}: {told}", "dim")


def _story(replayed: Replayed) -> Iterator[list[str | Cell]]:
    """Yield what happened and what would have been said, in the order of time."""
    played = replayed.present.played
    lines: list[tuple[datetime, int, list[str | Cell]]] = [
        (one.at, 0, [Cell(WORDS[one.kind], STYLES.get(one.kind, "")), "", _told(one)])
        for one in played.events
    ]
    lines += [
        (
            told.at,
            1,
            [
                f"{told.rule} {told.subject}",
                severity_cell(told.severity.label),
                f"{told.reason.value}: {told.summary}",
            ],
        )
        for told in played.alerts
    ]
    for at, _, cells in sorted(lines, key=lambda line: line[:2]):
        yield [replayed.local(at), *cells]


def _told(one: Happening) -> str:
    told = [] if one.amount is None else [f"{one.amount.exact()} {one.amount.currency}"]
    if one.balance is not None:
        told.append(f"{one.balance.floored().exact()} {one.balance.currency} left")
    return "; ".join(told)


def _verdict(replayed: Replayed, one: Outcome) -> str:
    what = f"{WORDS[one.event.kind]} on {replayed.local(one.event.at)}"
    if one.told is None or one.lead is None:
        return f"{what}: not warned of"
    return f"{what}: warned {lasting(one.lead)} before, by {one.told.rule}"


def _false(found: Outcomes) -> str:
    count = len(found.false)
    alarms = "1 false alarm" if count == 1 else f"{count} false alarms"
    return f"{alarms} of card-short, {found.false_per_month:.1f} a month"


def _compare(candidates: Sequence[Round]) -> None:
    columns = (
        Column("with", folds=True),
        Column("messages", right=True),
        Column("warned of", right=True),
        Column("shortest lead", right=True),
        Column("median lead", right=True),
        Column("false a month", right=True),
    )
    table(columns, [_line(one) for one in candidates])


def _line(candidate: Round) -> list[str]:
    found = candidate.outcomes
    leads = [one.lead for one in found.each if one.lead is not None]
    return [
        candidate.name or "the present rules",
        str(len(candidate.played.alerts)),
        f"{len(leads)} of {len(found.each)}",
        lasting(min(leads)) if leads else "",
        lasting(median_low(leads)) if leads else "",
        f"{found.false_per_month:.1f}",
    ]
