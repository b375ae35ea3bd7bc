from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spendguard.core.errors import SpendguardError
from spendguard.core.ledger import DaySpend, Entry, Kind, Position, derive
from spendguard.core.money import NANOS, Money
from spendguard.core.reconcile import reconcile
from spendguard.core.windows import DAY, HOUR, Window
from spendguard.store import due, ledger
from spendguard.store.connect import Store
from spendguard.store.ledger import Recorded, Stated
from spendguard.store.schema import entries
from tests.databases import account

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
YEAR = NOW + DAY * 365


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def deposit(amount: str = "10", external_id: str | None = None) -> Stated:
    return Stated(Kind.DEPOSIT, usd(amount), NOW, expires_at=YEAR, external_id=external_id)


def write(store: Store, account_id: int, stated: Stated) -> Recorded:
    with store.begin() as tx:
        return ledger.record(tx, account_id, stated, NOW)


def void(store: Store, entry_id: str) -> None:
    with store.begin() as tx:
        ledger.void(tx, int(entry_id), NOW)


def live(store: Store, account_id: int) -> list[Entry]:
    with store.begin() as tx:
        return list(reconcile(ledger.live(tx, account_id)).entries)


def rows(store: Store) -> int:
    with store.begin() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(entries)).scalar_one())


def test_an_entry_comes_back_as_it_was_stated(store: Store, main: int) -> None:
    stated = replace(deposit("10.000000001", "in_1"), source="receipt")

    recorded = write(store, main, stated)

    assert recorded.new
    assert live(store, main) == [
        Entry(
            recorded.id, Kind.DEPOSIT, usd("10.000000001"), NOW, YEAR, "receipt", external_id="in_1"
        )
    ]


def test_entries_come_in_the_order_of_time(store: Store, main: int, other: int) -> None:
    for hours in (3, 1, 2):
        write(store, main, replace(deposit(str(hours)), at=NOW + HOUR * hours))
    write(store, other, deposit("99"))

    assert [entry.amount for entry in live(store, main)] == [usd("1"), usd("2"), usd("3")]


class TestTheSameId:
    def test_again_changes_nothing(self, store: Store, main: int) -> None:
        first = write(store, main, deposit("10", "in_1"))

        assert write(store, main, deposit("10", "in_1")) == Recorded(first.id, new=False)
        assert rows(store) == 1

    @pytest.mark.parametrize(
        "again",
        [
            pytest.param(replace(deposit("10", "in_1"), at=NOW - DAY), id="another default time"),
            pytest.param(
                replace(deposit("10", "in_1"), at=NOW - DAY, at_stated=True),
                id="a time typed only now",
            ),
            pytest.param(
                replace(deposit("10", "in_1"), expires_at=None), id="another default expiry"
            ),
            pytest.param(
                replace(deposit("10", "in_1"), expires_at=NOW + DAY, expires_stated=True),
                id="an expiry typed only now",
            ),
            pytest.param(replace(deposit("10", "in_1"), source="api"), id="another source"),
        ],
    )
    def test_with_other_defaults_changes_nothing(
        self, store: Store, main: int, again: Stated
    ) -> None:
        write(store, main, deposit("10", "in_1"))
        before = live(store, main)

        assert not write(store, main, again).new
        assert live(store, main) == before

    @pytest.mark.parametrize(
        "again",
        [
            pytest.param(deposit("10.000000001", "in_1"), id="another amount"),
            pytest.param(replace(deposit("10", "in_1"), kind=Kind.GRANT), id="another kind"),
            pytest.param(replace(deposit("10", "in_1"), kind=Kind.REFUND), id="a refund"),
            pytest.param(
                replace(deposit("10", "in_1"), amount=Money.parse("10", "EUR")),
                id="another currency",
            ),
        ],
    )
    def test_with_other_content_is_refused(self, store: Store, main: int, again: Stated) -> None:
        first = write(store, main, deposit("10", "in_1"))
        before = live(store, main)

        with pytest.raises(SpendguardError) as caught:
            write(store, main, again)

        assert "'in_1'" in caught.value.message
        assert f"deposit {first.id} of 10.00 USD on account main" in caught.value.message
        assert caught.value.hint
        assert live(store, main) == before

    @pytest.mark.parametrize(
        "typed",
        [
            pytest.param(replace(deposit("10", "in_1"), at_stated=True), id="time"),
            pytest.param(replace(deposit("10", "in_1"), expires_stated=True), id="expiry"),
        ],
    )
    def test_compares_what_was_typed_both_times(
        self, store: Store, main: int, typed: Stated
    ) -> None:
        write(store, main, typed)

        assert not write(store, main, typed).new
        with pytest.raises(SpendguardError, match="'in_1'"):
            write(store, main, replace(typed, at=typed.at - HOUR, expires_at=YEAR - HOUR))

    def test_a_default_after_a_typed_time_changes_nothing(self, store: Store, main: int) -> None:
        write(store, main, replace(deposit("10", "in_1"), at=NOW - DAY, at_stated=True))

        assert not write(store, main, deposit("10", "in_1")).new
        assert live(store, main)[0].at == NOW - DAY

    def test_on_another_account_is_refused(self, store: Store, main: int, other: int) -> None:
        write(store, main, deposit("10", "in_1"))

        with pytest.raises(SpendguardError, match="on account main"):
            write(store, other, deposit("10", "in_1"))

    def test_is_free_again_once_its_entry_is_void(
        self, store: Store, main: int, other: int
    ) -> None:
        for account_id, amount in ((main, "10"), (main, "12"), (other, "7")):
            recorded = write(store, account_id, deposit(amount, "in_1"))
            assert recorded.new
            void(store, recorded.id)

        assert write(store, main, deposit("3", "in_1")).new

    def test_is_no_matter_where_none_is_given(self, store: Store, main: int) -> None:
        assert write(store, main, deposit()).id != write(store, main, deposit()).id


