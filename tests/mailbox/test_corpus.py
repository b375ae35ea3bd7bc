"""A hundred mails. `UPDATE_GOLDEN=1 pytest tests/mailbox` rewrites the table of what each changed."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from spendguard.core.accounts import Account, Card, Mailbox
from spendguard.core.evidence import Evidence, Trust
from spendguard.core.money import Money
from spendguard.mailbox.hearing import hear, known_patterns
from spendguard.mailbox.letter import open_letter
from spendguard.pipeline.receipts import Payers, enter
from spendguard.store import due
from tests.databases import opened
from tests.mailbox.corpus import CORPUS, SERVER, Case
from tests.mailbox.post import NOW, dns

TABLE = Path(__file__).parent.parent / "data" / "mails" / "table.md"
UPDATE = bool(os.environ.get("UPDATE_GOLDEN"))
BOX = Mailbox("receipts", "127.0.0.1", "billing@acme.example", "env:MAIL_PASSWORD")
BY_SERVER = replace(BOX, trust=Trust.AUTHENTICATION_RESULTS, authserv_id=SERVER)
HEAD = """\
# What each mail changed

The corpus of `tests/mailbox/corpus.py`, read in this order into a ledger with the accounts main (`visa-4411`, `org-Acme0001`),
other (`visa-1881`, `org-Other0002`) and claude (`visa-9900`), the cards taxed by 19 %. Those of "server" are read with
`trust = "authentication-results"`. Checked by `tests/mailbox/test_corpus.py`.

| | mail | tells | ledger |
|---|---|---|---|
"""


def heard(case: Case) -> Evidence | None:
    box = BOX if case.trust is Trust.DKIM else BY_SERVER
    letter = open_letter(case.raw, case.arrived_at)
    return hear(letter, known_patterns(box), box, dns, NOW)


def told(evidence: Evidence | None) -> str:
    if evidence is None:
        return "ignored"
    if not evidence.authenticated:
        return f"forged: {evidence.why}"
    if evidence.claim == "notice":
        return "notice"
    if evidence.why == "no clear amount":
        return "unclear"
    number = evidence.external_id.removeprefix("stripe:")
    known = evidence.organization or (f"#{number}" if number != evidence.external_id else "-")
    return f"{evidence.claim} {evidence.amount} {evidence.card_digits or '-'} {known}"


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_a_mail_tells_what_it_should(case: Case) -> None:
    assert told(heard(case)) == case.tells


def test_there_are_a_hundred_mails_and_no_two_of_a_name() -> None:
    assert len({case.name for case in CORPUS}) == len(CORPUS) >= 100


def account(name: str, provider: str, card: str, organization: str | None = None) -> Account:
    return Account(
        name, provider, "env:K", "USD", timedelta(minutes=5), card=card, organization=organization
    )


def card(name: str) -> Card:
    nothing = Money.zero("USD")
    return Card(name, "USD", "19", nothing, nothing, 2)


def test_the_table_says_what_each_changed(tmp_path: Path) -> None:
    accounts = (
        account("main", "openai", "visa-4411", "org-Acme0001"),
        account("other", "openai", "visa-1881", "org-Other0002"),
        account("claude", "anthropic", "visa-9900"),
    )
    payers = Payers(accounts, {one.card: card(one.card) for one in accounts if one.card})
    rows = []
    with opened(tmp_path / "spendguard.db") as store, store.begin() as tx:
        due.register(tx, accounts)
        for number, case in enumerate(CORPUS, 1):
            evidence = heard(case)
            said = case.tells.replace("forged: ", "not believed: ")
            changed = "ignored" if evidence is None else enter(tx, "box", evidence, payers, NOW)
            rows.append(f"| {number} | {case.name} | {said} | {changed} |\n")
    table = HEAD + "".join(rows)
    if UPDATE:
        TABLE.write_text(table, encoding="utf-8")
    assert table == TABLE.read_text(encoding="utf-8")


def test_no_forged_mail_is_believed_and_each_is_told_apart_from_every_good_one() -> None:
    all_heard = [(case, heard(case)) for case in CORPUS]
    believed = {one.external_id for _, one in all_heard if one is not None and one.authenticated}
    for case, evidence in all_heard:
        if case.tells.startswith("forged"):
            assert evidence is not None
            assert not evidence.authenticated
            assert evidence.external_id not in believed


def test_the_same_mail_by_any_way_is_the_same_evidence() -> None:
    first, *again = (heard(case) for case in CORPUS[:4])
    assert first is not None
    assert all(one == first for one in again)


def test_no_evidence_is_of_the_future() -> None:
    assert all(one.at <= NOW for one in map(heard, CORPUS) if one is not None)
