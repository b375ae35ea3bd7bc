from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import TypeAlias

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spendguard.core.errors import ErrorKind, ProviderError
from spendguard.core.notifications import Notification, Topic
from spendguard.store import claims, due, mails, outbox
from spendguard.store.claims import POLLS
from spendguard.store.connect import Store
from spendguard.store.schema import accounts
from tests.databases import account, opened

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LEASE = 3 * MINUTE
INTERVAL = timedelta(minutes=5)
End: TypeAlias = Callable[[Store, str, datetime, str | None], None]
NAMES = tuple(f"account-{n}" for n in range(6))


@pytest.fixture
def fleet(store: Store) -> Store:
    """Six accounts that are due."""
    with store.begin() as tx:
        due.register(tx, [account(name) for name in NAMES])
        claims.free(tx, POLLS, NAMES, (), NOW)
    return store


def claim(
    store: Store,
    now: datetime = NOW,
    *,
    by: str = "us",
    most: int = 8,
    failing: int = 8,
    known: Collection[str] = NAMES,
) -> dict[str, bool]:
    with store.begin() as tx:
        return claims.claim(tx, POLLS, known, by, now, now + LEASE, most=most, failing=failing)


def succeed(store: Store, name: str, now: datetime, by: str | None = "us") -> None:
    with store.begin() as tx:
        due.succeeded(tx, due.load(tx, name), now, INTERVAL, by)


def fail(store: Store, name: str, now: datetime, by: str | None = "us") -> None:
    with store.begin() as tx:
        error = ProviderError(ErrorKind.UNAVAILABLE, "no answer")
        due.failed(tx, due.load(tx, name), now, INTERVAL, error, by)


def row(store: Store, name: str) -> due.Row:
    with store.begin() as tx:
        return due.load(tx, name)


def test_what_is_claimed_is_nobody_elses_until_the_lease_runs_out(fleet: Store) -> None:
    assert set(claim(fleet)) == set(NAMES)
    assert claim(fleet, NOW + LEASE - MINUTE, by="them") == {}
    assert set(claim(fleet, NOW + LEASE, by="them")) == set(NAMES)


def test_a_poll_that_ended_is_due_at_its_next_instant_and_in_nobodys_hands(fleet: Store) -> None:
    claim(fleet)
    succeed(fleet, NAMES[0], NOW)
    held = row(fleet, NAMES[0])
    assert held.claim is None
    assert NOW < held.next_poll_at <= NOW + INTERVAL


@pytest.mark.parametrize("end", [succeed, fail])
@pytest.mark.parametrize("by", ["late", None])
def test_who_is_late_ends_no_claim_but_his_own(fleet: Store, end: End, by: str | None) -> None:
    """The lease ran out and somebody else reads it; what was read is kept all the same."""
    claim(fleet, by="late")
    claim(fleet, NOW + LEASE, by="us")

    end(fleet, NAMES[0], NOW + LEASE, by)

    held = row(fleet, NAMES[0])
    assert (held.claim, held.next_poll_at) == ("us", NOW + 2 * LEASE)
    assert held.last_poll_at == NOW + LEASE


def test_only_so_many_are_taken_and_the_longest_due_first(fleet: Store) -> None:
    for place, name in enumerate(NAMES):
        with fleet.begin() as tx:
            at = NOW - MINUTE * place
            tx.execute(sa.update(accounts).where(accounts.c.name == name).values(next_poll_at=at))
    assert list(claim(fleet, most=2)) == [NAMES[5], NAMES[4]]


def test_those_that_failed_leave_room_for_those_that_did_not(fleet: Store) -> None:
    for name in NAMES[:4]:
        fail(fleet, name, NOW - 6 * INTERVAL)
    with fleet.begin() as tx:
        claims.free(tx, POLLS, NAMES, (), NOW)
    won = claim(fleet, most=4, failing=2)
    assert Counter(won.values()) == {True: 2, False: 2}


def test_an_unknown_account_waits_for_ever(fleet: Store) -> None:
    with fleet.begin() as tx:
        claims.free(tx, POLLS, NAMES[:2], (), NOW)
    assert set(claim(fleet, NOW + timedelta(days=9))) == set(NAMES[:2])


