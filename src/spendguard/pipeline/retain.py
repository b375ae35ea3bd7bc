"""Retain: drop what has done its duty, by tier.

Booked spend, the ledger and the alerts are kept for ever: they are small and they are the history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from spendguard.store import retention, usage
from spendguard.store.connect import Store
from spendguard.store.cutting import EACH_BALANCE

RAW_REPLIES = timedelta(days=7)
RESTATEMENTS = timedelta(days=400)
MESSAGES = timedelta(days=400)
MINUTES = timedelta(days=4)  # until no checkpoint needs to be split any more
QUARTERS = timedelta(days=62)


@dataclass(frozen=True, slots=True)
class RetainOutcome:
    """How many rows were dropped, or would be."""

    raw_replies: int
    restatements: int
    messages: int
    events: int
    balances: int
    usage: int = 0


def retain(store: Store, now: datetime, *, dry_run: bool = False) -> RetainOutcome:
    """Drop what has served its time: raw replies after a week, messages after 400 days.

    Usage is kept by the hour; minutes and quarter-hours of it go. Of what an API stated of the
    balance, the last of each day stays. With `dry_run` nothing is dropped, but counted.
    """
    return RetainOutcome(
        raw_replies=retention.drop_replies(store, now - RAW_REPLIES, dry_run=dry_run),
        restatements=retention.drop_restatements(store, now - RESTATEMENTS, dry_run=dry_run),
        messages=retention.drop_messages(store, now - MESSAGES, dry_run=dry_run),
        events=retention.drop_events(store, now - MESSAGES, dry_run=dry_run),
        balances=retention.thin_balances(store, now - EACH_BALANCE, dry_run=dry_run),
        usage=usage.drop_fine(store, now - MINUTES, now - QUARTERS, dry_run=dry_run),
    )
