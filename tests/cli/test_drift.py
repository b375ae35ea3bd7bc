"""How estimates of usage were to the bill, day by day: shown, and said where prices must be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from spendguard.simulator.meter import Count
from spendguard.simulator.sheet import Metered
from tests.cli.conftest import Run
from tests.cli.guarded import Guarded, guarded
from tests.cli.seeding import DAY, HOUR, NOW, Seed


@pytest.fixture
def both(seed: Seed, tmp_path: Path) -> Iterator[Guarded]:
    """An account of ten days at the listed price."""
    with guarded(seed, tmp_path / "key") as ends:
        yield ends


def bill(ends: Guarded, back: int, difference: str) -> None:
    """Let the bill of a day differ from the list price."""
    item, day = "gpt-6-astra, input_tokens", NOW - DAY * back
    ends.simulator.world.restate(
        day, day, difference, project="proj_a", api_key="key_a", line_item=item
    )


def told(run: Run, command: str, at: datetime) -> list[str]:
    """Return what a command says of estimates."""
    return [line for line in run(command, at=at).out.splitlines() if "estimates of" in line]


def test_what_was_settled_is_shown_day_by_day(run: Run, both: Guarded) -> None:
    bill(both, 3, "0.50")
    bill(both, 2, "-0.20")
    for at in (NOW, NOW + DAY):
        run("check", at=at)

    [account] = run("status", "--json", at=NOW + DAY).json["accounts"]

    days = [
        {"day": "2026-11-20T00:00:00Z", "estimated": "2.00", "booked": "2.50", "percent": 80},
        {"day": "2026-11-21T00:00:00Z", "estimated": "2.00", "booked": "1.80", "percent": 111},
    ]
    assert (account["usage"]["settled"], account["usage"]["estimated_percent"]) == (days, 93)
    [line] = told(run, "status", NOW + DAY)
    assert line.endswith(
        "estimates of main were 93 % of what was booked in the last 7 settled days, day by day 80 to 111 %"
    )
    [line] = told(run, "doctor", NOW + DAY)
    assert line.startswith("ok ")


def test_a_drift_is_said_by_status_doctor_and_what_rests_on_it(run: Run, both: Guarded) -> None:
    bill(both, 3, "1.00")
    run("check")
    read = Metered("completions", "input_tokens", "gpt-6-astra")
    both.simulator.world.count(Count(NOW - timedelta(seconds=30), read, 150_000, "proj_a", "key_a"))

    run("balance", "set", "main", "5.00", "--at", "2026-11-23T11:59:00Z")
    run("check", at=NOW + HOUR)

    [line] = told(run, "status", NOW + HOUR)
    assert line.endswith(
        "66 % of what was booked in the last 7 settled days: state what you pay under [[prices]]"
    )
    [line] = told(run, "doctor", NOW + HOUR)
    assert line.startswith("warn ")
    [said] = [one["message"] for one in both.webhook.messages if "balance-low" in one["title"]]
    assert "Estimates from usage were 66% of the bill in the last settled days" in said
