"""An API that states the balance: a checkpoint at each poll, falls as spend, jumps as deposits."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import ClassVar
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from spendguard.core.accounts import Recharge
from spendguard.core.charges import Outcome, Strikes
from spendguard.core.errors import ErrorKind, Problem, ProviderError
from spendguard.core.facts import AccountFacts, Burn, Standing, Witness
from spendguard.core.findings import Severity
from spendguard.core.ledger import Kind, Position
from spendguard.core.money import Money
from spendguard.core.readings import Balance, Extras, RawReply, SpendRead, UsageRead
from spendguard.core.reconcile import Books, reconcile
from spendguard.core.windows import DAY, HOUR, Window, utc_day
from spendguard.pipeline.foresight import foreseen, look_ahead, spent_of
from spendguard.pipeline.gather import account_facts
from spendguard.pipeline.known import Plan, course, know
from spendguard.pipeline.poll import PollOutcome, poll
from spendguard.rules.recharge_due import RechargeDue
from spendguard.store import due, ledger, readings
from spendguard.store.connect import Store
from spendguard.store.ledger import Stated
from spendguard.store.schema import balances, entries, restatements, spend
from tests.databases import account, opened

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = utc_day(NOW).start
MINUTES = timedelta(minutes=5)
MONEY = st.integers(-(10**12), 10**12)
NUMBERS = count(1)


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


@dataclass
class Wallet:
    """A provider that states what it is told to; without a balance it is out of reach."""

    left: str | None
    credited: str | None = None
    states_balance: ClassVar[bool] = True
    usage_series: ClassVar[frozenset[str]] = frozenset()
    default_base_url: ClassVar[str] = ""

    @staticmethod
    def key_problem(_key: str) -> Problem | None:
        return None

    def costs(self, window: Window, *, ended: bool = False) -> SpendRead:
        raise NotImplementedError

    def balance(self) -> Balance:
        if self.left is None:
            raise ProviderError(ErrorKind.UNAVAILABLE, "is away")
        return Balance(usd(self.left), None if self.credited is None else usd(self.credited))

    def usage(
        self, window: Window, width: timedelta, series: Collection[str] | None = None
    ) -> UsageRead:
        raise AssertionError("a provider without usage was asked for it")

    def extras(self, *, names: bool, projects: Collection[str]) -> Extras:
        return Extras()

    def replies(self) -> list[RawReply]:
        return []


@dataclass
class Here:
    """One account whose API states the balance."""

    store: Store
    recharge: Recharge | None = None
    name: str = "main"
    told: list[PollOutcome] = field(default_factory=list)

    def poll(self, left: str | None, at: datetime = NOW, credited: str | None = None) -> None:
        self.told.append(poll(self.store, account(self.name), Wallet(left, credited), at))

    def enter(self, kind: Kind, amount: str, at: datetime) -> None:
        with self.store.begin() as tx:
            stated = Stated(kind, usd(amount), at)
            ledger.record(tx, due.load(tx, self.name).id, stated, at)

    def facts(self, now: datetime = NOW) -> AccountFacts:
        plan = Plan(
            replace(account(self.name), recharge=self.recharge),
            (),
            ZoneInfo("UTC"),
            states_balance=True,
        )
        with self.store.begin() as tx:
            known = know(tx, plan, now)
            here = course(known, Strikes(2), now)
            facts = account_facts(tx, known, Strikes(2), {}, now, card_short=False, changed=False)
            seen = look_ahead(known, here, now, spent_of(tx, known, now))
            return foreseen(facts, known, seen, None, lambda _budget, _window: ())

    def position(self, now: datetime = NOW) -> Position:
        position = self.facts(now).position
        assert position is not None
        return position

    def floor(self, now: datetime = NOW) -> str:
        return self.position(now).floor.exact()

    def books(self) -> Books:
        with self.store.begin() as tx:
            return reconcile(ledger.live(tx, due.load(tx, self.name).id))

    def deposits(self) -> list[tuple[str, tuple[str, ...]]]:
        """What came, and who says so."""
        return [
            (top.chief.amount.exact() if top.chief.amount else "?", top.sources)
            for top in self.books().top_ups
        ]

    def rows(self, table: sa.Table) -> int:
        with self.store.begin() as tx:
            return int(tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())

    def spent(self) -> dict[int, str]:
        """What each day cost, by how many days before today it was."""
        with self.store.begin() as tx:
            known, _ = readings.day_spend(tx, due.load(tx, self.name).id, "USD", TODAY - DAY * 99)
        return {(TODAY - one.day.start) // DAY: one.amount.exact() for one in known}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    with opened(tmp_path / "spendguard.db") as store:
        with store.begin() as tx:
            due.register(tx, [account()])
        yield Here(store)


def test_the_first_poll_states_the_balance_and_no_spend(here: Here) -> None:
    here.poll("20.00")

    position = here.position()
    assert (position.floor, position.billed, position.checkpoint.source) == (
        usd("20"),
        usd("20"),
        "api",
    )
    assert (here.spent(), here.deposits()) == ({0: "0.00"}, [])
    assert position.base == usd("20")


def test_a_fall_is_spend_and_lowers_both_ends_alike(here: Here) -> None:
    here.poll("20.00")
    here.poll("18.75", NOW + MINUTES)
    here.poll("18.50", NOW + MINUTES * 2)

    position = here.position(NOW + MINUTES * 2)
    assert (position.floor, position.billed) == (usd("18.50"), usd("18.50"))
    assert here.spent() == {0: "1.50"}
    assert here.facts(NOW + MINUTES * 2).costs_read


def test_a_rise_is_a_deposit_of_the_api(here: Here) -> None:
    here.poll("4.00")
    here.poll("14.00", NOW + MINUTES)

    assert here.deposits() == [("10.00", ("api",))]
    position = here.position(NOW + MINUTES)
    assert (position.floor, position.base) == (usd("14"), usd("14"))
    assert here.spent() == {0: "0.00"}


def test_with_a_lifetime_figure_spend_and_credit_of_one_poll_are_told_apart(here: Here) -> None:
    here.poll("4.00", credited="100.00")
    here.poll("13.25", NOW + MINUTES, credited="110.00")

    assert (here.deposits(), here.spent()) == ([("10.00", ("api",))], {0: "0.75"})
    assert here.floor(NOW + MINUTES) == "13.25"


def test_a_correction_of_usage_is_spend_given_back_and_no_deposit(here: Here) -> None:
    here.poll("10.00", credited="100.00")
    here.poll("9.00", NOW + MINUTES, credited="100.00")
    here.poll("9.50", NOW + MINUTES * 2, credited="100.00")

    assert (here.deposits(), here.spent()) == ([], {0: "0.50"})


def test_credit_that_is_taken_back_is_a_refund(here: Here) -> None:
    here.poll("30.00", credited="100.00")
    here.poll("5.00", NOW + MINUTES, credited="75.00")

    kinds = [entry.kind for entry in here.books().entries]
    assert kinds == [Kind.CHECKPOINT, Kind.REFUND, Kind.CHECKPOINT]
    assert here.floor(NOW + MINUTES) == "5.00"
    assert here.spent() == {0: "0.00"}


def test_the_same_again_writes_nothing_and_is_true_for_now(here: Here) -> None:
    tables = (entries, balances, spend, restatements)
    here.poll("20.00")
    before = [here.rows(table) for table in tables]
    for turn in range(1, 10):
        here.poll("20.00", NOW + MINUTES * turn)

    assert [here.rows(table) for table in tables] == before
    position = here.position(NOW + MINUTES * 9)
    assert position.as_of == position.checkpoint.at == NOW + MINUTES * 9


def test_a_day_of_falls_is_one_checkpoint_that_moves_along(here: Here) -> None:
    for turn in range(60):
        here.poll(f"{20 - turn / 10:.2f}", TODAY + MINUTES * turn)

    assert (here.rows(entries), here.rows(balances)) == (2, 60)
    position = here.position(TODAY + MINUTES * 59)
    assert (position.floor, position.base) == (usd("14.10"), usd("20"))
    assert position.credited_at == TODAY


def test_the_ledger_keeps_what_was_left_before_each_deposit(here: Here) -> None:
    at = NOW
    for left in ("3.00", "2.50", "12.50", "2.00", "1.00", "11.00", "8.00"):
        here.poll(left, at)
        at += MINUTES

    position = here.position(at - MINUTES)
    assert position.base == usd("11")
    assert [(entry.kind, entry.amount.exact()) for entry in here.books().entries] == [
        (Kind.CHECKPOINT, "3.00"),
        (Kind.CHECKPOINT, "2.50"),
        (Kind.DEPOSIT, "10.00"),
        (Kind.CHECKPOINT, "1.00"),
        (Kind.DEPOSIT, "10.00"),
        (Kind.CHECKPOINT, "8.00"),
    ]


def test_a_fall_over_midnight_is_divided_and_over_an_outage_too(here: Here) -> None:
    here.poll("20.00", TODAY - DAY - HOUR * 12)
    here.poll("19.00", TODAY - DAY - HOUR * 6)
    here.poll(None, TODAY - DAY)
    here.poll("15.00", TODAY - DAY + HOUR * 18)

    assert here.spent() == {2: "2.00", 1: "3.00"}


def test_what_falls_after_a_quiet_time_fell_since_the_last_poll(here: Here) -> None:
    here.poll("20.00", TODAY - HOUR * 3)
    here.poll("20.00", TODAY + HOUR)
    here.poll("19.00", TODAY + HOUR * 2)

    assert here.spent() == {1: "0.00", 0: "1.00"}


def test_a_clock_that_runs_back_costs_nothing_but_the_hour(here: Here) -> None:
    here.poll("20.00", NOW + DAY * 365)
    here.poll("19.00", NOW)
    here.poll("18.00", NOW + MINUTES)

    assert here.floor(NOW + MINUTES) == "18.00"
    assert here.spent()[0] == "2.00"
    assert here.position(NOW + DAY * 400).floor == usd("18")


def test_what_an_operator_states_counts_until_the_next_poll(here: Here) -> None:
    here.poll("20.00")
    here.enter(Kind.CHECKPOINT, "99.00", NOW + timedelta(minutes=1))
    assert here.floor(NOW + timedelta(minutes=2)) == "99.00"
    here.poll("20.00", NOW + MINUTES)

    position = here.position(NOW + MINUTES)
    assert (position.floor, position.checkpoint.source) == (usd("20"), "api")


def test_a_voided_checkpoint_is_stated_anew_by_the_next_poll(here: Here) -> None:
    here.poll("20.00")
    with here.store.begin() as tx:
        ledger.void(tx, 1, NOW)
    assert here.facts().position is None
    here.poll("20.00", NOW + MINUTES)

    assert here.floor(NOW + MINUTES) == "20.00"


class TestOneDepositOfSeveralSources:
    def test_typed_before_the_api_shows_it(self, here: Here) -> None:
        here.poll("4.00")
        here.enter(Kind.DEPOSIT, "10.00", NOW + timedelta(minutes=1))
        assert here.floor(NOW + timedelta(minutes=2)) == "14.00"
        here.poll("14.00", NOW + MINUTES)

        assert here.deposits() == [("10.00", ("api", "manual"))]
        assert here.floor(NOW + MINUTES) == "14.00"

    def test_typed_after_the_api_showed_it(self, here: Here) -> None:
        here.poll("4.00")
        here.poll("14.00", NOW + MINUTES)
        here.enter(Kind.DEPOSIT, "10.00", NOW + MINUTES * 2)

        assert here.deposits() == [("10.00", ("api", "manual"))]
        assert here.floor(NOW + MINUTES * 2) == "14.00"

    def test_a_receipt_and_an_entry_and_the_jump(self, here: Here) -> None:
        here.poll("4.00")
        at = NOW + timedelta(minutes=1)
        with here.store.begin() as tx:
            paid = Stated(
                Kind.CHARGE,
                usd("10"),
                at,
                source="receipt",
                external_id="mail-1",
                outcome=Outcome.SUCCEEDED,
                card="visa-1881",
                origin="stripe-receipt",
            )
            ledger.record(tx, due.load(tx, here.name).id, paid, at)
        here.enter(Kind.DEPOSIT, "10.00", at)
        here.poll("14.00", NOW + MINUTES)

        assert here.deposits() == [("10.00", ("api", "receipt", "manual"))]
        (charge,) = here.books().charges
        assert (charge.card, charge.amount) == ("visa-1881", usd("10"))
        assert here.floor(NOW + MINUTES) == "14.00"

    def test_one_that_never_came_is_superseded_by_the_next_poll(self, here: Here) -> None:
        here.poll("4.00")
        here.enter(Kind.DEPOSIT, "10.00", NOW + timedelta(minutes=1))
        here.poll("4.00", NOW + MINUTES)

        assert here.floor(NOW + MINUTES) == "4.00"

    def test_one_that_was_inside_what_polls_confirmed_is_not_added(self, here: Here) -> None:
        here.poll("14.00")
        here.poll("14.00", NOW + HOUR)
        here.enter(Kind.DEPOSIT, "10.00", NOW + timedelta(minutes=10))

        assert here.floor(NOW + HOUR + MINUTES) == "14.00"


class TestRulesOnIt:
    MODEL = Recharge(
        enabled=True,
        trigger=usd("5"),
        amount=usd("10"),
        restore_to=None,
        monthly_limit=None,
        overdraft=usd("2"),
    )

    def test_the_api_is_a_witness_while_it_answers(self, here: Here) -> None:
        here.poll("20.00")
        assert here.facts().witness is Witness.HEALTHY
        here.poll(None, NOW + MINUTES)
        assert here.facts(NOW + MINUTES).witness is Witness.FAILING

    def test_a_recharge_is_due_since_the_poll_that_first_saw_it_under(self, here: Here) -> None:
        here.recharge = self.MODEL
        for turn, left in enumerate(("5.20", "5.00", "4.90", "4.80", "4.80", "4.70")):
            here.poll(left, NOW + MINUTES * turn)

        assert here.facts(NOW + MINUTES * 5).due_since == NOW + MINUTES * 2

    def test_a_jump_is_the_recharge_that_was_due(self, here: Here) -> None:
        here.recharge = self.MODEL
        here.poll("4.90")
        here.poll("14.90", NOW + MINUTES)
        facts = here.facts(NOW + MINUTES)

        assert (facts.due_since, facts.confirmed_at) == (None, NOW + MINUTES)
        assert [(one.amount, one.card) for one in facts.charges] == [(usd("10"), None)]
        assert [one.source for one in facts.unexplained] == ["api"]

    def test_a_purchase_by_hand_is_no_recharge(self, here: Here) -> None:
        here.recharge = self.MODEL
        here.poll("4.90")
        here.poll("14.90", NOW + MINUTES)
        here.enter(Kind.DEPOSIT, "10.00", NOW + MINUTES)

        facts = here.facts(NOW + MINUTES)
        assert (facts.charges, facts.unexplained) == ((), ())

    def test_the_burn_is_of_whole_days_after_the_first_poll(self, here: Here) -> None:
        left = 40.0
        for turn in range(4):  # from noon three days ago on, a dollar each half day
            here.poll(f"{left:.2f}", NOW - DAY * 3 + HOUR * 12 * turn)
            left -= 1
        assert here.facts(NOW - DAY * 2 + HOUR * 6).burn is None
        for turn in range(4, 7):
            here.poll(f"{left:.2f}", NOW - DAY * 3 + HOUR * 12 * turn)
            left -= 1

        assert here.facts().burn == Burn(usd("2.00"), 2)

    def test_what_was_foretold_stays_said_while_the_checkpoint_moves(self, here: Here) -> None:
        here.recharge = self.MODEL
        here.poll("15.00", NOW - DAY * 4)
        here.poll("5.50", NOW)
        facts = here.facts()
        (finding,) = RechargeDue().evaluate(facts)
        assert finding.status == "firing"

        here.poll("5.49", NOW + MINUTES)
        slower = replace(
            here.facts(NOW + MINUTES),
            next_charge=replace(facts.next_charge, at=NOW + DAY * 3) if facts.next_charge else None,
            standing={("recharge-due", "main"): Standing(Severity.INFO, "due", 1, NOW)},
        )
        (again,) = RechargeDue().evaluate(slower)
        assert again.status == "firing"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A database for many accounts."""
    with opened(tmp_path_factory.mktemp("shared") / "spendguard.db") as store:
        yield store


@settings(max_examples=25)
@given(st.lists(st.tuples(MONEY, st.integers(0, 10**12)), min_size=1, max_size=6), st.booleans())
def test_after_any_polls_the_balance_is_the_last_one_stated(
    shared: Store,
    stated: list[tuple[int, int]],
    lifetime: bool,  # noqa: FBT001
) -> None:
    name = f"any-{next(NUMBERS)}"
    with shared.begin() as tx:
        due.register(tx, [account(name)])
    here, credited = Here(shared, name=name), 0
    for turn, (left, bought) in enumerate(stated):
        credited += bought
        at = NOW + HOUR * 7 * turn
        told = Money(left, "USD").exact(), Money(credited, "USD").exact() if lifetime else None
        here.poll(told[0], at, told[1])
        position = here.position(at)
        assert position.floor == position.billed == Money(left, "USD")
    spent = sum(usd(amount).nanos for amount in here.spent().values())
    came = sum(e.amount.nanos for e in here.books().entries if e.kind is Kind.DEPOSIT)
    assert stated[0][0] + came - spent == stated[-1][0]
