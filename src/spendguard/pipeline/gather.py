"""Gather: what the database knows, as the facts that rules look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from spendguard.core.accounts import Account, Budget
from spendguard.core.burn import burn
from spendguard.core.facts import (
    AccountFacts,
    BudgetUse,
    ChannelUse,
    GuardFacts,
    LimitUse,
    SettingChange,
    Standing,
)
from spendguard.core.ledger import DaySpend, Entry, Position, derive, latest_checkpoint
from spendguard.core.money import Money
from spendguard.core.windows import DAY, Unit, Window, calendar_window, share, utc_day
from spendguard.store import due, ledger, outbox, readings, scopes
from spendguard.store.alerts import Stored
from spendguard.store.connect import Tx
from spendguard.store.readings import Part

SETTLES = timedelta(hours=48)
UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Plan:
    """What the configuration says of an account, as far as facts depend on it."""

    account: Account
    budgets: tuple[Budget, ...]
    zone: ZoneInfo
    states_balance: bool = False


def account_facts(
    tx: Tx,
    plan: Plan,
    standing: Mapping[tuple[str, str], Stored],
    now: datetime,
    ledger_mark: str | None,
) -> AccountFacts:
    """Return everything that is known of an account, read inside the caller's transaction."""
    account = plan.account
    row = due.load(tx, account.name)
    entries = ledger.live(tx, row.id)
    recent, _ = readings.day_spend(tx, row.id, account.currency, now - DAY * 9)
    position = position_at(tx, row, entries, now)
    stated = latest_checkpoint(entries)
    return AccountFacts(
        now=now,
        account=account.name,
        currency=account.currency,
        polls=due.polls(row),
        states_balance=plan.states_balance,
        recharge=account.recharge,
        position=position,
        costs_read=stated is not None and _costs_read(row, stated.at),
        burn=burn([day for day in recent if _complete(row, day) or now in day.day], now),
        budgets=tuple(use for budget in plan.budgets for use in _uses(tx, row, budget, plan, now)),
        limits=_limits(tx, row, now) if row.limits_known else None,
        changes=_changes(tx, row),
        own_key_known=row.own_key_known,
        own_key_expires_at=row.own_key_expires_at,
        standing={key: _standing(stored) for key, stored in standing.items()},
        ledger_changed=ledger_mark is not None and ledger_mark != ledger.mark(tx, row.id),
    )


def position_at(
    tx: Tx, row: Any, entries: Sequence[Entry], now: datetime, at: datetime | None = None
) -> Position | None:
    """Return the derived balance, None without a checkpoint or where currencies would mix."""
    stated = latest_checkpoint(entry for entry in entries if at is None or entry.at <= at)
    if stated is None:
        return None
    since = min(entry.at for entry in entries)
    days, _ = readings.day_spend(tx, row.id, row.currency, since)
    _, foreign = readings.day_spend(tx, row.id, row.currency, stated.at)
    if foreign or any(entry.amount.currency != row.currency for entry in entries):
        return None
    late = readings.late_spend(tx, row.id, row.currency, stated.at)
    as_of = max(stated.at, row.last_ok_at) if row.last_ok_at else stated.at
    return derive(entries, days, now, as_of=min(as_of, now), late=late, at=at)


def _costs_read(row: Any, stated_at: datetime) -> bool:
    read_from, last_ok_at = row.read_from, row.last_ok_at
    return (
        last_ok_at is not None
        and last_ok_at >= stated_at
        and read_from is not None
        and read_from <= utc_day(stated_at).start
    )


def _complete(row: Any, day: DaySpend) -> bool:
    return row.last_ok_at is not None and bool(day.day.end <= row.last_ok_at)


def _standing(stored: Stored) -> Standing:
    alert = stored.alert
    return Standing(alert.severity, alert.step, alert.level.rank, alert.since)


