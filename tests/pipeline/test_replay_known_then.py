"""The view on stored history: what usage showed beside costs, until its day was settled."""

from __future__ import annotations

from datetime import UTC, datetime

from spendguard.app.benches import Benches
from spendguard.app.trial import default_configuration
from spendguard.core.windows import DAY, HOUR, Window, utc_day
from spendguard.pipeline.replay.day_then import DayThen
from spendguard.pipeline.replay.known_then import KnownThen
from spendguard.pipeline.replay.sight import Sight
from spendguard.pipeline.replay.stored import DayRead, Stored
from spendguard.pipeline.replay.used import StoredUsage
from spendguard.store.usage import Used

BEGIN = datetime(2026, 3, 16, tzinfo=UTC)
LENGTH = 8  # days
HOURLY = 10**9
WHO = ("web", "key_web", "gpt-4o")


def used_each_hour() -> StoredUsage:
    """An account that uses something each hour of its days."""
    hours = {BEGIN + HOUR * n: {WHO: HOURLY} for n in range(24 * LENGTH)}
    totals = tuple(Used(at, HOURLY, 1, 0) for at in hours)
    window = Window(BEGIN, BEGIN + DAY * LENGTH)
    return StoredUsage(window, hours, {}, {}, hours, totals, {}, (), (), {})


def read(place: int, nanos: int) -> DayRead:
    return DayRead(utc_day(BEGIN + DAY * place), nanos, BEGIN + DAY * place + HOUR)


def stored(*days: DayRead) -> Stored:
    until = BEGIN + DAY * LENGTH
    return Stored("trace", "USD", BEGIN, until, days, (), usage=used_each_hour())


def sight(view: KnownThen) -> Sight:
    made = default_configuration()
    (plan,) = Benches(made).family_of(made.accounts[0]).plans
    return Sight(plan, view, BEGIN, BEGIN)


def test_what_usage_showed_of_a_day_without_any_cost_counts_until_that_day_is_settled() -> None:
    free = sight(KnownThen(stored(read(6, 24 * HOURLY)), HOUR))

    looks = [BEGIN + HOUR * 12 * n for n in range(9)]
    first = [free.days(at)[0].unbooked for at in looks]

    assert first == [0] + [HOURLY * 12] + [HOURLY * 24] * 4 + [0] * 3


def test_what_is_given_back_to_one_hides_nothing_of_what_another_spent_on_a_day_not_watched() -> (
    None
):
    parts = {("web", "", "", ""): HOURLY, ("bot", "", "", ""): -HOURLY}
    whole = DayRead(utc_day(BEGIN), 0, BEGIN + DAY * 30)

    day = DayThen(whole, parts, (), [{}] * 24, HOUR).look(BEGIN + DAY * 2)

    assert day.booked == parts


def test_a_single_nano_that_is_given_back_on_a_day_not_watched_is_known() -> None:
    parts = {("web", "", "", ""): -1}
    whole = DayRead(utc_day(BEGIN), -1, BEGIN + DAY * 30)

    day = DayThen(whole, parts, (), [{}] * 24, HOUR).look(BEGIN + DAY * 2)

    assert day.booked == parts
