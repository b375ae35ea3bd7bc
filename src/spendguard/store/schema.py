"""The tables. Instants are UTC microseconds, money is nanos and a currency, enums are text."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from spendguard.store.types import Instant, Nanos, Packed

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _account(*, key: bool = False) -> sa.Column[int]:
    column: sa.Column[int] = sa.Column(
        "account_id", sa.ForeignKey("accounts.id"), primary_key=key, nullable=False
    )
    return column


accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("first_ok_at", Instant),
    sa.Column("last_ok_at", Instant),
    sa.Column("last_poll_at", Instant),
    sa.Column("next_poll_at", Instant, index=True),  # while claimed: when the lease runs out
    sa.Column("claim", sa.Text),  # the token of whoever reads it now
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("failing_since", Instant),
    sa.Column("error_kind", sa.Text),
    sa.Column("error_text", sa.Text),
    sa.Column("read_from", Instant),  # every UTC day from here on has been read completely
    sa.Column("deep_read_at", Instant),  # the last time 35 days were read again
    sa.Column("names_read_at", Instant),
    sa.Column("limits_known", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("alerts_known", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("own_key_known", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("own_key_expires_at", Instant),
    sa.Column("greeted_at", Instant),
    sa.Column("reminded_at", Instant),
    sa.Column("credit_accepted_at", Instant),  # unexplained credit up to here was acknowledged
    sa.Column("costs_moved_at", Instant),  # the last time the costs said anything new
    sa.Column("usage_known", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("usage_error", sa.Text),
    sa.Column("usage_read_at", Instant),  # the last time usage was read by the minute
    sa.Column("usage_wide_at", Instant),  # the last time the last days were read again by the hour
    sa.Column("usage_looked_at", Instant),  # the last time the series never used were looked at
    sa.Column("usage_from", Instant),  # every hour from here on has been read
    sa.Column("spike_accepted_at", Instant),  # a spike that began before was acknowledged
    sa.Column("spike_accepted_nanos", Nanos),  # at so much an hour
)

dimensions = sa.Table(
    "dimensions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _account(),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("api_key", sa.Text, nullable=False),
    sa.Column("line_item", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.UniqueConstraint("account_id", "project", "api_key", "line_item", "model"),
)

spend = sa.Table(
    "spend",
    metadata,
    _account(key=True),
    sa.Column("day", Instant, primary_key=True),
    sa.Column("dimension_id", sa.ForeignKey("dimensions.id"), primary_key=True),
    sa.Column("currency", sa.Text, primary_key=True),
    sa.Column("nanos", Nanos, nullable=False),
    sqlite_with_rowid=False,
)

spend_days = sa.Table(  # the rollup; a row exists for every day that was read, also for zero
    "spend_days",
    metadata,
    _account(key=True),
    sa.Column("day", Instant, primary_key=True),
    sa.Column("currency", sa.Text, primary_key=True),
    sa.Column("nanos", Nanos, nullable=False),
    sa.Column("first_read_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

usage_dimensions = sa.Table(  # what usage is told apart by; one row has one price
    "usage_dimensions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _account(),
    sa.Column("series", sa.Text, nullable=False),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("api_key", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("tier", sa.Text, nullable=False),
    sa.UniqueConstraint(
        "account_id",
        "series",
        "project",
        "api_key",
        "model",
        "tier",
        name="uq_usage_dimensions",  # the convention's would be too long for PostgreSQL
    ),
)


def _bucket(name: str, key: sa.Column[Any]) -> sa.Table:
    """Usage of one width: its estimate without what has no price, null where nothing has one."""
    return sa.Table(
        name,
        metadata,
        _account(key=True),
        key,
        sa.Column("dimension_id", sa.ForeignKey("usage_dimensions.id"), primary_key=True),
        sa.Column("nanos", Nanos),
        sa.Column("requests", sa.BigInteger, nullable=False),
        sa.Column("unpriced", sa.BigInteger, nullable=False),  # requests among them without a price
        sqlite_with_rowid=False,
    )


def _since_1970(unit: str) -> sa.Column[int]:
    column: sa.Column[int] = sa.Column(unit, sa.Integer, primary_key=True, autoincrement=False)
    return column


# Seconds since 1970 divided by 60, 900 and 3600. Minutes and quarters exist where usage was read by
# the minute, and not for ever; the day is the rollup of the hours.
usage_minutes = _bucket("usage_minutes", _since_1970("minute"))
usage_quarters = _bucket("usage_quarters", _since_1970("quarter"))
usage_hours = _bucket("usage_hours", _since_1970("hour"))
usage_days = _bucket("usage_days", sa.Column("day", Instant, primary_key=True))

usage_totals = sa.Table(  # each hour of an account, whoever used it
    "usage_totals",
    metadata,
    _account(key=True),
    _since_1970("hour"),
    sa.Column("nanos", Nanos, nullable=False),
    sa.Column("requests", sa.BigInteger, nullable=False),
    sa.Column("unpriced", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

unbooked = sa.Table(  # of UTC days that are not settled: what is estimated above what is booked
    "unbooked",
    metadata,
    _account(key=True),
    sa.Column("day", Instant, primary_key=True),
    sa.Column("dimension_id", sa.ForeignKey("dimensions.id"), primary_key=True),
    sa.Column("nanos", Nanos, nullable=False),
    sqlite_with_rowid=False,
)

settled_days = sa.Table(  # how the estimate and the bill of a settled UTC day compare
    "settled_days",
    metadata,
    _account(key=True),
    sa.Column("day", Instant, primary_key=True),
    sa.Column("estimated", Nanos, nullable=False),
    sa.Column("booked", Nanos, nullable=False),  # for the keys and models that have an estimate
    sqlite_with_rowid=False,
)

checkpoint_splits = sa.Table(  # w of a checkpoint inside a settled UTC day: after / day
    "checkpoint_splits",
    metadata,
    sa.Column("entry_id", sa.ForeignKey("entries.id"), primary_key=True, autoincrement=False),
    sa.Column("after_nanos", Nanos, nullable=False),
    sa.Column("day_nanos", Nanos, nullable=False),
)

spenders = sa.Table(  # api keys and models that were ever seen to spend
    "spenders",
    metadata,
    _account(key=True),
    sa.Column("kind", sa.Text, primary_key=True),  # api_key | model
    sa.Column("provider_id", sa.Text, primary_key=True),
    sa.Column("first_seen_at", Instant, nullable=False),
    sa.Column("accepted_at", Instant),  # known from the backfill, or acknowledged
    sqlite_with_rowid=False,
)

restatements = sa.Table(
    "restatements",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _account(),
    sa.Column("day", Instant, nullable=False),
    sa.Column("dimension_id", sa.ForeignKey("dimensions.id"), nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("old_nanos", Nanos, nullable=False),
    sa.Column("new_nanos", Nanos, nullable=False),
    sa.Column("observed_at", Instant, nullable=False),
    sa.Index(None, "account_id", "day"),
)

entries = sa.Table(
    "entries",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _account(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("nanos", Nanos),  # null: nobody knows how much, as of credit that was inferred
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("at_stated", sa.Boolean, nullable=False),
    sa.Column("expires_at", Instant),
    sa.Column("expires_stated", sa.Boolean, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False, server_default=""),  # which kind of receipt
    sa.Column("external_id", sa.Text),
    sa.Column("outcome", sa.Text),  # of a charge: succeeded | failed | unknown
    sa.Column("card", sa.Text, index=True),  # that a charge was tried on
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("recorded_at", Instant, nullable=False),
    sa.Column("voided_at", Instant),
    sa.Index(None, "account_id", "at"),
    sqlite_autoincrement=True,
)
sa.Index(
    "uq_entries_external_id",
    entries.c.account_id,
    entries.c.external_id,
    unique=True,
    # For PostgreSQL the migrations alone say so: said here, each start would load its dialect.
    sqlite_where=entries.c.voided_at.is_(None),
)

balances = sa.Table(  # what an API stated of the balance, each time it said something else
    "balances",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _account(),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("nanos", Nanos, nullable=False),
    sa.Column("credited_nanos", Nanos),  # all credit it ever gave; null: it does not tell
    sa.Column("currency", sa.Text, nullable=False),
    sa.Index(None, "account_id", "id"),
    sqlite_autoincrement=True,
)

card_statements = sa.Table(
    "card_statements",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("card", sa.Text, nullable=False, index=True),
    sa.Column("nanos", Nanos, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("recorded_at", Instant, nullable=False),
    sa.Column("voided_at", Instant),
    sqlite_autoincrement=True,
)

mailboxes = sa.Table(
    "mailboxes",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("uidvalidity", sa.BigInteger),
    sa.Column("last_uid", sa.BigInteger),
    sa.Column("last_ok_at", Instant),
    sa.Column("next_read_at", Instant),  # while claimed: when the lease runs out
    sa.Column("claim", sa.Text),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("failing_since", Instant),
    sa.Column("error_kind", sa.Text),
    sa.Column("error_text", sa.Text),
)

mails = sa.Table(  # mails that claim something and did not become an entry
    "mails",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("mailbox", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False, unique=True),
    sa.Column("account_id", sa.ForeignKey("accounts.id"), index=True),
    sa.Column("state", sa.Text, nullable=False),  # forged | unassigned | unclear | conflict
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("claim", sa.Text, nullable=False),
    sa.Column("nanos", Nanos),
    sa.Column("currency", sa.Text),
    sa.Column("at", Instant, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("recorded_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

names = sa.Table(
    "names",
    metadata,
    _account(key=True),
    sa.Column("kind", sa.Text, primary_key=True),  # project | api_key
    sa.Column("provider_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sqlite_with_rowid=False,
)

# Limits and spend alerts, as seen now and as accepted. A row without a provider's id is also the
# mark that its project, or the organization (''), was asked about.
provider_settings = sa.Table(
    "provider_settings",
    metadata,
    _account(key=True),
    sa.Column("kind", sa.Text, primary_key=True),  # limit | alert
    sa.Column("project", sa.Text, primary_key=True),  # '' is the organization
    sa.Column("provider_id", sa.Text, primary_key=True),
    sa.Column("nanos", Nanos),  # null: not set any more
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("enforcing", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("accepted_nanos", Nanos),  # what an acknowledgement, or the first sight, accepted
    sqlite_with_rowid=False,
)

raw_replies = sa.Table(
    "raw_replies",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _account(),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("body", Packed, nullable=False),
    sa.Index(None, "account_id", "path"),
)

scopes = sa.Table(  # locked in this order: guard, cards by name, accounts by name
    "scopes",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),  # guard | card:NAME | account:NAME
    sa.Column("evaluated_at", Instant),
    sa.Column("ledger_mark", sa.Text, nullable=False, server_default=""),
    sa.Column("evaluation", sa.Text, nullable=False, server_default="{}"),
)

forecasts = sa.Table(  # apart from the evaluations, which most commands read: it is long
    "forecasts",
    metadata,
    _account(key=True),
    sa.Column("made_at", Instant, nullable=False),
    sa.Column("forecast", sa.Text, nullable=False),
)


def _level(name: str) -> tuple[sa.Column[str], sa.Column[int]]:
    return sa.Column(f"{name}_severity", sa.Text), sa.Column(f"{name}_rank", sa.Integer)


alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("account", sa.Text),
    sa.Column("state", sa.Text, nullable=False),  # pending | firing | resolved
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Column("escalated_at", Instant, nullable=False),
    sa.Column("details", sa.Text, nullable=False),
    sa.Column("values_at", Instant),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("fired_at", Instant),
    *_level("said"),
    sa.Column("said_at", Instant),
    sa.Column("told", sa.Text),
    *_level("acknowledged"),
    *_level("muted"),
    *_level("inhibited"),
    sa.Column("quiet", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("ended_at", Instant),
    sa.Index(None, "scope", "ended_at"),
    sqlite_autoincrement=True,
)
sa.Index(
    "uq_alerts_open",
    alerts.c.rule,
    alerts.c.subject,
    unique=True,
    sqlite_where=alerts.c.ended_at.is_(None),  # see `uq_entries_external_id`
)

alert_events = sa.Table(  # the life of an alert, one row per transition
    "alert_events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("alert_id", sa.ForeignKey("alerts.id"), nullable=False, index=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # owed | delivered | given_up | folded
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("news_at", Instant),  # the newest message folded into it; null: none
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("claim", sa.Text),  # the lease's token while somebody sends it
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("done_at", Instant),
    sa.Column("error", sa.Text),
    sa.Column("items", sa.Text, nullable=False),
    sa.Index(None, "state", "due_at"),
    sqlite_autoincrement=True,
)

outbox_alerts = sa.Table(
    "outbox_alerts",
    metadata,
    sa.Column("outbox_id", sa.ForeignKey("outbox.id"), primary_key=True),
    sa.Column("alert_id", sa.ForeignKey("alerts.id"), primary_key=True, index=True),
    sqlite_with_rowid=False,
)

deliveries = sa.Table(  # what became of each attempt to send a message
    "deliveries",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("outbox_id", sa.ForeignKey("outbox.id"), nullable=False, index=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # delivered | retrying | given_up
    sa.Column("status", sa.Integer),  # of HTTP, where it was heard
    sa.Column("wait_seconds", sa.Integer),  # how long the far end asked to be left alone
    sa.Column("why", sa.Text, nullable=False, server_default=""),  # our words, never the far end's
)

channels = sa.Table(
    "channels",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("delivered_at", Instant),
    sa.Column("refused_at", Instant),
    sa.Column("lost_at", Instant),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
)

silences = sa.Table(
    "silences",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("rules", sa.Text, nullable=False),
    sa.Column("accounts", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("ends_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

configuration = sa.Table(  # the effective configuration without secrets; one row
    "configuration",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("loaded_at", Instant, nullable=False),
    sa.Column("effective", sa.Text, nullable=False),
)

jobs = sa.Table(  # when the daemon last finished a kind of work; `doctor --alive` looks at it
    "jobs",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("finished_at", Instant, nullable=False),
    sa.Column("every_seconds", sa.Integer, nullable=False),
)
