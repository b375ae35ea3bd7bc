"""What is played where nobody told of a charge: each day's cost as the day was used."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from spendguard.app.benches import Benches
from spendguard.app.trial import default_configuration
from spendguard.core.ledger import Kind
from spendguard.core.money import Money
from spendguard.core.reconcile import Statement
from spendguard.core.windows import DAY, HOUR, Window, utc_day
from spendguard.core.world_run import Trace
from spendguard.pipeline.replay import Stored, live, supposed, supposing
from spendguard.pipeline.replay.stored import DayRead, Line
from spendguard.pipeline.replay.used import StoredUsage
from spendguard.store.usage import Used

BEGIN = datetime(2026, 3, 16, tzinfo=UTC)
COST = 240


def stated(account: str) -> Line:
    balance = Money.parse("9.00", "USD")
    return Line(Statement("1", Kind.CHECKPOINT, balance, BEGIN, account), BEGIN, None)


@pytest.mark.parametrize(
    ("used", "expected"),
    [({5}, {5: 240}), ({5, 6}, {5: 120, 6: 120}), (set(), dict.fromkeys(range(24), 10))],
)
def test_a_day_is_spent_as_it_was_used_also_in_a_single_hour(
    used: set[int], expected: dict[int, int]
) -> None:
    made = default_configuration()
    family, name = Benches(made).family_of(made.accounts[0]), made.accounts[0].name
    hours = tuple(int(hour in used) for hour in range(24)) if used else ()
    day = DayRead(utc_day(BEGIN), COST, BEGIN + HOUR, hours=hours)
    stored = {name: Stored(name, "USD", BEGIN, BEGIN + DAY, (day,), (stated(name),))}

    _, scenario = supposed(family, stored, [], BEGIN + DAY, every=HOUR, lag=HOUR)

    trace = scenario.traces[name]
    spent = {at.hour: trace.until(n + 1) - trace.until(n) for n, at in enumerate(trace.at)}
    assert spent == expected


def test_what_usage_showed_stays_seen_when_usage_is_read_no_more() -> None:
    made = default_configuration()
    family, name = Benches(made).family_of(made.accounts[0]), made.accounts[0].name
    ends, lag = BEGIN + HOUR * 51, HOUR * 12
    hours = {BEGIN + HOUR * n: {("web", "key_web", "gpt-4o"): 10} for n in range(51)}
    totals = tuple(Used(at, 10, 1, 0) for at in hours)
    usage = StoredUsage(Window(BEGIN, ends), hours, {}, {}, hours, totals, {}, (), (), {})
    days = tuple(
        DayRead(utc_day(BEGIN + DAY * n), COST, BEGIN + DAY * n + HOUR, hours=(10,) * 24)
        for n in range(4)
    )
    stored = {
        name: Stored(name, "USD", BEGIN, BEGIN + DAY * 4, days, (stated(name),), usage=usage),
    }
    family, scenario = supposed(family, stored, [], BEGIN + DAY * 4, every=HOUR, lag=lag)
    run = live(family, scenario).run
    view = supposing(stored)(run, name, lag, BEGIN, Trace((), ()))

    seen = [view.since(BEGIN, BEGIN + HOUR * n) for n in range(1, 24 * 4)]

    assert seen == sorted(seen)
    assert seen[50] == 510
    assert seen[-1] == COST * 4 - 10 * 13
