"""Facts: everything a rule may look at, `now` included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from spendguard.core.accounts import Budget, Card, Recharge
from spendguard.core.charges import Charge, Strikes
from spendguard.core.errors import ErrorKind
from spendguard.core.findings import Severity
from spendguard.core.forecasts import Forecast
from spendguard.core.ledger import Position
from spendguard.core.money import Money
from spendguard.core.outlook import Outlook
from spendguard.core.recharge import Coming, Course
from spendguard.core.spikes import Pace
from spendguard.core.windows import Window

NO_STRIKES = Strikes(to_ban=2)


@dataclass(frozen=True, slots=True)
class Standing:
    """What an open alert stood at before this evaluation; hysteresis looks at it."""

    severity: Severity
    step: str
    rank: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Polls:
    """How the reading of an account goes."""

    failures: int = 0  # in a row
    failing_since: datetime | None = None  # the first of these failures
    error: ErrorKind | None = None  # of the last one
    first_ok_at: datetime | None = None
    last_ok_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Burn:
    """Spend per day over a stated look-back of complete UTC days."""

    per_day: Money
    days: int


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """A budget and what one of its windows has used so far.

    `expected` is what it will have used at the window's end, and `over_at` when it will be used up;
    None where nobody can tell, and `over_at` too where that is not foreseen.
    """

    budget: Budget
    window: Window
    spent: Money
    expected: Money | None = None
    over_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LimitUse:
    """A limit of the provider, and what this UTC month used of it. `scope` is for people."""

    scope: str
    threshold: Money
    used: Money
    enforcing: bool


@dataclass(frozen=True, slots=True)
class SettingChange:
    """A limit or an alert at the provider that is not what it was when last seen."""

    name: str
    before: str | None
    after: str | None


class Witness(StrEnum):
    """Whether some source would show a charge: a mailbox, or a provider that states its balance."""

    NONE = "none"
    FAILING = "failing"
    HEALTHY = "healthy"


@dataclass(frozen=True, slots=True)
class CreditSeen:
    """Credit that no person has stated; `amount` is None where only usage proves it."""

    at: datetime
    amount: Money | None
    source: str
    accepted: bool = False  # somebody acknowledged it
    forged: bool = False  # a mail claims it that is not authenticated: nothing was entered


@dataclass(frozen=True, slots=True)
class NewSpender:
    """An api key or a model that was never seen before, and the dearest day it has had."""

    kind: str  # api_key | model
    id: str
    name: str
    first_seen_at: datetime
    day: datetime
    amount: Money


@dataclass(frozen=True, slots=True)
class UnpricedUse:
    """Requests to a model that have no price, of the last days."""

    model: str
    requests: int


@dataclass(frozen=True, slots=True)
class ComparedDay:
    """A settled UTC day: what was estimated, and what was booked for the same keys and models."""

    day: datetime
    estimated: Money
    booked: Money

    @property
    def percent(self) -> int | None:
        """What the estimate was of what was booked; None where nothing was."""
        return self.estimated.nanos * 100 // self.booked.nanos if self.booked.nanos > 0 else None


@dataclass(frozen=True, slots=True)
class UsageFacts:
    """What usage tells of an account beside its costs; `settled` are the last settled days."""

    read_at: datetime
    pace: Pace | None = None  # None for want of history
    requests: int = 0  # of the last days
    unpriced: tuple[UnpricedUse, ...] = ()
    settled: tuple[ComparedDay, ...] = ()

    @property
    def estimated_percent(self) -> int | None:
        """What the estimates were of what was booked; None while that is not known."""
        booked = sum(one.booked.nanos for one in self.settled)
        if booked <= 0:
            return None
        return sum(one.estimated.nanos for one in self.settled) * 100 // booked


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """All that is known about one account at `now`.

    `position` is None without a checkpoint, and while usage contradicts it: then `proven_at` says
    since when. `limits` and `changes` are None while the provider does not tell; empty when it
    tells that there are none. `charges` are those of the last 35 days.
    """

    now: datetime
    account: str
    currency: str
    polls: Polls = field(default_factory=Polls)
    states_balance: bool = False
    recharge: Recharge | None = None
    position: Position | None = None
    costs_read: bool = False  # the costs since the checkpoint have been read
    burn: Burn | None = None
    card: str | None = None
    card_short: bool = False  # the card is known not to pay what comes
    strikes: Strikes = NO_STRIKES
    charges: tuple[Charge, ...] = ()
    confirmed_at: datetime | None = None  # the last charge that a machine saw
    next_charge: Coming | None = None
    forecast: Forecast | None = None
    outlook: Outlook | None = None  # None while the balance is not known
    unpaid: Coming | None = None  # the first charge that the card is known not to pay
    witness: Witness = Witness.NONE
    witness_error: ErrorKind | None = None
    witness_failing_since: datetime | None = None
    due_since: datetime | None = None  # the floor is under the trigger, and no charge came since
    overdue: bool = False  # for longer than the grace of recharge-missing
    proven_at: datetime | None = None
    stopped_at: datetime | None = None
    unexplained: tuple[CreditSeen, ...] = ()
    frequent_per_day: Money | None = None  # the burn of the last 14 days
    asked_at: datetime | None = None  # when the operator was last asked about credit
    budgets: tuple[BudgetUse, ...] = ()
    limits: tuple[LimitUse, ...] | None = None
    changes: tuple[SettingChange, ...] | None = None
    usage: UsageFacts | None = None  # None while usage is not known
    newcomers: tuple[NewSpender, ...] = ()  # of the last week, not acknowledged
    unpriced: int = 0  # requests since the checkpoint that have no price
    stale_since: datetime | None = None  # usage moves, and costs do not
    own_key_known: bool = False
    own_key_expires_at: datetime | None = None
    standing: Mapping[tuple[str, str], Standing] = field(default_factory=dict)
    ledger_changed: bool = False  # since the last evaluation: hysteresis does not hold

    @property
    def recharging(self) -> bool:
        """True while the provider is believed to charge by itself."""
        return self.recharge is not None and self.recharge.enabled

    @property
    def data_age(self) -> timedelta | None:
        """How old the last successful reading is."""
        return None if self.polls.last_ok_at is None else self.now - self.polls.last_ok_at


@dataclass(frozen=True, slots=True)
class Payer:
    """An account that a card pays for; `course` is None while it is not known how it goes on.

    `outlook` tells how sure that is, where anybody can tell.
    """

    account: str
    recharge: Recharge | None
    course: Course | None
    outlook: Outlook | None = None

    @property
    def due(self) -> bool:
        """True while a charge is due: it is under its trigger, or the last charge failed."""
        if self.recharge is None or not self.recharge.enabled or self.course is None:
            return False
        return self.course.retried or self.course.balance < self.recharge.trigger


@dataclass(frozen=True, slots=True)
class CardFacts:
    """All that is known about one card at `now`. An unknown `balance` is not enough, nor empty."""

    now: datetime
    card: Card
    balance: Money | None = None
    stated_at: datetime | None = None
    strikes: Strikes = NO_STRIKES
    payers: tuple[Payer, ...] = ()
    standing: Mapping[tuple[str, str], Standing] = field(default_factory=dict)
    ledger_changed: bool = False


@dataclass(frozen=True, slots=True)
class ChannelUse:
    """How a channel does: what it refused, lost and owes."""

    name: str
    usable: bool  # its URL resolves and is understood
    owed_since: datetime | None = None
    refused: bool = False  # the last message was refused for good and none got through since
    lost_at: datetime | None = None  # a message was given up and none got through since
    error: str = ""  # our words, never the far end's


@dataclass(frozen=True, slots=True)
class Health:
    """What a daemon notices of itself; one `check` has nothing to notice it by."""

    jumped: timedelta | None = None  # how far the clock was moved in the last hour, and whither
    stalled_since: datetime | None = None  # what was under way then never ended
    unwritable: str = ""  # why the database cannot be written, in our words


@dataclass(frozen=True, slots=True)
class GuardFacts:
    """All that the guard knows about itself at `now`."""

    now: datetime
    channels: tuple[ChannelUse, ...] = ()
    latest_seen_at: datetime | None = None  # the latest instant in the database
    disk_free: int | None = None  # bytes beside the database
    standing: Mapping[tuple[str, str], Standing] = field(default_factory=dict)
    health: Health = Health()
