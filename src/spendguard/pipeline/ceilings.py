"""Ceilings: what budgets and the provider's own limits have used, and which settings changed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from spendguard.core.accounts import Budget
from spendguard.core.facts import BudgetUse, LimitUse, SettingChange
from spendguard.core.ledger import DaySpend
from spendguard.core.money import Money
from spendguard.core.spread import SETTLES, falls_on
from spendguard.core.windows import Window, calendar_window, utc_day, utc_month
from spendguard.pipeline.estimated import with_usage
from spendguard.store import readings
from spendguard.store.connect import Tx
from spendguard.store.cutting import Cuts
from spendguard.store.parts import cut_share
from spendguard.store.readings import Part


def budget_uses(tx: Tx, row: Any, budget: Budget, zone: ZoneInfo, now: datetime) -> list[BudgetUse]:
    """Return what the budget's windows used; see `budget_windows`."""
    windows = budget_windows(budget, zone, row.first_ok_at, now)
    return [BudgetUse(budget, window, _spent(tx, row, budget, window, now)) for window in windows]


def budget_windows(
    budget: Budget, zone: ZoneInfo, first_ok_at: datetime | None, now: datetime
) -> list[Window]:
    """Return the budget's present window, and the last one until its days are settled.

    A window that had ended before the account was first read is history: it never alerts.
    """
    current = calendar_window(now, budget.window, zone)
    last = calendar_window(current.start - timedelta(microseconds=1), budget.window, zone)
    settled_at = utc_day(last.end - timedelta(microseconds=1)).end + SETTLES
    watched = first_ok_at is not None and first_ok_at < last.end
    return [last, current] if watched and now < settled_at else [current]


def _spent(tx: Tx, row: Any, budget: Budget, window: Window, now: datetime) -> Money:
    """Return what a window used; a day that it cuts is divided as `spend` divides it."""
    cuts, currency = Cuts([window], now), budget.amount.currency
    whole = sum(
        day.known.nanos
        for day in budget_days(tx, row, budget, window)
        if day.day.start not in cuts.days and cuts.place(day.day.start) is not None
    )
    part = _part(tx, row, budget)
    cut = sum(cut_share(tx, row.name, currency, utc_day(day), cuts, part) for day in cuts.days)
    return Money(whole + cut, currency)


def _part(tx: Tx, row: Any, budget: Budget) -> Part:
    return Part(
        projects=_meant(tx, row, "project", budget.project),
        api_keys=_meant(tx, row, "api_key", budget.api_key),
        model=budget.model,
    )


def budget_days(tx: Tx, row: Any, budget: Budget, window: Window) -> list[DaySpend]:
    """Return the UTC days that touch a window, of what a budget is about."""
    part, currency = _part(tx, row, budget), budget.amount.currency
    days = readings.part_spend(tx, row.id, currency, window, part)
    return with_usage(tx, row, days, _cut(window), part) if currency == row.currency else days


def _meant(tx: Tx, row: Any, kind: str, wanted: str | None) -> frozenset[str] | None:
    return None if wanted is None else readings.ids_of(tx, row.id, kind, wanted)


def _cut(window: Window) -> list[datetime]:
    """Return the UTC days that an end of the window cuts in two."""
    edges = [(edge, utc_day(edge).start) for edge in (window.start, window.end)]
    return [start for edge, start in edges if edge != start]


def day_share(spend: DaySpend, window: Window, now: datetime) -> int:
    """Return what of a UTC day falls into the window; a day not over yet ends now."""
    end = min(spend.day.end, max(now, spend.day.start + timedelta(microseconds=1)))
    return falls_on(window, Window(spend.day.start, end), spend.known.nanos, spend.hours)


def limit_uses(tx: Tx, row: Any, now: datetime) -> tuple[LimitUse, ...]:
    """Return the limits that the provider enforces, and what this UTC month used of each."""
    month = utc_month(now)
    uses = []
    called = readings.project_names(tx, row.id)
    for setting in readings.settings(tx, row.id):
        if setting.kind != "limit" or setting.nanos is None:
            continue
        part = Part(projects=frozenset({setting.project}) if setting.project else None)
        days = readings.part_spend(tx, row.id, setting.currency, month, part)
        if setting.currency == row.currency:
            days = [day for day in with_usage(tx, row, days, (), part) if day.day.start in month]
        used = Money(sum(day.known.nanos for day in days), setting.currency)
        threshold = Money(setting.nanos, setting.currency)
        scope = called.get(setting.project) or setting.project or "organization"
        uses.append(LimitUse(scope, threshold, used, setting.enforcing))
    return tuple(uses)


def setting_changes(tx: Tx, row: Any) -> tuple[SettingChange, ...] | None:
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