class TestVoid:
    def test_takes_an_entry_out_and_deletes_nothing(self, store: Store, main: int) -> None:
        kept, gone = write(store, main, deposit("1")), write(store, main, deposit("2"))

        void(store, gone.id)

        assert [entry.id for entry in live(store, main)] == [kept.id]
        assert rows(store) == 2

    def test_does_not_give_its_number_away(self, store: Store, main: int) -> None:
        gone = write(store, main, deposit())
        void(store, gone.id)

        assert int(write(store, main, deposit()).id) > int(gone.id)

    def test_entries_are_found_by_their_number(self, store: Store, other: int) -> None:
        recorded = write(store, other, deposit("2"))

        with store.begin() as tx:
            row = ledger.find(tx, recorded.id)
            assert row is not None
            assert (row.name, row.nanos) == ("other", 2 * NANOS)
            for nothing in ("99", "", "-1", "x", "1.0", "²", "1 OR 1=1"):
                assert ledger.find(tx, nothing) is None


def test_the_mark_changes_with_every_entry_and_every_void(
    store: Store, main: int, other: int
) -> None:
    def mark() -> str:
        with store.begin() as tx:
            return ledger.mark(tx, main)

    marks = [mark()]
    for work in ("write", "write", "void"):
        if work == "write":
            recorded = write(store, main, deposit())
        else:
            void(store, recorded.id)
        marks.append(mark())
    write(store, other, deposit())

    assert len(set(marks)) == 4
    assert mark() == marks[-1]


DAYS = [
    DaySpend(Window(NOW - HOUR * 12 - DAY * n, NOW + HOUR * 12 - DAY * n), usd("1.7"))
    for n in range(1, 9)
]
stated_entries = st.builds(
    lambda kind, cents, quarters, lasting: Stated(
        kind,
        Money(cents * NANOS // 100, "USD"),
        NOW - timedelta(minutes=15) * quarters,
        expires_at=None
        if lasting is None or kind in (Kind.CHECKPOINT, Kind.REFUND)
        else NOW + HOUR * lasting,
    ),
    st.sampled_from(Kind),
    st.integers(1, 5000),
    st.integers(0, 9 * 24 * 4),
    st.none() | st.integers(-150, 150),
)
_numbers = count()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(stated_entries, max_size=5), more=st.lists(stated_entries, max_size=3))
def test_a_void_undoes_exactly_and_a_restart_changes_nothing(
    store: Store, told: list[Stated], more: list[Stated]
) -> None:
    name = f"fresh-{next(_numbers)}"
    with store.begin() as tx:
        due.register(tx, [account(name)])
        fresh = int(due.load(tx, name).id)
    for stated in told:
        write(store, fresh, stated)
    before = position(store, fresh)

    for recorded in [write(store, fresh, stated) for stated in more]:
        void(store, recorded.id)

    assert position(store, fresh) == before
    restarted = Store(str(store.url))
    assert position(restarted, fresh) == before
    restarted.close()


def position(store: Store, account_id: int) -> Position | None:
    return derive(live(store, account_id), DAYS, NOW, as_of=NOW)
