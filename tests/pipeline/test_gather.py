from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from spendguard.core.accounts import Budget
from spendguard.core.charges import Strikes
from spendguard.core.errors import ErrorKind, ProviderError
from spendguard.core.facts import AccountFacts, BudgetUse, LimitUse, SettingChange
from spendguard.core.ledger import Kind
from spendguard.core.money import Money
from spendguard.core.readings import Extras, Limit, Name, Spend, SpendAlert, SpendRead
from spendguard.core.windows import DAY, HOUR, Unit, Window, calendar_window, utc_day
from spendguard.pipeline.gather import account_facts
from spendguard.pipeline.known import Plan, know
from spendguard.store import due, ledger, readings
from spendguard.store.connect import Store
from spendguard.store.ledger import Stated
from tests.databases import account

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday
TODAY = utc_day(NOW).start
MOMENT = timedelta(microseconds=1)
UTC_ZONE = ZoneInfo("UTC")
INPUT = "gpt-6-astra, input_tokens"


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def cost(start: datetime, amount: str, currency: str = "USD", **dims: str) -> Spend:
    day = utc_day(start)
    return Spend(day, Money.parse(amount, currency), **{"line_item": INPUT, **dims})


def book(store: Store, *rows: Spend, at: datetime = NOW, since: int = 70) -> None:
    """Read all of the last days, `rows` being what they cost, as a good poll does."""
    end = utc_day(at).end
    window = Window(end - DAY * since, end)
    inside = tuple(row for row in rows if row.window.start in window)
    with store.begin() as tx:
        row = due.load(tx, "main")
        readings.put_spend(tx, row.id, "USD", SpendRead(window, inside), at)
        reached = min(window.start, row.read_from or window.start)
        due.succeeded(tx, row, at, timedelta(minutes=5), read_from=reached)


def known(store: Store, **columns: object) -> None:
    with store.begin() as tx:
        due.update(tx, due.load(tx, "main").id, **columns)


def state(store: Store, kind: Kind, amount: str, at: datetime, currency: str = "USD") -> None:
    with store.begin() as tx:
        stated = Stated(kind, Money.parse(amount, currency), at)
        ledger.record(tx, due.load(tx, "main").id, stated, NOW)


def gather(
    store: Store, *budgets: Budget, now: datetime = NOW, zone: str = "UTC", mark: str | None = None
) -> AccountFacts:
    plan = Plan(account(), budgets, ZoneInfo(zone))
    with store.begin() as tx:
        here = know(tx, plan, now)
        changed = mark is not None and mark != ledger.mark(tx, here.row.id)
        return account_facts(tx, here, Strikes(2), {}, now, card_short=False, changed=changed)


class TestABalance:
    def test_is_unknown_without_a_checkpoint_even_where_credit_is(self, store: Store) -> None:
        state(store, Kind.DEPOSIT, "10", NOW - DAY)
        book(store, cost(NOW, "1"))

        assert gather(store).position is None

    def test_is_derived_from_the_ledger_and_the_costs(self, store: Store) -> None:
        state(store, Kind.CHECKPOINT, "20", TODAY - DAY * 3 + HOUR * 9)
        state(store, Kind.DEPOSIT, "10", NOW - DAY)
        book(store, *(cost(NOW - DAY * ago, "1.5") for ago in range(9)))

        position = gather(store).position

        assert position is not None
        assert (position.floor, position.billed) == (usd("24"), usd("25.5"))
        assert position.as_of == NOW

    def test_costs_that_come_late_lower_only_its_floor(self, store: Store) -> None:
        book(store, cost(NOW - DAY, "1"), at=TODAY + HOUR)
        state(store, Kind.CHECKPOINT, "20", TODAY + HOUR * 9)
        book(store, cost(NOW - DAY, "1.75"))

        position = gather(store).position

        assert position is not None
        assert (position.floor, position.billed) == (usd("19.25"), usd("20"))

    def test_is_unknown_where_money_of_another_currency_was_spent(self, store: Store) -> None:
        state(store, Kind.CHECKPOINT, "20", NOW - DAY * 3)
        book(store, cost(NOW - DAY, "1"), cost(NOW - DAY, "0.01", "EUR"))

        assert gather(store).position is None

    def test_is_known_again_with_a_checkpoint_after_it(self, store: Store) -> None:
        state(store, Kind.CHECKPOINT, "20", NOW - DAY * 9)
        book(store, cost(NOW - DAY * 5, "1"), cost(NOW - DAY * 5, "0.01", "EUR"))
        state(store, Kind.CHECKPOINT, "15", NOW - DAY * 3)

        position = gather(store).position

        assert position is not None
        assert position.billed == usd("15")

    @pytest.mark.parametrize("kind", sorted(set(Kind) - {Kind.CHARGE}))
    def test_is_unknown_where_the_ledger_holds_another_currency(
        self, store: Store, kind: Kind
    ) -> None:
        state(store, Kind.CHECKPOINT, "20", NOW - DAY * 3)
        state(store, kind, "5", NOW - DAY, "EUR")

        assert gather(store).position is None

    def test_is_as_old_as_the_last_good_poll(self, store: Store) -> None:
        book(store, at=NOW - HOUR * 5)
        state(store, Kind.CHECKPOINT, "20", NOW - DAY)

        position = gather(store).position

        assert position is not None
        assert position.as_of == NOW - HOUR * 5

    def test_a_ledger_that_changed_since_is_told(self, store: Store) -> None:
        with store.begin() as tx:
            mark = ledger.mark(tx, due.load(tx, "main").id)

        assert not gather(store, mark=None).ledger_changed
        assert not gather(store, mark=mark).ledger_changed
        state(store, Kind.DEPOSIT, "5", NOW)
        assert gather(store, mark=mark).ledger_changed


