"""The daemon's jobs and claims, usage by the minute, and forecasts."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _daemon()
    _deliveries()
    _usage()
    _balances()
    _forecasts()


def _daemon() -> None:
    """Claims on what is due, and the jobs of the daemon."""
    for table in ("accounts", "mailboxes"):
        op.add_column(table, sa.Column("claim", sa.Text(), nullable=True))
    op.create_index(op.f("ix_accounts_next_poll_at"), "accounts", ["next_poll_at"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=False),
        sa.Column("every_seconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_jobs")),
    )


def _deliveries() -> None:
    """What the far end answered to each attempt."""
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("outbox_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("wait_seconds", sa.Integer()),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_deliveries_outbox_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_outbox_id", "deliveries", ["outbox_id"])


def _usage() -> None:
    """Usage in buckets, its prices and their dimensions."""
    instants = ("costs_moved_at", "usage_read_at", "usage_wide_at", "usage_looked_at")
    for name in (*instants, "usage_from", "spike_accepted_at", "spike_accepted_nanos"):
        op.add_column("accounts", sa.Column(name, sa.BigInteger(), nullable=True))
    op.add_column("accounts", sa.Column("usage_error", sa.Text(), nullable=True))
    op.add_column(
        "accounts",
        sa.Column("usage_known", sa.Boolean(), server_default=sa.text("0"), nullable=False),
    )
    op.create_table(
        "usage_dimensions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("api_key", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_usage_dimensions_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_dimensions")),
        sa.UniqueConstraint(
            "account_id",
            "series",
            "project",
            "api_key",
            "model",
            "tier",
            name=op.f("uq_usage_dimensions"),
        ),
    )
    for unit in ("minute", "quarter", "hour"):
        _buckets(f"usage_{unit}s", sa.Column(unit, sa.Integer(), nullable=False))
    _buckets("usage_days", sa.Column("day", sa.BigInteger(), nullable=False))
    op.create_table(
        "usage_totals",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("hour", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("nanos", sa.BigInteger(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("unpriced", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_usage_totals_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "hour", name=op.f("pk_usage_totals")),
        sqlite_with_rowid=False,
    )
    _estimates()
    _spenders()


def _buckets(name: str, key: sa.Column[Any]) -> None:
    op.create_table(
        name,
        sa.Column("account_id", sa.Integer(), nullable=False),
        key,
        sa.Column("dimension_id", sa.Integer(), nullable=False),
        sa.Column("nanos", sa.BigInteger(), nullable=True),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("unpriced", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f(f"fk_{name}_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["dimension_id"], ["usage_dimensions.id"], name=op.f(f"fk_{name}_dimension_id")
        ),
        sa.PrimaryKeyConstraint("account_id", key.name, "dimension_id", name=op.f(f"pk_{name}")),
        sqlite_with_rowid=False,
    )


def _estimates() -> None:
    """What is estimated and not booked yet, and how well estimates did."""
    op.create_table(
        "unbooked",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("dimension_id", sa.Integer(), nullable=False),
        sa.Column("nanos", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_unbooked_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["dimension_id"], ["dimensions.id"], name=op.f("fk_unbooked_dimension_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "day", "dimension_id", name=op.f("pk_unbooked")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "settled_days",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("estimated", sa.BigInteger(), nullable=False),
        sa.Column("booked", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_settled_days_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "day", name=op.f("pk_settled_days")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "checkpoint_splits",
        sa.Column("entry_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("after_nanos", sa.BigInteger(), nullable=False),
        sa.Column("day_nanos", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entries.id"], name=op.f("fk_checkpoint_splits_entry_id")
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_checkpoint_splits")),
    )


def _spenders() -> None:
    """Which api keys and models are known: all that have spent before this version looked."""
    op.create_table(
        "spenders",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_spenders_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "kind", "provider_id", name=op.f("pk_spenders")),
        sqlite_with_rowid=False,
    )
    for kind in ("api_key", "model"):
        op.execute(
            "INSERT INTO spenders (account_id, kind, provider_id, first_seen_at, accepted_at) "  # noqa: S608
            f"SELECT DISTINCT dimensions.account_id, '{kind}', dimensions.{kind}, "
            "accounts.first_ok_at, accounts.first_ok_at FROM dimensions "
            "JOIN accounts ON accounts.id = dimensions.account_id "
            f"WHERE dimensions.{kind} <> '' AND accounts.first_ok_at IS NOT NULL"
        )


def _balances() -> None:
    """What APIs that state a balance said of it."""
    op.create_table(
        "balances",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("nanos", sa.BigInteger(), nullable=False),
        sa.Column("credited_nanos", sa.BigInteger()),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_balances_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_balances"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_balances_at", "balances", ["at"])
    op.create_index("ix_balances_account_id_id", "balances", ["account_id", "id"])


def _forecasts() -> None:
    """How the spend of each account is expected to go on."""
    op.create_table(
        "forecasts",
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("forecast", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_forecasts"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_forecasts_account_id_accounts"
        ),
    )
