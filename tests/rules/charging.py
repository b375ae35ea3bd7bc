"""What the rules about charges are tried on, as short as a row of a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from spendguard.core.accounts import Card, Recharge
from spendguard.core.charges import Charge, Outcome, Strikes, strikes
from spendguard.core.facts import CardFacts, Payer, Standing
from spendguard.core.findings import Severity
from spendguard.core.ledger import Kind, LotLeft
from spendguard.core.money import Money
from spendguard.core.outlook import Outlook, lapses
from spendguard.core.recharge import Coming, Course, Steady

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TICK = timedelta(microseconds=1)
ENDS = {"failed": Outcome.FAILED, "paid": Outcome.SUCCEEDED, "unknown": Outcome.UNKNOWN}


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def recharge(*, enabled: bool = True, limit: str | None = None) -> Recharge:
    """The model of the story: at 5.00, ten are charged."""
    monthly = None if limit is None else usd(limit)
    return Recharge(enabled, usd("5.00"), usd("10.00"), None, monthly, usd("2.00"))


ON, OFF = recharge(), recharge(enabled=False)


def due(hours: float = 0, amount: str = "10.00") -> Coming:
    """A charge that is expected in some hours."""
    return Coming("main", NOW + HOUR * hours, usd(amount))


def charge(number: int, attempt: str, hours: float) -> Charge:
    """A charge some hours ago; 'main failed' names the account and how it ended."""
    account, _, end = attempt.partition(" ")
    at = NOW - HOUR * hours
    return Charge(str(number), account, "visa", usd("10.00"), at, ENDS[end], "declined")


def struck(*attempts: str, to_ban: int = 2) -> Strikes:
    """The strikes that charges leave, an hour apart, the last one an hour ago."""
    count = len(attempts)
    made = (charge(number, one, count - number) for number, one in enumerate(attempts))
    return strikes(made, to_ban)


def standing(
    rule: str, rank: int = 1, subject: str = "main", hours: float = 1
) -> dict[tuple[str, str], Standing]:
    """An alert that stands since some hours."""
    return {(rule, subject): Standing(Severity.WARNING, "", rank, NOW - HOUR * hours)}


def payer(
    name: str,
    balance: str,
    per_day: str | None,
    *,
    model: Recharge | None = ON,
    least: str = "5.00",
) -> Payer:
    """An account of a card, as it goes on."""
    rate = None if per_day is None else usd(per_day)
    course = Course(name, NOW, usd(balance), rate, usd("0"), usd(least), usd("50.00"))
    return Payer(name, model, course)


def outlook(
    balance: str,
    *rates: str,
    since: datetime = NOW,
    until: timedelta = DAY * 14,
    lots: tuple[LotLeft, ...] = (),
) -> Outlook:
    """A balance that so much is taken of a day: fast, as expected, and slow."""
    courses = [
        Course(
            "main",
            since,
            usd(balance),
            usd(rate),
            usd("0"),
            usd("5.00"),
            usd("50.00"),
            lapses=lapses(lots, since, usd("0"), Steady(usd(rate).nanos)),
        )
        for rate in rates
    ]
    early, middle, late = courses
    return Outlook(early, middle, late, since + until)


def lot(left: str, hours: float | None, number: str = "1") -> LotLeft:
    """A lot that expires in so many hours."""
    expires_at = None if hours is None else NOW + HOUR * hours
    return LotLeft(number, Kind.GRANT, usd(left), NOW - DAY, expires_at)


def visa(tax: str = "0", hold: str = "0", margin: str = "2.00") -> Card:
    return Card("visa", "USD", tax, usd(hold), usd(margin), 2)


def card(
    balance: str | None, *payers: Payer, pays: Card | None = None, **known: object
) -> CardFacts:
    """Facts of a card that was stated a day ago."""
    held = None if balance is None else usd(balance)
    stated_at = None if balance is None else NOW - DAY
    facts = {"balance": held, "stated_at": stated_at, "payers": payers, **known}
    return CardFacts(NOW, pays or visa(), **facts)  # type: ignore[arg-type]
