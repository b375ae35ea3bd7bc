"""The daemon's jobs and claims, usage by the minute, and forecasts."""

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _daemon()
    _deliveries()
    _usage()


def _daemon() -> None:
    """Claims on what is due, and the jobs of the daemon."""


def _deliveries() -> None:
    """What the far end answered to each attempt."""


def _usage() -> None:
    """Usage in buckets, its prices and their dimensions."""
