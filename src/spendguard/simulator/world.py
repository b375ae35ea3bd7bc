"""The world a driver holds: a clock, an account's billing, its books, and what has a name in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import RLock

from spendguard.core.money import Money
from spendguard.core.windows import DAY, Window, a_year_after, utc_day
from spendguard.core.world import (
    Billing,
    Charged,
    Lot,
    Purchase,
    Recharging,
    Retry,
    Spending,
    SpendLimit,
    Terms,
)
from spendguard.simulator.books import Books, Cell
from spendguard.simulator.cards import Card
from spendguard.simulator.meter import Count, Meter


@dataclass(frozen=True, slots=True)
class Project:
    """A project of the organization."""

    id: str
    name: str
    archived: bool = False


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that spends."""

    id: str
    project: str
    name: str


@dataclass(frozen=True, slots=True)
class AdminKey:
    """A key that reads, as it is shown: its beginning and its end."""

    id: str
    redacted: str
    name: str = "admin"
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SpendAlert:
    """A threshold at which the provider writes an e-mail."""

    id: str
    threshold: Money
    project: str = ""


class World:
    """One account at a provider, scripted by its driver and answered for as of `now`.

    Amounts are Money or plain decimals such as "12.50". Whatever happens may be told ahead or
    afterwards; what is seen depends on `now` alone. Costs are booked `lag` after the usage,
    which itself is shown after `usage_lag`.
    Worlds that are given one card share it, each under its own name.
    """

    def __init__(
        self,
        now: datetime,
        *,
        terms: Terms | None = None,
        lag: timedelta = timedelta(0),
        usage_lag: timedelta = timedelta(0),
        clock: Callable[[], datetime] | None = None,
        card: Card | None = None,
        name: str = "",
    ) -> None:
        self.lock = card.lock if card else RLock()
        self.began_at = now
        self.card = card
        with self.lock:
            funding = card.funding if card else None
            self.billing = Billing(terms or Terms(), name=name, funding=funding)
        self.projects: list[Project] = []
        self.api_keys: list[ApiKey] = []
        self.admin_keys: list[AdminKey] = []
        self.alerts: list[SpendAlert] = []
        self._books = Books(self.billing, lag)
        self._meter = Meter(self.billing, usage_lag)
        self._now = now
        self._clock = clock

    @property
    def now(self) -> datetime:
        """The present of this world: what the driver set, or its clock's."""
        return self._clock() if self._clock else self._now

    @now.setter
    def now(self, instant: datetime) -> None:
        self._now = instant

    @property
    def balance(self) -> Money:
        """The true balance now, which no API tells."""
        return self.balance_at(self.now)

    def balance_at(self, instant: datetime) -> Money:
        """Return the true balance at an instant."""
        with self.lock:
            return self.billing.balance(instant)

    @property
    def charges(self) -> tuple[Charged, ...]:
        """The charges of the account so far, in the order of time, which no API tells."""
        return self.charges_until(self.now)

    def charges_until(self, instant: datetime) -> tuple[Charged, ...]:
        """Return the charges of the account up to and at an instant."""
        with self.lock:
            return self.billing.charges(instant)

    @property
    def strikes(self) -> int:
        """The account's own failed charges in a row now."""
        with self.lock:
            return self.billing.strikes(self.now)

    @property
    def banned(self) -> bool:
        """True once a charge too many failed: costs are still shown, but no usage gets through."""
        with self.lock:
            return self.billing.banned(self.now)

    def project(self, id: str, name: str, *, archived: bool = False) -> None:  # noqa: A002
        """Give a project its name, in the place of an earlier one."""
        with self.lock:
            self.projects = [one for one in self.projects if one.id != id]
            self.projects.append(Project(id, name, archived))

    def api_key(self, id: str, project: str, name: str) -> None:  # noqa: A002
        """Give an api key its name, in the place of an earlier one."""
        with self.lock:
            self.api_keys = [one for one in self.api_keys if one.id != id]
            self.api_keys.append(ApiKey(id, project, name))

    def alert(self, id: str, threshold: Money | str | None, project: str = "") -> None:  # noqa: A002
        """Set one of the provider's own e-mail alerts; None removes it."""
        with self.lock:
            self.alerts = [one for one in self.alerts if (one.id, one.project) != (id, project)]
            if threshold is not None:
                self.alerts.append(SpendAlert(id, self._money(threshold), project))

    def purchase(
        self, at: datetime, amount: Money | str, *, expires_at: datetime | None = None
    ) -> None:
        """Buy credit by hand, not with the card; it expires in a year unless told otherwise."""
        ends = expires_at or a_year_after(at)
        with self.lock:
            self.billing.add(Lot(at, self._money(amount), ends))

    def buy(self, at: datetime, amount: Money | str) -> None:
        """Try to buy credit by hand with the card; `charges` tell what came of it."""
        with self.lock:
            self.billing.add(Purchase(at, self._money(amount)))

    def recharge(
        self,
        at: datetime,
        *,
        trigger: Money | str,
        amount: Money | str | None = None,
        restore_to: Money | str | None = None,
        monthly_limit: Money | str | None = None,
    ) -> None:
        """Set the automatic recharge: a fixed amount, or a balance to restore to."""
        setting = Recharging(
            at,
            self._money(trigger),
            self._told(amount),
            self._told(restore_to),
            self._told(monthly_limit),
        )
        with self.lock:
            self.billing.add(setting)

    def recharge_off(self, at: datetime) -> None:
        """Switch the automatic recharge off."""
        with self.lock:
            self.billing.add(Recharging(at, None))

    def retry(self, at: datetime) -> None:
        """Call for the automatic charge that failed, before the provider tries it again."""
        with self.lock:
            self.billing.add(Retry(at))

    def grant(
        self, at: datetime, amount: Money | str, *, expires_at: datetime | None = None
    ) -> None:
        """Be given promotional credit."""
        with self.lock:
            self.billing.add(Lot(at, self._money(amount), expires_at, granted=True))

    def limit(self, at: datetime, threshold: Money | str | None, project: str = "") -> None:
        """Set the monthly spend limit of a project, or of all; None removes it."""
        with self.lock:
            self.billing.add(SpendLimit(at, self._told(threshold), project))

    def spend(
        self,
        at: datetime,
        amount: Money | str,
        *,
        project: str = "",
        api_key: str = "",
        line_item: str = "",
        model: str = "",
    ) -> None:
        """Ask for usage; without a line item its cost is booked on the model."""
        spending = Spending(at, self._money(amount), project, api_key, line_item, model)
        with self.lock:
            self.billing.add(spending)

    def restate(
        self,
        at: datetime,
        day: datetime,
        difference: Money | str,
        *,
        project: str = "",
        api_key: str = "",
        line_item: str = "",
    ) -> None:
        """Correct what is booked for an earlier UTC day, visible at once and billed."""
        self._correct(at, day, Cell(project, api_key, line_item), self._money(difference).nanos)

    def erase(self, at: datetime, day: datetime, *, line_item: str) -> None:
        """Let the rows of a line item disappear from a day, as it is scripted so far."""
        for cell, nanos in self._rows(at, day, line_item):
            self._correct(at, day, cell, -nanos)

    def move(self, at: datetime, day: datetime, *, line_item: str, to: str) -> None:
        """Let the rows of a line item turn into rows of another, as it is scripted so far."""
        for cell, nanos in self._rows(at, day, line_item):
            self._correct(at, day, cell, -nanos)
            self._correct(at, day, Cell(cell.project, cell.api_key, to), nanos)

    def count(self, count: Count) -> None:
        """Use something that nothing is billed for."""
        with self.lock:
            self._meter.add(count)

    def used(self, series: str, window: Window, seen_at: datetime | None = None) -> list[Count]:
        """Return what the provider shows of a series of usage in a window."""
        with self.lock:
            return list(self._meter.used(series, window, seen_at or self.now))

    def booked(self, day: datetime, seen_at: datetime | None = None) -> dict[Cell, int]:
        """Return the nanos the provider shows for the UTC day of an instant, by what it is for."""
        with self.lock:
            return self._books.day(day, seen_at or self.now)

    def booked_in(self, window: Window, seen_at: datetime | None = None) -> Money:
        """Return all that the provider shows for the UTC days a window touches."""
        total, day = 0, utc_day(window.start).start
        while day < window.end:
            total += sum(self.booked(day, seen_at).values())
            day += DAY
        return Money(total, self.billing.terms.currency)

    def _rows(self, at: datetime, day: datetime, line_item: str) -> list[tuple[Cell, int]]:
        rows = self.booked(day, at).items()
        return [(cell, nanos) for cell, nanos in rows if cell.line_item == line_item]

    def _correct(self, at: datetime, day: datetime, cell: Cell, nanos: int) -> None:
        amount = Money(nanos, self.billing.terms.currency)
        with self.lock:
            self.billing.add(
                Spending(at, amount, cell.project, cell.api_key, cell.line_item, corrects=day)
            )

    def _told(self, amount: Money | str | None) -> Money | None:
        return None if amount is None else self._money(amount)

    def _money(self, amount: Money | str) -> Money:
        return (
            amount
            if isinstance(amount, Money)
            else Money.parse(amount, self.billing.terms.currency)
        )
