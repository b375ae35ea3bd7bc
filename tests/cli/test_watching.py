"""Somebody spends who was never seen before, and much more than usual: told, accepted, quiet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.guarded import Guarded, guarded
from tests.cli.seeding import NOW, Seed


@pytest.fixture
def both(seed: Seed, tmp_path: Path) -> Iterator[Guarded]:
    """A guarded account that was checked once, before a stranger spent forty dollars."""
    with guarded(seed, tmp_path / "key") as ends:
        yield ends


def test_a_stranger_is_told_and_accepted(run: Run, both: Guarded) -> None:
    assert run("check").code == 0
    both.simulator.world.spend(
        NOW - timedelta(minutes=10),
        "40.00",
        project="proj_a",
        api_key="key_x",
        line_item="gpt-6-astra, output_tokens",
    )

    assert run("check").code == 2

    open_alerts = {one["subject"]: one for one in run("status", "--json").json["alerts"]}
    assert {(one["rule"], one["severity"]) for one in open_alerts.values()} == {
        ("spend-spike", "critical"),
        ("key-unknown", "warning"),
    }
    assert "key_x" in open_alerts["main"]["summary"]
    [message] = both.webhook.messages[1:]
    assert message["title"] == "CRITICAL spend-spike main"
    for one in open_alerts.values():
        assert run("alerts", "ack", one["id"], "--json").json["state"] == "closed"

    assert run("check").code == 0
    assert len(both.webhook.messages) == 2
