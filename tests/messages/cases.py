"""Findings of the real rules, and the notifications a reader may get of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from spendguard.core.accounts import Budget, Card, Recharge
from spendguard.core.alerts import NotifyReason
from spendguard.core.charges import Charge, Outcome, strikes
from spendguard.core.errors import ErrorKind
from spendguard.core.facts import (
    AccountFacts,
    BudgetUse,
    Burn,
    CardFacts,
    ChannelUse,
    ComparedDay,
    CreditSeen,
    GuardFacts,
    Health,
    LimitUse,
    NewSpender,
    Payer,
    Polls,
    SettingChange,
    Standing,
    UnpricedUse,
    UsageFacts,
    Witness,
)
from spendguard.core.findings import Finding, Severity, Status
from spendguard.core.ledger import Checkpoint, Kind, LotLeft, Position
from spendguard.core.money import Money
from spendguard.core.notifications import Item, Notification, Topic
from spendguard.core.outlook import Outlook, lapses
from spendguard.core.recharge import Coming, Course, Steady
from spendguard.core.spikes import Cause, Moment, Pace, Rush
from spendguard.core.windows import Unit, calendar_window
from spendguard.rules import ACCOUNT_RULES, CARD_RULES, GUARD_RULES

UTC_ZONE = ZoneInfo("UTC")
NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
READ = Polls(first_ok_at=NOW - 20 * DAY, last_ok_at=NOW - 4 * MINUTE)
CHARGES = {"trigger": "5.00", "amount": "10.00", "overdraft": "2.00"}


def money(text: str, currency: str = "USD") -> Money:
    return Money.parse(text, currency)


def position(
    stated: str, spent: str, *, currency: str = "USD", base: str | None = None, **parts: str
) -> Position:
    """A derived balance; `parts` are credit, expired, what is perhaps spent (unsure), or unbooked."""
    credit, expired, unsure, unbooked = (
        money(parts.get(name, "0"), currency)
        for name in ("credit", "expired", "unsure", "unbooked")
    )
    billed = money(stated, currency) + credit - expired - money(spent, currency)
    stated_at = NOW - 3 * DAY
    source = parts.get("source", "manual")
    return Position(
        floor=billed - unsure - unbooked,
        billed=billed,
        as_of=NOW - 4 * MINUTE,
        checkpoint=Checkpoint("1", stated_at, money(stated, currency), source),
        base=None if base is None else money(base, currency),
        credited_at=None if base is None else stated_at,
        credit=credit,
        expired=expired,
        spent=money(spent, currency),
        late=unsure,
        lots=(),
        unbooked=unbooked,
    )


def account(**known: object) -> AccountFacts:
    """Facts of openai-main, read four minutes ago."""
    facts = AccountFacts(NOW, "openai-main", "USD", READ, costs_read=True)
    return replace(facts, **known)  # type: ignore[arg-type]


CAUSES = (
    Cause("api_key", "key_9x", "", 96),
    Cause("model", "gpt-6-astra", "", 91),
    Cause("project", "proj_web", "web", 88),
)


def spiking(hour: str, usual: str, causes: tuple[Cause, ...] = (), **known: object) -> AccountFacts:
    """Facts of an account that spent so much in the last hour."""
    moment = Moment(NOW, money(hour).nanos, money(hour).nanos // 4, money(usual).nanos)
    return account(usage=UsageFacts(NOW, Pace((moment,), causes)), **known)


def cents(*amounts: int) -> Moment:
    """A moment with an hour, a quarter of one, a usual hour and five minutes of so many cents."""
    hour, quarter, usual, burst = (one * 10_000_000 for one in amounts)
    return Moment(NOW, hour, quarter, usual, burst)


SUDDEN = cents(170, 125, 200, 110)
"""A minute in which $1.10 have gone within five, where a whole hour usually costs $2."""
RUSHED = replace(
    cents(520, 410, 900, 0),
    rush=Rush("key_9x", money("3.10").nanos, money("0.30").nanos, CAUSES),
)
"""A key that spent $3.10 within two minutes, unlike ever before, where an hour usually costs $9."""
NAMELESS = Rush("", money("3.10").nanos, 0, CAUSES[1:])


def newcomer(kind: str, identity: str, name: str = "") -> NewSpender:
    """Somebody who spent $3.21 today and was never seen before."""
    day = NOW.replace(hour=0, minute=0)
    return NewSpender(kind, identity, name, NOW - HOUR, day, money("3.205"))


def burning(held: Position, **known: object) -> AccountFacts:
    """Facts of an account that spends $1.50 a day."""
    return account(position=held, burn=Burn(money("1.495"), 14), **known)


def blind(
    kind: ErrorKind, *, hours: int = 1, held: Position | None = None, **known: object
) -> AccountFacts:
    """Facts of an account that could not be read for some hours."""
    since = NOW - hours * HOUR
    polls = Polls(12 * hours, since, kind, NOW - 20 * DAY, since - 5 * MINUTE)
    return account(**{"polls": polls, "position": held, **known})


def budget(spent: str, unit: Unit = Unit.MONTH, at: datetime = NOW, **parts: str) -> AccountFacts:
    """Facts of an account with a budget of $100."""
    window = calendar_window(at, unit, UTC_ZONE)
    whole = Budget(f"per-{unit}", "openai-main", unit, money("100.00"), **parts)
    this = BudgetUse(whole, calendar_window(NOW, unit, UTC_ZONE), money("12"))
    use = BudgetUse(whole, window, money(spent))
    return account(budgets=(use, this) if use.window != this.window else (use,))


def limit(used: str, *, enforcing: bool = False) -> AccountFacts:
    """Facts of an account whose organization may spend $100 a month."""
    return account(limits=(LimitUse("organization", money("100.00"), money(used), enforcing),))


def channel(**known: object) -> GuardFacts:
    """Facts of a guard with one channel."""
    use = replace(ChannelUse("ops", usable=True), **known)  # type: ignore[arg-type]
    return GuardFacts(NOW, (use,), disk_free=10**9)


def charging(held: Position | None = None, /, **known: object) -> AccountFacts:
    """Facts of an account that recharges by itself from visa-1881, and spends $1.50 a day."""
    told = {"position": held or AGAIN, "burn": Burn(money("1.495"), 14), **known}
    due = {"recharge": RECHARGE, "card": "visa-1881", "next_charge": next_of(NOW)}
    return account(**{**due, **told})


def next_of(
    at: datetime, earliest: datetime | None = None, latest: datetime | None = None
) -> Coming:
    """Return the charge of ten dollars that is expected."""
    return Coming("openai-main", at, money("10.00"), earliest, latest)


def going(
    held: Position, *rates: str, until: timedelta = 14 * DAY, **known: object
) -> AccountFacts:
    """Facts of an account that spends so much a day: fast, as expected, and slow."""
    courses = [
        Course(
            "openai-main",
            NOW,
            held.floor,
            money(rate),
            money("0"),
            money("5.00"),
            money("50.00"),
            lapses=lapses(held.lots, NOW, money("0"), Steady(money(rate).nanos)),
        )
        for rate in rates
    ]
    early, middle, late = courses
    return burning(held, outlook=Outlook(early, middle, late, NOW + until), **known)


def lot(left: str, expires_in: timedelta) -> LotLeft:
    """Return a lot that expires."""
    return LotLeft("1", Kind.GRANT, money(left), NOW - 20 * DAY, NOW + expires_in)


def missing(held: Position | None = None, hours: int = 26, **known: object) -> AccountFacts:
    """Facts of an account whose charge is due for some hours."""
    due = {"due_since": NOW - hours * HOUR, "overdue": True, **known}
    return charging(held or LOW, **due)


def failing(*attempts: str, to_ban: int = 2, **known: object) -> AccountFacts:
    """Facts of an account of a card with failed charges: 'main 10.00' was one of openai-main."""
    charges = []
    for number, attempt in enumerate(attempts, start=1):
        name, _, amount = attempt.partition(" ")
        at = NOW - HOUR * 5 * (len(attempts) - number) - 40 * MINUTE
        reason = "the card was declined" if amount else ""
        figure = money(amount) if amount else None
        charges.append(
            Charge(
                str(number),
                f"openai-{name}",
                "visa-1881",
                figure,
                at,
                Outcome.FAILED,
                reason,
                "receipt" if amount else "manual",
            )
        )
    return charging(strikes=strikes(charges, to_ban), **known)


def seen(*credits_seen: CreditSeen, **known: object) -> AccountFacts:
    """Facts of an account with recharge off, and credit that nobody entered."""
    return account(recharge=OFF, unexplained=credits_seen, **known)


def came(
    amount: str | None, hours: int, source: str = "receipt", *, forged: bool = False
) -> CreditSeen:
    """Return credit that came some hours ago."""
    figure = None if amount is None else money(amount)
    return CreditSeen(NOW - hours * HOUR, figure, source, forged=forged)


def recharged(*hours: float, **known: object) -> AccountFacts:
    """Facts of an account that was charged ten dollars so many hours ago each."""
    charges = tuple(
        Charge(
            str(number),
            "openai-main",
            "visa-1881",
            money("10.00"),
            NOW - length * HOUR,
            Outcome.SUCCEEDED,
        )
        for number, length in enumerate(hours)
    )
    return charging(charges=charges, **known)


def paying(
    balance: str | None, *payers: Payer, card: Card | None = None, **known: object
) -> CardFacts:
    """Facts of a card that was stated two days ago."""
    held = None if balance is None else money(balance)
    stated_at = None if balance is None else NOW - 2 * DAY
    facts = CardFacts(NOW, card or VISA, held, stated_at, payers=payers)
    return replace(facts, **known)  # type: ignore[arg-type]


def payer(name: str, balance: str, per_day: str, least: str = "5.00") -> Payer:
    """Return an account of a card, as it goes on."""
    here = Course(
        name,
        NOW,
        money(balance),
        money(per_day),
        money("0"),
        money(least),
        money("50.00"),
    )
    small = replace(RECHARGE, amount=money(least)) if least != "5.00" else RECHARGE
    return Payer(name, small, here)


LOW = position("20.00", "15.684732910", base="20.00")
AGAIN = position("20.00", "2.50")
NEAR = position("20.00", "13.7541")
NEVER = Polls()
UNREAD = {"polls": NEVER, "costs_read": False}
MOVED = (
    SettingChange("spend limit of project proj_chat", "100.00 USD", "500.00 USD"),
    SettingChange("spend limit of project proj_eval", "20.00 USD", None),
    SettingChange("spend alert al_1 of organization", None, "80.00 USD"),
)
RECHARGE = Recharge(
    enabled=True,
    trigger=money("5.00"),
    amount=money("10.00"),
    restore_to=None,
    monthly_limit=None,
    overdraft=money("2.00"),
)
VISA = Card("visa-1881", "USD", "0", money("0"), money("2.00"), 2)
TAXED = replace(VISA, tax_percent="19", verification_hold=money("1.00"))
FIRST, SECOND = payer("openai-main", "9.00", "2.00"), payer("openai-batch", "7.00", "1.00")
ROUGHLY = replace(
    FIRST,
    outlook=going(position("9.00", "0"), "2.30", "1.95", "1.10").outlook,
)
SMALL = payer("openai-main", "9.00", "2.00", "3.00")
SMALL_SOON = payer("openai-main", "5.02", "0.90", "3.00")
SMALL_NOW = payer("openai-main", "4.00", "0.10", "3.00")
OFF = replace(RECHARGE, enabled=False)
LIMITED = replace(RECHARGE, monthly_limit=money("20.00"))
BARE = replace(VISA, margin=money("0"))
STANDING = Standing(Severity.CRITICAL, "short", 2, NOW - DAY)
HELD = {("balance-low", "openai-main"): Standing(Severity.WARNING, "trigger", 1, NOW - DAY)}

FACTS: dict[str, tuple[str, AccountFacts | CardFacts | GuardFacts]] = {
    "balance-low trigger": ("balance-low", burning(LOW)),
    "balance-low half": ("balance-low", burning(position("20.00", "17.61"))),
    "balance-low zero": ("balance-low", account(position=position("20.00", "20.00"))),
    "balance-low negative": ("balance-low", account(position=position("20.00", "20.305"))),
    "balance-low every term": (
        "balance-low",
        burning(position("20.00", "24.684", credit="10.00", expired="1.00", unsure="0.336")),
    ),
    "balance-low refunded": (
        "balance-low",
        account(position=position("20.00", "8.1049", credit="-9.00", unsure="0.0049")),
    ),
    "balance-low stated by api": (
        "balance-low",
        account(position=position("3.20", "0", source="api")),
    ),
    "balance-low from receipt": (
        "balance-low",
        account(position=position("3.20", "0", source="receipt")),
    ),
    "balance-low recharge on": ("balance-low", charging(LOW, card_short=True)),
    "balance-low recharge of unknown amount": (
        "balance-low",
        charging(LOW, card_short=True, next_charge=None),
    ),
    "balance-low limit used up": (
        "balance-low",
        charging(LOW, due_since=NOW - DAY, next_charge=next_of(NOW + 8 * DAY)),
    ),
    "balance-low left to the provider": ("balance-low", charging(LOW)),
    "balance-low proven": ("balance-low", account(proven_at=NOW - DAY, standing=HELD)),
    "balance-low held": (
        "balance-low",
        account(position=position("20.00", "14.90"), standing=HELD),
    ),
    "balance-low far": (
        "balance-low",
        account(position=LOW, burn=Burn(money("0.11"), 14)),
    ),
    "balance-low yuan": (
        "balance-low",
        account(
            account="deepseek-cn",
            currency="CNY",
            position=position("2020.00", "2015.68", currency="CNY"),
            burn=Burn(money("1.50", "CNY"), 14),
        ),
    ),
    "balance-low by usage": (
        "balance-low",
        burning(position("20.00", "12.10", unbooked="3.42"), unpriced=1),
    ),
    "balance-low by usage at wrong prices": (
        "balance-low",
        burning(
            position("20.00", "12.10", unbooked="3.42"),
            usage=UsageFacts(
                NOW, settled=(ComparedDay(NOW - 4 * DAY, money("31.00"), money("50.00")),)
            ),
        ),
    ),
    "balance-low clear": ("balance-low", burning(AGAIN)),
    "balance-low unknown": ("balance-low", account()),
    "balance-low unread": ("balance-low", account(position=LOW, costs_read=False)),
    "deposit-cap 50%": ("deposit-cap", burning(position("20.00", "10.40", base="20.00"))),
    "deposit-cap 75%": ("deposit-cap", burning(LOW)),
    "deposit-cap 90%": ("deposit-cap", burning(position("20.00", "18.20", base="20.00"))),
    "deposit-cap 100%": ("deposit-cap", burning(position("20.00", "20.41", base="20.00"))),
    "deposit-cap clear": ("deposit-cap", account(position=position("50", "2", base="50"))),
    "deposit-cap recharged": ("deposit-cap", account(position=AGAIN, recharge=RECHARGE)),
    "deposit-cap recharge unread": ("deposit-cap", account(recharge=RECHARGE)),
    "deposit-cap proven": (
        "deposit-cap",
        account(
            proven_at=NOW - DAY,
            standing={("deposit-cap", "openai-main"): Standing(Severity.WARNING, "75%", 2, NOW)},
        ),
    ),
    "deposit-cap unknown": ("deposit-cap", account(position=AGAIN)),
    "runway-short 7d": ("runway-short", going(AGAIN, "4.00", "2.90", "2.00")),
    "runway-short 3d": ("runway-short", going(AGAIN, "9.00", "7.00", "0.50")),
    "runway-short 24h": ("runway-short", going(LOW, "5.00", "5.00", "5.00")),
    "runway-short empty": (
        "runway-short",
        going(position("20.00", "20.50"), "5.00", "4.00", "3.00"),
    ),
    "runway-short recharge overdue": (
        "runway-short",
        going(
            LOW, "1.60", "1.50", "1.40", recharge=RECHARGE, overdue=True, witness=Witness.HEALTHY
        ),
    ),
    "runway-short fails": (
        "runway-short",
        going(
            AGAIN,
            "4.00",
            "2.90",
            "2.00",
            recharge=RECHARGE,
            card="visa-1881",
            card_short=True,
            unpaid=next_of(NOW + 60 * HOUR, NOW + 40 * HOUR, NOW + 90 * HOUR),
        ),
    ),
    "runway-short fails now": (
        "runway-short",
        going(LOW, "4.00", "2.90", "2.00", recharge=RECHARGE, card_short=True, unpaid=next_of(NOW)),
    ),
    "runway-short clear": ("runway-short", going(AGAIN, "1.00", "0.50", "0.20", until=80 * DAY)),
    "runway-short fails later": (
        "runway-short",
        going(
            AGAIN,
            "1.00",
            "0.50",
            "0.20",
            recharge=RECHARGE,
            card_short=True,
            unpaid=next_of(NOW + 9 * DAY),
        ),
    ),
    "runway-short endless": ("runway-short", going(AGAIN, "0.00", "0.00", "0.00")),
    "runway-short proven": (
        "runway-short",
        account(proven_at=NOW - DAY, standing={("runway-short", "openai-main"): STANDING}),
    ),
    "runway-short unknown": ("runway-short", account(position=AGAIN)),
    "credit-expiring": (
        "credit-expiring",
        going(replace(AGAIN, lots=(lot("12.00", 5 * DAY),)), "1.50", "1.40", "1.20"),
    ),
    "credit-expiring twice": (
        "credit-expiring",
        going(
            replace(AGAIN, lots=(lot("3.00", 6 * HOUR), lot("9.50", 20 * DAY))),
            "0.30",
            "0.20",
            "0.10",
        ),
    ),
    "credit-expiring clear": ("credit-expiring", going(AGAIN, "1.50", "1.40", "1.20")),
    "credit-expiring unknown": (
        "credit-expiring",
        account(position=replace(AGAIN, lots=(lot("12.00", 5 * DAY),))),
    ),
    "recharge-due": ("recharge-due", charging(NEAR, next_charge=next_of(NOW + 20 * HOUR))),
    "recharge-due roughly": (
        "recharge-due",
        charging(NEAR, next_charge=next_of(NOW + 20 * HOUR, NOW + 8 * HOUR, NOW + 44 * HOUR)),
    ),
    "recharge-due unsure": (
        "recharge-due",
        charging(NEAR, next_charge=next_of(NOW + 20 * HOUR, NOW + 8 * HOUR)),
    ),
    "recharge-due now": ("recharge-due", charging(LOW, card=None)),
    "recharge-due proven": (
        "recharge-due",
        account(
            recharge=RECHARGE,
            proven_at=NOW - DAY,
            standing={("recharge-due", "openai-main"): STANDING},
        ),
    ),
    "recharge-due clear": ("recharge-due", charging(next_charge=next_of(NOW + 3 * DAY))),
    "recharge-due none": (
        "recharge-due",
        charging(next_charge=None),
    ),
    "recharge-due off": ("recharge-due", burning(AGAIN, recharge=OFF)),
    "recharge-due unknown": ("recharge-due", burning(AGAIN)),
    "recharge-due unstated": ("recharge-due", account(recharge=RECHARGE)),
    "recharge-due without burn": ("recharge-due", account(position=AGAIN, recharge=RECHARGE)),
    "card-short": (
        "card-short",
        paying("7.40", payer("openai-main", "9.00", "1.336")),
    ),
    "card-short roughly": ("card-short", paying("7.40", ROUGHLY)),
    "card-short of two accounts": ("card-short", paying("7.40", FIRST, SECOND)),
    "card-short soon": (
        "card-short",
        paying("7.40", payer("openai-main", "5.05", "2.00"), card=TAXED),
    ),
    "card-short minimum soon": ("card-short", paying("4.00", SMALL_SOON, card=BARE)),
    "card-short second charge": (
        "card-short",
        paying("15.00", FIRST, SECOND, card=TAXED),
    ),
    "card-short now": ("card-short", paying("-2.604", payer("openai-main", "3.10", "2.00"))),
    "card-short minimum": (
        "card-short",
        paying("4.00", SMALL, card=BARE),
    ),
    "card-short minimum now": (
        "card-short",
        paying("4.00", SMALL_NOW, card=BARE),
    ),
    "card-short minimum held": (
        "card-short",
        paying(
            "5.10",
            SMALL,
            card=BARE,
            standing={("card-short", "card:visa-1881"): STANDING},
        ),
    ),
    "card-short held": (
        "card-short",
        paying("12.30", FIRST, standing={("card-short", "card:visa-1881"): STANDING}),
    ),
    "card-short clear": ("card-short", paying("40.00", FIRST, SECOND)),
    "card-short idle": ("card-short", paying("3.00", payer("openai-main", "90.00", "2.00"))),
    "card-short unknown": ("card-short", paying(None, FIRST)),
    "card-short unknown course": ("card-short", paying("40.00", replace(FIRST, course=None))),
    "card-short banned": (
        "card-short",
        paying("40.00", FIRST, strikes=failing("main 10.00", "main 10.00").strikes),
    ),
    "charge-failed first": ("charge-failed", failing("main 10.00")),
    "charge-failed first of two accounts": (
        "charge-failed",
        failing("batch 10.00", "main 10.00", to_ban=4),
    ),
    "charge-failed typed in": ("charge-failed", failing("main", position=None)),
    "charge-failed by a policy of one": ("charge-failed", failing("main 10.00", to_ban=1)),
    "charge-failed banned": ("charge-failed", failing("main 10.00", "main 10.00")),
    "charge-failed banned as typed in": ("charge-failed", failing("main", "main", position=None)),
    "charge-failed elsewhere": ("charge-failed", failing("batch 10.00", "batch 10.00")),
    "charge-failed clear": ("charge-failed", charging()),
    "recharge-missing": ("recharge-missing", missing()),
    "recharge-missing used up": (
        "recharge-missing",
        missing(position("20.00", "20.305"), witness=Witness.FAILING),
    ),
    "recharge-missing of unknown amount": ("recharge-missing", missing(next_charge=None)),
    "recharge-missing witnessed": ("recharge-missing", missing(hours=3, witness=Witness.HEALTHY)),
    "recharge-missing witnessed of unknown amount": (
        "recharge-missing",
        missing(position("20.00", "20.305"), witness=Witness.HEALTHY, next_charge=None),
    ),
    "recharge-missing cut-off": (
        "recharge-missing",
        missing(position("20.00", "19.804"), 70, stopped_at=NOW - 2.5 * DAY),
    ),
    "recharge-missing clear": ("recharge-missing", charging()),
    "recharge-missing off": ("recharge-missing", burning(AGAIN, recharge=OFF)),
    "recharge-missing proven": (
        "recharge-missing",
        account(
            recharge=RECHARGE,
            proven_at=NOW - DAY,
            standing={("recharge-missing", "openai-main"): STANDING},
        ),
    ),
    "recharge-missing unknown": ("recharge-missing", burning(LOW)),
    "recharge-missing contradicted": (
        "recharge-missing",
        account(recharge=RECHARGE, proven_at=NOW - DAY),
    ),
    "recharge-unexpected": ("recharge-unexpected", seen(came("10.00", 2))),
    "recharge-unexpected again": (
        "recharge-unexpected",
        seen(came("10.00", 50), came("10.00", 2, "api")),
    ),
    "recharge-unexpected inferred": (
        "recharge-unexpected",
        seen(came(None, 14, "inferred")),
    ),
    "recharge-unexpected forged": (
        "recharge-unexpected",
        seen(came("25.00", 2, "mail", forged=True)),
    ),
    "recharge-unexpected forged without a figure": (
        "recharge-unexpected",
        seen(came(None, 2, "mail", forged=True)),
    ),
    "recharge-unexpected clear": ("recharge-unexpected", seen()),
    "recharge-unexpected unknown": ("recharge-unexpected", account()),
    "recharge-frequent often": (
        "recharge-frequent",
        recharged(1, 3, 5, 30, frequent_per_day=money("1.495")),
    ),
    "recharge-frequent often and above the limit": (
        "recharge-frequent",
        recharged(1, 3, 5, 30, recharge=LIMITED),
    ),
    "recharge-frequent limit": (
        "recharge-frequent",
        recharged(1, 30, 60, recharge=LIMITED, frequent_per_day=money("9.00")),
    ),
    "recharge-frequent some": ("recharge-frequent", recharged(1)),
    "recharge-frequent clear": ("recharge-frequent", recharged(30)),
    "budget forecast": (
        "budget",
        account(
            budgets=(
                BudgetUse(
                    Budget("monthly", "openai-main", Unit.MONTH, money("100.00")),
                    calendar_window(NOW, Unit.MONTH, UTC_ZONE),
                    money("71.2345"),
                    expected=money("108.50"),
                    over_at=NOW + 5 * DAY,
                ),
            )
        ),
    ),
    "budget 50%": ("budget", budget("51.203")),
    "budget 90%": ("budget", budget("90.12", Unit.WEEK, project="proj_chat", model="gpt-5")),
    "budget 100%": ("budget", budget("103.207", Unit.DAY, model="gpt-5")),
    "budget last month": ("budget", budget("100.00", at=NOW - 28 * DAY, api_key="key_ci")),
    "budget clear": ("budget", budget("12")),
    "budget unknown": (
        "budget",
        replace(budget("12"), polls=replace(READ, last_ok_at=NOW - 40 * DAY)),
    ),
    "limit-near 75%": ("limit-near", limit("76.001")),
    "limit-near 100%": ("limit-near", limit("103.10")),
    "limit-near enforcing": ("limit-near", limit("104.00", enforcing=True)),
    "limit-near clear": ("limit-near", limit("3")),
    "limit-near none": ("limit-near", account(limits=())),
    "limit-near unknown": ("limit-near", account()),
    "checkpoint-stale stated": (
        "checkpoint-stale",
        account(
            position=replace(LOW, checkpoint=Checkpoint("1", NOW - 15 * DAY, money("20"), "manual"))
        ),
    ),
    "checkpoint-stale never": ("checkpoint-stale", account()),
    "checkpoint-stale contradicted": ("checkpoint-stale", account(proven_at=NOW - 14 * HOUR)),
    "checkpoint-stale asked": (
        "checkpoint-stale",
        account(proven_at=NOW - 14 * HOUR, asked_at=NOW - DAY),
    ),
    "checkpoint-stale clear": ("checkpoint-stale", account(position=AGAIN)),
    "checkpoint-stale new": (
        "checkpoint-stale",
        account(polls=replace(READ, first_ok_at=NOW - DAY)),
    ),
    "checkpoint-stale by api": ("checkpoint-stale", account(states_balance=True)),
    "checkpoint-stale unknown": ("checkpoint-stale", account(**UNREAD)),
    "own-key-expiring 30d": (
        "own-key-expiring",
        account(own_key_known=True, own_key_expires_at=NOW + 29 * DAY),
    ),
    "own-key-expiring 1d": (
        "own-key-expiring",
        account(own_key_known=True, own_key_expires_at=NOW + 20 * HOUR),
    ),
    "own-key-expiring expired": (
        "own-key-expiring",
        account(own_key_known=True, own_key_expires_at=NOW - HOUR),
    ),
    "own-key-expiring clear": (
        "own-key-expiring",
        account(own_key_known=True, own_key_expires_at=NOW + 365 * DAY),
    ),
    "own-key-expiring never": ("own-key-expiring", account(own_key_known=True)),
    "own-key-expiring unknown": ("own-key-expiring", account()),
    "spend-spike": ("spend-spike", spiking("6.20", "1.10", CAUSES)),
    "spend-spike of five minutes": (
        "spend-spike",
        account(usage=UsageFacts(NOW, Pace((SUDDEN,), CAUSES, dearest=money("0.20").nanos))),
    ),
    "spend-spike of two minutes": ("spend-spike", account(usage=UsageFacts(NOW, Pace((RUSHED,))))),
    "spend-spike of two minutes without a key": (
        "spend-spike",
        account(usage=UsageFacts(NOW, Pace((replace(RUSHED, rush=NAMELESS),)))),
    ),
    "spend-spike of one model": ("spend-spike", spiking("6.20", "1.10", CAUSES[1:])),
    "spend-spike without a cause": ("spend-spike", spiking("6.20", "1.10")),
    "spend-spike critical": ("spend-spike", spiking("31.40", "1.10", CAUSES)),
    "spend-spike where nothing is usual": ("spend-spike", spiking("2.40", "0", CAUSES[:1])),
    "spend-spike draining": ("spend-spike", spiking("6.20", "1.10", CAUSES, position=LOW)),
    "spend-spike clear": ("spend-spike", spiking("0.60", "1.10")),
    "spend-spike idle": ("spend-spike", account(usage=UsageFacts(NOW, Pace(())))),
    "spend-spike unknown": ("spend-spike", account()),
    "spend-spike without history": ("spend-spike", account(usage=UsageFacts(NOW))),
    "key-unknown": ("key-unknown", account(newcomers=(newcomer("api_key", "key_9x", "ci"),))),
    "key-unknown without a name": (
        "key-unknown",
        account(newcomers=(newcomer("api_key", "key_9x"),)),
    ),
    "key-unknown model": ("key-unknown", account(newcomers=(newcomer("model", "gpt-6-astra"),))),
    "unpriced": (
        "unpriced",
        account(usage=UsageFacts(NOW, requests=9_000, unpriced=(UnpricedUse("gpt-9", 450),))),
    ),
    "unpriced clear": ("unpriced", account(usage=UsageFacts(NOW, requests=9_000))),
    "unpriced unknown": ("unpriced", account()),
    "blind stale": ("blind", account(position=LOW, stale_since=NOW - 40 * HOUR)),
    "blind stale without a balance": ("blind", account(stale_since=NOW - 40 * HOUR)),
    "config-drift": ("config-drift", account(changes=MOVED)),
    "config-drift clear": ("config-drift", account(changes=())),
    "config-drift unknown": ("config-drift", account()),
    **{
        f"blind {kind}": ("blind", blind(kind, held=LOW, burn=Burn(money("0.5"), 14)))
        for kind in ErrorKind
    },
    "blind 6h": ("blind", blind(ErrorKind.UNAVAILABLE, hours=7, held=LOW)),
    "blind no balance": ("blind", blind(ErrorKind.AUTH)),
    "blind from the start": (
        "blind",
        blind(ErrorKind.AUTH, polls=Polls(2, NOW - 5 * MINUTE, ErrorKind.AUTH)),
    ),
    "blind clear": ("blind", account(position=LOW)),
    "blind unknown": (
        "blind",
        account(polls=replace(READ, failures=1, failing_since=NOW, error=ErrorKind.MALFORMED)),
    ),
    "blind unread": ("blind", account(**UNREAD)),
    **{
        f"blind mailbox {kind}": (
            "blind",
            account(
                position=LOW, witness_failing_since=NOW - 2 * HOUR, witness_error=ErrorKind(kind)
            ),
        )
        for kind in ("auth", "unavailable")
    },
    "channel-failing owing": (
        "channel-failing",
        channel(owed_since=NOW - 2 * HOUR, error="the far end did not answer"),
    ),
    "channel-failing refused": ("channel-failing", channel(refused=True, error="HTTP 403")),
    "channel-failing lost": ("channel-failing", channel(lost_at=NOW - HOUR)),
    "channel-failing clear": ("channel-failing", channel()),
    "guard no-channel": ("guard", channel(usable=False)),
    "guard disk-full": ("guard", replace(channel(), disk_free=12 * 1024 * 1024)),
    "guard clock-jump": ("guard", replace(channel(), health=Health(jumped=-365 * DAY))),
    "guard clock-jump ahead": ("guard", replace(channel(), health=Health(jumped=7 * HOUR))),
    "guard stalled": ("guard", replace(channel(), health=Health(stalled_since=NOW - HOUR))),
    "guard not-writable": (
        "guard",
        replace(channel(), health=Health(unwritable="the disk is full")),
    ),
    "guard everything": (
        "guard",
        replace(channel(usable=False), disk_free=0, latest_seen_at=NOW + HOUR),
    ),
    "guard clear": ("guard", channel()),
    "guard unknown": ("guard", replace(channel(), disk_free=None)),
}


def finding(case: str) -> Finding:
    """Return what the real rule finds in a case."""
    rule, facts = FACTS[case]
    if isinstance(facts, AccountFacts):
        (found,) = ACCOUNT_RULES[rule]().evaluate(facts)
    elif isinstance(facts, CardFacts):
        (found,) = CARD_RULES[rule]().evaluate(facts)
    else:
        (found,) = GUARD_RULES[rule]().evaluate(facts)
    return found


FOUND = {case: finding(case) for case in FACTS}


def item(case: str, reason: NotifyReason = NotifyReason.FIRED, **known: object) -> Item:
    """Return the item that a finding makes."""
    found = FOUND[case]
    made = Item(
        alert_id="12",
        rule=found.rule,
        subject=found.subject,
        severity=found.severity,
        step=found.step,
        reason=reason,
        since=NOW - 3 * HOUR,
        values=found.values,
        values_at=NOW,
    )
    return replace(made, **known)  # type: ignore[arg-type]


def over(case: str, was: Severity = Severity.WARNING, **known: object) -> Item:
    """Return the item of an alert that ended with the clear finding of a case."""
    told = {"severity": was, "step": "", "ended_at": NOW, **known}
    return item(case, NotifyReason.RESOLVED, **told)


def alerts(*items: Item) -> Notification:
    """Return a notification of some items."""
    return Notification(Topic.ALERTS, items, channel="ops")


def old(case: str) -> Item:
    """Return an item whose values are six hours old."""
    found = item(case, values_at=NOW - 6 * HOUR)
    return replace(found, values={**found.values, "read_at": NOW - 6 * HOUR - 4 * MINUTE})


SHANGHAI = ZoneInfo("Asia/Shanghai")
KABUL = ZoneInfo("Asia/Kabul")
CLEAR_OF = {
    "balance-low": "balance-low clear",
    "balance-low proven": "balance-low proven",
    "card-short": "card-short clear",
    "card-short idle": "card-short idle",
    "charge-failed": "charge-failed clear",
    "runway-short": "runway-short clear",
    "runway-short endless": "runway-short endless",
    "runway-short proven": "runway-short proven",
    "credit-expiring": "credit-expiring clear",
    "recharge-missing": "recharge-missing clear",
    "recharge-missing proven": "recharge-missing proven",
    "recharge-unexpected": "recharge-unexpected clear",
    "recharge-frequent": "recharge-frequent clear",
    "deposit-cap": "deposit-cap clear",
    "deposit-cap proven": "deposit-cap proven",
    "deposit-cap recharged": "deposit-cap recharged",
    "deposit-cap unread": "deposit-cap recharge unread",
    "budget": "budget clear",
    "limit-near": "limit-near clear",
    "limit-near removed": "limit-near none",
    "checkpoint-stale": "checkpoint-stale clear",
    "own-key-expiring": "own-key-expiring clear",
    "own-key-expiring never": "own-key-expiring never",
    "spend-spike": "spend-spike clear",
    "spend-spike idle": "spend-spike idle",
    "config-drift": "config-drift clear",
    "blind": "blind clear",
    "channel-failing": "channel-failing clear",
    "guard": "guard clear",
}
LATER = Item(
    "13",
    "weather-turning",
    "openai-main",
    Severity.CRITICAL,
    "24h",
    NotifyReason.FIRED,
    NOW - HOUR,
    {"floor": money("4.31"), "hours_left": 20, "until": NOW + 20 * HOUR},
    NOW,
)

NOTIFICATIONS: dict[str, Notification] = {
    **{case: alerts(item(case)) for case in FOUND if FOUND[case].status is Status.FIRING},
    **{f"{rule} over": alerts(over(case)) for rule, case in CLEAR_OF.items()},
    "key-unknown over": alerts(replace(over("key-unknown"), values={})),
    "unpriced over": alerts(replace(over("unpriced"), values={})),
    "balance-low over for want of a rule": alerts(over("balance-low trigger")),
    "balance-low escalated": alerts(item("balance-low half", NotifyReason.ESCALATED)),
    "balance-low repeated": alerts(item("balance-low trigger", NotifyReason.REPEATED)),
    "balance-low repeated while unknown": alerts(
        replace(old("balance-low trigger"), reason=NotifyReason.REPEATED)
    ),
    "charge-failed escalated": alerts(item("charge-failed banned", NotifyReason.ESCALATED)),
    "charge-failed repeated": alerts(item("charge-failed first", NotifyReason.REPEATED)),
    "recharge-missing repeated": alerts(item("recharge-missing", NotifyReason.REPEATED)),
    "recharge-missing escalated": alerts(item("recharge-missing cut-off", NotifyReason.ESCALATED)),
    "recharge-missing repeated while unknown": alerts(
        replace(old("recharge-missing"), reason=NotifyReason.REPEATED)
    ),
    "card-short delivered late": alerts(item("card-short", values_at=NOW - 6 * HOUR)),
    "card-short told when over": alerts(
        over("card-short clear", Severity.CRITICAL, since=NOW - 3 * DAY, untold=True)
    ),
    "group of a failed charge": alerts(
        item("charge-failed first"),
        item("balance-low recharge on", NotifyReason.ESCALATED, alert_id="13"),
    ),
    "group of a banned card": alerts(
        item("charge-failed elsewhere"),
        item("recharge-due", NotifyReason.STANDING, alert_id="13"),
    ),
    "config-drift delivered late": alerts(old("config-drift")),
    "rule of a later version delivered late": alerts(
        replace(old("own-key-expiring 1d"), rule="weather-turning", step="", values={})
    ),
    "own-key-expiring escalated": alerts(item("own-key-expiring 1d", NotifyReason.ESCALATED)),
    "blind mailbox": alerts(item("blind mailbox auth")),
    "blind mailbox silent": alerts(item("blind mailbox unavailable")),
    "blind escalated": alerts(item("blind 6h", NotifyReason.ESCALATED)),
    "blind told when over": alerts(
        over("blind clear", since=NOW - 25 * MINUTE, ended_at=NOW - 5 * MINUTE, untold=True)
    ),
    "blind told days later": alerts(
        over("blind clear", since=NOW - 3 * DAY, ended_at=NOW - 2 * DAY, untold=True)
    ),
    "group": alerts(
        item("deposit-cap 75%", alert_id="14"),
        item("balance-low trigger"),
        over("blind clear", alert_id="11"),
    ),
    "group worst first": alerts(
        item("balance-low half", NotifyReason.STANDING),
        item("deposit-cap 90%", NotifyReason.ESCALATED, alert_id="14"),
        item("budget 50%", alert_id="15"),
    ),
    "group all over": alerts(over("balance-low clear"), over("deposit-cap clear", alert_id="14")),
    "rule of a later version": alerts(LATER),
    "rule of a later version over": alerts(
        replace(LATER, reason=NotifyReason.RESOLVED, ended_at=NOW)
    ),
    "welcome": Notification(Topic.WELCOME, accounts=("openai-main",)),
    "welcome of many": Notification(Topic.WELCOME, accounts=("a", "b", "c", "d", "e")),
    "welcome of none": Notification(Topic.WELCOME),
    "reminder": Notification(Topic.REMINDER, accounts=("openai-main",)),
    "reminder of none": Notification(Topic.REMINDER),
    "test": Notification(Topic.TEST, channel="ops"),
    "test of none": Notification(Topic.TEST),
}
IN_ZONES = {
    "balance-low in Shanghai": (NOTIFICATIONS["balance-low trigger"], SHANGHAI),
    "blind in Kabul": (NOTIFICATIONS["blind blocked"], KABUL),
}
