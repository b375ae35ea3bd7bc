"""[rates]: what one currency is worth in another, as it is written and as it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from spendguard.config.configuration import Configuration
from spendguard.config.load import render_effective
from spendguard.core.rates import Rate

Configure = Callable[..., Configuration]
Problems = Callable[..., dict[str, str]]

RATES = """
[[cards]]
name = "visa"
currency = "EUR"
[[cards]]
name = "amex"
[rates]
"EUR/USD" = "1.08"
"GBP/USD" = "1.30"
"""


def test_a_card_knows_the_rates_of_its_currency(configure: Configure) -> None:
    visa, amex = configure(RATES).cards

    assert visa.rates == (Rate("EUR", "USD", "1.08"),)
    assert [rate.one for rate in amex.rates] == ["EUR", "GBP"]
    assert configure("").cards == ()


def test_rates_are_stored_with_the_card(configure: Configure) -> None:
    visa, _ = json.loads(json.dumps(render_effective(configure(RATES))))["cards"]

    assert visa["rates"] == [{"one": "EUR", "other": "USD", "worth": "1.08"}]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('"EUR/USD" = 1.08', "'EUR/USD': money must be in quotes"),
        ('"EUR/USD" = "0"', "'EUR/USD': must be above zero"),
        ('"EUR/USD" = "1e3"', "'EUR/USD': '1e3' is not a plain decimal"),
        ('"EUR/USD" = true', "'EUR/USD': must be a quoted text, not true or false"),
        ('"EURUSD" = "1.08"', "'EURUSD' is not a pair of ISO 4217 currencies"),
        ('"EUR/EUR" = "1"', "'EUR/EUR' is not a pair of ISO 4217 currencies"),
        ('"EUR/XYZ" = "1"', "'EUR/XYZ' is not a pair of ISO 4217 currencies"),
        (
            '"EUR/USD" = "1.08"\n"USD/EUR" = "0.93"',
            "states both 'EUR/USD' and 'USD/EUR'",
        ),
    ],
)
def test_what_is_no_rate_is_refused(problems: Problems, table: str, problem: str) -> None:
    told = problems(f"[rates]\n{table}\n")

    assert any(f"rates: {problem}" in message for message in told), told


def test_rates_are_a_table(problems: Problems) -> None:
    assert "rates: must be a table, not a text" in problems('rates = "1.08"\n')
