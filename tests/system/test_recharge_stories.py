"""Recharge, card and strikes as stories: the real program over real HTTP, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from spendguard.app.ends import Ends
from spendguard.app.program import App
from spendguard.core.accounts import Account, Mailbox
from spendguard.core.charges import Outcome
from spendguard.core.evidence import Claim, Evidence
from spendguard.core.ledger import Kind
from spendguard.core.windows import DAY, HOUR
from spendguard.mailbox import MailRead, Mark
from spendguard.notify.channel import Channel as Sender
from spendguard.providers.base import Provider
from tests.system.guarded import CARD, RECHARGE, Guarded, guarded, usd

START = datetime(2026, 10, 5, tzinfo=UTC)  # a Monday, 00:00
PAID = 'card = "visa-1881"\n'
OFF = "\n[accounts.recharge]\nenabled = false\n"


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Guarded]:
    """Accounts a and b of one card; both have spent evenly for ten days."""
    tables = {"a": PAID + RECHARGE, "b": PAID + RECHARGE}
    with guarded(tmp_path, START, tables, CARD) as here:
        here.spend("a", "2.00", START - DAY * 10, START + DAY * 4)
        here.spend("b", "1.00", START - DAY * 10, START + DAY * 4)
        yield here


def test_two_accounts_that_need_one_card_raise_one_alert_of_the_card(shared: Guarded) -> None:
    shared.check()
    shared.balance("a", "9.00")
    shared.balance("b", "7.00")
    shared.app.set_card("visa-1881", usd("7.40"), START)
    shared.check()

    assert [title for title in shared.titles() if "card-short" in title] == [
        "CRITICAL card-short card:visa-1881"
    ]
    (body,) = (m.body for _, m in shared.said if "card-short" in m.title)
    assert "$14.60" in body
    assert shared.titles() == ["CRITICAL card-short card:visa-1881"]


def test_a_failure_on_each_of_two_accounts_makes_the_card_unusable_for_both(
    shared: Guarded,
) -> None:
    shared.check()
    shared.balance("a", "9.00")
    shared.balance("b", "7.00")
    first = shared.charge("a", "10.00", Outcome.FAILED, "insufficient funds")
    shared.check()
    assert shared.titles() == ["CRITICAL charge-failed a"]

    shared.now += HOUR
    shared.charge("b", "10.00", Outcome.FAILED)
    shared.check()
    assert sorted(shared.titles(shared.now)) == [
        "CRITICAL charge-failed a",
        "CRITICAL charge-failed b",
    ]
    status = shared.program("status", "--json").json
    assert [one["strikes"] for one in status["accounts"]] == [2, 2]
    assert [one["next_recharge"] for one in status["accounts"]] == [None, None]
    assert [one["strikes"] for one in status["cards"]] == [2]

    shared.now += HOUR
    shared.app.void(first, frozenset({Kind.CHARGE}))
    shared.check()
    assert shared.program("status", "--json").json["cards"][0]["strikes"] == 1
    assert shared.titles(shared.now) == ["RESOLVED charge-failed a"]


def test_without_any_evidence_it_asks_once_a_week_and_never_cries(tmp_path: Path) -> None:
    with guarded(tmp_path, START, {"a": RECHARGE}, "") as here:
        here.spend("a", "1.50", START - DAY * 10, START + DAY * 31)
        here.check()
        here.balance("a", "15.00")
        for _ in here.until(START + DAY * 30):
            continue

        assert not [title for title in here.titles() if title.startswith("CRITICAL")]
        asked = [at for at, m in here.said if m.title.startswith("WARNING")]
        pauses = [later - at for at, later in pairwise(asked)]
        assert asked
        assert all(pause >= DAY * 7 for pause in pauses)
        assert here.titles() == [
            "INFO recharge-due a",
            "WARNING recharge-missing a",
            "RESOLVED recharge-missing a",
            "WARNING checkpoint-stale a",
            "WARNING checkpoint-stale a",
            "WARNING checkpoint-stale a",
        ]


def test_usage_that_stops_near_zero_is_a_cut_off(tmp_path: Path) -> None:
    with guarded(tmp_path, START, {"a": RECHARGE}, "") as here:
        here.spend("a", "1.50", START - DAY * 10, START + DAY * 10)  # until it is used up
        here.check()
        here.balance("a", "15.00")
        for _ in here.until(START + DAY * 14):
            continue

        assert "CRITICAL recharge-missing a" in here.titles()


def test_credit_that_appears_while_recharge_is_off_is_said_once_until_it_is_entered(
    tmp_path: Path,
) -> None:
    with guarded(tmp_path, START, {"a": OFF}, "") as here:
        here.spend("a", "3.00", START - DAY * 10, START + DAY * 31)
        here.check()
        here.balance("a", "9.00")
        for _ in here.until(START + DAY * 9):
            continue
        unexpected = [title for title in here.titles() if "recharge-unexpected" in title]
        assert unexpected == ["WARNING recharge-unexpected a"]
        assert not [title for title in here.titles() if "checkpoint-stale" in title]

        here.deposit("a", "50.00")
        here.check()
        assert here.titles(here.now) == ["RESOLVED recharge-unexpected a"]
        (one,) = here.program("status", "--json").json["accounts"]
        assert one["balance"] is not None


def test_typed_evidence_makes_a_healthy_month_quiet(tmp_path: Path) -> None:
    """A person who enters each recharge hears of each once, and of nothing else."""
    with guarded(tmp_path, START, {"a": RECHARGE}, "") as here:
        here.spend("a", "1.50", START - DAY * 10, START + DAY * 31)
        here.check()
        here.balance("a", "15.00")
        left, recharges = 15.0, 0
        for _ in here.until(START + DAY * 27, HOUR):
            left -= 1.5 / 24
            if left < 5:
                here.charge("a", "10.00", Outcome.SUCCEEDED)
                left, recharges = left + 10, recharges + 1
            if here.now == START + DAY * 13:
                here.balance("a", f"{left:.2f}")
        assert here.titles() == ["INFO recharge-due a"] * recharges
        assert recharges == 4


MAILBOX = """
[[mailboxes]]
name = "billing"
host = "127.0.0.1"
user = "guard"
password = "env:OPENAI_ADMIN_KEY"
"""


class Mailed(Ends):
    """The program's ends, but for the mailbox: what is in it is told here."""

    def __init__(self, app: App) -> None:
        super().__init__(app.configuration, {})
        self._others = app.ends
        self.mails: list[Evidence] = []

    def provider(self, account: Account) -> Provider:
        return self._others.provider(account)

    def sender(self, name: str) -> Sender | str:
        return self._others.sender(name)

    def close(self) -> None:
        super().close()
        self._others.close()

    def receipts(self, mailbox: Mailbox, mark: Mark | None, now: datetime) -> MailRead:
        return MailRead(tuple(self.mails), Mark(1, len(self.mails)), len(self.mails))


