"""What a mail proves becomes an entry, once; all else changes nothing, and is kept aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from spendguard.core.accounts import Account, Card, Mailbox
from spendguard.core.charges import Outcome
from spendguard.core.errors import ErrorKind
from spendguard.core.evidence import Claim, Evidence
from spendguard.core.ledger import Kind
from spendguard.core.money import Money
from spendguard.core.reconcile import Books, reconcile
from spendguard.core.windows import DAY, HOUR
from spendguard.mailbox import MailboxError, MailRead, Mark
from spendguard.pipeline.receipts import Payers, enter, read_receipts
from spendguard.store import due, ledger, mails
from spendguard.store.connect import Store
from spendguard.store.ledger import Stated
from spendguard.store.schema import mails as mails_table
from tests.databases import account

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BOX = Mailbox("billing", "imap.example.com", "guard", "env:PASSWORD")


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def card(name: str, tax_percent: str = "0") -> Card:
    return Card(name, "USD", tax_percent, usd("0"), usd("2"), 2)


def mail(claim: Claim = Claim.FUNDED, amount: str | None = "10", **changed: object) -> Evidence:
    told = Evidence(
        origin="openai-funded",
        claim=claim,
        provider="openai",
        amount=None if amount is None else usd(amount),
        at=NOW - HOUR,
        external_id="mail:<1@tm.openai.com>",
        card_digits="1881",
        organization=None,
        merchant=None,
        authenticated=True,
        why="",
    )
    return replace(told, **changed)  # type: ignore[arg-type]


PAID = replace(account(), card="visa-1881")
PAYERS = Payers((PAID,), {"visa-1881": card("visa-1881")})


def put(store: Store, *evidence: Evidence, payers: Payers = PAYERS) -> list[str]:
    with store.begin() as tx:
        due.register(tx, payers.accounts)
        return [enter(tx, "billing", one, payers, NOW) for one in evidence]


def books(store: Store, name: str = "main") -> Books:
    with store.begin() as tx:
        return reconcile(ledger.live(tx, due.load(tx, name).id))


def aside(store: Store) -> list[tuple[str, str]]:
    with store.begin() as tx:
        rows = tx.execute(sa.select(mails_table).order_by(mails_table.c.id))
        return [(row.state, row.why) for row in rows]


def test_a_funded_mail_is_a_charge_that_succeeded_and_a_deposit_that_expires(store: Store) -> None:
    assert put(store, mail()) == ["entered"]

    held = books(store)
    assert [(one.amount, one.card, one.outcome) for one in held.charges] == [
        (usd("10"), "visa-1881", Outcome.SUCCEEDED)
    ]
    (lot,) = held.entries
    assert (lot.kind, lot.amount, lot.source) == (Kind.DEPOSIT, usd("10"), "receipt")
    assert lot.expires_at == lot.at.replace(year=2027)


def test_the_same_mail_again_changes_nothing(store: Store) -> None:
    assert put(store, mail(), mail()) == ["entered", "known"]
    assert len(books(store).entries) == 1


def test_a_failed_charge_is_a_strike_also_without_a_figure(store: Store) -> None:
    assert put(store, mail(Claim.FAILED, None)) == ["entered"]

    held = books(store)
    assert [(one.amount, one.outcome) for one in held.charges] == [(None, Outcome.FAILED)]
    assert held.entries == ()


def test_a_receipt_tells_what_the_card_paid_and_the_credit_is_less_the_tax(store: Store) -> None:
    payers = Payers((PAID,), {"visa-1881": card("visa-1881", "8.25")})

    put(store, mail(Claim.RECEIPT, "10.83", origin="stripe-receipt"), payers=payers)

    assert [one.amount for one in books(store).entries] == [usd("10")]


def test_two_mails_and_a_typed_entry_of_one_top_up_are_one_deposit(store: Store) -> None:
    put(store, mail(), mail(Claim.RECEIPT, origin="stripe-receipt", external_id="stripe:1"))
    with store.begin() as tx:
        typed = Stated(Kind.DEPOSIT, usd("10"), NOW)
        ledger.record(tx, due.load(tx, "main").id, typed, NOW)

    held = books(store)
    assert [one.amount for one in held.entries] == [usd("10")]
    assert [one.sources for one in held.top_ups] == [("receipt", "manual")]
    assert len(held.charges) == 1
    assert held.unexplained == ()


@pytest.mark.parametrize(
    ("evidence", "state"),
    [
        pytest.param(mail(authenticated=False, why="no signature"), "forged", id="a forged mail"),
        pytest.param(mail(Claim.FUNDED, None), "unclear", id="credit without a clear amount"),
        pytest.param(mail(provider="anthropic"), "unassigned", id="of a provider we do not watch"),
        pytest.param(mail(card_digits="4411"), "unassigned", id="of a card that is not ours"),
    ],
)
def test_what_is_not_proof_changes_nothing_and_is_put_aside(
    store: Store, evidence: Evidence, state: str
) -> None:
    assert put(store, evidence, evidence) == ["put aside", "ignored"]

    assert books(store) == Books()
    assert [found for found, _ in aside(store)] == [state]


def test_a_notice_is_not_even_kept(store: Store) -> None:
    assert put(store, mail(Claim.NOTICE, None)) == ["ignored"]
    assert aside(store) == []


def test_an_id_that_stands_for_another_entry_is_a_conflict(store: Store) -> None:
    assert put(store, mail(), mail(amount="12")) == ["entered", "put aside"]
    assert [state for state, _ in aside(store)] == ["conflict"]


def two(first: str | None, second: str | None) -> tuple[Account, Account]:
    return (
        replace(account(), name="a", card="visa-1881", organization=first),
        replace(account(), name="b", card="visa-1881", organization=second),
    )


@pytest.mark.parametrize(
    ("accounts", "organization", "entered"),
    [
        pytest.param(two("org-a", "org-b"), "org-b", "b", id="the organization tells whose it is"),
        pytest.param(two(None, None), None, None, id="nothing tells, so it is not guessed"),
        pytest.param(two("org-a", None), "org-x", "b", id="a strange one is not that of a"),
    ],
)
def test_a_card_of_two_accounts(
    store: Store, accounts: Sequence[Account], organization: str | None, entered: str | None
) -> None:
    payers = Payers(tuple(accounts), {"visa-1881": card("visa-1881")})

    put(store, mail(organization=organization), payers=payers)

    found = [one.name for one in accounts if books(store, one.name).charges]
    assert found == ([] if entered is None else [entered])


def test_a_mailbox_is_read_from_where_it_was_left(store: Store) -> None:
    marks: list[Mark | None] = []

    def read(mark: Mark | None, _now: datetime) -> MailRead:
        marks.append(mark)
        return MailRead((mail(),), Mark(7, 40 + len(marks)), 1)

    put(store)
    first = read_receipts(store, BOX, read, PAYERS, NOW)
    second = read_receipts(store, BOX, read, PAYERS, NOW + HOUR)

    assert marks == [None, Mark(7, 41)]
    assert (first.entered, second.entered) == (1, 0)


def test_a_mailbox_that_cannot_be_read_keeps_its_place_and_says_why(store: Store) -> None:
    def refuse(_mark: Mark | None, _now: datetime) -> MailRead:
        raise MailboxError(ErrorKind.AUTH, "the mailbox refuses its password", "look it up")

    outcomes = [
        read_receipts(store, BOX, refuse, PAYERS, NOW + timedelta(minutes=5 * place))
        for place in range(3)
    ]

    assert {one.error for one in outcomes} == {ErrorKind.AUTH}
    with store.begin() as tx:
        row = mails.load(tx, "billing")
    assert (row.failures, row.failing_since, row.last_uid) == (3, NOW, None)
    assert row.error_text == "the mailbox refuses its password"


@pytest.mark.parametrize("digits", ["1881", "4411"], ids=["of its card", "of a strange card"])
def test_a_forged_mail_is_known_to_an_account_for_a_week(store: Store, digits: str) -> None:
    put(store, mail(authenticated=False, why="no signature", card_digits=digits))

    with store.begin() as tx:
        assert [row.why for row in mails.forged(tx, "main", NOW + DAY)] == ["no signature"]
        assert mails.forged(tx, "main", NOW + DAY * 8) == []
