"""Hearing: what one letter tells, believed or not, in values."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from spendguard.core.accounts import Mailbox
from spendguard.core.evidence import Claim, Evidence, MailPattern
from spendguard.mailbox import patterns
from spendguard.mailbox.authentic import Lookup, Verdict, judge
from spendguard.mailbox.letter import Letter
from spendguard.mailbox.patterns import Told
from spendguard.mailbox.results import CannotTellError

PATIENCE = timedelta(hours=24)
"""How long a mail whose signature cannot be checked is left for the next reading."""
ON_THE_WAY = timedelta(days=2)
CLOCKS_DIFFER = timedelta(minutes=10)
LONGEST_ID = 200
UNSURE = "its signature could not be checked for a day: the name service does not answer"
UNCLEAR = "no clear amount"


def known_patterns(mailbox: Mailbox) -> tuple[MailPattern, ...]:
    """Return the patterns of a mailbox: its own go before the built-in ones."""
    return (*mailbox.patterns, *patterns.BUILT_IN)


def hear(
    letter: Letter,
    known: Iterable[MailPattern],
    mailbox: Mailbox,
    dns: Lookup,
    now: datetime,
) -> Evidence | None:
    """Return what a letter tells; None when it is none of ours.

    Raises:
        CannotTellError: when it is too early to say whether it is authentic.
    """
    pattern = patterns.find(letter, known)
    if pattern is None:
        return None
    verdict = _verdict(letter, pattern, mailbox, dns, now)
    texts = letter.texts()
    if patterns.about_something_else(pattern, texts):
        return None
    said = patterns.told(pattern, letter.subject, texts)
    why = verdict.why
    if not why and said.amount is None and pattern.claim in {Claim.FUNDED, Claim.RECEIPT}:
        why = UNCLEAR
    return Evidence(
        origin=pattern.name,
        claim=pattern.claim,
        provider=pattern.provider,
        amount=None if pattern.claim is Claim.NOTICE else said.amount,
        at=_at(letter, verdict, now),
        external_id=_external_id(letter, verdict, said),
        card_digits=said.card,
        organization=said.organization,
        merchant=said.merchant,
        authenticated=verdict.authentic,
        why=why,
    )


def _verdict(
    letter: Letter, pattern: MailPattern, mailbox: Mailbox, dns: Lookup, now: datetime
) -> Verdict:
    if letter.sender is None or not patterns.sent_by(letter.sender, pattern):
        sole = letter.sender is not None
        return Verdict(
            "it is not from whom it pretends to be from"
            if sole
            else "it does not name exactly one sender"
        )
    try:
        return judge(letter, pattern, dns, trust=mailbox.trust, authserv_id=mailbox.authserv_id)
    except CannotTellError:
        if now - letter.arrived_at < PATIENCE:
            raise
        return Verdict(UNSURE)


def _at(letter: Letter, verdict: Verdict, now: datetime) -> datetime:
    """Return when it was written, if that is signed or plausible, else when it arrived."""
    stated, arrived = letter.dated_at, min(letter.arrived_at, now)
    if stated is None or stated > arrived + CLOCKS_DIFFER:
        return arrived
    if verdict.authentic and "date" in verdict.signed:
        return min(stated, now)
    return min(stated, now) if arrived - stated <= ON_THE_WAY else arrived


def _external_id(letter: Letter, verdict: Verdict, said: Told) -> str:
    """Return an identity that nobody but the signer can change.

    A mail sent once more with another Message-ID would else be another charge. So it counts where
    it is signed, and otherwise what is signed and read: OpenAI's sender leaves it unsigned.
    """
    if not verdict.authentic:
        return f"forged:{_fingerprint(letter, dated=True)}"
    if said.receipt is not None:
        return f"stripe:{said.receipt}"
    message_id = letter.one("message-id") or ""
    if 0 < len(message_id) <= LONGEST_ID and "message-id" in verdict.signed:
        return f"mail:{message_id.strip('<>')}"
    return f"mail:{_fingerprint(letter, dated='date' in verdict.signed)}"


def _fingerprint(letter: Letter, *, dated: bool) -> str:
    """Return a digest of what is read, whatever was done to the spaces on the way."""
    read = [letter.sender or letter.senders_words, letter.subject]
    if dated:
        read.append(" ".join((letter.one("date") or "").split()))
    said = "\0".join(read).encode("utf-8", "replace") + b"\0" + b" ".join(letter.body.split())
    return hashlib.sha256(said).hexdigest()[:32]
