"""Alerts in the database: one row per episode, one row per transition."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from spendguard.core.alerts import Alert, Level
from spendguard.core.findings import Severity, decode_values, encode_values
from spendguard.store.schema import alert_events, alerts
from spendguard.store.types import row_id

_HELD = ("said", "acknowledged", "muted", "inhibited")


@dataclass(frozen=True, slots=True)
class Stored:
    """An open alert and where it is kept."""

    id: int
    scope: str
    account: str | None
    alert: Alert
    summary: str


def open_in(tx: sa.Connection, scope: str) -> dict[tuple[str, str], Stored]:
    """Return the open alerts of a scope by rule and subject."""
    table = alerts.c
    rows = tx.execute(sa.select(alerts).where(table.scope == scope, table.ended_at.is_(None)))
    return {(row.rule, row.subject): _stored(row) for row in rows}


def adopt(tx: sa.Connection, scope: str, account: str, subjects: Collection[str]) -> None:
    """Take over what is open for these subjects: a budget may have changed its account."""
    table = alerts.c
    if subjects:
        tx.execute(
            sa.update(alerts)
            .where(table.ended_at.is_(None), table.scope != scope, table.subject.in_(subjects))
            .values(scope=scope, account=account)
        )


def every_open(tx: sa.Connection) -> list[Stored]:
    """Return every open alert."""
    rows = tx.execute(sa.select(alerts).where(alerts.c.ended_at.is_(None)).order_by(alerts.c.id))
    return [_stored(row) for row in rows]


def last_said(tx: sa.Connection, account: str, rules: Collection[str]) -> datetime | None:
    """Return when one of these rules last spoke of an account."""
    table = alerts.c
    found: datetime | None = tx.execute(
        sa.select(table.said_at)
        .where(table.account == account, table.rule.in_(rules), table.said_at.is_not(None))
        .order_by(table.said_at.desc())
        .limit(1)
    ).scalar_one_or_none()
    return found


def find(tx: sa.Connection, alert_id: str) -> Stored | None:
    """Return an open alert by its id."""
    row = tx.execute(
        sa.select(alerts).where(alerts.c.id == row_id(alert_id), alerts.c.ended_at.is_(None))
    ).one_or_none()
    return None if row is None else _stored(row)


def _stored(row: sa.Row[Any]) -> Stored:
    return Stored(row.id, row.scope, row.account, _alert(row), row.summary)


def _alert(row: sa.Row[Any]) -> Alert:
    columns = row._mapping  # noqa: SLF001  the documented way to read columns by name
    held: dict[str, Any] = {name: _level(columns, name) for name in _HELD}
    return Alert(
        rule=row.rule,
        subject=row.subject,
        level=Level(Severity.of(row.severity), row.rank),
        step=row.step,
        since=row.since,
        escalated_at=row.escalated_at,
        values=decode_values(json.loads(row.details)),
        values_at=row.values_at,
        fired_at=row.fired_at,
        said_at=row.said_at,
        told=None if row.told is None else Severity.of(row.told),
        quiet=row.quiet,
        **held,
    )


def _level(columns: Any, name: str) -> Level | None:
    severity = columns[f"{name}_severity"]
    return None if severity is None else Level(Severity.of(severity), columns[f"{name}_rank"])


def _columns(alert: Alert, summary: str) -> dict[str, object]:
    held: dict[str, object] = {}
    for name in _HELD:
        level: Level | None = getattr(alert, name)
        held[f"{name}_severity"] = None if level is None else level.severity.label
        held[f"{name}_rank"] = None if level is None else level.rank
    return {
        "state": "pending" if alert.pending else "firing",
        "severity": alert.severity.label,
        "rank": alert.level.rank,
        "step": alert.step,
        "since": alert.since,
        "escalated_at": alert.escalated_at,
        "details": json.dumps(encode_values(alert.values)),
        "values_at": alert.values_at,
        "summary": summary,
        "fired_at": alert.fired_at,
        "said_at": alert.said_at,
        "told": None if alert.told is None else alert.told.label,
        "quiet": alert.quiet,
        **held,
    }


def insert(
    tx: sa.Connection, scope: str, account: str | None, alert: Alert, summary: str
) -> Stored:
    """Write a new episode."""
    key = tx.execute(
        sa.insert(alerts).values(
            rule=alert.rule,
            subject=alert.subject,
            scope=scope,
            account=account,
            **_columns(alert, summary),
        )
    ).inserted_primary_key
    assert key is not None  # noqa: S101  an insert of one row always has one
    return Stored(key[0], scope, account, alert, summary)


def save(tx: sa.Connection, before: Stored, alert: Alert, summary: str) -> Stored:
    """Write what became of an episode; nothing is written when nothing changed."""
    if (alert, summary) != (before.alert, before.summary):
        tx.execute(
            sa.update(alerts).where(alerts.c.id == before.id).values(**_columns(alert, summary))
        )
    return Stored(before.id, before.scope, before.account, alert, summary)


def end(tx: sa.Connection, stored: Stored, summary: str, now: datetime) -> None:
    """Close an episode."""
    tx.execute(
        sa.update(alerts)
        .where(alerts.c.id == stored.id)
        .values(state="resolved", ended_at=now, summary=summary)
    )


def log(tx: sa.Connection, stored: Stored, what: str, summary: str, now: datetime) -> None:
    """Add a line to the life of an alert."""
    tx.execute(
        sa.insert(alert_events).values(
            alert_id=stored.id,
            at=now,
            what=what,
            severity=stored.alert.severity.label,
            step=stored.alert.step,
            summary=summary,
        )
    )


def newest_event(tx: sa.Connection) -> int:
    """Return the id of the newest line in the life of any alert."""
    return tx.execute(sa.select(sa.func.max(alert_events.c.id))).scalar_one() or 0


def events_after(tx: sa.Connection, event_id: int) -> list[sa.Row[Any]]:
    """Return the lines that came after one, with the rule and subject of their alerts."""
    table = alert_events.c
    return list(
        tx.execute(
            sa.select(
                table.id,
                table.alert_id,
                table.what,
                table.severity,
                table.step,
                table.summary,
                alerts.c.rule,
                alerts.c.subject,
            )
            .join(alerts, alerts.c.id == table.alert_id)
            .where(table.id > event_id)
            .order_by(table.id)
        )
    )


def mute(tx: sa.Connection, stored: Stored) -> Stored:
    """Hold an alert back at its present level; only a rise above it is told."""
    held = replace(stored.alert, muted=stored.alert.muted or stored.alert.level)
    return save(tx, stored, held, stored.summary)
