"""What one evaluation after another says: grouping, kin, silences, unknowns and repeats."""

from __future__ import annotations

from datetime import timedelta

from spendguard.core.alerts import Policy
from spendguard.core.findings import Severity
from spendguard.core.routing import Channel
from spendguard.store import alerts
from spendguard.store.connect import Store
from tests.pipeline.telling import SCOPE, Guard, clear, firing, unknown

CRITICAL, WARNING, INFO = Severity.CRITICAL, Severity.WARNING, Severity.INFO


def test_an_episode_is_told_when_it_begins_worsens_repeats_and_ends(store: Store) -> None:
    guard = Guard(store)
    for hours, finding in [
        (0, firing("balance-low")),
        (1, firing("balance-low")),
        (2, firing("balance-low", CRITICAL, 2)),
        (3, firing("balance-low", CRITICAL, 3)),
        (4, firing("balance-low", WARNING, 1)),
        (5, firing("balance-low", CRITICAL, 2)),
        (9, firing("balance-low", CRITICAL, 2)),
        (10, clear("balance-low")),
    ]:
        guard.at(hours).finds(finding)

    assert guard.owed() == [
        ["fired balance-low"],
        ["escalated balance-low"],
        ["escalated balance-low"],
        ["escalated balance-low"],  # it had fallen, which re-arms it
        ["repeated balance-low"],
        ["resolved balance-low"],
    ]


def test_a_critical_alert_repeats_every_four_hours_for_a_day_and_then_daily(store: Store) -> None:
    guard = Guard(store)
    told = []
    for hour in range(80):
        before = len(guard.owed())
        guard.at(hour).finds(firing("blind", CRITICAL))
        told += [hour] if len(guard.owed()) > before else []

    assert told == [0, 4, 8, 12, 16, 20, 44, 68]


def test_an_info_is_told_once_and_never_repeated_or_resolved(store: Store) -> None:
    guard = Guard(store)
    for hour in range(0, 100, 10):
        guard.at(hour).finds(firing("deposit-cap", INFO))
    guard.at(101).finds(clear("deposit-cap"))

    assert guard.owed() == [["fired deposit-cap"]]


def test_an_unknown_neither_opens_nor_closes_and_repeats_what_was_last_known(
    store: Store,
) -> None:
    guard = Guard(store)
    guard.at(0).finds(unknown("balance-low"))
    guard.at(1).finds(firing("balance-low"))
    guard.at(2).finds(unknown("balance-low"))
    guard.at(26).finds(unknown("balance-low"))
    guard.at(27).finds(clear("balance-low"))

    assert guard.owed() == [
        ["fired balance-low"],
        ["repeated balance-low"],
        ["resolved balance-low"],
    ]


def test_a_hold_is_outlasted_before_anything_is_said(store: Store) -> None:
    guard = Guard(store, policies={"blind": Policy(hold=timedelta(hours=1))})
    guard.at(0).finds(firing("blind"))
    guard.at(0.5).finds(clear("blind"))
    guard.at(1).finds(firing("blind"))
    assert guard.owed() == []
    guard.at(2).finds(firing("blind"))

    assert guard.owed() == [["fired blind"]]


def test_what_one_evaluation_finds_is_one_message_to_each_channel(store: Store) -> None:
    guard = Guard(store, [Channel("all"), Channel("loud", severities=frozenset({CRITICAL}))])
    guard.finds(firing("blind", CRITICAL), firing("limit-near"), firing("budget", INFO))

    assert guard.owed() == [
        ["fired blind", "fired limit-near", "fired budget"],
        ["fired blind"],
    ]


def test_a_resolved_message_goes_wherever_any_message_of_the_episode_went(store: Store) -> None:
    guard = Guard(store, [Channel("all"), Channel("loud", severities=frozenset({CRITICAL}))])
    guard.at(0).finds(firing("blind"), firing("limit-near"))
    guard.at(1).finds(firing("blind", CRITICAL, 2), firing("limit-near"))
    guard.at(2).finds(firing("blind", WARNING, 1), clear("limit-near"))
    guard.tells()
    guard.at(3).finds(clear("blind"), clear("limit-near"))

    assert guard.owed() == [["resolved blind"], ["resolved blind"]]


def test_a_kin_higher_in_the_list_speaks_for_the_lower_one(store: Store) -> None:
    guard = Guard(store)
    guard.at(0).finds(firing("balance-low"), firing("deposit-cap"))
    guard.at(1).finds(clear("balance-low"), firing("deposit-cap"))

    assert guard.owed() == [
        ["fired balance-low"],
        ["resolved balance-low", "fired deposit-cap"],  # it speaks when its inhibitor ends
    ]


def test_a_kin_that_is_more_severe_is_not_held_back(store: Store) -> None:
    guard = Guard(store)
    guard.finds(firing("balance-low", WARNING), firing("deposit-cap", CRITICAL))

    assert guard.owed() == [["fired balance-low", "fired deposit-cap"]]


def test_an_inhibited_alert_that_rises_is_told_at_once_beside_its_inhibitor(store: Store) -> None:
    guard = Guard(store)
    guard.at(0).finds(firing("balance-low", CRITICAL, 2), firing("deposit-cap", WARNING, 2))
    guard.at(1).finds(firing("balance-low", CRITICAL, 2), firing("deposit-cap", CRITICAL, 3))
    guard.at(2).finds(firing("balance-low", CRITICAL, 2), firing("deposit-cap", CRITICAL, 3))

    assert guard.owed() == [
        ["fired balance-low"],
        ["fired deposit-cap", "standing balance-low"],
    ]


def test_the_end_of_what_only_the_message_of_another_told_of_is_told_too(store: Store) -> None:
    charge, low = firing("charge-failed", CRITICAL, 1), firing("balance-low", CRITICAL, 2)
    guard = Guard(store)
    guard.at(0).finds(low, charge, firing("deposit-cap", WARNING, 2))
    guard.at(1).finds(low, charge, firing("deposit-cap", CRITICAL, 3))
    guard.at(2).finds(clear("balance-low"), charge, firing("deposit-cap", CRITICAL, 3))

    assert guard.owed() == [
        ["fired charge-failed"],
        ["fired deposit-cap", "standing balance-low"],
        ["resolved balance-low"],
    ]


def test_a_silenced_alert_is_quiet_until_it_rises_and_speaks_when_the_silence_ends(
    store: Store,
) -> None:
    guard = Guard(store)
    guard.at(0).silence("blind", "limit-near", hours=10)
    guard.at(1).finds(firing("blind"), firing("limit-near"))
    assert guard.owed() == []
    guard.at(2).finds(firing("blind", CRITICAL, 2), firing("limit-near"))
    assert guard.owed() == [["fired blind"]]
    guard.at(11).finds(firing("blind", CRITICAL, 2), firing("limit-near"))

    assert guard.owed() == [["fired blind"], ["repeated blind", "fired limit-near"]]


def test_an_alert_whose_rule_or_budget_is_no_more_ends(store: Store) -> None:
    guard = Guard(store)
    guard.at(0).finds(firing("budget"))
    guard.at(1).finds()

    assert guard.owed() == [["fired budget"], ["resolved budget"]]
    with store.begin() as tx:
        assert alerts.open_in(tx, SCOPE) == {}
