from __future__ import annotations

from zoneinfo import ZoneInfo

from spendguard.core.facts import AccountFacts
from spendguard.core.money import Money
from spendguard.core.recharge import Coming
from spendguard.core.windows import DAY
from spendguard.daemon.board import Board
from tests.daemon.conftest import NOW

UTC_ZONE = ZoneInfo("UTC")


def facts(account: str, days: int | None = None) -> AccountFacts:
    amount = Money.parse("10.00", "USD")
    coming = None if days is None else Coming(account, NOW + DAY * days, amount)
    return AccountFacts(NOW, account, "USD", next_charge=coming)


def test_a_board_tells_what_is_read_what_fires_and_what_comes_next() -> None:
    board = Board(["a", "b", "c"], UTC_ZONE)
    assert board.line == "0 of 3 accounts read, 0 alerts firing"
    board.put("a", facts("a", 4), read=True)
    board.put("b", facts("b", 2), read=True)
    board.put("c", facts("c"), read=False)
    board.firing = 1
    told = "2 of 3 accounts read, 1 alert firing, next charge 10.00 USD on 2026-11-25"
    assert board.line == told
    board.refused = "x: unknown key"
    assert board.line == f"configuration refused (x: unknown key); as before: {told}"


def test_a_charge_that_is_not_expected_any_more_is_not_told() -> None:
    board = Board(["a"], UTC_ZONE)
    board.put("a", facts("a", 4), read=True)
    board.put("a", None, read=False)
    assert board.line == "0 of 1 account read, 0 alerts firing"


def test_only_an_account_that_was_not_read_before_is_news() -> None:
    board = Board(["a"], UTC_ZONE)
    assert [board.put("a", None, read=read) for read in (False, True, True)] == [False, True, False]
