"""Receipts: what authenticated mails tell of charges becomes entries of the ledger.

The entries, the mails put aside and how far the mailbox was read commit together: a crash reads
the same mails again, and their external ids make that harmless.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from spendguard.core.accounts import Account, Card, Mailbox
from spendguard.core.cards import untaxed
from spendguard.core.charges import Outcome
from spendguard.core.errors import ErrorKind, ProviderError, SpendguardError
from spendguard.core.evidence import Claim, Evidence
from spendguard.core.ledger import Kind, purchase_expiry
from spendguard.core.money import Money
from spendguard.core.pace import following
from spendguard.mailbox import MailRead, Mark
from spendguard.store import due, ledger, mails
from spendguard.store.connect import Store, Tx
from spendguard.store.ledger import Stated

Reader = Callable[[Mark | None, datetime], MailRead]
MONEY = frozenset({Claim.FUNDED, Claim.RECEIPT, Claim.FAILED})


@dataclass(frozen=True, slots=True)
class MailOutcome:
    """How the reading of a mailbox went; `entered` counts what became an entry."""

    mailbox: str
    seen: int = 0
    entered: int = 0
    put_aside: int = 0
    error: ErrorKind | None = None
    message: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Payers:
    """The accounts that a mailbox may tell of, and every card there is."""

    accounts: tuple[Account, ...]
    cards: Mapping[str, Card]

    def card_of(self, evidence: Evidence, account: Account) -> str | None:
        """Return the card that was charged: that with these last digits, else the account's."""
        named = [name for name in self.cards if _ends_in(name, evidence.card_digits)]
        return named[0] if len(named) == 1 else account.card

    def meant(self, evidence: Evidence) -> list[Account]:
        """Return the accounts that a mail may be about."""
        found = [one for one in self.accounts if evidence.provider in {None, one.provider}]
        if evidence.organization is not None:
            own = [one for one in found if one.organization == evidence.organization]
            found = own or [one for one in found if one.organization is None]
        if evidence.card_digits is not None:
            paid = [one for one in found if one.card and _ends_in(one.card, evidence.card_digits)]
            found = paid or [one for one in found if not one.card or not _digits(one.card)]
        return found


def _digits(name: str) -> list[str]:
    return re.findall(r"\d{4}", name)


def _ends_in(name: str, digits: str | None) -> bool:
    return digits is not None and digits in _digits(name)


def read_receipts(
    store: Store,
    mailbox: Mailbox,
    read: Reader,
    payers: Payers,
    now: datetime,
    claim: str | None = None,
) -> MailOutcome:
    """Read what is new in a mailbox and enter what it proves; a refusal is an outcome.

    `claim` is the token under which the mailbox was taken, if it was: the outcome ends it.
    """
    due_at = following(mailbox.name, mailbox.interval, now, mailbox.interval)
    with store.begin() as tx:
        row = mails.load(tx, mailbox.name)
    known = row.uidvalidity is not None and row.last_uid is not None
    mark = Mark(row.uidvalidity, row.last_uid) if known else None
    try:
        found = read(mark, now)
    except ProviderError as error:
        with store.begin() as tx:
            mails.failed(tx, mailbox.name, error.kind, error.message, now)
            mails.rest(tx, mailbox.name, claim, due_at)
        return MailOutcome(mailbox.name, error=error.kind, message=error.message, hint=error.hint)
    with store.begin() as tx:
        entered = [enter(tx, mailbox.name, one, payers, now) for one in found.evidence]
        mails.succeeded(tx, mailbox.name, found.mark.uidvalidity, found.mark.last_uid, now)
        mails.rest(tx, mailbox.name, claim, due_at)
    return MailOutcome(
        mailbox.name, found.seen, entered.count("entered"), entered.count("put aside")
    )


def enter(tx: Tx, mailbox: str, evidence: Evidence, payers: Payers, now: datetime) -> str:
    """Write what one mail proves; return 'entered', 'known', 'put aside' or 'ignored'."""
    if evidence.claim not in MONEY or mails.known(tx, evidence.external_id):
        return "ignored"
    meant = payers.meant(evidence)
    about = due.load(tx, meant[0].name).id if meant else None
    if not evidence.authenticated:
        told = (meant or payers.accounts)[:1]  # somebody hears of it, whomever it means
        warned = due.load(tx, told[0].name).id if told else None
        mails.put_aside(tx, mailbox, evidence, warned, "forged", evidence.why, now)
        return "put aside"
    if len(meant) != 1:
        why = "no account fits" if not meant else "it may be about more than one account"
        mails.put_aside(tx, mailbox, evidence, None, "unassigned", why, now)
        return "put aside"
    stated = _stated(evidence, meant[0], payers)
    if stated is None:
        mails.put_aside(tx, mailbox, evidence, about, "unclear", "no clear amount", now)
        return "put aside"
    try:
        done = ledger.record(tx, due.load(tx, meant[0].name).id, stated, now)
    except SpendguardError:
        why = "its id stands for another entry"
        mails.put_aside(tx, mailbox, evidence, about, "conflict", why, now)
        return "put aside"
    return "entered" if done.new else "known"


def _stated(evidence: Evidence, account: Account, payers: Payers) -> Stated | None:
    """Return the entry that a mail proves; None for credit without a clear amount."""
    name = payers.card_of(evidence, account)
    amount = _credit(evidence, account, payers.cards.get(name or ""))
    failed = evidence.claim is Claim.FAILED
    if amount is None and not failed:
        return None
    return Stated(
        Kind.CHARGE,
        amount,
        evidence.at,
        at_stated=True,
        expires_at=None if failed else purchase_expiry(account.provider, evidence.at),
        source="receipt",
        external_id=evidence.external_id,
        outcome=Outcome.FAILED if failed else Outcome.SUCCEEDED,
        card=name,
        origin=evidence.origin,
        currency=account.currency,
    )


def _credit(evidence: Evidence, account: Account, card: Card | None) -> Money | None:
    """Return the credit, before tax: a receipt tells what the card paid."""
    amount = evidence.amount
    if amount is None or amount.currency != account.currency or amount.nanos <= 0:
        return None
    if evidence.claim is Claim.FUNDED or card is None:
        return amount
    return untaxed(amount, card.tax_percent)
