"""The tables. Instants are UTC microseconds, money is nanos and a currency, enums are text."""

from __future__ import annotations

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
    sqlite_where=entries.c.voided_at.is_(None),
    postgresql_where=entries.c.voided_at.is_(None),
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
    sqlite_where=alerts.c.ended_at.is_(None),
    postgresql_where=alerts.c.ended_at.is_(None),
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
