"""What becomes of owed messages: backoff, order, folding, leases and giving up."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from spendguard.core.findings import Severity
from spendguard.core.routing import Channel
from spendguard.pipeline.deliver import LEASE, DeliveryState, give_up_removed
from spendguard.pipeline.illustrate import Picture
from spendguard.store import outbox
from spendguard.store.connect import Store
from spendguard.store.schema import deliveries
from tests.pipeline.telling import Guard, clear, firing

CRITICAL = Severity.CRITICAL


def test_a_message_is_delivered_once(store: Store) -> None:
    guard = Guard(store)
    guard.finds(firing("blind"))

    assert [one.state for one in guard.tells()] == [DeliveryState.DELIVERED]
    assert guard.tells() == []
    assert guard.ends["ops"].titles == ["WARNING blind main"]


def test_a_failed_delivery_is_tried_after_five_seconds_and_then_ever_later(store: Store) -> None:
    guard = Guard(store)
    guard.ends["ops"].up = False
    guard.finds(firing("blind"))
    tried = []
    for second in range(120):
        tried += [second for _ in guard.at(second / 3600).tells()]

    assert tried == [0, 5, 15, 35, 75]


def test_a_picture_goes_with_the_first_try_only_for_it_may_be_what_was_refused(
    store: Store,
) -> None:
    guard = Guard(store)
    guard.draw = lambda _: [Picture("balance-main.png", b"png")]
    guard.ends["ops"].up = False
    guard.finds(firing("balance-low"))
    guard.tells()
    guard.ends["ops"].up = True
    guard.at(0.1).tells()

    assert guard.ends["ops"].pictures == [["balance-main.png"], []]
    assert guard.ends["ops"].titles == ["WARNING balance-low main"]


def test_a_channel_owes_what_was_tried_and_not_what_waits_because_nothing_ran(
    store: Store,
) -> None:
    guard = Guard(store)
    guard.ends["ops"].up = False
    guard.finds(firing("blind"))
    with store.begin() as tx:
        assert outbox.owed_since(tx) == {}

    found_at = guard.now
    guard.at(4).tells()
    with store.begin() as tx:
        assert outbox.owed_since(tx) == {"ops": found_at}


def test_a_channel_owes_nothing_late_while_a_message_is_tried_for_the_first_time(
    store: Store,
) -> None:
    guard = Guard(store)
    guard.finds(firing("blind"))
    guard.at(4)

    with store.begin() as tx:
        assert outbox.claim(tx, "ops", "mine", guard.now, guard.now + LEASE)
        assert outbox.owed_since(tx) == {}


def test_the_far_end_may_ask_for_a_longer_pause(store: Store) -> None:
    guard = Guard(store)
    guard.ends["ops"].up, guard.ends["ops"].asked = False, timedelta(minutes=30)
    guard.finds(firing("blind"))
    guard.tells()

    assert guard.at(0.49).tells() == []
    assert len(guard.at(0.5).tells()) == 1


def test_each_attempt_is_remembered_with_its_answer(store: Store) -> None:
    guard = Guard(store)
    guard.ends["ops"].up, guard.ends["ops"].asked = False, timedelta(seconds=90)
    guard.finds(firing("blind"))
    guard.tells()
    guard.ends["ops"].up = True
    guard.at(1).tells()

    with store.begin() as tx:
        tried = tx.execute(sa.select(deliveries).order_by(deliveries.c.id)).all()
    assert [(one.outbox_id, one.state, one.wait_seconds, one.why) for one in tried] == [
        (1, "retrying", 90, "no answer"),
        (1, "delivered", None, ""),
    ]
    assert tried[1].at - tried[0].at == timedelta(hours=1)


def test_check_tries_whatever_the_backoff(store: Store) -> None:
    guard = Guard(store)
    guard.ends["ops"].up = False
    guard.finds(firing("blind"))
    guard.tells()
    guard.ends["ops"].up = True

    assert guard.tells() == []
    assert [one.state for one in guard.tells(early=True)] == [DeliveryState.DELIVERED]


def test_what_piled_up_while_a_channel_was_dead_is_one_message(store: Store) -> None:
    guard = Guard(store)
    guard.ends["ops"].up = False
    guard.at(0).finds(firing("blind"))
    guard.tells()
    guard.at(7).finds(firing("blind", CRITICAL, 2))
    guard.at(12).finds(firing("blind", CRITICAL, 2))
    guard.ends["ops"].up = True
    guard.at(13).tells()

    assert guard.ends["ops"].titles == ["CRITICAL blind main"]
    assert guard.owed() == []


def test_what_began_and_ended_while_a_channel_was_dead_is_one_message(store: Store) -> None:
    guard = Guard(store)
    guard.ends["ops"].up = False
    guard.at(14).finds(firing("blind"))
    guard.tells()
    guard.at(14.5).finds(clear("blind"))
    guard.ends["ops"].up = True
    guard.at(15).tells()

    assert guard.ends["ops"].titles == ["RESOLVED blind main"]
    assert "14:00–14:30" in guard.ends["ops"].bodies[0]


def test_news_of_another_alert_does_not_wait_for_a_backoff(store: Store) -> None:
    guard = Guard(store)
    guard.ends["ops"].up = False
    guard.at(0).finds(firing("blind"))
    for second in (0, 5, 15, 35, 75, 155):
        guard.at(second / 3600).tells()
    guard.ends["ops"].up = True
    guard.at(160 / 3600).finds(firing("blind", CRITICAL, 2))
    assert guard.tells() == []  # behind the older message about the same alert
    guard.finds(firing("blind", CRITICAL, 2), firing("limit-near"))
    guard.tells()

    assert guard.ends["ops"].titles == ["WARNING limit-near main"]


def test_a_dead_channel_does_not_hold_up_another(store: Store) -> None:
    guard = Guard(store, [Channel("dead"), Channel("ops")])
    guard.ends["dead"].up = False
    guard.finds(firing("blind"))
    guard.tells()

    assert guard.ends["ops"].titles == ["WARNING blind main"]


def test_a_crashed_delivery_comes_back_when_its_lease_runs_out(store: Store) -> None:
    guard = Guard(store)
    guard.finds(firing("blind"))
    with store.begin() as tx:
        assert outbox.claim(tx, "ops", "dead", guard.now, guard.now + LEASE) is not None

    assert guard.tells(early=True) == []  # in somebody's hands
    guard.now += LEASE
    assert [one.state for one in guard.tells()] == [DeliveryState.DELIVERED]


def test_a_late_outcome_does_not_overwrite_somebody_elses(store: Store) -> None:
    guard = Guard(store)
    guard.finds(firing("blind"))
    with store.begin() as tx:
        first = outbox.claim(tx, "ops", "slow", guard.now, guard.now + LEASE)
    guard.now += LEASE
    guard.tells()

    assert first is not None
    with store.begin() as tx:
        assert not outbox.finish(tx, first, "owed", guard.now, due_at=guard.now)
    assert guard.owed() == []


def test_a_message_is_given_up_after_seven_days_and_the_channel_says_so(store: Store) -> None:
    guard = Guard(store)
    guard.ends["ops"].up = False
    guard.finds(firing("blind"))
    guard.tells()
    [outcome] = guard.at(7 * 24).tells()

    assert outcome.state is DeliveryState.GIVEN_UP
    with store.begin() as tx:
        assert outbox.channel_rows(tx)["ops"].lost_at == guard.now


@pytest.mark.parametrize("permanent", [True, False])
def test_a_refusal_for_good_is_remembered_until_something_gets_through(
    store: Store, *, permanent: bool
) -> None:
    guard = Guard(store)
    end = guard.ends["ops"]
    end.up, end.permanent = False, permanent
    guard.finds(firing("blind"))
    guard.tells()
    with store.begin() as tx:
        assert (outbox.channel_rows(tx)["ops"].refused_at is not None) is permanent
    end.up = True
    guard.at(1).tells()

    with store.begin() as tx:
        assert outbox.channel_rows(tx)["ops"].refused_at is None


def test_what_is_owed_to_a_channel_that_is_gone_is_given_up(store: Store) -> None:
    guard = Guard(store, [Channel("old"), Channel("ops")])
    guard.finds(firing("blind"))

    assert give_up_removed(store, ["ops"], guard.now) == 1
    assert guard.owed() == [["fired blind"]]
