"""What is played where nobody told of a charge: each day's cost as the day was used."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from spendguard.app.benches import Benches
from spendguard.app.trial import default_configuration
from spendguard.core.ledger import Kind
from spendguard.core.money import Money
from spendguard.core.reconcile import Statement
from spendguard.core.windows import DAY, HOUR, utc_day
from spendguard.pipeline.replay import Stored, supposed
from spendguard.pipeline.replay.stored import DayRead, Line

BEGIN = datetime(2026, 3, 16, tzinfo=UTC)
COST = 240


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
    stated = Statement("1", Kind.CHECKPOINT, Money.parse("9.00", "USD"), BEGIN, name)
    stored = {
        name: Stored(name, "USD", BEGIN, BEGIN + DAY, (day,), (Line(stated, BEGIN, None),)),
    }

    _, scenario = supposed(family, stored, [], BEGIN + DAY, every=HOUR, lag=HOUR)

    trace = scenario.traces[name]
    spent = {at.hour: trace.until(n + 1) - trace.until(n) for n, at in enumerate(trace.at)}
    assert spent == expected
