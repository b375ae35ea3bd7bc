"""A guarded account over real HTTP: the simulator at one end, a webhook at the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from spendguard.simulator.server import Simulator
from spendguard.simulator.world import World
from tests.cli.seeding import DAY, NOW, Seed
from tests.ends import HttpEnd

KEY = "sk-admin-canary-5501"


@dataclass
class Guarded:
    """What stands on both sides of the program."""

    simulator: Simulator
    webhook: HttpEnd


def world() -> World:
    """Ten days in which a robot spends two dollars a day."""
    made = World(NOW)
    made.purchase(NOW - DAY * 20, "50.00")
    made.project("proj_a", "Alpha")
    made.api_key("key_a", "proj_a", "the robot")
    for back in range(1, 11):
        at = NOW - DAY * back
        item = "gpt-6-astra, input_tokens"
        made.spend(at, "2.00", project="proj_a", api_key="key_a", line_item=item)
    return made


@contextmanager
def guarded(seed: Seed, key_file: Path) -> Iterator[Guarded]:
    """Yield both ends, configured."""
    key_file.write_text(KEY, encoding="utf-8")
    with (
        Simulator(world(), KEY, patience=timedelta(seconds=2)) as simulator,
        HttpEnd() as webhook,
    ):
        with seed.config.open("a", encoding="utf-8") as file:
            file.write(
                f'[[accounts]]\nname = "main"\nprovider = "openai"\nkey = "file:{key_file}"\n'
                f'base_url = "{simulator.url}"\n'
                f'[[channels]]\nname = "ops"\nurl = "{webhook.url}"\n'
            )
        yield Guarded(simulator, webhook)
