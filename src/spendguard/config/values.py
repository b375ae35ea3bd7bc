"""Values of the file: each function takes whatever TOML holds, and returns a value or refuses it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from spendguard.config import places
from spendguard.config.places import RefusedError, Variable, kind, text
from spendguard.config.problems import presentable, quoted, suggestion
from spendguard.core.cardnumbers import too_many_digits
from spendguard.core.durations import parse_duration
from spendguard.core.findings import Severity
from spendguard.core.money import Amount
from spendguard.core.rates import Rate
from spendguard.core.windows import Unit

LANGUAGES = ("en", "zh-CN")
BUDGET_WINDOWS = (Unit.DAY, Unit.WEEK, Unit.MONTH)
MOST = 1_000_000_000
# ISO 4217, without funds, metals and test codes
_CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN
BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS
GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW
KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD
NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD
SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED
VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CODES.split())
_NAME = re.compile(r"[a-z0-9-]+")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_PERCENT = re.compile(r"\d{1,3}(\.\d{1,6})?", re.ASCII)


T = TypeVar("T")


def label(value: object) -> str:
    """Read the name of a card, budget or channel."""
    name = text(value)
    if not presentable(name):
        raise RefusedError(
            "is too long for a name, or looks like a secret; it is not shown",
            "a name stands in every message: choose a short word",
        )
    return name


def account_name(value: object) -> str:
    """Read the name of an account."""
    name = label(value)
    if not _NAME.fullmatch(name):
        raise RefusedError(
            f"{quoted(name)} is not a name for an account",
            "use lower-case letters, digits and dashes, such as openai-main",
        )
    return name


def card_name(value: object) -> str:
    """Read the name of a card, which is never its number."""
    name = label(value)
    if too_many_digits(name):
        raise RefusedError(
            "has more than four digits in all, and is not shown",
            "a card is a name, such as visa-1881: at most the last four digits of its number",
        )
    return name


def flag(value: object) -> bool:
    """Read true or false."""
    if isinstance(value, Variable) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise RefusedError("must be true or false, without quotes", "write true or false")
    return value


def count(value: object, least: int = 0, most: int = MOST) -> int:
    """Read an integer from `least` to `most`."""
    if isinstance(value, Variable) and re.fullmatch(r"\d{1,10}", value, re.ASCII):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise RefusedError(
            f"must be an integer without quotes, not {kind(value)}",
            "write a whole number as it is, such as 3",
        )
    if not least <= value <= most:
        raise RefusedError(f"must be from {least} to {most}", "write a number of that range")
    return value


def strikes(value: object) -> int:
    """Read how many failed charges ban a card: at least one."""
    return count(value, least=1, most=100)


def money(value: object) -> Amount:
    """Read money from zero up: a quoted plain decimal, for a float is not exact."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise RefusedError(
            f"money must be in quotes, not {kind(value)}: a float is not exact",
            'write it as a quoted decimal, such as "12.50"',
        )
    try:
        amount = Amount.parse(text(value))
    except RefusedError:
        raise
    except ValueError as error:
        raise RefusedError(
            f"{quoted(str(value))} is {error}", 'write a quoted decimal, such as "12.50"'
        ) from None
    if amount.nanos < 0:
        raise RefusedError(f"{quoted(str(value))} is below zero")
    return amount


def positive_money(value: object) -> Amount:
    """Read money above zero."""
    amount = money(value)
    if amount.nanos == 0:
        raise RefusedError("must be above zero", 'write a quoted decimal, such as "12.50"')
    return amount


