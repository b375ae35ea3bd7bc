"""[[prices]]: what a model costs, as it is written and as it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import pytest

from spendguard.config.configuration import Configuration
from spendguard.config.load import render_effective
from spendguard.config.settings import StatedPriceTable
from spendguard.core.money import Amount
from spendguard.core.prices import PER, PriceTable, StatedPrice

Configure = Callable[..., Configuration]
Problems = Callable[..., dict[str, str]]

PRICES = """
[[prices]]
model = "gpt-4o*"
provider = "openai"
tier = "batch"
from = "2026-10-01"
input = "1.25"
cache_write_12h = "0.000000001"
[[prices]]
model = "dall-e-3"
from = 2026-10-02
images = "0.04"
"""


def test_prices_are_core_values(configure: Configure) -> None:
    assert configure(PRICES).prices == PriceTable(
        (
            StatedPrice(
                "gpt-4o*",
                {"input": Amount.parse("1.25"), "cache_write_12h": Amount(1)},
                provider="openai",
                tier="batch",
                since=date(2026, 10, 1),
            ),
            StatedPrice("dall-e-3", {"images": Amount.parse("0.04")}, since=date(2026, 10, 2)),
        )
    )


def test_without_prices_the_list_alone_counts(configure: Configure) -> None:
    assert configure("").prices == PriceTable()


def test_every_quantity_can_be_stated() -> None:
    others = {"model", "provider", "tier", "from_"}

    assert StatedPriceTable.model_fields.keys() - others == PER.keys()


def test_prices_are_stored_as_they_are_written(configure: Configure) -> None:
    effective = json.loads(json.dumps(render_effective(configure(PRICES))))

    assert effective["prices"] == [
        {
            "model": "gpt-4o*",
            "provider": "openai",
            "tier": "batch",
            "from": "2026-10-01",
            "input": "1.25",
            "cache_write_12h": "0.000000001",
        },
        {
            "model": "dall-e-3",
            "provider": None,
            "tier": "",
            "from": "2026-10-02",
            "images": "0.04",
        },
    ]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('input = "1"', "prices.0.model: is missing"),
        ('model = "m"', "prices.0: states no price"),
        ('model = "m"\ninput = 2.5', "prices.0.input: money must be in quotes"),
        ('model = "m"\ninput = "-1"', "prices.0.input: '-1' is below zero"),
        ('model = "m"\nimage = "1"', "prices.0.image: unknown key 'image'"),
        ('model = "m"\ninput = "1"\nprovider = "opnai"', "prices.0.provider: unknown provider"),
        ('model = "m"\ninput = "1"\nfrom = "soon"', "prices.0.from: 'soon' is not a date"),
        ('model = "m"\ninput = "1"\nfrom = "2026-02-30"', "'2026-02-30' is not a date"),
        ('model = "m"\ninput = "1"\nfrom = "20260201"', "'20260201' is not a date"),
        ('model = "m"\ninput = "1"\nfrom = 2026-02-01T00:00:00', "from: must be a date"),
    ],
)
def test_what_is_no_price_is_refused(problems: Problems, table: str, problem: str) -> None:
    told = problems(f"[[prices]]\n{table}\n")

    assert any(problem in message for message in told), told
