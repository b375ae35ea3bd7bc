"""The post office of the tests: mails as bytes, and signatures as the real senders make them."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from typing import Any

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from dkim.canonicalization import CanonicalizationPolicy
from dkim.crypto import parse_pem_private_key

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SENT = NOW - timedelta(hours=2)
ARRIVED = NOW - timedelta(hours=1)
FROM = "OpenAI <noreply@tm.openai.com>"
STRIPE = '"OpenAI, LLC" <invoice+statements+acct_1HOrSwC6h1nxGoI3@stripe.com>'
FAILURES = '"OpenAI, LLC" <failed-payments+acct_1HOrSwC6h1nxGoI3@stripe.com>'
ANTHROPIC = '"Anthropic, PBC" <invoice+statements@mail.anthropic.com>'
FUNDED = "Your OpenAI API account has been funded"
RECEIPT = "Your receipt from OpenAI, LLC #2070-4164"
# What SendGrid signs for OpenAI, seen in a raw mail of 2025-10: no Message-ID.
SENDGRID = (
    "content-transfer-encoding:content-type:date:from:mime-version:subject:to:cc:from:subject"
)
# What Amazon SES signs for Anthropic and others.
SES = "Date:From:Reply-To:To:Message-ID:Subject:Mime-Version:Content-Type:Content-Transfer-Encoding"


@cache
def key(_owner: str) -> bytes:
    """Return the private key of whoever signs. No time is in it: the clock may be frozen."""
    private = rsa.generate_private_key(65537, 2048)
    return private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def record(owner: str) -> bytes:
    """Return what a domain publishes of its key."""
    public = load_pem_private_key(key(owner), None).public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(der)


OWNERS = {
    "s1._domainkey.tm.openai.com": "openai",
    "s1._domainkey.tm1.openai.com": "openai",
    "s1._domainkey.openai.com": "openai",
    "s1._domainkey.stripe.com": "stripe",
    "s1._domainkey.mail.anthropic.com": "anthropic",
    "s1._domainkey.anthropic.com": "anthropic",
    "s1._domainkey.evil.example": "evil",
    "s1._domainkey.tm.openai.com.evil.example": "evil",
    "s1._domainkey.tm.opena1.com": "evil",
    "s1._domainkey.tm.openai.co": "evil",
    "s1._domainkey.com": "evil",
    "s1._domainkey.example.com": "example",
}


def dns(name: str) -> bytes | None:
    """Answer as the name service of this world."""
    owner = OWNERS.get(name)
    return None if owner is None else record(owner)


@dataclass
class Mail:
    """A mail to be written."""

    sender: str = FROM
    subject: str = FUNDED
    text: str | bytes = ""
    kind: str | None = "text/plain; charset=utf-8"
    encoding: str | None = "8bit"
    date: datetime | None = SENT
    message_id: str = "<1@geopod-ismtpd-9>"
    more: list[str] = field(default_factory=list)

    def raw(self) -> bytes:
        """Return its bytes, unsigned."""
        lines = [*self.more, f"From: {self.sender}", "To: billing@acme.example"]
        lines += [f"Subject: {self.subject}"] if self.subject else []
        lines += [f"Date: {format_datetime(self.date)}"] if self.date else []
        lines += [f"Message-ID: {self.message_id}", "MIME-Version: 1.0"]
        lines += [f"Content-Type: {self.kind}"] if self.kind else []
        lines += [f"Content-Transfer-Encoding: {self.encoding}"] if self.encoding else []
        body = self.text if isinstance(self.text, bytes) else self.text.encode()
        body = body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def signed(
    raw: bytes,
    domain: str = "tm.openai.com",
    *,
    owner: str | None = None,
    selector: str = "s1",
    covering: str = SENDGRID,
    algorithm: str = "rsa-sha256",
    tags: dict[str, str] | None = None,
    body_length: int | None = None,
) -> bytes:
    """Return a mail with a signature on top."""
    mail: Any = dkim.DKIM(raw)
    mail.signature_algorithm = algorithm.encode()
    mail.hasher = dkim.HASH_ALGORITHMS[algorithm.encode()]
    policy = CanonicalizationPolicy.from_c_value(b"relaxed/relaxed")
    body = policy.canonicalize_body(mail.body)[:body_length]
    digest = mail.hasher(body).digest()
    names = [name.strip().lower().encode() for name in covering.split(":")]
    fields = {
        "v": "1",
        "a": algorithm,
        "c": "relaxed/relaxed",
        "d": domain,
        "s": selector,
        **(tags or {}),
        **({} if body_length is None else {"l": str(body_length)}),
        "h": " : ".join(name.decode() for name in names),
        "bh": base64.b64encode(digest).decode(),
        "b": "0" * 60,
    }
    private = parse_pem_private_key(key(owner or OWNERS[f"{selector}._domainkey.{domain}"]))
    header = mail.gen_header(
        [(name.encode(), value.encode()) for name, value in fields.items()],
        names,
        policy,
        b"DKIM-Signature",
        private,
    )
    return bytes(b"DKIM-Signature: " + header + raw)


def funded(amount: str = "$10.00", card: str = "4411", organization: str = "org-Acme0001") -> str:
    """Return what OpenAI writes when credit was bought."""
    return (
        "Hi there,\n\n"
        f"We charged {amount} to your credit card ending in {card} to fund your OpenAI API credit"
        f" balance.\n\nOrganization: Acme & Co ({organization})\n\nBest,\nThe OpenAI team\n"
    )


def receipt(
    amount: str = "$11.90", card: str = "4411", number: str = "2070-4164", what: str = "API credit"
) -> str:
    """Return what Stripe writes when a card has paid."""
    return (
        f"Receipt from OpenAI, LLC\n\nAmount paid {amount}\nDate paid November 23, 2026\n\n"
        f"Receipt number {number}\nInvoice number 8F2A1C03-0007\nPayment method – {card}\n\n"
        f"OpenAI {what} {amount}\n"
    )


def unsuccessful(card: str = "4411") -> str:
    """Return what Stripe writes when a card has not paid."""
    return (
        "We weren't able to charge the credit card you provided.\n"
        f"Payment method – {card}\nPlease update your payment method.\n"
    )
