"""Reconciling: one real top-up is one deposit, whoever tells of it, in whatever order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.charges import Outcome, strikes
from spendguard.core.ledger import Kind
from spendguard.core.money import Money
from spendguard.core.reconcile import Books, Statement, reconcile

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ENDS = {"s": Outcome.SUCCEEDED, "f": Outcome.FAILED, "u": Outcome.UNKNOWN}


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def deposit(
    number: int, amount: str | None, hours: float = 0, source: str = "manual", origin: str = ""
) -> Statement:
    money = None if amount is None else usd(amount)
    at = NOW + HOUR * hours
    return Statement(
        str(number), Kind.DEPOSIT, money, at, "main", source=source, origin=origin, recorded_at=at
    )


def charge(
    number: int,
    amount: str | None,
    hours: float = 0,
    source: str = "manual",
    outcome: Outcome = Outcome.SUCCEEDED,
) -> Statement:
    said = deposit(number, amount, hours, source)
    return replace(said, kind=Kind.CHARGE, outcome=outcome, card="visa")


def failed(number: int, amount: str | None, hours: float = 0, source: str = "manual") -> Statement:
    return charge(number, amount, hours, source, Outcome.FAILED)


def checkpoint(number: int, amount: str, hours: float = 0) -> Statement:
    return replace(deposit(number, amount, hours), kind=Kind.CHECKPOINT)


def credit(books: Books) -> list[str]:
    return [one.amount.exact() for one in books.entries if one.kind is Kind.DEPOSIT]


@pytest.mark.parametrize(
    ("statements", "lots"),
    [
        pytest.param([deposit(1, "10")], ["10.00"], id="what one person typed"),
        pytest.param(
            [deposit(1, "10"), deposit(2, "10", 1)],
            ["10.00", "10.00"],
            id="what one person typed twice is two",
        ),
        pytest.param(
            [deposit(1, "10"), deposit(2, "10", 1, "receipt")],
            ["10.00"],
            id="typed in, and on a receipt",
        ),
        pytest.param(
            [deposit(1, "10"), charge(2, "10", 1, "receipt"), deposit(3, "10", 2, "card")],
            ["10.00"],
            id="three sources of one",
        ),
        pytest.param(
            [deposit(1, "10"), deposit(2, "10", 48, "receipt")], ["10.00"], id="48 h apart"
        ),
        pytest.param(
            [deposit(1, "10"), deposit(2, "10", 48.01, "receipt")],
            ["10.00", "10.00"],
            id="more than 48 h apart",
        ),
        pytest.param(
            [deposit(1, "10"), deposit(2, "10.01", 1, "receipt")],
            ["10.00", "10.01"],
            id="another amount, if by a cent",
        ),
        pytest.param(
            [
                deposit(1, "10", 0, "receipt", "paid"),
                deposit(2, "10", 1, "receipt", "funded"),
                deposit(3, "10", 2, "receipt", "paid"),
            ],
            ["10.00", "10.00"],
            id="two kinds of receipts tell of one, the same kind of two",
        ),
        pytest.param([charge(1, "10")], ["10.00"], id="a charge that succeeded is a deposit"),
        pytest.param([failed(1, "10")], [], id="one that failed is none"),
        pytest.param([charge(1, "10", outcome=Outcome.UNKNOWN)], [], id="nor one of unknown end"),
        pytest.param([deposit(1, None, source="inferred")], [], id="nor credit of unknown amount"),
    ],
)
def test_the_credit_is(statements: list[Statement], lots: list[str]) -> None:
    assert credit(reconcile(statements)) == lots


class TestOneOfSeveralSources:
    typed = replace(deposit(1, "10"), expires_at=NOW + HOUR * 1000)
    seen = replace(charge(2, "10", 3, "receipt"), external_id="in_1")
    books = reconcile([typed, seen])

    def test_names_all_of_them_the_best_informed_first(self) -> None:
        (top,) = self.books.top_ups

        assert top.sources == ("receipt", "manual")
        assert top.charge == self.seen

    def test_has_the_instant_of_the_best_informed(self) -> None:
        (entry,) = self.books.entries

        assert (entry.id, entry.at, entry.source) == ("2", NOW + 3 * HOUR, "receipt")

    def test_keeps_what_only_the_other_knew(self) -> None:
        assert self.books.entries[0].expires_at == self.typed.expires_at

    def test_is_a_charge_where_one_of_them_says_so(self) -> None:
        (one,) = self.books.charges

        assert (one.outcome, one.card, one.amount) == (Outcome.SUCCEEDED, "visa", usd("10"))

    def test_stands_while_one_of_them_does(self) -> None:
        assert credit(reconcile([self.typed])) == credit(reconcile([self.seen])) == ["10.00"]
        assert reconcile([self.typed]).charges == ()


@pytest.mark.parametrize(
    ("statements", "count"),
    [
        pytest.param([failed(1, "10"), failed(2, "10", 1, "receipt")], 1, id="two sources of one"),
        pytest.param(
            [failed(1, None), failed(2, "10", 1, "receipt")], 1, id="one of them without a figure"
        ),
        pytest.param([failed(1, "10"), failed(2, "10", 1)], 2, id="one source of two"),
        pytest.param(
            [
                failed(1, "10", 0, "receipt"),
                failed(2, "10", 1),
                failed(3, "10", 24, "receipt"),
                failed(4, "10", 25),
            ],
            2,
            id="two sources of two",
        ),
        pytest.param(
            [failed(1, "10"), failed(2, "20", 1, "receipt")], 2, id="of different amounts"
        ),
        pytest.param([failed(1, "10"), charge(2, "10", 1, "receipt")], 0, id="a success ends them"),
        pytest.param([failed(1, "10"), deposit(2, "10", 1, "receipt")], 1, id="a deposit does not"),
        pytest.param(
            [failed(1, "10"), charge(2, None, 1, outcome=Outcome.UNKNOWN)],
            1,
            id="nor does a charge of unknown end",
        ),
    ],
)
def test_strikes_of_what_was_told(statements: list[Statement], count: int) -> None:
    assert strikes(reconcile(statements).charges, 2).worst == count


class TestCreditThatNobodyEntered:
    def test_is_what_only_machines_tell(self) -> None:
        told = [deposit(1, "10", 0, "receipt"), deposit(2, "20", 0, "api"), deposit(3, "30", 0)]

        assert {one.id for one in reconcile(told).unexplained} == {"1", "2"}

    def test_is_explained_by_a_matching_entry(self) -> None:
        assert reconcile([deposit(1, "10", 0, "receipt"), deposit(2, "10", 5)]).unexplained == ()

    def test_is_one_however_many_machines_tell_of_it(self) -> None:
        first, second = deposit(1, "10", 0, "receipt"), deposit(2, "10", 5, "api")

        (one,) = reconcile([first, second]).unexplained

        assert one == replace(second, recorded_at=first.recorded_at)

    def test_is_not_what_only_a_card_tells(self) -> None:
        assert reconcile([deposit(1, "10", 0, "card")]).unexplained == ()


class TestAProofOfCredit:
    proof = deposit(5, None, 0, "inferred")

    def test_stands_while_nothing_explains_it(self) -> None:
        books = reconcile([checkpoint(1, "3", -90), deposit(2, "10", -80), self.proof])

        assert books.proofs == books.unexplained == (self.proof,)

    @pytest.mark.parametrize(
        ("later", "explained"),
        [
            pytest.param(checkpoint(6, "9", 0), True, id="a checkpoint of that instant"),
            pytest.param(checkpoint(6, "9", -1), False, id="a checkpoint before it"),
            pytest.param(deposit(6, "10", -20), True, id="a deposit entered after it"),
            pytest.param(charge(6, "10", 168), True, id="a charge up to a week after it"),
            pytest.param(deposit(6, "10", 168.01), False, id="not one that came later"),
            pytest.param(deposit(6, "10", -91), False, id="nor one before the checkpoint"),
            pytest.param(failed(6, "10"), False, id="nor a charge that failed"),
        ],
    )
    def test_is_explained_by(self, later: Statement, explained: bool) -> None:  # noqa: FBT001
        books = reconcile([checkpoint(1, "3", -90), self.proof, later])

        assert (books.proofs == ()) is explained


class TestAConflict:
    @pytest.mark.parametrize(
        ("typed", "seen", "count"),
        [
            pytest.param(deposit(1, "10"), deposit(2, "12", 1, "receipt"), 1, id="near"),
            pytest.param(deposit(1, "10", 40), deposit(2, "12", 0, "receipt"), 1, id="before"),
            pytest.param(deposit(1, "10"), deposit(2, "12", 49, "receipt"), 0, id="far away"),
            pytest.param(deposit(1, "10"), deposit(2, "10", 1, "receipt"), 0, id="the same"),
            pytest.param(deposit(1, "10"), deposit(2, "12", 1), 0, id="both typed"),
        ],
    )
    def test_is_shown(self, typed: Statement, seen: Statement, count: int) -> None:
        assert len(reconcile([typed, seen]).conflicts) == count

    def test_changes_nothing(self) -> None:
        books = reconcile([deposit(1, "10"), deposit(2, "12", 1, "receipt")])

        assert credit(books) == ["10.00", "12.00"]


hours = st.integers(0, 120)
sources = st.sampled_from(["manual", "receipt", "card", "api"])
figures = st.sampled_from(["10", "20"])
said = st.one_of(
    st.builds(deposit, st.just(0), figures, hours, sources, st.sampled_from(["", "b"])),
    st.builds(
        charge, st.just(0), figures, hours, sources, st.sampled_from([*Outcome, Outcome.FAILED])
    ),
    st.builds(failed, st.just(0), st.none() | figures, hours, sources),
    st.builds(checkpoint, st.just(0), figures, hours),
    st.builds(deposit, st.just(0), st.none(), hours, st.just("inferred")),
)
histories = st.lists(said, max_size=8).map(
    lambda told: [replace(one, id=str(number)) for number, one in enumerate(told, start=1)]
)


def gist(books: Books) -> object:
    """Return what a ledger says, whatever its entries are called."""
    lots = sorted((one.kind, one.amount.nanos, one.at, one.source) for one in books.entries)
    tried = [(one.at, one.outcome, one.amount, one.source) for one in books.charges]
    return lots, sorted(tried, key=str), [one.sources for one in books.top_ups]


@given(histories, st.randoms(use_true_random=False))
def test_the_order_of_statements_does_not_matter(told: list[Statement], chance: Random) -> None:
    books = reconcile(told)
    other = reconcile(chance.sample(told, len(told)))

    assert (other.entries, other.charges, other.top_ups) == (
        books.entries,
        books.charges,
        books.top_ups,
    )
    assert set(other.unexplained) == set(books.unexplained)
    assert set(other.proofs) == set(books.proofs)
    assert set(other.conflicts) == set(books.conflicts)


@given(histories, st.randoms(use_true_random=False))
def test_nor_does_which_was_recorded_first(told: list[Statement], chance: Random) -> None:
    order = chance.sample(range(1, len(told) + 1), len(told))
    renamed = [replace(one, id=str(number)) for one, number in zip(told, order, strict=True)]

    assert gist(reconcile(renamed)) == gist(reconcile(told))


@given(histories, said, st.randoms(use_true_random=False))
def test_a_void_undoes_exactly(told: list[Statement], extra: Statement, chance: Random) -> None:
    added = replace(extra, id="99")
    with_it = chance.sample([*told, added], len(told) + 1)

    assert gist(reconcile([one for one in with_it if one != added])) == gist(reconcile(told))


@given(histories)
def test_every_statement_of_credit_is_in_exactly_one_top_up(told: list[Statement]) -> None:
    known = [one for one in told if one.credits and one.amount is not None]
    books = reconcile(told)

    gathered = [one.id for top in books.top_ups for one in top.statements]
    assert sorted(gathered) == sorted(one.id for one in known)
    for top in books.top_ups:
        assert len({one.amount for one in top.statements}) == 1
        assert len({one.witness for one in top.statements}) == len(top.statements)
        instants = [one.at for one in top.statements]
        assert max(instants) - min(instants) <= 48 * HOUR


@given(histories, st.sampled_from(["manual", "receipt", "card", "api"]))
def test_another_source_of_a_lone_failure_is_no_further_strike(
    told: list[Statement], source: str
) -> None:
    paid = [one for one in told if one.outcome is not Outcome.FAILED]
    alone = replace(failed(50, "10", 60), source="receipt", origin="lone")
    again = replace(alone, id="51", source=source, origin="other", at=alone.at + HOUR)

    def worst(statements: list[Statement]) -> int:
        charges = [one for one in reconcile(statements).charges if one.outcome is Outcome.FAILED]
        return strikes(charges, 2).worst

    assert worst([*paid, alone]) == worst([*paid, alone, again]) == 1


@given(histories)
def test_only_a_success_resets_strikes(told: list[Statement]) -> None:
    silent = [one for one in told if one.kind is not Kind.CHARGE or one.outcome is Outcome.FAILED]
    failures = [one for one in silent if one.outcome is Outcome.FAILED]

    with_rest, alone = (strikes(reconcile(kept).charges, 2) for kept in (silent, failures))

    assert with_rest == alone
