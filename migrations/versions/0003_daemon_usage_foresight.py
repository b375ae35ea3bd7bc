"""The daemon's jobs and claims, usage by the minute, and forecasts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _daemon()
    _deliveries()
    _usage()
    _forecasts()


def _daemon() -> None:
    """Claims on what is due, and the jobs of the daemon."""


def _deliveries() -> None:
    """What the far end answered to each attempt."""


def _usage() -> None:
    """Usage in buckets, its prices and their dimensions."""


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
