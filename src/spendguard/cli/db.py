"""db: create, upgrade, look over, back up and prune the database."""

from __future__ import annotations

import sys
from pathlib import Path

from spendguard.cli.output import Column, complain, emit, say, table
from spendguard.cli.parser import Options
from spendguard.cli.reading import source
from spendguard.core.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from spendguard.store.backup import Progress


def upgrade(options: Options) -> int:
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


def _up_to_date(options: Options) -> Path | None:
    """Return the database if it has the schema of this program; None where more must be done."""
    try:
        with source(options) as asked:
            return Path(asked.history.path)
    except StoreError:
        return None


def check(options: Options) -> int:
    """Look whether the database is whole, and says what this program can have written."""
    from spendguard.store.soundness import problems

    with source(options) as asked:
        path, damage = asked.history.path, problems(asked.history)
    if options.json:
        emit({"path": str(path), "whole": not damage, "damage": damage})
    elif not damage:
        say(f"{path}: the database is whole")
    for one in damage:
        complain(f"the database '{path}' is damaged: {one}", "restore the last backup")
    return 1 if damage else 0


def backup(options: Options) -> int:
    """Copy the database to a file, whole and verified, whatever goes on meanwhile."""
    from spendguard.store.backup import back_up

    target = Path(options.file).absolute()
    with source(options) as asked:
        done = back_up(asked.history, target, force=options.force, told=_progress())
    if options.json:
        emit({"path": str(done.path), "bytes": done.size, "rows": done.rows})
    else:
        say(f"{done.path}: {sum(done.rows.values())} rows in {done.size} bytes, verified")
    return 0


def _progress() -> Progress:
    """Return what shows the progress on a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        return lambda _copied, _all: None

    def show(copied: int, whole: int) -> None:
        done = copied == whole
        sys.stderr.write("\r\x1b[K" if done else f"\rcopying: {100 * copied // whole} %")
        sys.stderr.flush()

    return show


def prune(options: Options) -> int:
    """Drop what has served its time, or count it.

    Raises:
        StoreError: when it is only to be counted, and the database is older than this program.
    """
    from dataclasses import asdict

    from spendguard.cli.writing import program
    from spendguard.store import migrate

    with program(options, prepared=not options.dry_run) as app:
        if options.dry_run and not migrate.at_head(app.store):
            raise StoreError(
                "the database is older than this program, or not there yet",
                "upgrade it: `spendguard db upgrade`",
            )
        dropped = asdict(app.retain(dry_run=options.dry_run))
    if options.json:
        emit({"dry_run": options.dry_run, "dropped": dropped})
        return 0
    heading = "would be dropped" if options.dry_run else "dropped"
    rows = [[name.replace("_", " "), str(count)] for name, count in dropped.items()]
    table((Column("rows"), Column(heading, right=True)), rows)
    return 0