def mail(claim: Claim, amount: str, at: datetime, **changed: object) -> Evidence:
    told = Evidence(
        origin="openai-funded",
        claim=claim,
        provider="openai",
        amount=usd(amount),
        at=at,
        external_id=f"mail:<{at:%d%H%M}@tm.openai.com>",
        card_digits=None,
        organization=None,
        merchant=None,
        authenticated=True,
        why="",
    )
    return replace(told, **changed)  # type: ignore[arg-type]


@pytest.fixture
def mailed(tmp_path: Path) -> Iterator[tuple[Guarded, Mailed]]:
    """An account that burns 1.50 a day, its balance stated once, and an authenticated mailbox."""
    with guarded(tmp_path, START, {"a": RECHARGE}, MAILBOX) as here:
        here.app.ends = ends = Mailed(here.app)
        here.spend("a", "1.50", START - DAY * 10, START + DAY * 31)
        here.check()
        here.balance("a", "15.00")
        yield here, ends


def test_an_authenticated_mailbox_makes_a_month_one_message_a_recharge(
    mailed: tuple[Guarded, Mailed],
) -> None:
    here, ends = mailed
    left, recharges = 15.0, 0
    for now in here.until(START + DAY * 30, HOUR):
        left -= 1.5 / 24
        if left < 5:
            ends.mails.append(mail(Claim.FUNDED, "10.00", now))
            left, recharges = left + 10, recharges + 1

    assert here.titles() == ["INFO recharge-due a"] * recharges
    assert recharges == 4


def test_with_a_mailbox_a_recharge_that_stays_away_has_probably_failed(
    mailed: tuple[Guarded, Mailed],
) -> None:
    here, ends = mailed
    for now in here.until(START + DAY * 8, HOUR):
        if now == START + DAY * 7 + HOUR * 4:
            ends.mails.append(mail(Claim.FAILED, "10.00", now, origin="stripe-failed"))

    titles = here.titles()
    assert titles[:3] == [
        "INFO recharge-due a",
        "CRITICAL recharge-missing a",
        "CRITICAL recharge-missing a",  # 4 h later
    ]
    assert "CRITICAL charge-failed a" in titles


def test_a_forged_mail_changes_nothing_and_raises_a_warning(
    mailed: tuple[Guarded, Mailed],
) -> None:
    here, ends = mailed
    forged = mail(Claim.FUNDED, "100.00", START, authenticated=False, why="it is not signed")
    ends.mails.append(forged)
    before = here.program("status", "--json").json["accounts"][0]["balance"]["billed"]
    for _ in here.until(START + DAY * 2, HOUR):
        continue

    assert here.titles() == ["WARNING recharge-unexpected a"]
    after = here.program("deposit", "list", "--json").json["deposits"]
    assert (after, before) == ([], "15.00")


def test_a_mailbox_that_cannot_be_read_is_told_after_an_hour(tmp_path: Path) -> None:
    with guarded(tmp_path, START, {"a": RECHARGE}, f"{MAILBOX}port = 9\n") as here:
        here.check()
        here.now += HOUR * 2
        (box,) = here.check().mailboxes

        assert here.titles() == ["WARNING blind a"]
        assert box.error is not None
        done = here.program("check", "--json")
        assert done.json["mailboxes"][0]["read"] == "unavailable"
        assert "mailbox 'billing'" in done.err
