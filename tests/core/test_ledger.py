from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spendguard.core.ledger import (
    DaySpend,
    Entry,
    Kind,
    Position,
    Settled,
    Split,
    derive,
    latest_checkpoint,
    settle,
)
from spendguard.core.money import NANOS, Money
from spendguard.core.windows import DAY, HOUR, Window

FIRST = datetime(2026, 11, 2, tzinfo=UTC)
NOW = FIRST + DAY * 10


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def at(day: float) -> datetime:
    """The instant `day` days after the first."""
    return FIRST + DAY * day


def stated(number: int, amount: str, day: float) -> Entry:
    return Entry(str(number), Kind.CHECKPOINT, usd(amount), at(day))


def deposit(number: int, amount: str, day: float, until: float | None = None) -> Entry:
    ends = None if until is None else at(until)
    return Entry(str(number), Kind.DEPOSIT, usd(amount), at(day), ends)


def grant(number: int, amount: str, day: float, until: float | None = None) -> Entry:
    ends = None if until is None else at(until)
    return Entry(str(number), Kind.GRANT, usd(amount), at(day), ends)


def refund(number: int, amount: str, day: float) -> Entry:
    return Entry(str(number), Kind.REFUND, usd(amount), at(day))


def cost(day: int, amount: str) -> DaySpend:
    return DaySpend(Window(at(day), at(day + 1)), usd(amount))


def derived(
    *entries: Entry, costs: Sequence[DaySpend] = (), now: datetime = NOW, late: str | None = None
) -> Position:
    position = derive(entries, costs, now, as_of=now, late=usd(late) if late else None)
    assert position is not None
    return position


def figures(position: Position) -> tuple[str, str]:
    return position.floor.exact(), position.billed.exact()


def lots(position: Position) -> list[tuple[str | None, str]]:
    return [(lot.id, lot.left.exact()) for lot in position.lots if lot.left]


def test_without_a_checkpoint_nothing_is_known_even_where_credit_is() -> None:
    assert derive([deposit(1, "50", 0)], [cost(1, "3")], NOW, as_of=NOW) is None


def test_the_balance_is_the_checkpoint_plus_credit_less_what_expired_and_was_spent() -> None:
    position = derived(
        stated(1, "20", 1),
        deposit(2, "10", 2),
        grant(3, "4", 2, until=3),
        refund(4, "5", 4),
        costs=[cost(2, "1"), cost(5, "2.5")],
    )

    assert figures(position) == ("22.50", "22.50")
    assert (position.credit, position.expired, position.spent) == (usd("9"), usd("3"), usd("3.5"))


@pytest.mark.parametrize(
    ("entry", "counts"),
    [
        pytest.param(deposit(2, "10", 1.5), False, id="a deposit before the checkpoint"),
        pytest.param(deposit(2, "10", 2), False, id="a deposit at the checkpoint's instant"),
        pytest.param(deposit(9, "10", 2), False, id="one entered after it for the same instant"),
        pytest.param(deposit(2, "10", 2.01), True, id="a deposit after the checkpoint"),
        pytest.param(grant(2, "10", 2), False, id="a grant at the checkpoint's instant"),
        pytest.param(refund(2, "-10", 2), False, id="a refund at the checkpoint's instant"),
    ],
)
def test_what_happened_up_to_a_checkpoint_is_inside_it(entry: Entry, *, counts: bool) -> None:
    assert derived(stated(5, "20", 2), entry).billed == usd("30" if counts else "20")


def test_a_back_dated_checkpoint_never_replaces_a_later_one() -> None:
    entries = [stated(1, "20", 5), stated(2, "7", 3)]

    position = derived(*entries, costs=[cost(4, "1"), cost(6, "2")])

    assert position.checkpoint.id == "1"
    assert figures(position) == ("18.00", "18.00")
    assert latest_checkpoint(entries) == entries[0]


def test_of_two_checkpoints_for_one_instant_the_one_entered_later_counts() -> None:
    entries = [stated(10, "7", 3), stated(9, "20", 3)]

    assert derived(*entries).checkpoint.amount == usd("7")


def test_an_entry_of_the_future_does_not_count_yet() -> None:
    entries = [stated(1, "20", 1), deposit(2, "10", 10.5), stated(3, "99", 11)]

    assert figures(derived(*entries)) == ("20.00", "20.00")
    assert figures(derived(*entries, now=at(10.6))) == ("30.00", "30.00")


