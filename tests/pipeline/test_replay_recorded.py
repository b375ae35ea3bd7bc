"""A recorded history is told as it became known, and keeps what usage proved meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime

from spendguard.app.benches import Benches
from spendguard.app.trial import default_configuration
from spendguard.core.ledger import Kind
from spendguard.core.money import Money
from spendguard.core.reconcile import Statement
from spendguard.core.windows import DAY, HOUR, utc_day
from spendguard.pipeline.replay.known_then import KnownThen
from spendguard.pipeline.replay.recorded import Archive
from spendguard.pipeline.replay.sight import Sight
from spendguard.pipeline.replay.stored import DayRead, Line, Stored
from spendguard.pipeline.replay.watch import Watch

BEGIN = datetime(2026, 3, 16, tzinfo=UTC)
STATED = BEGIN + DAY
CORRECTED = STATED + HOUR * 84


def test_a_late_correction_does_not_make_usage_prove_the_same_credit_again() -> None:
    made = default_configuration()
    family = Benches(made).family_of(made.accounts[0])
    (plan,) = family.plans
    name, spent, risen = plan.account.name, 5 * 10**9, 10**9
    days = tuple(
        DayRead(
            utc_day(BEGIN + DAY * place),
            spent,
            BEGIN + DAY * place + HOUR,
            ((CORRECTED, risen),) if place == 0 else (),
        )
        for place in range(6)
    )
    balance = Money.parse("1.00", "USD")
    stated = Statement("1", Kind.CHECKPOINT, balance, STATED, name, recorded_at=STATED)
    lines = (Line(stated, STATED, None),)
    view = KnownThen(Stored(name, "USD", BEGIN, BEGIN + DAY * 6, days, lines), HOUR)
    watch = Watch(family, {name: Sight(plan, view, BEGIN, STATED)})
    archive = Archive(family, {name: view}, [])

    for hours in range(0, 24 * 5, 6):
        archive.tell(watch, STATED + HOUR * hours, changed=hours == 0)
        watch.look(STATED + HOUR * hours)

    assert view.late(STATED, STATED + DAY * 5) == Money(risen, "USD")
    assert len(watch.inferred(name)) == 1
