from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from spendguard.core.errors import SpendguardError
from spendguard.core.ledger import Kind, Position
from spendguard.core.money import Money
from spendguard.core.readings import Spend, SpendRead
from spendguard.core.reconcile import reconcile
from spendguard.core.windows import DAY, HOUR, Window, utc_day
from spendguard.pipeline import record
from spendguard.pipeline.known import position_at
from spendguard.pipeline.record import Checkpointed, Voided
from spendguard.store import due, ledger, readings
from spendguard.store.connect import Store
from spendguard.store.ledger import Recorded, Stated

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = utc_day(NOW).start
CHECKPOINTS = frozenset({Kind.CHECKPOINT})
CREDIT = frozenset({Kind.DEPOSIT, Kind.GRANT, Kind.REFUND})


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def spend(store: Store, *costs: tuple[int, str]) -> None:
    """Book what each day, counted back from today, cost."""
    window = Window(TODAY - DAY * 30, TODAY + DAY)
    rows = [Spend(utc_day(NOW - DAY * ago), usd(amount)) for ago, amount in costs]
    with store.begin() as tx:
        row = due.load(tx, "main")
        readings.put_spend(tx, row.id, "USD", SpendRead(window, tuple(rows)), NOW)
        due.succeeded(tx, row, NOW, timedelta(minutes=5), read_from=window.start)


def balance(store: Store, amount: str, at: datetime) -> Checkpointed:
    with store.begin() as tx:
        return record.set_balance(tx, "main", Stated(Kind.CHECKPOINT, usd(amount), at), NOW)


def credit(
    store: Store, kind: Kind, amount: str, at: datetime, external_id: str | None = None
) -> Recorded:
    stated = Stated(kind, usd(amount), at, external_id=external_id)
    with store.begin() as tx:
        return record.add_credit(tx, "main", stated, NOW)


def void(store: Store, entry_id: str, kinds: frozenset[Kind]) -> Voided:
    with store.begin() as tx:
        return record.void(tx, entry_id, kinds, NOW)


def position(store: Store) -> Position | None:
    with store.begin() as tx:
        row = due.load(tx, "main")
        return position_at(tx, row, reconcile(ledger.live(tx, row.id)).entries, NOW)


class TestABalance:
    def test_that_is_the_first_has_no_drift(self, store: Store) -> None:
        set_ = balance(store, "20", NOW - DAY)

        assert (set_.derived, set_.drift, set_.superseded_by) == (None, None, None)
        assert set_.entry.new

    @pytest.mark.parametrize(
        ("amount", "drift"), [("16", "-1.00"), ("18.5", "1.50"), ("17", "0.00")]
    )
    def test_prints_how_far_it_is_from_what_was_derived_for_its_instant(
        self, store: Store, amount: str, drift: str
    ) -> None:
        balance(store, "20", TODAY - DAY * 5 + HOUR * 9)
        spend(store, (5, "4"), (4, "2"), (3, "1"), (1, "9"))

        set_ = balance(store, amount, TODAY - DAY * 2)

        assert set_.derived is not None
        assert set_.derived.billed == usd("17")
        assert set_.drift == usd(drift)

    def test_of_this_moment_is_compared_with_all_that_is_known(self, store: Store) -> None:
        balance(store, "20", TODAY - DAY * 5)
        spend(store, (4, "2"), (0, "3"))
        credit(store, Kind.DEPOSIT, "10", NOW - HOUR)

        assert balance(store, "25", NOW).drift == usd("0")

    def test_that_is_back_dated_tells_which_one_counts(self, store: Store) -> None:
        balance(store, "20", NOW - DAY)

        set_ = balance(store, "99", NOW - DAY * 3)

        assert set_.superseded_by == NOW - DAY
        held = position(store)
        assert held is not None
        assert held.billed == usd("20")

    def test_replaces_an_earlier_one_and_takes_what_happened_until_then(self, store: Store) -> None:
        balance(store, "20", TODAY - DAY * 5)
        credit(store, Kind.DEPOSIT, "10", TODAY - DAY)
        balance(store, "12", TODAY - DAY)

        held = position(store)

        assert held is not None
        assert (held.billed, held.credit) == (usd("12"), usd("0"))


class TestCredit:
    @pytest.mark.parametrize(
        ("kind", "billed"), [(Kind.DEPOSIT, "30"), (Kind.GRANT, "30"), (Kind.REFUND, "10")]
    )
    def test_moves_the_balance(self, store: Store, kind: Kind, billed: str) -> None:
        balance(store, "20", NOW - DAY)

        credit(store, kind, "10", NOW - HOUR)

        held = position(store)
        assert held is not None
        assert held.billed == usd(billed)

    def test_of_one_id_is_written_once(self, store: Store) -> None:
        first = credit(store, Kind.DEPOSIT, "10", NOW, "in_1")

        assert credit(store, Kind.DEPOSIT, "10", NOW, "in_1") == Recorded(first.id, new=False)
        with pytest.raises(SpendguardError):
            credit(store, Kind.DEPOSIT, "11", NOW, "in_1")


class TestAVoid:
    @pytest.mark.parametrize("kind", sorted(CREDIT))
    def test_undoes_credit_exactly(self, store: Store, kind: Kind) -> None:
        balance(store, "5", TODAY - DAY * 5)
        credit(store, Kind.DEPOSIT, "10", TODAY - DAY * 4)
        spend(store, (3, "7.123456789"), (1, "9.9"))
        before = position(store)

        entry = credit(store, kind, "3", TODAY - DAY * 2)
        assert position(store) != before
        voided = void(store, entry.id, CREDIT)

        assert voided == Voided(entry.id, "main", kind, usd("3"), TODAY - DAY * 2, new=True)
        assert position(store) == before

    def test_undoes_a_checkpoint_exactly(self, store: Store) -> None:
        balance(store, "20", TODAY - DAY * 5)
        spend(store, (3, "7"))
        before = position(store)

        set_ = balance(store, "99", TODAY - DAY)
        void(store, set_.entry.id, CHECKPOINTS)

        assert position(store) == before

    def test_of_the_only_checkpoint_leaves_nothing_known(self, store: Store) -> None:
        set_ = balance(store, "20", NOW - DAY)
        credit(store, Kind.DEPOSIT, "10", NOW - HOUR)

        void(store, set_.entry.id, CHECKPOINTS)

        assert position(store) is None

    def test_again_changes_nothing(self, store: Store) -> None:
        entry = credit(store, Kind.DEPOSIT, "3", NOW)

        assert void(store, entry.id, CREDIT).new
        assert not void(store, entry.id, CREDIT).new

    @pytest.mark.parametrize("entry_id", ["99", "x", "", "99999999999999999999"])
    def test_of_nothing_is_refused(self, store: Store, entry_id: str) -> None:
        with pytest.raises(SpendguardError) as caught:
            void(store, entry_id, CREDIT)

        assert f"'{entry_id}'" in caught.value.message
        assert "deposit list" in caught.value.hint

    def test_of_another_kind_names_the_command(self, store: Store) -> None:
        entry, set_ = credit(store, Kind.GRANT, "3", NOW), balance(store, "20", NOW)

        with pytest.raises(SpendguardError) as caught:
            void(store, entry.id, CHECKPOINTS)
        assert f"deposit void {entry.id}" in caught.value.hint

        with pytest.raises(SpendguardError) as caught:
            void(store, set_.entry.id, CREDIT)
        assert f"balance void {set_.entry.id}" in caught.value.hint