def test_the_past_is_derived_from_what_was_stated_until_then() -> None:
    entries = [stated(1, "20", 1), deposit(2, "10", 3), stated(3, "5", 6)]

    then = derive(entries, [cost(2, "4"), cost(5, "8")], NOW, as_of=NOW, at=at(5.5))

    assert then is not None
    assert then.checkpoint.id == "1"
    assert figures(then) == ("22.00", "22.00")


class TestTheCheckpointsOwnDay:
    def test_its_cost_is_after_the_checkpoint_for_the_floor_and_before_it_for_billed(self) -> None:
        position = derived(stated(1, "20", 2.5), costs=[cost(2, "3"), cost(3, "1")])

        assert figures(position) == ("16.00", "19.00")

    def test_a_checkpoint_at_midnight_splits_nothing(self) -> None:
        position = derived(stated(1, "20", 2), costs=[cost(1, "3"), cost(2, "1")])

        assert figures(position) == ("19.00", "19.00")

    def test_it_holds_while_the_day_lasts(self) -> None:
        entry, spent = stated(1, "20", 2.5), [cost(2, "3")]

        for now in (at(2.5), at(2.6), at(3), at(4)):
            assert figures(derived(entry, costs=spent, now=now)) == ("17.00", "20.00")

    def test_of_several_in_one_day_the_last_splits_it(self) -> None:
        entries = [stated(1, "20", 2.25), deposit(2, "10", 2.5), stated(3, "29", 2.75)]

        assert figures(derived(*entries, costs=[cost(2, "3")])) == ("26.00", "29.00")

    def test_a_cost_that_is_given_back_raises_neither_end(self) -> None:
        assert figures(derived(stated(1, "20", 2.5), costs=[cost(2, "-3")])) == ("20.00", "20.00")


def used(day: int, booked: str, unbooked: str = "0", hours: Sequence[int] = ()) -> DaySpend:
    """A day whose usage shows so much more than is booked, and how it went by the hour."""
    return DaySpend(Window(at(day), at(day + 1)), usd(booked), usd(unbooked).nanos, tuple(hours))


def by_usage(
    *entries: Entry, costs: Sequence[DaySpend], split: Split | None = None, now: datetime = NOW
) -> Position:
    splits = {} if split is None else {entries[0].at: split}
    position = derive(entries, costs, now, as_of=now, splits=splits)
    assert position is not None
    return position


class TestUsage:
    def test_lowers_the_floor_by_what_is_not_booked(self) -> None:
        position = by_usage(stated(1, "20", 2), costs=[used(2, "1", "3"), used(3, "0", "2")])

        assert figures(position) == ("14.00", "19.00")
        assert position.unbooked == usd("5")

    def test_before_a_checkpoint_is_inside_it(self) -> None:
        assert figures(by_usage(stated(1, "20", 3), costs=[used(2, "1", "3")])) == (
            "20.00",
            "20.00",
        )

    def test_splits_the_checkpoints_own_day(self) -> None:
        quarter = Split(usd("1").nanos, usd("4").nanos)
        entry = stated(1, "20", 2.5)

        assert figures(by_usage(entry, costs=[used(2, "0", "4")], split=quarter)) == (
            "19.00",
            "20.00",
        )
        assert figures(by_usage(entry, costs=[used(2, "4")], split=quarter)) == ("19.00", "19.00")
        assert figures(by_usage(entry, costs=[used(2, "8")], split=quarter)) == ("18.00", "18.00")

    def test_is_not_netted_against_lines_without_usage(self) -> None:
        half = Split(usd("2").nanos, usd("4").nanos, apart=usd("6").nanos)

        position = by_usage(stated(1, "20", 2.5), costs=[used(2, "6", "4")], split=half)

        assert figures(position) == ("15.00", "17.00")

    @pytest.mark.parametrize("settled", [False, True])
    def test_does_not_divide_what_was_added_after_the_day(self, *, settled: bool) -> None:
        quarter = Split(usd("1").nanos, usd("4").nanos, late=usd("2").nanos, settled=settled)

        position = by_usage(stated(1, "20", 2.5), costs=[used(2, "6")], split=quarter)

        assert figures(position) == ("17.00", "18.50")

    def test_counts_no_more_once_the_day_is_settled_but_still_divides_it(self) -> None:
        settled = Split(usd("1").nanos, usd("4").nanos, settled=True)

        position = by_usage(stated(1, "20", 2.5), costs=[used(2, "2")], split=settled)

        assert figures(position) == ("19.50", "19.50")

    def test_of_none_in_its_day_leaves_the_interval(self) -> None:
        position = by_usage(stated(1, "20", 2.5), costs=[used(2, "2")], split=Split(0, 0))

        assert figures(position) == ("18.00", "20.00")

    def test_tells_the_hour_in_which_a_level_was_left(self) -> None:
        hours = [0] * 20 + [usd("4").nanos]
        entries, costs = [stated(1, "6", 2)], [used(2, "0", "4", hours)]

        position = derive(entries, costs, NOW, as_of=NOW, levels=[usd("4")])

        assert position is not None
        assert position.under[usd("4")] == at(2) + HOUR * 20.5