class TestCostsSinceTheCheckpoint:
    CHECKPOINT = NOW - DAY * 3

    @pytest.mark.parametrize(
        ("last_ok_at", "read_from", "read"),
        [
            pytest.param(None, None, False, id="before the first poll"),
            pytest.param(
                CHECKPOINT - MOMENT, TODAY - DAY * 90, False, id="by a poll before the checkpoint"
            ),
            pytest.param(CHECKPOINT, TODAY - DAY * 90, True, id="by a poll at its instant"),
            pytest.param(NOW, TODAY - DAY * 3, True, id="back to the checkpoint's day"),
            pytest.param(NOW, TODAY - DAY * 2, False, id="not back to the checkpoint's day"),
        ],
    )
    def test_are_read(
        self,
        store: Store,
        last_ok_at: datetime | None,
        read_from: datetime | None,
        *,
        read: bool,
    ) -> None:
        state(store, Kind.CHECKPOINT, "20", self.CHECKPOINT)
        known(store, last_ok_at=last_ok_at, read_from=read_from)

        assert gather(store).costs_read is read

    def test_are_not_read_without_a_checkpoint(self, store: Store) -> None:
        book(store)

        assert not gather(store).costs_read


def budget(window: Unit = Unit.DAY, **part: Any) -> Budget:
    return Budget("b", "main", window, usd("100"), **part)


def spent(*uses: BudgetUse) -> list[str]:
    return [use.spent.exact() for use in uses]


