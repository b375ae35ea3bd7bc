"""Patterns: the mails that are known, as data, and how a letter is held against one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from spendguard.core.evidence import Claim, MailPattern
from spendguard.core.money import Money
from spendguard.mailbox.amounts import MONEY, one_amount
from spendguard.mailbox.letter import Letter

OPENAI = ("noreply@tm.openai.com", "billing@tm1.openai.com")
RECEIPT = r"(?P<receipt>[0-9]{4}-[0-9]{4}(?:-[0-9]{4})?)"
PAID = rf"\bAmount paid:? (?P<amount>{MONEY})"
METHOD = (
    r"\bPayment method:?(?: Visa| Mastercard| American Express)?\W{1,20}(?P<card>[0-9]{4})(?![0-9])"
)
OPENAI_IS = r"(?P<merchant>OpenAI\b[^#]{0,60}?)"
ANTHROPIC_IS = r"(?P<merchant>Anthropic\b[^#]{0,60}?)"
SUBSCRIPTION = (
    r"(?i)\bsubscription\b|\bChatGPT\b|\bClaude (?:Pro|Max|Team)\b|\b(?:Pro|Max|Team|Plus) plan\b"
)
"""Paid by the same card to the same merchant, but no credit for the API."""
GROUPS = frozenset({"amount", "card", "merchant", "organization", "receipt"})


_LAST_DIGITS = re.compile(r"[0-9]{4}\Z")


def _stripe(provider: str, merchant: str) -> tuple[MailPattern, MailPattern]:
    """Return the payment processor's own mails, as far as they are about one merchant."""
    return (
        MailPattern(
            "stripe-receipt",
            ("invoice+statements+acct_*@stripe.com", "receipts+acct_*@stripe.com"),
            rf"^Your receipt from {merchant} #{RECEIPT}$",
            Claim.RECEIPT,
            provider,
            (PAID, METHOD),
            unless=SUBSCRIPTION,
            brand=rf"(?i)stripe|{provider}",
        ),
        MailPattern(
            "stripe-failed",
            ("failed-payments+acct_*@stripe.com",),
            rf"^(?:Your )?(?P<amount>{MONEY}) payment to {merchant} was unsuccessful(?: again)?$",
            Claim.FAILED,
            provider,
            (METHOD,),
            unless=SUBSCRIPTION,
            brand=rf"(?i)stripe|{provider}",
        ),
    )


BUILT_IN = (
    MailPattern(
        "openai-funded",
        OPENAI,
        r"^Your OpenAI API account has been funded$",
        Claim.FUNDED,
        "openai",
        (
            rf"\bWe charged (?P<amount>{MONEY}) to your (?:credit |debit )?card",
            r"\bcard ending in (?P<card>[0-9]{4})(?![0-9])",
            r"\bOrganization: .{1,200}? \((?P<organization>org-[A-Za-z0-9]{1,64})\)",
        ),
        signers=("openai.com",),
        brand="(?i)openai",
    ),
    MailPattern(
        "openai-threshold",
        OPENAI,
        r"^API usage has reached your notification threshold$",
        Claim.NOTICE,
        "openai",
        signers=("openai.com",),
        brand="(?i)openai",
    ),
    MailPattern(
        "openai-limits-increased",
        OPENAI,
        r"^Your API usage limits have increased$",
        Claim.NOTICE,
        "openai",
        signers=("openai.com",),
        brand="(?i)openai",
    ),
    *_stripe("openai", OPENAI_IS),
    *_stripe("anthropic", ANTHROPIC_IS),
    MailPattern(
        "anthropic-receipt",
        ("invoice+statements@mail.anthropic.com",),
        rf"^Your receipt from {ANTHROPIC_IS} #{RECEIPT}$",
        Claim.RECEIPT,
        "anthropic",
        (PAID, METHOD),
        signers=("anthropic.com",),
        unless=SUBSCRIPTION,
        brand="(?i)anthropic",
    ),
    MailPattern(
        "anthropic-failed",
        ("failed-payments@mail.anthropic.com",),
        rf"^(?:Your )?(?P<amount>{MONEY}) payment to {ANTHROPIC_IS} was unsuccessful(?: again)?$",
        Claim.FAILED,
        "anthropic",
        (METHOD,),
        signers=("anthropic.com",),
        unless=SUBSCRIPTION,
        brand="(?i)anthropic",
    ),
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a letter says, once it is known which kind of mail it is."""

    amount: Money | None
    card: str | None
    merchant: str | None
    organization: str | None
    receipt: str | None


def find(letter: Letter, patterns: Iterable[MailPattern]) -> MailPattern | None:
    """Return the pattern of a letter: that of its sender, else one that it pretends to be."""
    fitting = [one for one in patterns if re.search(one.subject, letter.subject)]
    sender = letter.sender
    own = (one for one in fitting if sender is not None and sent_by(sender, one))
    posed = (
        one
        for one in fitting
        if one.brand is not None and re.search(one.brand, letter.senders_words)
    )
    return next(own, None) or next(posed, None)


def sent_by(sender: str, pattern: MailPattern) -> bool:
    """Tell whether an address is one of a pattern's; `*` stands for any text but an @."""
    local, _, domain = sender.partition("@")
    for known in pattern.senders:
        whom, at, where = known.lower().rpartition("@")
        if (not at or fnmatchcase(local, whom)) and fnmatchcase(domain, where):
            return True
    return False


def about_something_else(pattern: MailPattern, texts: Iterable[str]) -> bool:
    """Tell whether a letter of this sender and subject is not about what the pattern is for."""
    unless = pattern.unless
    return unless is not None and any(re.search(unless, text) for text in texts)


def told(pattern: MailPattern, subject: str, texts: Iterable[str]) -> Told:
    """Return what a letter says; what it says twice and differently it does not say."""
    found: dict[str, set[str]] = {name: set() for name in GROUPS}
    places = [(pattern.subject, subject)]
    places += [(expression, text) for text in (*texts, subject) for expression in pattern.body]
    for expression, text in places:
        for match in re.finditer(expression, text):
            for name, value in match.groupdict().items():
                if value is not None and name in found:
                    found[name].add(value)
    said = {
        name: next(iter(values)) if len(values) == 1 else None for name, values in found.items()
    }
    card = said["card"]
    return Told(
        one_amount(found["amount"]),
        card if card is not None and _LAST_DIGITS.match(card) else None,
        said["merchant"],
        said["organization"],
        said["receipt"],
    )
