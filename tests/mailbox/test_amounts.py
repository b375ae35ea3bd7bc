from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.money import Money
from spendguard.mailbox.amounts import MONEY, one_amount, read_amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("$10.00", "10.00 USD"),
        ("$10", "10.00 USD"),
        ("US$10.00", "10.00 USD"),
        ("10.00 USD", "10.00 USD"),
        ("USD 10.00", "10.00 USD"),
        ("$10.00 CAD", "10.00 CAD"),
        ("CA$10.00", "10.00 CAD"),
        ("10,00 $US", "10.00 USD"),
        ("10,00 €", "10.00 EUR"),
        ("€10.00", "10.00 EUR"),
        ("$1,234.50", "1234.50 USD"),
        ("1.234,50 €", "1234.50 EUR"),
        ("1\u202f234,50\u00a0€", "1234.50 EUR"),
        ("1'234.50 CHF", "1234.50 CHF"),
        ("1\u2019234.50 CHF", "1234.50 CHF"),
        ("$1,234,567", "1234567.00 USD"),
        ("JP¥1000", "1000.00 JPY"),
        ("£0.01", "0.01 GBP"),
        ("$10.00.", "10.00 USD"),
    ],
)
def test_an_amount_is_read(text: str, amount: str) -> None:
    assert str(read_amount(text)) == amount


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10.00",
        "$",
        "$1,234",
        "1.234 €",
        "$1.5",
        "$10.000",
        "$1,23,456.00",
        "€10.00 USD",
        "¥1000",
        "JP¥10.50",
        "-$10.00",
        "$-10.00",
        "($10.00)",
        "$10.00 and more",
        "$1O.00",
        "$\uff11\uff10.00",
        "$10..00",
        "$9999999999999999.00",
        "10.00 VAT",
    ],
)
def test_what_could_be_another_is_not(text: str) -> None:
    assert read_amount(text) is None


@given(st.integers(0, 10**11), st.sampled_from(["${}", "US${}", "{} USD", "USD {}"]))
def test_every_amount_of_dollars_survives_its_separators(cents: int, form: str) -> None:
    written = form.format(f"{cents // 100:,}.{cents % 100:02d}")
    assert read_amount(written) == Money(cents * 10_000_000, "USD")
    found = re.search(rf"paid (?P<amount>{MONEY}) on", f"You paid {written} on Monday 12")
    assert found is not None
    assert found["amount"] == written


@given(st.text(max_size=20))
def test_no_text_breaks_it(text: str) -> None:
    read_amount(text)
    for match in re.finditer(MONEY, text):
        read_amount(match[0])


def test_texts_must_agree() -> None:
    assert one_amount(["$10.00", "US$10.00", "10.00 USD"]) == Money.parse("10", "USD")
    assert one_amount(["$10.00", "$10.01"]) is None
    assert one_amount(["$10.00", "$1,000"]) is None
    assert one_amount([]) is None