def _uses(tx: Tx, row: Any, budget: Budget, plan: Plan, now: datetime) -> list[BudgetUse]:
    """Return the budget's present window, and the last one until its days are settled.

    A window that had ended before the account was first read is history: it never alerts.
    """
    current = calendar_window(now, budget.window, plan.zone)
    last = calendar_window(current.start - timedelta(microseconds=1), budget.window, plan.zone)
    settled_at = utc_day(last.end - timedelta(microseconds=1)).end + SETTLES
    watched = row.first_ok_at is not None and row.first_ok_at < last.end
    windows = [last, current] if watched and now < settled_at else [current]
    return [BudgetUse(budget, window, _spent(tx, row, budget, window, now)) for window in windows]


def _spent(tx: Tx, row: Any, budget: Budget, window: Window, now: datetime) -> Money:
    part = Part(
        projects=_meant(tx, row, "project", budget.project),
        api_keys=_meant(tx, row, "api_key", budget.api_key),
        model=budget.model,
    )
    currency = budget.amount.currency
    days = readings.part_spend(tx, row.id, currency, window, part)
    return Money(sum(_share(day, window, now) for day in days), currency)


def _meant(tx: Tx, row: Any, kind: str, wanted: str | None) -> frozenset[str] | None:
    return None if wanted is None else readings.ids_of(tx, row.id, kind, wanted)


def _share(spend: DaySpend, window: Window, now: datetime) -> int:
    """Return what of a UTC day falls into the window; a day not over yet ends now."""
    end = min(spend.day.end, max(now, spend.day.start + timedelta(microseconds=1)))
    return share(spend.amount.nanos, Window(spend.day.start, end), window)


def _limits(tx: Tx, row: Any, now: datetime) -> tuple[LimitUse, ...]:
    month = calendar_window(now, Unit.MONTH, UTC_ZONE)
    uses = []
    called = readings.project_names(tx, row.id)
    for setting in readings.settings(tx, row.id):
        if setting.kind != "limit" or setting.nanos is None:
            continue
        part = Part(projects=frozenset({setting.project}) if setting.project else None)
        days = readings.part_spend(tx, row.id, setting.currency, month, part)
        used = Money(sum(day.amount.nanos for day in days), setting.currency)
        threshold = Money(setting.nanos, setting.currency)
        scope = called.get(setting.project) or setting.project or "organization"
        uses.append(LimitUse(scope, threshold, used, setting.enforcing))
    return tuple(uses)


def _changes(tx: Tx, row: Any) -> tuple[SettingChange, ...] | None:
    """Return what differs from what was accepted; None while that cannot be told."""
    known = {"limit": row.limits_known, "alert": row.alerts_known}
    changes = tuple(
        SettingChange(
            _setting_name(setting),
            _shown(setting.accepted_nanos, setting.currency),
            _shown(setting.nanos, setting.currency),
        )
        for setting in readings.settings(tx, row.id)
        if known[setting.kind] and setting.nanos != setting.accepted_nanos
    )
    return changes if changes or all(known.values()) else None


def _setting_name(setting: Any) -> str:
    whose = f"project {setting.project}" if setting.project else "organization"
    kind = "spend limit" if setting.kind == "limit" else f"spend alert {setting.provider_id}"
    return f"{kind} of {whose}"


def _shown(nanos: int | None, currency: str) -> str | None:
    return None if nanos is None else str(Money(nanos, currency))


def guard_facts(
    tx: Tx,
    channel_errors: Mapping[str, str],
    standing: Mapping[tuple[str, str], Stored],
    now: datetime,
    disk_free: int | None,
) -> GuardFacts:
    """Return what the guard knows of itself; `channel_errors` says which channels are unusable."""
    rows, owed = outbox.channel_rows(tx), outbox.owed_since(tx)
    return GuardFacts(
        now=now,
        channels=tuple(
            _channel(name, error, rows.get(name), owed.get(name))
            for name, error in channel_errors.items()
        ),
        latest_seen_at=scopes.latest(tx),
        disk_free=disk_free,
        standing={key: _standing(stored) for key, stored in standing.items()},
    )


def _channel(name: str, error: str, row: Any, owed: datetime | None) -> ChannelUse:
    return ChannelUse(
        name=name,
        usable=not error,
        owed_since=owed,
        refused=row is not None and row.refused_at is not None,
        lost_at=None if row is None else row.lost_at,
        error=error or ("" if row is None else row.error),
    )