def test_late_costs_lower_only_the_floor() -> None:
    position = derived(stated(1, "20", 2.5), costs=[cost(3, "1")], late="2.5")

    assert figures(position) == ("16.50", "19.00")
    assert position.late == usd("2.5")


def test_a_negative_balance_is_taken_from_the_next_deposit() -> None:
    entries = [stated(1, "2", 1), deposit(2, "10", 4)]
    spent = [cost(2, "5.5")]

    assert figures(derived(*entries, costs=spent, now=at(3))) == ("-3.50", "-3.50")
    assert lots(derived(*entries, costs=spent, now=at(3))) == []
    assert lots(derived(*entries, costs=spent)) == [("2", "6.50")]
    assert derived(*entries, costs=spent).base == usd("6.5")


def test_a_negative_checkpoint_is_a_debt() -> None:
    position = derived(deposit(1, "5", 1), stated(2, "-3", 2), deposit(3, "2", 3))

    assert figures(position) == ("-1.00", "-1.00")
    assert lots(position) == []


class TestLots:
    def test_are_consumed_grants_first_then_by_expiry(self) -> None:
        entries = [
            deposit(1, "10", 0, until=300),
            deposit(2, "10", 0.1, until=200),
            grant(3, "10", 0.2, until=400),
            deposit(4, "10", 0.3),
            stated(5, "40", 1),
        ]
        seen = [
            lots(derived(*entries, costs=[cost(2, amount)])) for amount in ("4", "14", "24", "34")
        ]

        assert seen == [
            [("3", "6.00"), ("2", "10.00"), ("1", "10.00"), ("4", "10.00")],
            [("2", "6.00"), ("1", "10.00"), ("4", "10.00")],
            [("1", "6.00"), ("4", "10.00")],
            [("4", "6.00")],
        ]

    def test_grants_go_by_their_own_expiry(self) -> None:
        entries = [grant(1, "5", 0, until=300), grant(2, "5", 0, until=200), stated(3, "10", 1)]

        assert lots(derived(*entries, costs=[cost(2, "6")])) == [("1", "4.00")]

    def test_a_checkpoint_below_their_sum_shrinks_them_in_the_order_of_consumption(self) -> None:
        entries = [deposit(1, "10", 0, until=300), deposit(2, "10", 0, until=200)]

        assert lots(derived(*entries, stated(3, "7", 1))) == [("1", "7.00")]

    def test_a_checkpoint_above_their_sum_makes_one_of_unknown_origin(self) -> None:
        position = derived(deposit(1, "10", 0, until=300), stated(2, "13", 1))

        assert lots(position) == [("1", "10.00"), (None, "3.00")]
        assert position.lots[-1].expires_at is None

    def test_credit_of_unknown_origin_goes_last(self) -> None:
        entries = [stated(1, "3", 0), deposit(2, "10", 1)]

        assert lots(derived(*entries, costs=[cost(2, "11")])) == [(None, "2.00")]

    def test_what_is_left_of_one_expires(self) -> None:
        entries = [deposit(1, "10", 0, until=4), deposit(2, "10", 0), stated(3, "20", 1)]
        spent = [cost(2, "3")]

        before = derived(*entries, costs=spent, now=at(4) - timedelta(microseconds=1))
        after = derived(*entries, costs=spent, now=at(4))

        assert (before.billed, before.expired) == (usd("17"), usd("0"))
        assert (after.billed, after.expired) == (usd("10"), usd("7"))

    def test_what_expired_before_a_checkpoint_is_inside_it(self) -> None:
        entries = [deposit(1, "10", 0, until=2), stated(2, "20", 2)]

        assert derived(*entries).expired == usd("0")
        assert figures(derived(*entries)) == ("20.00", "20.00")

    def test_one_that_expires_within_a_day_pays_the_day_until_then(self) -> None:
        entries = [deposit(1, "10", 0, until=2.5), deposit(2, "10", 0), stated(3, "20", 1)]

        position = derived(*entries, costs=[cost(2, "6")])

        assert position.expired == usd("7")
        assert lots(position) == [("2", "7.00")]

    def test_a_refund_takes_back_the_newest_purchase_first_and_grants_last(self) -> None:
        entries = [grant(1, "5", 0), deposit(2, "10", 0), deposit(3, "10", 1), stated(4, "25", 2)]

        assert lots(derived(*entries, refund(5, "4", 3))) == [
            ("1", "5.00"),
            ("2", "10.00"),
            ("3", "6.00"),
        ]
        assert lots(derived(*entries, refund(5, "22", 3))) == [("1", "3.00")]

    def test_a_refund_of_more_than_there_is_leaves_a_debt(self) -> None:
        position = derived(stated(1, "5", 0), refund(2, "8", 1))

        assert figures(position) == ("-3.00", "-3.00")
        assert position.credit == usd("-8")

    def test_spend_that_is_given_back_is_credit_of_unknown_origin(self) -> None:
        entries = [deposit(1, "10", 0), stated(2, "10", 1)]

        position = derived(*entries, costs=[cost(2, "4"), cost(3, "-1.5")])

        assert figures(position) == ("7.50", "7.50")
        assert position.spent == usd("2.5")
        assert lots(position) == [("1", "6.00"), (None, "1.50")]


