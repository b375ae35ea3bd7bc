"""The daemon's jobs and claims, usage by the minute, and forecasts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _daemon()
    _deliveries()
    _usage()
    _balances()


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
