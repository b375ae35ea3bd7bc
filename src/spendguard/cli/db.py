"""db: create, upgrade and look over the database."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from spendguard.cli.output import emit, say
from spendguard.cli.reading import source
from spendguard.core.errors import StoreError


def upgrade(options: Namespace) -> int:
    """Create the database, or bring it to this version's schema.

    A service asks before each start. What has the schema already is left alone, without loading
    what writes, so that a guard that was killed is back soon.
    """
    from spendguard.store.history import SCHEMA

    path = _up_to_date(options)
    changed = False
    if path is None:
        from spendguard.cli.writing import program

        with program(options, prepared=False) as app:
            changed = app.prepare()
            path = app.store.path
    if options.json:
        emit({"path": str(path), "schema": SCHEMA, "changed": changed})
    else:
        say(f"{path}: {'now' if changed else 'already'} at schema {SCHEMA}")
    return 0


def _up_to_date(options: Namespace) -> Path | None:
    """Return the database if it has the schema of this program; None where more must be done."""
    try:
        with source(options) as asked:
            return asked.history.path
    except StoreError:
        return None


def check(options: Namespace) -> int:
    """Look whether the database is whole, its sums included.

    Raises:
        StoreError: when it is damaged.
    """
    with source(options) as asked:
        path, damage = asked.history.path, asked.history.damage()
        if not damage and asked.history.ask("days_unlike_their_sum"):
            damage = ["days whose total is not the sum of their parts"]
    if options.json:
        emit({"path": str(path), "whole": not damage, "damage": damage})
    if damage:
        raise StoreError(f"the database '{path}' is damaged: {damage[0]}", "restore a backup")
    if not options.json:
        say(f"{path}: the database is whole")
    return 0
