"""Jobs in the database: when the daemon last finished each kind of work."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from spendguard.store.schema import jobs


def note(tx: sa.Connection, name: str, finished_at: datetime, every: timedelta) -> None:
    """Note that a kind of work was finished, and how often that is to be expected."""
    values = {"finished_at": finished_at, "every_seconds": int(every.total_seconds())}
    done = tx.execute(sa.update(jobs).where(jobs.c.name == name).values(values))
    if not done.rowcount:
        tx.execute(sa.insert(jobs).values(name=name, **values))


def finished(tx: sa.Connection) -> Mapping[str, datetime]:
    """Return when each kind of work was last finished."""
    return {row.name: row.finished_at for row in tx.execute(sa.select(jobs))}


def forget(tx: sa.Connection, *names: str) -> None:
    """Expect these kinds of work no more."""
    tx.execute(sa.delete(jobs).where(jobs.c.name.in_(names)))
