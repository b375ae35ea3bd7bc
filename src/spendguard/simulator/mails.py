"""Mails: what the provider and its payment processor write about each charge, unsigned.

Sender, subject and body are those of real mails. That a failed recharge is written about only by
the payment processor is a guess: no such mail of the provider itself was ever seen.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from spendguard.core.money import NANOS, Money
from spendguard.core.world import Charged

MERCHANT = "OpenAI, LLC"
PROVIDER = "tm.openai.com"
PROCESSOR = "stripe.com"
ACCOUNT = "acct_1SimulatedOpenAI"


@dataclass(frozen=True, slots=True)
class Organization:
    """Whom the provider writes to, and the last digits of the card that pays."""

    name: str = "Acme"
    id: str = "org-Simulated0001"
    address: str = "billing@example.com"
    last4: str = "4411"


def mails(charges: Iterable[Charged], organization: Organization) -> list[EmailMessage]:
    """Return the mails about charges, in their order: two for each that worked, else one.

    They depend on the charges alone; those of one instant are told apart by their order.
    """
    seen: Counter[tuple[object, ...]] = Counter()
    written = []
    for one in charges:
        charged = replace(one, at=one.at.astimezone(UTC))
        same = (charged.at, charged.account, charged.card)
        seed = f"{charged.at.isoformat()} {charged.account} {charged.card} {seen[same]}"
        seen[same] += 1
        if charged.succeeded:
            written += [_funded(charged, organization, seed), _receipt(charged, organization, seed)]
        else:
            written.append(_unsuccessful(charged, organization, seed))
    return written


def _funded(charged: Charged, organization: Organization, seed: str) -> EmailMessage:
    card = f"your credit card ending in {organization.last4}"
    lines = [
        "Hi there,",
        f"We charged {_dollars(charged.amount)} to {card} to fund your OpenAI API credit balance.",
        f"Organization: {organization.name} ({organization.id})",
        "Best,\nThe OpenAI team",
    ]
    sender = Address("OpenAI", "noreply", PROVIDER)
    subject = "Your OpenAI API account has been funded"
    return _mail(sender, subject, lines, charged, organization, f"funded {seed}")


def _receipt(charged: Charged, organization: Organization, seed: str) -> EmailMessage:
    digits = _digits(seed)
    number = f"{digits[:4]}-{digits[4:8]}"
    lines = [
        f"Receipt from {MERCHANT}",
        f"Amount paid {_dollars(charged.paid)}",
        f"Date paid {charged.at:%B} {charged.at.day}, {charged.at.year}",
        f"Receipt number {number}",
        f"Invoice number {_digest(seed)[:8].upper()}-{digits[8:12]}",
        f"Payment method – {organization.last4}",
    ]
    sender = Address(MERCHANT, f"invoice+statements+{ACCOUNT}", PROCESSOR)
    subject = f"Your receipt from {MERCHANT} #{number}"
    return _mail(sender, subject, lines, charged, organization, f"receipt {seed}")


def _unsuccessful(charged: Charged, organization: Organization, seed: str) -> EmailMessage:
    subject = f"{_dollars(charged.paid)} payment to {MERCHANT} was unsuccessful"
    lines = [
        subject,
        "We weren't able to charge the credit card you provided.",
        f"Payment method – {organization.last4}",
        "Please update your payment method.",
    ]
    sender = Address(MERCHANT, f"failed-payments+{ACCOUNT}", PROCESSOR)
    return _mail(sender, subject, lines, charged, organization, f"failed {seed}")


def _mail(
    sender: Address,
    subject: str,
    lines: list[str],
    charged: Charged,
    organization: Organization,
    seed: str,
) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = Address(addr_spec=organization.address)
    mail["Subject"] = subject
    mail["Date"] = format_datetime(charged.at)
    mail["Message-ID"] = f"<{_digest(seed)[:32]}@{sender.domain}>"
    mail.set_content("\n\n".join(lines) + "\n", cte="quoted-printable")
    body = "\n".join(f"<p>{escape(line)}</p>" for line in lines)
    mail.add_alternative(
        f"<html>\n<body>\n{body}\n</body>\n</html>\n", subtype="html", cte="quoted-printable"
    )
    mail.set_boundary(f"=_{_digest(seed)[32:]}")
    return mail


def _dollars(amount: Money) -> str:
    whole, cents = divmod(amount.ceiled().nanos * 100 // NANOS, 100)
    return f"${whole:,}.{cents:02d}"


def _digits(seed: str) -> str:
    return f"{int(_digest(seed), 16) % 10**12:012d}"


def _digest(seed: str) -> str:
    return hashlib.sha256(seed.encode()).hexdigest()