class TestTheBase:
    def test_is_the_sum_of_the_lots_right_after_the_last_credit(self) -> None:
        entries = [stated(1, "20", 1), deposit(2, "10", 3)]

        position = derived(*entries, costs=[cost(2, "4"), cost(5, "6")])

        assert (position.base, position.credited_at) == (usd("26"), at(3))

    def test_is_what_the_first_checkpoint_stated(self) -> None:
        assert derived(stated(1, "20", 1), costs=[cost(2, "4")]).base == usd("20")

    def test_is_unknown_while_there_was_never_credit(self) -> None:
        assert derived(stated(1, "-1", 1)).base is None

    @pytest.mark.parametrize(
        ("amount", "base"),
        [
            pytest.param("21", "20", id="a drift of 5 % is none"),
            pytest.param("21.000000001", "21.000000001", id="more than 5 % is one"),
            pytest.param("12", "20", id="a fall is none"),
            pytest.param("45", "45", id="a jump is one"),
        ],
    )
    def test_a_checkpoint_may_be_a_credit(self, amount: str, base: str) -> None:
        assert derived(stated(1, "20", 1), stated(2, amount, 3)).base == usd(base)

    def test_a_refund_is_no_credit(self) -> None:
        assert derived(stated(1, "20", 1), refund(2, "5", 3)).base == usd("20")


