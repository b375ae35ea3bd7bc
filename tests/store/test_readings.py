from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spendguard.core.errors import StoreError
from spendguard.core.ledger import DaySpend
from spendguard.core.money import MOST, Money
from spendguard.core.readings import Extras, Limit, Name, RawReply, Spend, SpendAlert, SpendRead
from spendguard.core.windows import DAY, HOUR, Window
from spendguard.store import due, estimates, readings
from spendguard.store.connect import Store, Tx
from spendguard.store.readings import Part, Written
from spendguard.store.schema import (
    dimensions,
    provider_settings,
    raw_replies,
    restatements,
    spend,
    spend_days,
)
from tests.databases import account

T = TypeVar("T")

FIRST = datetime(2026, 11, 2, tzinfo=UTC)
NOW = FIRST + DAY * 8
LATER = NOW + HOUR
INPUT, OUTPUT = "gpt-6-astra, input_tokens", "gpt-6-astra, output_tokens"


def day(number: int) -> Window:
    return Window(FIRST + DAY * number, FIRST + DAY * (number + 1))


def row(
    number: int,
    amount: str,
    line_item: str = INPUT,
    currency: str = "USD",
    project: str = "proj_a",
    api_key: str = "key_a",
) -> Spend:
    model = line_item.partition(",")[0]
    return Spend(day(number), Money.parse(amount, currency), project, api_key, line_item, model)


def read(*rows: Spend, days: tuple[int, int] = (0, 8)) -> SpendRead:
    return SpendRead(Window(day(days[0]).start, day(days[1]).start), rows)


def put(store: Store, account_id: int, told: SpendRead, now: datetime = NOW) -> Written:
    with store.begin() as tx:
        return readings.put_spend(tx, account_id, "USD", told, now)


def writes(store: Store, work: Callable[[Tx], object]) -> int:
    """How many rows `work` inserts, updates or deletes."""
    with store.begin() as tx:
        connection: Any = tx.connection.driver_connection
        before = connection.total_changes
        work(tx)
        return int(connection.total_changes - before)


def ask(store: Store, question: Callable[[Tx], T]) -> T:
    with store.begin() as tx:
        return question(tx)