class TestABudget:
    @pytest.mark.parametrize(
        "zone", ["Asia/Kathmandu", "America/Los_Angeles", "Pacific/Kiritimati", "UTC"]
    )
    @pytest.mark.parametrize("unit", [Unit.DAY, Unit.WEEK])
    def test_divides_utc_days_to_the_nano(self, store: Store, zone: str, unit: Unit) -> None:
        amounts = ["1.000000001", "0.000000007", "3.333333333", "0.10", "-0.000000003"]
        start = datetime(2026, 10, 29, tzinfo=UTC)  # clocks go back in California on November 1
        book(store, *(cost(start + DAY * n, amount) for n, amount in enumerate(amounts)))
        known(store, first_ok_at=start - DAY * 30)
        windows, at = [], start - DAY * 2
        while at < start + DAY * 8:
            windows.append(calendar_window(at, unit, ZoneInfo(zone)))
            at = windows[-1].end

        used = [
            gather(store, budget(unit), now=window.end + HOUR * 23, zone=zone).budgets[0]
            for window in windows
        ]

        assert [use.window for use in used] == windows
        assert sum(use.spent.nanos for use in used) == usd("4.433333338").nanos

    def test_divides_them_evenly(self, store: Store) -> None:
        book(store, cost(NOW - DAY * 2, "24"), cost(NOW - DAY, "48"))
        known(store, first_ok_at=NOW - DAY * 9)

        before, current = gather(store, budget(), now=NOW, zone="Asia/Kolkata").budgets

        # from 18:30 to 18:30 UTC: 5.5 hours of Saturday's 1.00 each, 18.5 of Sunday's 2.00
        assert spent(before, current) == ["42.50", "11.00"]

    def test_divides_a_day_that_lasts_by_what_is_over(self, store: Store) -> None:
        now = TODAY + HOUR * 20
        book(store, cost(now, "20"), at=now)
        known(store, first_ok_at=NOW - DAY * 9)

        before, current = gather(store, budget(), now=now, zone="Asia/Kolkata").budgets

        assert spent(before, current) == ["18.50", "1.50"]

    @pytest.mark.parametrize(
        ("zone", "settled"),
        [
            pytest.param("UTC", TODAY + HOUR * 48, id="in UTC"),
            pytest.param("Asia/Kolkata", TODAY + HOUR * 48, id="where it ends within a UTC day"),
            pytest.param(
                "America/New_York", TODAY + DAY + HOUR * 48, id="where it ends in the next"
            ),
        ],
    )
    def test_is_judged_for_its_last_window_until_its_days_are_settled(
        self, store: Store, zone: str, settled: datetime
    ) -> None:
        book(store, at=NOW - DAY * 40)
        monday = calendar_window(NOW, Unit.WEEK, ZoneInfo(zone)).start

        def windows(now: datetime) -> list[datetime]:
            uses = gather(store, budget(Unit.WEEK), now=now, zone=zone).budgets
            return [use.window.start for use in uses]

        assert windows(settled - MOMENT) == [monday - DAY * 7, monday]
        assert windows(settled) == [monday]

    @pytest.mark.parametrize(
        ("first_read", "judged"),
        [
            pytest.param(None, False, id="never read"),
            pytest.param(TODAY, False, id="first read when it had ended"),
            pytest.param(TODAY - MOMENT, True, id="first read before it ended"),
        ],
    )
    def test_is_history_where_it_ended_before_the_account_was_read(
        self, store: Store, first_read: datetime | None, *, judged: bool
    ) -> None:
        known(store, first_ok_at=first_read)

        uses = gather(store, budget(Unit.WEEK)).budgets

        assert len(uses) == 1 + judged

    def test_counts_late_costs_of_its_last_window(self, store: Store) -> None:
        book(store, cost(NOW - DAY, "1"), at=NOW - DAY)
        book(store, cost(NOW - DAY, "3"))

        assert spent(*gather(store, budget()).budgets) == ["3.00", "0.00"]

    def test_knows_weeks_and_months(self, store: Store) -> None:
        book(store, *(cost(NOW - DAY * ago, "1") for ago in range(60)), at=NOW)
        known(store, first_ok_at=NOW)

        week, month = gather(store, budget(Unit.WEEK), budget(Unit.MONTH)).budgets

        assert spent(week, month) == ["1.00", "23.00"]
        assert week.window == Window(TODAY, TODAY + DAY * 7)

    @pytest.mark.parametrize(
        ("part", "amount"),
        [
            pytest.param({}, "15.00", id="everything"),
            pytest.param({"project": "proj_a"}, "3.00", id="a project by its id"),
            pytest.param({"project": "Alpha"}, "3.00", id="a project by its name"),
            pytest.param({"project": "alpha"}, "0.00", id="a name that is not exact"),
            pytest.param({"api_key": "the robot"}, "3.00", id="a key by its name"),
            pytest.param({"model": "gpt-6-mini"}, "6.00", id="a model"),
            pytest.param({"project": "Alpha", "model": "gpt-6-mini"}, "2.00", id="both at once"),
        ],
    )
    def test_may_be_narrowed(self, store: Store, part: dict[str, Any], amount: str) -> None:
        alpha = {"project": "proj_a", "api_key": "key_a"}
        beta = {"project": "proj_b", "api_key": "key_b"}
        book(
            store,
            cost(NOW, "1", **alpha, model="gpt-6-astra"),
            cost(NOW, "2", **alpha, model="gpt-6-mini"),
            cost(NOW, "8", project="proj_b", api_key="key_c", model="gpt-6-astra"),
            cost(NOW, "4", **beta, model="gpt-6-mini"),
            cost(NOW, "9", "EUR", **beta),
        )
        names = [
            Name("project", "proj_a", "Alpha"),
            Name("api_key", "key_a", "the robot"),
            Name("api_key", "key_x", "the robot"),
        ]
        with store.begin() as tx:
            readings.put_names(tx, due.load(tx, "main").id, names)

        [use] = gather(store, budget(**part)).budgets

        assert spent(use) == [amount]