amounts = st.integers(-50, 400).map(lambda dimes: Money(dimes * NANOS // 10 + dimes, "USD"))
credited = st.integers(1, 400).map(lambda dimes: Money(dimes * NANOS // 10 + 7, "USD"))
instants = st.integers(0, 9 * 24 * 4).map(lambda quarter: FIRST + timedelta(minutes=15) * quarter)
ends = st.none() | st.integers(1, 14 * 24).map(lambda hour: FIRST + HOUR * hour)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Entry], list[DaySpend]]:
    """A ledger with at least one checkpoint, and ten days of cost, some given back."""
    first = Entry("1", Kind.CHECKPOINT, draw(amounts), draw(instants))
    entries = [first]
    for number in range(2, draw(st.integers(2, 8))):
        kind = draw(st.sampled_from(Kind))
        amount = draw(amounts if kind is Kind.CHECKPOINT else credited)
        expiry = draw(ends) if kind in (Kind.DEPOSIT, Kind.GRANT) else None
        entries.append(Entry(str(number), kind, amount, draw(instants), expiry))
    days = [
        DaySpend(Window(at(day), at(day + 1)), draw(amounts))
        for day in draw(st.sets(st.integers(0, 9)))
    ]
    return entries, days


History = tuple[list[Entry], list[DaySpend]]


@given(histories(), instants)
def test_the_arithmetic_is_exact(history: History, now: datetime) -> None:
    entries, days = history
    position = derive(entries, days, max(now, entries[0].at), as_of=now)

    assert position is not None
    stands = position.checkpoint.amount + position.credit - position.expired - position.spent
    assert position.billed == stands


@given(histories())
def test_the_lots_less_the_debt_are_what_is_billed(history: History) -> None:
    position = derived(*history[0], costs=history[1])

    held = sum(lot.left.nanos for lot in position.lots)
    assert held == max(position.billed.nanos, 0)
    assert all(lot.left.nanos >= 0 for lot in position.lots)


@given(histories(), instants, st.integers(0, 100))
def test_the_floor_is_never_above_what_is_billed(
    history: History, now: datetime, late: int
) -> None:
    entries, days = history
    position = derive(entries, days, max(now, entries[0].at), as_of=now, late=Money(late, "USD"))

    assert position is not None
    assert position.floor <= position.billed


@given(histories(), st.data())
def test_so_it_is_however_usage_splits_the_days(history: History, data: st.DataObject) -> None:
    entries, booked = history
    nanos = st.integers(0, 400).map(lambda dimes: dimes * NANOS // 10)
    days = [
        DaySpend(
            one.day,
            one.amount,
            data.draw(nanos),
            tuple(data.draw(st.lists(nanos, min_size=24, max_size=24) | st.just([]))),
        )
        for one in booked
    ]
    splits = {}
    for entry in entries:
        after = data.draw(nanos)
        whole, apart, settled = after + data.draw(nanos), data.draw(nanos), data.draw(st.booleans())
        splits[entry.at] = Split(after, whole, apart, settled=settled)

    position = derive(entries, days, NOW, as_of=NOW, splits=splits)

    assert position is not None
    assert position.floor <= position.billed
    stands = position.checkpoint.amount + position.credit - position.expired - position.spent
    assert position.billed == stands


@given(histories(), st.randoms(use_true_random=False))
def test_the_order_in_which_it_is_told_does_not_matter(history: History, chance: Random) -> None:
    entries, days = history
    told, spent = chance.sample(entries, len(entries)), chance.sample(days, len(days))

    assert derived(*told, costs=spent) == derived(*entries, costs=days)


@given(histories(), st.integers(0, 9))
@example(([stated(1, "2", 0), deposit(2, "5", 4)], [cost(1, "4")]), 3)
def test_stating_what_is_derived_changes_nothing(history: History, day: int) -> None:
    entries, days = history
    before = derive(entries, days, NOW, as_of=NOW, at=at(day))
    if before is None:
        return
    restated = Entry("99", Kind.CHECKPOINT, before.billed, at(day))

    after, untouched = derived(*entries, restated, costs=days), derived(*entries, costs=days)

    assert (after.billed, after.lots, after.base) == (
        untouched.billed,
        untouched.lots,
        untouched.base,
    )


@given(histories())
def test_more_spend_never_leaves_more(history: History) -> None:
    entries, days = history
    dearer = [DaySpend(day.day, day.amount + Money(NANOS, "USD")) for day in days]

    assert derived(*entries, costs=dearer).billed <= derived(*entries, costs=days).billed
    assert derived(*entries, costs=dearer).floor <= derived(*entries, costs=days).floor


class TestSinceWhenItIsUnderALevel:
    def under(
        self,
        *entries: Entry,
        costs: Sequence[DaySpend] = (),
        now: datetime = NOW,
        late: str = "0",
        levels: Sequence[str] = ("5", "-2"),
    ) -> dict[str, float]:
        """Return the levels it is under, and on which day it fell under each."""
        position = derive(
            entries,
            costs,
            now,
            as_of=now,
            late=usd(late),
            levels=[usd(level) for level in levels],
        )
        assert position is not None
        return {level.exact(): (since - FIRST) / DAY for level, since in position.under.items()}

    @pytest.mark.parametrize(
        ("entries", "costs", "expected"),
        [
            pytest.param([stated(1, "20", 1)], [cost(2, "3")], {}, id="it is not"),
            pytest.param([stated(1, "5", 1)], [], {}, id="at a level is not under it"),
            pytest.param(
                [stated(1, "7", 1)], [cost(2, "4")], {"5.00": 2.5}, id="since the spend crossed it"
            ),
            pytest.param(
                [stated(1, "7", 1)],
                [cost(2, "4"), cost(3, "10")],
                {"5.00": 2.5, "-2.00": 3.5},
                id="since each level was crossed",
            ),
            pytest.param([stated(1, "4", 3)], [], {"5.00": 3}, id="since it was stated first"),
            pytest.param(
                [stated(1, "7", 1), stated(2, "3", 4)],
                [cost(2, "4")],
                {"5.00": 2.5},
                id="a checkpoint that agrees changes nothing",
            ),
            pytest.param(
                [stated(1, "7", 1), stated(2, "6", 4)],
                [cost(2, "4")],
                {},
                id="one that does not, ends it",
            ),
            pytest.param(
                [stated(1, "7", 1), deposit(2, "10", 4)],
                [cost(2, "4"), cost(5, "16")],
                {"5.00": 5.5, "-2.00": 5.9375},
                id="credit between ends it, and it begins anew",
            ),
            pytest.param(
                [stated(1, "7", 1), deposit(2, "1", 4)],
                [cost(2, "4")],
                {"5.00": 2.5},
                id="too little credit does not end it",
            ),
            pytest.param(
                [deposit(1, "10", 0, until=4), stated(2, "12", 1)],
                [],
                {"5.00": 4},
                id="since credit expired",
            ),
            pytest.param(
                [stated(1, "7", 1), refund(2, "3", 4)], [], {"5.00": 4}, id="since a refund"
            ),
            pytest.param(
                [stated(1, "7", 1)],
                [cost(2, "4"), cost(3, "-4")],
                {},
                id="money that is given back ends it",
            ),
        ],
    )
    def test_is(
        self, entries: list[Entry], costs: list[DaySpend], expected: dict[str, float]
    ) -> None:
        assert self.under(*entries, costs=costs) == expected

    def test_counts_what_was_booked_late(self) -> None:
        assert self.under(stated(1, "7", 1), late="2") == {}
        assert self.under(stated(1, "7", 1), late="2.5") == {"5.00": 1}

    def test_takes_the_day_so_far_as_spent_so_far(self) -> None:
        found = self.under(stated(1, "7", 1), costs=[cost(2, "4")], now=at(2.5))

        assert found == {"5.00": 2.25}

    def test_takes_the_checkpoints_own_day_as_spent_after_it(self) -> None:
        found = self.under(stated(1, "7", 2.5), costs=[cost(2, "4")])

        assert found == {"5.00": 2.75}

    def test_is_told_of_no_level_that_was_not_asked_about(self) -> None:
        assert self.under(stated(1, "-9", 1), levels=()) == {}


@given(histories(), st.lists(amounts, min_size=1, max_size=3), st.integers(0, 100))
def test_it_is_under_exactly_the_levels_that_the_floor_is_under(
    history: History, levels: list[Money], late: int
) -> None:
    entries, days = history
    position = derive(entries, days, NOW, as_of=NOW, late=Money(late, "USD"), levels=levels)

    assert position is not None
    assert set(position.under) == {level for level in levels if position.floor < level}
    assert all(since <= NOW for since in position.under.values())
    first = min(entry.at for entry in entries if entry.kind is Kind.CHECKPOINT)
    assert all(since >= first for since in position.under.values())


@given(histories(), amounts, amounts)
def test_it_is_under_a_higher_level_for_at_least_as_long(
    history: History, one: Money, other: Money
) -> None:
    low, high = sorted((one, other))
    position = derive(*history, NOW, as_of=NOW, levels=[low, high])

    assert position is not None
    if low in position.under:
        assert position.under[high] <= position.under[low]


@given(histories(), st.lists(amounts, max_size=2), st.integers(0, 100), st.lists(st.integers(0, 9)))
def test_going_on_from_what_is_settled_comes_to_the_same(
    history: History, under: list[Money], late: int, midnights: list[int]
) -> None:
    entries, days = history
    added = Money(late, "USD")
    settled = None
    for day in sorted(midnights):
        settled = settle(entries, days, at(day), late=added, levels=under, settled=settled)

    def derived_from(start: Settled | None) -> Position | None:
        return derive(entries, days, NOW, as_of=NOW, late=added, levels=under, settled=start)

    assert derived_from(settled) == derived_from(None)
