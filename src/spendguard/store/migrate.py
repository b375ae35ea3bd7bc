"""Migrations: bring a database to the schema of this program, forward only."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import sqlalchemy as sa

from spendguard.core.errors import StoreError
from spendguard.store.connect import Store

HEAD = "0003"


def scripts() -> Path:
    """Return the directory of the migrations: in the wheel, else in the source tree."""
    shipped = Path(str(files("spendguard"))) / "_migrations"
    return shipped if shipped.is_dir() else Path(__file__).parents[3] / "migrations"


def revision(store: Store) -> str | None:
    """Return the revision the database is at, None when it has no tables."""
    with store.begin() as tx:
        if not sa.inspect(tx).has_table("alembic_version"):
            return None
        found: str | None = tx.execute(
            sa.text("SELECT version_num FROM alembic_version")
        ).scalar_one_or_none()
        return found


def at_head(store: Store) -> bool:
    """Tell whether the database has the schema of this program.

    Raises:
        StoreError: when it is newer than this program.
    """
    found = revision(store)
    if found is not None and found > HEAD:
        raise StoreError(
            f"the database has schema {found}, newer than this program's {HEAD}",
            "install the newer spendguard-daemon again, or restore a backup made before it",
        )
    return found == HEAD


def upgrade(store: Store) -> bool:
    """Create the database or bring it to the newest schema; tell whether anything was done.

    Raises:
        StoreError: when it is newer than this program, or cannot be written.
    """
    if at_head(store):
        return False
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    with store.begin() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, "head")
    return True