def tell(
    store: Store,
    limits: dict[str, str] | None,
    alerts: dict[str, str] | None = None,
    *,
    enforcing: bool = False,
) -> None:
    """What the provider says of its limits by project, and of its alerts by id."""
    ceilings = [Limit(one, usd(n), enforcing) for one, n in (limits or {}).items()]
    mails = [SpendAlert("", one, usd(n)) for one, n in (alerts or {}).items()]
    told = Extras(
        limits=None if limits is None else tuple(ceilings),
        alerts=None if alerts is None else tuple(mails),
    )
    known(store, limits_known=limits is not None, alerts_known=alerts is not None)
    with store.begin() as tx:
        readings.put_settings(tx, due.load(tx, "main").id, "USD", told, ["proj_a"])


class TestLimits:
    def test_are_unknown_until_told_and_while_not_told(self, store: Store) -> None:
        assert gather(store).limits is None
        tell(store, {"": "100"})
        tell(store, None)
        assert gather(store).limits is None

    def test_may_be_none(self, store: Store) -> None:
        tell(store, {})

        assert gather(store).limits == ()

    def test_are_used_by_what_the_utc_month_cost(self, store: Store) -> None:
        month = NOW.replace(day=1)
        book(
            store,
            cost(month, "1", project="proj_a"),
            cost(NOW, "2", project="proj_b"),
            cost(month - DAY, "50", project="proj_a"),
            cost(NOW, "7", "EUR", project="proj_a"),
        )
        tell(store, {"": "100", "proj_a": "30"}, enforcing=True)

        assert gather(store, zone="Asia/Kolkata").limits == (
            LimitUse("organization", usd("100"), usd("3"), enforcing=True),
            LimitUse("proj_a", usd("30"), usd("1"), enforcing=True),
        )

    def test_that_were_removed_are_none(self, store: Store) -> None:
        tell(store, {"": "100"})
        tell(store, {})

        assert gather(store).limits == ()


class TestChanges:
    def test_are_unknown_until_both_were_told(self, store: Store) -> None:
        assert gather(store).changes is None
        tell(store, {"": "100"}, None)
        assert gather(store).changes is None
        tell(store, {"": "100"}, {})
        assert gather(store).changes == ()

    def test_are_what_differs_from_what_was_accepted(self, store: Store) -> None:
        tell(store, {"": "100", "proj_a": "30"}, {"one": "80"})
        tell(store, {"": "50"}, {"two": "90"})

        assert gather(store).changes == (
            SettingChange("spend alert one of organization", "80.00 USD", None),
            SettingChange("spend alert two of organization", None, "90.00 USD"),
            SettingChange("spend limit of organization", "100.00 USD", "50.00 USD"),
            SettingChange("spend limit of project proj_a", "30.00 USD", None),
        )

    def test_of_what_is_still_told_are_known(self, store: Store) -> None:
        tell(store, {"": "100"}, {"one": "80"})
        tell(store, {"": "50"}, None)

        changes = gather(store).changes

        assert changes is not None
        assert [change.name for change in changes] == ["spend limit of organization"]

    def test_end_when_they_are_accepted(self, store: Store) -> None:
        tell(store, {"": "100"}, {})
        tell(store, {"": "50"}, {})
        with store.begin() as tx:
            readings.accept_settings(tx, due.load(tx, "main").id)

        assert gather(store).changes == ()


def test_tells_how_the_reading_goes(store: Store) -> None:
    book(store, at=NOW - HOUR * 3)
    with store.begin() as tx:
        row = due.load(tx, "main")
        due.failed(tx, row, NOW - HOUR, HOUR, ProviderError(ErrorKind.BLOCKED, "blocked"))

    polls = gather(store).polls

    assert (polls.failures, polls.failing_since) == (1, NOW - HOUR)
    assert (polls.error, polls.last_ok_at) == (ErrorKind.BLOCKED, NOW - HOUR * 3)


def test_burns_what_complete_days_cost(store: Store) -> None:
    book(store, *(cost(NOW - DAY * ago, "3") for ago in range(1, 30)), cost(NOW, "1"))

    burn = gather(store).burn

    assert burn is not None
    assert (burn.per_day, burn.days) == (usd("3"), 7)


def test_knows_nothing_of_other_accounts(store: Store) -> None:
    with store.begin() as tx:
        due.register(tx, [account("other")])
    state(store, Kind.CHECKPOINT, "20", NOW - DAY)
    book(store, cost(NOW, "5"))
    plan = Plan(account("other"), (replace(budget(), account="other"),), UTC_ZONE)

    with store.begin() as tx:
        here = know(tx, plan, NOW)
        facts = account_facts(tx, here, Strikes(2), {}, NOW, card_short=False, changed=False)

    assert (facts.position, facts.burn) == (None, None)
    assert spent(*facts.budgets) == ["0.00"]