def days_of(store: Store, account_id: int, currency: str = "USD") -> list[tuple[int, str]]:
    table = spend_days.c
    query = sa.select(table.day, table.nanos).where(
        table.account_id == account_id, table.currency == currency
    )
    with store.begin() as tx:
        held = sorted(tx.execute(query).all())
    return [((start - FIRST) // DAY, Money(nanos, currency).exact()) for start, nanos in held]


def corrections(store: Store) -> list[tuple[int, str, str, str, datetime]]:
    query = sa.select(restatements, dimensions.c.line_item).join(dimensions).order_by("id")
    with store.begin() as tx:
        return [
            (
                (one.day - FIRST) // DAY,
                one.line_item,
                Money(one.old_nanos, "USD").exact(),
                Money(one.new_nanos, "USD").exact(),
                one.observed_at,
            )
            for one in tx.execute(query.with_only_columns(restatements, dimensions.c.line_item))
        ]


class TestSpend:
    def test_every_day_that_was_read_is_known_also_one_that_cost_nothing(
        self, store: Store, main: int
    ) -> None:
        assert put(store, main, read(row(1, "2"), row(1, "0.5", OUTPUT), days=(0, 3))) == Written(2)

        assert days_of(store, main) == [(0, "0.00"), (1, "2.50"), (2, "0.00")]

    def test_a_first_reading_corrects_nothing(self, store: Store, main: int) -> None:
        put(store, main, read(row(1, "2"), row(2, "3", OUTPUT)))

        assert corrections(store) == []

    def test_the_same_again_writes_nothing(self, store: Store, main: int) -> None:
        told = read(row(1, "2"), row(1, "0"), row(2, "3", OUTPUT), row(2, "1", currency="EUR"))
        put(store, main, told)

        again = writes(store, lambda tx: readings.put_spend(tx, main, "USD", told, LATER))

        assert again == 0
        assert put(store, main, told, LATER) == Written()

    def test_a_restatement_overwrites_and_leaves_the_former_value(
        self, store: Store, main: int
    ) -> None:
        put(store, main, read(row(1, "2"), row(2, "3")))

        assert put(store, main, read(row(1, "2.25"), row(2, "3")), LATER) == Written(restated=1)

        assert days_of(store, main)[1:3] == [(1, "2.25"), (2, "3.00")]
        assert corrections(store) == [(1, INPUT, "2.00", "2.25", LATER)]

    def test_each_former_value_is_kept(self, store: Store, main: int) -> None:
        for hours, amount in enumerate(("1", "3", "2", "2")):
            put(store, main, read(row(1, amount)), NOW + HOUR * hours)

        assert corrections(store) == [
            (1, INPUT, "1.00", "3.00", NOW + HOUR),
            (1, INPUT, "3.00", "2.00", NOW + HOUR * 2),
        ]

    def test_a_row_that_disappears_becomes_zero(self, store: Store, main: int) -> None:
        put(store, main, read(row(1, "2"), row(1, "1", OUTPUT)))

        put(store, main, read(row(1, "2")), LATER)

        assert days_of(store, main)[1] == (1, "2.00")
        assert corrections(store) == [(1, OUTPUT, "1.00", "0.00", LATER)]

    def test_a_row_that_comes_back_is_a_correction_too(self, store: Store, main: int) -> None:
        for hours, rows in enumerate([[row(1, "2")], [], [row(1, "2")]]):
            put(store, main, read(*rows), NOW + HOUR * hours)

        assert days_of(store, main)[1] == (1, "2.00")
        assert [one[2:4] for one in corrections(store)] == [("2.00", "0.00"), ("0.00", "2.00")]

    def test_a_new_row_on_a_day_already_read_is_a_correction_from_zero(
        self, store: Store, main: int
    ) -> None:
        put(store, main, read(row(1, "2")))

        assert put(store, main, read(row(1, "2"), row(3, "4")), LATER) == Written(added=1)

        assert corrections(store) == [(3, INPUT, "0.00", "4.00", LATER)]

    def test_a_new_row_of_nothing_is_no_correction(self, store: Store, main: int) -> None:
        put(store, main, read(row(1, "2")))

        assert put(store, main, read(row(1, "2"), row(1, "0", OUTPUT)), LATER) == Written()

        assert corrections(store) == []

    def test_what_lies_outside_the_window_stays(self, store: Store, main: int) -> None:
        put(store, main, read(row(1, "2"), row(5, "3")))

        put(store, main, read(days=(4, 8)), LATER)

        assert days_of(store, main)[1] == (1, "2.00")
        assert days_of(store, main)[5] == (5, "0.00")

    def test_rows_of_one_key_are_added_up(self, store: Store, main: int) -> None:
        assert put(store, main, read(row(1, "2"), row(1, "0.5"))) == Written(added=1)

        assert days_of(store, main)[1] == (1, "2.50")

    def test_currencies_stay_apart(self, store: Store, main: int) -> None:
        put(store, main, read(row(1, "2"), row(1, "7", currency="EUR")))

        assert days_of(store, main)[1] == (1, "2.00")
        assert days_of(store, main, "EUR") == [(1, "7.00")]

    def test_accounts_stay_apart(self, store: Store, main: int, other: int) -> None:
        put(store, main, read(row(1, "2")))
        put(store, other, read(row(1, "5")))
        put(store, other, read(), LATER)

        assert days_of(store, main)[1] == (1, "2.00")
        assert days_of(store, other)[1] == (1, "0.00")

    def test_the_most_that_money_can_be_fits(self, store: Store, main: int) -> None:
        put(
            store, main, read(Spend(day(1), Money(MOST, "USD")), Spend(day(2), Money(-MOST, "USD")))
        )

        with store.begin() as tx:
            held, _ = readings.day_spend(tx, main, "USD", FIRST)
        assert [one.amount.nanos for one in held[1:3]] == [MOST, -MOST]

    def test_a_crash_keeps_rows_and_rollup_alike(self, store: Store, main: int) -> None:
        put(store, main, read(row(1, "2")))

        def killed() -> None:
            with store.begin() as tx:
                readings.put_spend(tx, main, "USD", read(row(1, "9"), row(2, "1")), LATER)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            killed()

        assert days_of(store, main)[1:3] == [(1, "2.00"), (2, "0.00")]
        assert corrections(store) == []


@st.composite
def reads(draw: st.DrawFn) -> SpendRead:
    """A window of up to six days, and whatever was spent in it."""
    start = draw(st.integers(0, 5))
    end = draw(st.integers(start + 1, 6))
    rows = st.builds(
        row,
        st.integers(start, end - 1),
        st.sampled_from(["0", "1", "2.5", "-1", "0.000000001"]),
        st.sampled_from([INPUT, OUTPUT]),
        st.sampled_from(["USD", "USD", "EUR"]),
    )
    return read(*draw(st.lists(rows, max_size=6)), days=(start, end))


_numbers = count()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(reads(), min_size=1, max_size=5))
def test_whatever_is_read_the_last_word_counts_and_the_rollup_is_its_sum(
    store: Store, told: list[SpendRead]
) -> None:
    name = f"fresh-{next(_numbers)}"
    with store.begin() as tx:
        due.register(tx, [account(name)])
        fresh = int(due.load(tx, name).id)
    expected: Counter[tuple[datetime, str]] = Counter()
    for number, one in enumerate(told):
        put(store, fresh, one, NOW + HOUR * number)
        for key in [key for key in expected if key[0] in one.window]:
            del expected[key]
        for stated in one.rows:
            expected[stated.window.start, stated.amount.currency] += stated.amount.nanos

        assert summed(store, spend, fresh) == {key: n for key, n in expected.items() if n}
        assert summed(store, spend_days, fresh) == summed(store, spend, fresh)
        assert writes(store, lambda tx: readings.put_spend(tx, fresh, "USD", one, LATER)) == 0  # noqa: B023
    known = {one for each in told for one in _starts(each.window)}
    assert _known(store, fresh) == known


def summed(store: Store, table: sa.Table, account_id: int) -> dict[tuple[datetime, str], int]:
    columns = table.c
    query = (
        sa.select(columns.day, columns.currency, sa.func.sum(columns.nanos))
        .where(columns.account_id == account_id)
        .group_by(columns.day, columns.currency)
    )
    with store.begin() as tx:
        return {(start, code): int(n) for start, code, n in tx.execute(query) if n}


def _starts(window: Window) -> list[datetime]:
    return [window.start + DAY * n for n in range(window.length // DAY)]


def _known(store: Store, account_id: int) -> set[datetime]:
    table = spend_days.c
    query = sa.select(table.day).where(table.account_id == account_id, table.currency == "USD")
    return ask(store, lambda tx: set(tx.execute(query).scalars()))


class TestDays:
    def test_begin_with_the_one_that_holds_the_instant(self, store: Store, main: int) -> None:
        put(store, main, read(row(1, "2"), row(2, "3"), days=(0, 4)))

        def starts(since: datetime) -> list[DaySpend]:
            return ask(store, lambda tx: readings.day_spend(tx, main, "USD", since))[0]

        assert [one.day for one in starts(day(1).start)] == [day(1), day(2), day(3)]
        assert [one.day for one in starts(day(1).start + HOUR * 23)] == [day(1), day(2), day(3)]
        assert starts(day(2).start)[0] == DaySpend(day(2), Money.parse("3", "USD"))

    @pytest.mark.parametrize(("amount", "foreign"), [("1", True), ("0", False)])
    def test_tell_money_of_other_currencies(
        self, store: Store, main: int, amount: str, *, foreign: bool
    ) -> None:
        put(store, main, read(row(1, "2"), row(1, amount, currency="EUR")))

        assert ask(store, lambda tx: readings.day_spend(tx, main, "USD", FIRST))[1] is foreign
        assert not ask(store, lambda tx: readings.day_spend(tx, main, "USD", day(2).start))[1]


class TestLateSpend:
    """What a later reading adds to a day that ended within 48 h before a checkpoint."""

    CHECKPOINT = day(6).start + HOUR * 9

    def late(self, store: Store, account_id: int, at: datetime | None = None) -> str:
        stated_at = at or self.CHECKPOINT
        ended = Window(stated_at - DAY * 3, stated_at - DAY + timedelta(microseconds=1))
        late = ask(store, lambda tx: estimates.late_beyond(tx, account_id, "USD", ended, stated_at))
        return Money(sum(sum(one.values()) for one in late.values()), "USD").exact()

    def before_and_after(self, store: Store, main: int, *days: tuple[int, str, str]) -> None:
        before = self.CHECKPOINT - HOUR
        put(store, main, read(*(row(n, old) for n, old, _ in days)), before)
        put(store, main, read(*(row(n, new) for n, _, new in days)), self.CHECKPOINT + HOUR)

    def test_counts(self, store: Store, main: int) -> None:
        self.before_and_after(store, main, (5, "1", "1.5"), (4, "2", "2.25"))

        assert self.late(store, main) == "0.75"

    def test_counts_where_nothing_was_booked_before(self, store: Store, main: int) -> None:
        self.before_and_after(store, main, (5, "0", "1.5"))

        assert self.late(store, main) == "1.50"

    @pytest.mark.parametrize(
        "number",
        [
            pytest.param(3, id="a day that ended 57 hours before"),
            pytest.param(6, id="the checkpoint's own day"),
            pytest.param(7, id="a later day"),
        ],
    )
    def test_of_other_days_does_not_count(self, store: Store, main: int, number: int) -> None:
        self.before_and_after(store, main, (number, "1", "1.5"))

        assert self.late(store, main) == "0.00"

    def test_reaches_back_48_hours_from_a_checkpoint_at_midnight(
        self, store: Store, main: int
    ) -> None:
        self.before_and_after(store, main, (2, "1", "2"), (3, "1", "3"), (4, "1", "5"))
        put(store, main, read(row(2, "1"), row(3, "1"), row(4, "1")), LATER)

        assert self.late(store, main, day(6).start) == "0.00"

    def test_a_day_that_ended_exactly_48_hours_before_counts(self, store: Store, main: int) -> None:
        self.before_and_after(store, main, (3, "1", "3"))

        assert self.late(store, main, day(6).start) == "2.00"
        assert self.late(store, main, day(6).start + timedelta(microseconds=1)) == "0.00"

    def test_of_a_first_reading_never_counts(self, store: Store, main: int) -> None:
        put(store, main, read(row(5, "4")), self.CHECKPOINT + HOUR)

        assert self.late(store, main) == "0.00"

    def test_observed_up_to_the_checkpoint_is_inside_it(self, store: Store, main: int) -> None:
        put(store, main, read(row(5, "1")), self.CHECKPOINT - HOUR)
        put(store, main, read(row(5, "3")), self.CHECKPOINT)

        assert self.late(store, main) == "0.00"

    def test_a_day_that_fell_does_not_make_up_for_one_that_rose(
        self, store: Store, main: int
    ) -> None:
        self.before_and_after(store, main, (5, "1", "1.5"), (4, "2", "0.5"))

        assert self.late(store, main) == "0.50"

    def test_what_moved_within_a_day_is_no_cost(self, store: Store, main: int) -> None:
        put(store, main, read(row(5, "3")), self.CHECKPOINT - HOUR)
        put(store, main, read(row(5, "3", OUTPUT)), self.CHECKPOINT + HOUR)

        assert self.late(store, main) == "0.00"

    def test_is_of_the_account_and_its_currency(self, store: Store, main: int, other: int) -> None:
        put(store, other, read(row(5, "1")), self.CHECKPOINT - HOUR)
        put(store, other, read(row(5, "9")), self.CHECKPOINT + HOUR)
        put(store, main, read(), self.CHECKPOINT - HOUR)
        put(store, main, read(row(5, "9", currency="EUR")), self.CHECKPOINT + HOUR)

        assert self.late(store, main) == "0.00"


class TestPart:
    @pytest.mark.parametrize(
        ("part", "amounts"),
        [
            pytest.param(Part(), ["3.00", "8.00"], id="all"),
            pytest.param(Part(projects=frozenset({"proj_a"})), ["3.00"], id="a project"),
            pytest.param(Part(api_keys=frozenset({"key_b"})), ["8.00"], id="a key"),
            pytest.param(Part(model="gpt-6-astra"), ["3.00"], id="a model"),
            pytest.param(Part(projects=frozenset()), [], id="nothing"),
        ],
    )
    def test_sums_its_days(self, store: Store, main: int, part: Part, amounts: list[str]) -> None:
        put(
            store,
            main,
            read(
                row(1, "1"),
                row(1, "2", OUTPUT),
                row(2, "8", "image", project="proj_b", api_key="key_b"),
            ),
        )

        days = ask(store, lambda tx: readings.part_spend(tx, main, "USD", read().window, part))

        assert [one.amount.exact() for one in days] == amounts

    def test_takes_every_day_that_touches_the_window(self, store: Store, main: int) -> None:
        put(store, main, read(*(row(n, "1") for n in range(6))))
        window = Window(day(1).start + HOUR * 5, day(3).start + HOUR * 5)

        days = ask(store, lambda tx: readings.part_spend(tx, main, "USD", window, Part()))

        assert [one.day for one in days] == [day(1), day(2), day(3)]


class TestNames:
    ALPHA = Name("project", "proj_a", "Alpha")
    ROBOT = Name("api_key", "key_a", "the robot")

    def put(self, store: Store, account_id: int, *names: Name) -> int:
        return writes(store, lambda tx: readings.put_names(tx, account_id, names))

    def test_are_ids_as_well(self, store: Store, main: int) -> None:
        self.put(store, main, self.ALPHA, Name("project", "proj_b", "Alpha"))

        def meant(kind: str, wanted: str) -> frozenset[str]:
            return ask(store, lambda tx: readings.ids_of(tx, main, kind, wanted))

        assert meant("project", "Alpha") == {"Alpha", "proj_a", "proj_b"}
        assert meant("project", "proj_a") == {"proj_a"}
        assert meant("api_key", "Alpha") == {"Alpha"}

    def test_the_same_again_writes_nothing(self, store: Store, main: int) -> None:
        self.put(store, main, self.ALPHA, self.ROBOT)

        assert self.put(store, main, self.ALPHA, self.ROBOT) == 0

    def test_change_and_stay_when_they_are_told_no_more(self, store: Store, main: int) -> None:
        self.put(store, main, self.ALPHA, Name("project", "proj_b", "Beta"))
        self.put(store, main, Name("project", "proj_a", "Aleph", active=False))

        assert ask(store, lambda tx: readings.project_ids(tx, main)) == ["proj_b"]
        assert "proj_a" in ask(store, lambda tx: readings.ids_of(tx, main, "project", "Aleph"))

    def test_of_what_spends_are_wanted(self, store: Store, main: int) -> None:
        def unnamed() -> bool:
            return ask(store, lambda tx: readings.unnamed(tx, main))

        assert not unnamed()
        put(store, main, read(row(1, "1"), row(1, "1", project="", api_key="")))
        assert unnamed()
        self.put(store, main, self.ALPHA)
        assert unnamed()
        self.put(store, main, self.ROBOT)
        assert not unnamed()


class TestSettings:
    """The provider's own limits and alerts: as seen now, and as accepted."""

    def put(self, store: Store, account_id: int, told: Extras, *projects: str) -> int:
        return writes(
            store, lambda tx: readings.put_settings(tx, account_id, "USD", told, projects)
        )

    def changed(
        self, store: Store, account_id: int
    ) -> list[tuple[str, str, str | None, str | None]]:
        def dollars(nanos: int | None) -> str | None:
            return None if nanos is None else Money(nanos, "USD").exact()

        rows = ask(store, lambda tx: readings.settings(tx, account_id))
        return [
            (one.kind, one.project, dollars(one.accepted_nanos), dollars(one.nanos))
            for one in rows
            if one.nanos != one.accepted_nanos
        ]

    def test_seen_first_are_accepted_as_they_are(self, store: Store, main: int) -> None:
        self.put(store, main, told(limits={"": "100"}, alerts={"a": "80"}))

        assert self.changed(store, main) == []

    def test_the_same_again_writes_nothing(self, store: Store, main: int) -> None:
        known = told(limits={"": "100", "proj_a": "30"}, alerts={"a": "80"})
        self.put(store, main, known, "proj_a", "proj_b")

        assert self.put(store, main, known, "proj_a", "proj_b") == 0

    @pytest.mark.parametrize(
        ("before", "after", "change"),
        [
            pytest.param({"": "100"}, {"": "50"}, ("100.00", "50.00"), id="lowered"),
            pytest.param({"": "100"}, {}, ("100.00", None), id="removed"),
            pytest.param({}, {"": "50"}, (None, "50.00"), id="set"),
        ],
    )
    def test_what_changes_is_told_until_accepted(
        self,
        store: Store,
        main: int,
        before: dict[str, str],
        after: dict[str, str],
        change: tuple[str | None, str | None],
    ) -> None:
        self.put(store, main, told(limits=before, alerts={}))
        self.put(store, main, told(limits=after, alerts={}))

        assert self.changed(store, main) == [("limit", "", *change)]

        ask(store, lambda tx: readings.accept_settings(tx, main))
        assert self.changed(store, main) == []

    def test_an_alert_that_appears_or_goes_is_a_change(self, store: Store, main: int) -> None:
        self.put(store, main, told(alerts={"a": "80"}))
        self.put(store, main, told(alerts={"b": "90"}))

        assert self.changed(store, main) == [
            ("alert", "", "80.00", None),
            ("alert", "", None, "90.00"),
        ]

    def test_a_change_that_is_taken_back_is_none(self, store: Store, main: int) -> None:
        for amount in ("100", "50", "100"):
            self.put(store, main, told(limits={"": amount}))

        assert self.changed(store, main) == []

    def test_of_a_project_asked_about_for_the_first_time_are_accepted(
        self, store: Store, main: int
    ) -> None:
        self.put(store, main, told(limits={"": "100"}, alerts={}))
        self.put(store, main, told(limits={"": "100", "proj_a": "30"}, alerts={}), "proj_a")

        assert self.changed(store, main) == []

    def test_set_on_a_project_that_had_none_are_a_change(self, store: Store, main: int) -> None:
        self.put(store, main, told(limits={}, alerts={}), "proj_a")
        self.put(store, main, told(limits={"proj_a": "30"}, alerts={}), "proj_a")

        assert self.changed(store, main) == [("limit", "proj_a", None, "30.00")]

    def test_what_is_not_told_stays_as_it_was(self, store: Store, main: int) -> None:
        self.put(store, main, told(limits={"": "100"}, alerts={"a": "80"}))

        assert self.put(store, main, Extras()) == 0
        with store.begin() as tx:
            held = tx.execute(sa.select(provider_settings.c.nanos)).scalars().all()
        assert sorted(filter(None, held)) == [usd("80").nanos, usd("100").nanos]


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def told(limits: dict[str, str] | None = None, alerts: dict[str, str] | None = None) -> Extras:
    """Limits by project, alerts of the organization by id; None is not told."""
    ceilings = [Limit(project, usd(n), enforcing=False) for project, n in (limits or {}).items()]
    mails = [SpendAlert("", one, usd(n)) for one, n in (alerts or {}).items()]
    return Extras(
        limits=None if limits is None else tuple(ceilings),
        alerts=None if alerts is None else tuple(mails),
    )


class TestReplies:
    COSTS = RawReply("/organization/costs", 200, '{"data":[]}')

    def put(self, store: Store, account_id: int, *replies: RawReply, at: datetime = NOW) -> int:
        return writes(store, lambda tx: readings.put_replies(tx, account_id, replies, at))

    def test_are_kept_as_they_came(self, store: Store, main: int) -> None:
        self.put(store, main, self.COSTS)

        with store.begin() as tx:
            held = tx.execute(sa.select(raw_replies)).all()
        assert [(one.at, one.path, one.status, one.body) for one in held] == [
            (NOW, "/organization/costs", 200, '{"data":[]}')
        ]

    def test_are_kept_once_while_they_say_the_same(
        self, store: Store, main: int, other: int
    ) -> None:
        changed = RawReply("/organization/costs", 200, "{}")

        assert self.put(store, main, self.COSTS) == 1
        assert self.put(store, main, self.COSTS, at=LATER) == 0
        assert self.put(store, main, changed, at=LATER) == 1
        assert self.put(store, main, self.COSTS, at=LATER) == 1
        assert self.put(store, other, self.COSTS, at=LATER) == 1

    def test_may_be_none(self, store: Store, main: int) -> None:
        assert writes(store, lambda tx: readings.put_replies(tx, main, [], NOW)) == 0


class TestAccounts:
    def test_are_registered_once(self, store: Store) -> None:
        assert writes(store, lambda tx: due.register(tx, [account("main"), account("third")])) == 1
        assert writes(store, lambda tx: due.register(tx, [account("main"), account("third")])) == 0

    @pytest.mark.parametrize(
        ("changed", "shown"),
        [
            pytest.param(account("main", "EUR"), "EUR at openai", id="another currency"),
        ],
    )
    def test_keep_their_currency(self, store: Store, changed: Any, shown: str) -> None:
        with pytest.raises(StoreError) as caught, store.begin() as tx:
            due.register(tx, [account("fourth"), changed])

        assert "account 'main' is in USD at openai" in caught.value.message
        assert shown in caught.value.message
        assert caught.value.hint
        assert _names(store) == ["main", "other"]


def _names(store: Store) -> Sequence[str]:
    query = sa.text("SELECT name FROM accounts ORDER BY name")
    return ask(store, lambda tx: tx.execute(query).scalars().all())
