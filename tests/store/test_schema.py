"""The schema as the program loads it."""

from __future__ import annotations

import subprocess
import sys


def test_it_loads_the_dialect_of_sqlite_alone() -> None:
    told = "import spendguard.store.schema, sys; print(*sys.modules)"
    done = subprocess.run(  # noqa: S603  our own module
        [sys.executable, "-c", told], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "sqlalchemy.dialects.sqlite" in loaded
    assert "sqlalchemy.dialects.postgresql" not in loaded
