"""What the daemon does not load before it is ready."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("alembic", "apprise", "click", "genai_prices", "matplotlib", "numpy", "requests", "rich")


def test_the_daemon_loads_what_is_heavy_only_once_it_is_used() -> None:
    code = f"import sys, spendguard.daemon.run; print(*sys.modules.keys() & {set(HEAVY)!r})"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)  # noqa: S603

    assert loaded.stdout.split() == []


def test_whoever_reads_a_provider_can_still_load_the_command_line_of_httpx() -> None:
    code = "import spendguard.providers, httpx, httpx._main; httpx.Client().close()"

    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603
