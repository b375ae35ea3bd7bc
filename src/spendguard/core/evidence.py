"""Evidence: what a mail tells of a charge, and whether it can be believed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from spendguard.core.money import Money


class Claim(StrEnum):
    """What a mail says has happened."""

    FUNDED = "funded"  # credit came, and the card was charged for it
    RECEIPT = "receipt"  # a payment processor took money: what the card paid, tax included
    FAILED = "failed"  # a charge failed
    NOTICE = "notice"  # a threshold was reached, a limit raised: no money


class Trust(StrEnum):
    """Why a mail is believed: we verify its signature, or the receiving server says it did."""

    DKIM = "dkim"
    AUTHENTICATION_RESULTS = "authentication-results"


@dataclass(frozen=True, slots=True)
class MailPattern:
    """How one kind of mail is recognized, and what is read from it.

    `senders` are addresses or whole domains, with `*` for any text. The mail must be signed by
    the sender's own domain, or by a domain above it that is among `signers`. `subject`, and the
    expressions in `body`, may name the groups amount, card, merchant, organization and receipt.
    A mail in which `unless` is found is about something else.
    """

    name: str
    senders: tuple[str, ...]
    subject: str
    claim: Claim
    provider: str | None = None
    body: tuple[str, ...] = ()
    signers: tuple[str, ...] = ()
    unless: str | None = None
    brand: str | None = None
    """A word whose sight in a strange sender makes the mail a forgery instead of none of ours."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one mail tells. Only an authenticated one may change anything.

    `origin` is the name of the pattern. `external_id` is the same for the same mail, however
    often and through whichever mailbox it is read, and nothing that was not signed is in it;
    that of a mail that is not believed never equals that of one that is. `why` says in our words
    what is missing, and is empty when nothing is.
    """

    origin: str
    claim: Claim
    provider: str | None
    amount: Money | None
    at: datetime
    external_id: str
    card_digits: str | None
    organization: str | None
    merchant: str | None
    authenticated: bool
    why: str