def tax_percent(value: object) -> str:
    """Read a tax: a quoted decimal from 0 to 100."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise RefusedError(
            "must be in quotes", 'write it as a quoted decimal, such as "19" or "7.7"'
        )
    percent = text(value)
    if not _PERCENT.fullmatch(percent) or Decimal(percent) > 100:
        raise RefusedError(f"{quoted(percent)} is not a percentage from 0 to 100")
    return percent


def duration(value: object) -> timedelta:
    """Read a duration such as 5m."""
    if not isinstance(value, str):
        raise RefusedError(
            f"must be a quoted duration, not {kind(value)}",
            'write it as "90s", "5m", "4h" or "10d"',
        )
    try:
        return parse_duration(value)
    except ValueError as error:
        raise RefusedError(f"{quoted(value)} is {error}") from None


def repeat(value: object) -> timedelta:
    """Read a repeat interval: not under a minute, or every evaluation would speak."""
    interval = duration(value)
    if interval < timedelta(minutes=1):
        raise RefusedError(f"{quoted(str(value))} is under 1m, the shortest repeat")
    return interval


def percents(value: object) -> tuple[int, ...]:
    """Read steps in percent: whole, rising, from 1 to 1000."""
    steps = tuple(count(step, least=1, most=1000) for step in array(value))
    if list(steps) != sorted(set(steps)):
        raise RefusedError("steps must rise", "write them as [50, 75, 90, 100]")
    return steps


def durations(value: object) -> tuple[timedelta, ...]:
    """Read steps in time, longest first."""
    steps = tuple(duration(step) for step in array(value))
    if list(steps) != sorted(set(steps), reverse=True):
        raise RefusedError("steps must fall, longest first", 'write them as ["7d", "3d", "24h"]')
    return steps


def array(value: object) -> Sequence[Any]:
    """Read an array that is not empty."""
    if not isinstance(value, list):
        raise RefusedError(
            f"must be an array in brackets, not {kind(value)}", "write [ and ] around it"
        )
    if not value:
        raise RefusedError("is empty", "leave the key out to have its default")
    return value


def texts(value: object) -> tuple[str, ...]:
    """Read an array of names."""
    return tuple(text(part) for part in array(value))


def severities(value: object) -> frozenset[Severity]:
    """Read an array of severities."""
    labels = [severity.label for severity in Severity]
    for part in texts(value):
        if part not in labels:
            raise RefusedError(f"unknown severity {quoted(part)}", suggestion(part, labels))
    return frozenset(Severity.of(part) for part in texts(value))


def currency(value: object) -> str:
    """Read a currency of ISO 4217."""
    code = text(value)
    if code not in CURRENCIES:
        raise RefusedError(
            f"{quoted(code)} is not an ISO 4217 currency", "write three capitals, such as USD"
        )
    return code


def rates(value: object) -> tuple[Rate, ...]:
    """Read what currencies are worth in one another: a table such as `"EUR/USD" = "1.08"`."""
    if not isinstance(value, dict):
        raise RefusedError(
            f"must be a table, not {kind(value)}", 'write [rates] and below it "EUR/USD" = "1.08"'
        )
    stated: dict[frozenset[str], str] = {}
    found = []
    for pair, worth in value.items():
        one, other = _pair(pair)
        before = stated.setdefault(frozenset((one, other)), pair)
        if before != pair:
            raise RefusedError(
                f"states both {quoted(before)} and {quoted(pair)}",
                "state one of the two: it is used in both directions",
            )
        found.append(Rate(one, other, _worth(pair, worth)))
    return tuple(found)


def _pair(pair: str) -> tuple[str, str]:
    one, _, other = pair.partition("/")
    if one not in CURRENCIES or other not in CURRENCIES or one == other:
        raise RefusedError(
            f"{quoted(pair)} is not a pair of ISO 4217 currencies",
            'write "EUR/USD" = "1.08": one euro is worth 1.08 dollars',
        )
    return one, other


def _worth(pair: str, worth: object) -> str:
    try:
        amount = positive_money(worth)
    except RefusedError as refused:
        hint = f'write a quoted decimal, such as "{pair}" = "1.08"'
        raise RefusedError(f"{quoted(pair)}: {refused.message}", hint) from None
    return amount.of("XXX").exact()


def language(value: object) -> str:
    """Read a language of messages."""
    tag = text(value)
    if tag not in LANGUAGES:
        raise RefusedError(f"unknown language {quoted(tag)}", suggestion(tag, LANGUAGES))
    return tag


def zone(value: object) -> ZoneInfo:
    """Read a time zone of the IANA database."""
    return ZoneInfo(str(places.zone(value)))


def clock(value: object) -> time:
    """Read a time of day such as 22:00."""
    if not isinstance(value, str):
        raise RefusedError(
            f"must be a quoted time of day, not {kind(value)}", 'write it as "22:00"'
        )
    match = _CLOCK.fullmatch(value)
    if match is None:
        raise RefusedError(f"{quoted(value)} is not a time of day", 'write it as "22:00"')
    return time(int(match[1]), int(match[2]))


def day(value: object) -> date:
    """Read a date such as "2026-10-01", quoted or as TOML writes one."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise RefusedError(f"must be a date, not {kind(value)}", 'write it as "2026-10-01"')
    if _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise RefusedError(f"{quoted(value)} is not a date", 'write it as "2026-10-01"')


def budget_window(value: object) -> Unit:
    """Read the window of a budget."""
    word = text(value)
    if word not in BUDGET_WINDOWS:
        raise RefusedError(f"unknown window {quoted(word)}", suggestion(word, BUDGET_WINDOWS))
    return Unit(word)


def readable(read: Callable[[object], T], value: object) -> T | None:
    """Return a value, or None where it would be refused, for checks that need several values."""
    try:
        return read(value)
    except RefusedError:
        return None