def test_what_somebody_still_reads_is_not_freed(fleet: Store) -> None:
    claim(fleet, most=6)
    with fleet.begin() as tx:
        claims.free(tx, POLLS, NAMES, NAMES[:5], NOW)
    assert set(claim(fleet)) == {NAMES[5]}


@pytest.mark.parametrize("jump", [timedelta(days=365), timedelta(days=3650)])
def test_a_clock_that_was_ahead_puts_nothing_off_by_as_much(fleet: Store, jump: timedelta) -> None:
    claim(fleet, NOW + jump, most=3)
    for name in NAMES[3:]:
        succeed(fleet, name, NOW + jump, None)
    assert set(claim(fleet, NOW)) == set(NAMES)


def test_a_message_that_a_clock_ahead_put_off_goes_now(fleet: Store) -> None:
    with fleet.begin() as tx:
        outbox.enqueue(tx, Notification(Topic.TEST, channel="ops"), NOW + timedelta(days=365))
        assert outbox.due_channels(tx, NOW) == ["ops"]
        assert outbox.claim(tx, "ops", "us", NOW, NOW + MINUTE) is not None


def test_the_soonest_is_what_is_not_due_yet(fleet: Store) -> None:
    with fleet.begin() as tx:
        assert claims.soonest(tx, POLLS, NOW) is None
    succeed(fleet, NAMES[2], NOW, None)
    with fleet.begin() as tx:
        assert claims.soonest(tx, POLLS, NOW) == due.load(tx, NAMES[2]).next_poll_at


def test_mailboxes_are_claimed_alike(store: Store) -> None:
    with store.begin() as tx:
        mails.load(tx, "receipts")
        claims.free(tx, claims.READS, ["receipts"], (), NOW)
        won = claims.claim(
            tx, claims.READS, ["receipts"], "us", NOW, NOW + LEASE, most=2, failing=1
        )
        assert won == {"receipts": False}
        mails.rest(tx, "receipts", "them", NOW + INTERVAL)
        assert mails.load(tx, "receipts").claim == "us"
        mails.rest(tx, "receipts", "us", NOW + INTERVAL)
        held = mails.load(tx, "receipts")
    assert (held.claim, held.next_read_at) == (None, NOW + INTERVAL)


def test_of_many_claimers_at_once_each_account_has_one(tmp_path: Path) -> None:
    """Threads of several programs, each with a connection of its own."""
    names = [f"account-{n}" for n in range(40)]
    with opened(tmp_path / "spendguard.db") as store:
        with store.begin() as tx:
            due.register(tx, [account(name) for name in names])
            claims.free(tx, POLLS, names, (), NOW)
        won: list[str] = []
        start = Barrier(4)

        def work(by: str) -> None:
            start.wait()
            while mine := claim(store, by=by, most=3, known=names):
                won.extend(mine)

        threads = [Thread(target=work, args=(f"token-{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert Counter(won) == dict.fromkeys(names, 1)


steps = st.lists(
    st.tuples(
        st.sampled_from(["claim", "succeed", "fail", "die"]),
        st.sampled_from(["us", "them"]),
        st.integers(0, 600),
    ),
    max_size=30,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(steps)
def test_no_account_is_in_two_hands_and_none_starves(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, int]]
) -> None:
    """Whatever two claimers do and wherever they die, an account is read again in time."""
    with opened(tmp_path_factory.mktemp("claims") / "spendguard.db") as store:
        with store.begin() as tx:
            due.register(tx, [account(name) for name in NAMES[:2]])
            claims.free(tx, POLLS, NAMES, (), NOW)
        now, hands = NOW, dict[str, tuple[str, datetime]]()
        read_at = dict.fromkeys(NAMES[:2], NOW)
        for what, who, seconds in steps:
            now += timedelta(seconds=seconds)
            if what == "claim":
                for name in claim(store, now, by=who, most=1):
                    assert name not in hands or hands[name][1] <= now
                    hands[name] = who, now + LEASE
                    read_at[name] = now
            for name in [one for one, (holder, _) in hands.items() if holder == who]:
                if what in ("succeed", "fail"):
                    (succeed if what == "succeed" else fail)(store, name, now, who)
                if what != "claim":
                    del hands[name]
        late = now + INTERVAL + LEASE
        assert set(claim(store, late, by="last")) == set(NAMES[:2])
