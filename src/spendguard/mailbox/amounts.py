"""Amounts: money as mails write it. What could be read in two ways is not read at all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from spendguard.core.money import Money

CODES = [
    "AED",
    "AUD",
    "BGN",
    "BRL",
    "CAD",
    "CHF",
    "CLP",
    "CNY",
    "COP",
    "CZK",
    "DKK",
    "EUR",
    "GBP",
    "HKD",
    "HUF",
    "IDR",
    "ILS",
    "INR",
    "ISK",
    "JPY",
    "KRW",
    "MXN",
    "MYR",
    "NOK",
    "NZD",
    "PEN",
    "PHP",
    "PLN",
    "RON",
    "SAR",
    "SEK",
    "SGD",
    "THB",
    "TRY",
    "TWD",
    "USD",
    "VND",
    "ZAR",
]
WITHOUT_CENTS = frozenset({"CLP", "ISK", "JPY", "KRW", "VND"})
_BEFORE = {
    "US$": "USD", "$US": "USD", "CA$": "CAD", "C$": "CAD", "$CA": "CAD", "AU$": "AUD",
    "A$": "AUD", "NZ$": "NZD", "HK$": "HKD", "SG$": "SGD", "S$": "SGD", "MX$": "MXN",
    "NT$": "TWD", "R$": "BRL", "JP¥": "JPY", "CN¥": "CNY", "€": "EUR", "£": "GBP", "₹": "INR",
    "₩": "KRW", **{code: code for code in CODES},
}  # fmt: skip
DOLLAR = "$"
DOLLARS = frozenset({"USD", "AUD", "CAD", "HKD", "MXN", "NZD", "SGD", "TWD", "CLP", "COP"})
"""A lone $ is the US dollar, for so the providers write it, unless a code behind it says else."""
_SIGN = "|".join(re.escape(sign) for sign in sorted([*_BEFORE, DOLLAR], key=len, reverse=True))
_SPACE = r"[ \u00a0\u2009\u202f]"
MONEY = (
    rf"(?<![\w.,$€£¥\u2212-])(?:(?:{_SIGN}){_SPACE}?)?"
    rf"[0-9](?:[0-9.,'\u2019]|{_SPACE}(?=[0-9]{{3}}(?![0-9])))*(?<![.,'\u2019])"
    rf"(?:{_SPACE}?(?:{_SIGN})(?!\w))?(?![0-9])"
)
"""Finds what may be an amount, within a larger expression; `read_amount` decides."""
_SHAPE = re.compile(
    rf"(?P<before>{_SIGN})?{_SPACE}?(?P<number>[0-9](?:.*[0-9])?){_SPACE}?(?P<after>{_SIGN})?\Z"
)
_GROUPED = {
    ",": re.compile(r"[0-9]{1,3}(?:(?:,[0-9]{3})+\.[0-9]{2}|(?:,[0-9]{3}){2,})\Z"),
    ".": re.compile(r"[0-9]{1,3}(?:(?:\.[0-9]{3})+,[0-9]{2}|(?:\.[0-9]{3}){2,})\Z"),
    "'": re.compile(r"[0-9]{1,3}(?:['\u2019][0-9]{3})+(?:[.,][0-9]{2})?\Z"),
    " ": re.compile(rf"[0-9]{{1,3}}(?:{_SPACE}[0-9]{{3}})+[.,][0-9]{{2}}\Z"),
}
_PLAIN = re.compile(r"[0-9]{1,12}(?:[.,][0-9]{2})?\Z")


def read_amount(text: str) -> Money | None:
    """Return the money that a text is; None where it is none, or could be another."""
    match = _SHAPE.match(text.strip().rstrip(".,;:"))
    if match is None:
        return None
    currency = _currency(match["before"], match["after"])
    value = _value(match["number"])
    if currency is None or value is None:
        return None
    if currency in WITHOUT_CENTS and value != int(value):
        return None
    try:
        return Money.of(value, currency)
    except ValueError:
        return None


def one_amount(texts: Iterable[str]) -> Money | None:
    """Return the amount on which all texts agree; None where one is unclear or differs."""
    amounts = {read_amount(text) for text in texts}
    return amounts.pop() if len(amounts) == 1 else None


def _currency(before: str | None, after: str | None) -> str | None:
    known = {_BEFORE[sign] for sign in (before, after) if sign in _BEFORE}
    if DOLLAR not in {before, after}:
        return known.pop() if len(known) == 1 else None
    if not known:
        return "USD"
    return known.pop() if len(known) == 1 and known <= DOLLARS else None


def _value(number: str) -> Decimal | None:
    """Read a number whose separators leave no choice: 1,234.50 and 10,00, but not 1,234."""
    if _PLAIN.match(number):
        return Decimal(number.replace(",", "."))
    if not any(shape.match(number) for shape in _GROUPED.values()):
        return None
    cents = number[-2:] if number[-3] in ".," else ""
    whole = re.sub(r"[^0-9]", "", number[: -3 if cents else None])
    return Decimal(f"{whole}.{cents or '0'}")
