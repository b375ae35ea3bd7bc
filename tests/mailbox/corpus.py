"""A hundred mails and what each tells. A name says what is special; the rest is as it should be."""

from __future__ import annotations

import base64
import quopri
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from spendguard.core.evidence import Trust
from tests.mailbox.post import (
    ANTHROPIC,
    ARRIVED,
    FAILURES,
    FROM,
    FUNDED,
    RECEIPT,
    SENT,
    SES,
    STRIPE,
    Mail,
    funded,
    receipt,
    signed,
    unsuccessful,
)

SERVER = "mx.example.com"
FORGED_TEXT = funded("$500.00")
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Case:
    """A mail of the corpus and what is to come of it."""

    name: str
    raw: bytes
    tells: str
    trust: Trust = Trust.DKIM
    arrived_at: datetime = ARRIVED


def page(text: str) -> str:
    """Return a text as an HTML page of the sort that senders write."""
    rows = "".join(f"<tr><td>{line}</td></tr>\n" for line in text.replace("&", "&amp;").split("\n"))
    return (
        "<!DOCTYPE html><html><head><style>td { width: $99.99 }</style><title>$77.00</title></head>"
        f"<body><!-- $66.00 --><table>{rows}</table></body></html>"
    )


def multipart(
    *parts: tuple[str, str | bytes], kind: str = "alternative", boundary: str = "=_b"
) -> Mail:
    """Return a mail of parts, each with its headers."""
    body = b""
    for headers, content in parts:
        inner = content if isinstance(content, bytes) else content.encode()
        body += f"--{boundary}\n{headers}\n\n".encode() + inner + b"\n"
    body += f"--{boundary}--\n".encode()
    return Mail(text=body, kind=f'multipart/{kind}; boundary="{boundary}"', encoding=None)


PLAIN_PART = "Content-Type: text/plain; charset=utf-8"
HTML_PART = "Content-Type: text/html; charset=utf-8"
PDF = "Content-Type: application/pdf\nContent-Disposition: attachment; filename=r.pdf"


def good(text: str | bytes | None = None, number: int = 0, **of: object) -> bytes:
    """Return a funded mail as OpenAI sends it; `number` makes it another one."""
    mail = Mail(text=funded() if text is None else text, date=SENT + timedelta(seconds=number))
    for name, value in of.items():
        setattr(mail, name, value)
    return signed(mail.raw())


def stripe(
    subject: str = RECEIPT,
    text: str | None = None,
    sender: str = STRIPE,
    domain: str = "stripe.com",
) -> bytes:
    """Return a mail of the payment processor."""
    mail = Mail(sender, subject, receipt() if text is None else text)
    return signed(mail.raw(), domain, covering=SES)


def failed(subject: str, sender: str = FAILURES, domain: str = "stripe.com", **of: str) -> bytes:
    """Return a mail about a failed charge."""
    mail = Mail(sender, subject, unsuccessful(**of), message_id=f"<{abs(hash_of(subject))}@x>")
    return signed(mail.raw(), domain, covering=SES)


def hash_of(text: str) -> int:
    """Return a number that is the same in every process."""
    return sum(ord(sign) * (place + 1) for place, sign in enumerate(text))


def swapped(raw: bytes, old: bytes, new: bytes) -> bytes:
    """Return a mail that was changed on the way."""
    assert old in raw
    return raw.replace(old, new, 1)


def on_top(raw: bytes, *headers: str) -> bytes:
    """Return a mail with headers that somebody put above it."""
    return "".join(f"{header}\r\n" for header in headers).encode() + raw


def begins(raw: bytes) -> str:
    """Return the first eight signs of the signature on top."""
    header = raw.partition(b"\r\nFrom:")[0].decode().replace("\r\n", "")
    return "".join(header.partition("; b=")[2].split())[:8]


def says(results: str, server: str = SERVER) -> str:
    """Return the header of a server that received the mail."""
    return f"Authentication-Results: {server};\r\n {results}"


OWN = good(number=1000)
PASS = f"dkim=pass header.i=@tm.openai.com header.s=s1 header.b={begins(OWN)}"
SECONDS = count(2000)


def later() -> datetime:
    """Return an instant that no other mail bears: each forgery is one of its own."""
    return SENT + timedelta(seconds=next(SECONDS))


def unsigned() -> bytes:
    """Return a mail with a lie in it."""
    return Mail(text=FORGED_TEXT, date=later()).raw()


def broken() -> bytes:
    """Return a mail that was signed before somebody put a lie into it."""
    return swapped(good(number=next(SECONDS)), b"$10.00", b"$500.00")


GENUINE = [
    Case("funded", good(), "funded 10.00 USD 4411 org-Acme0001"),
    Case("funded, the same mail again", good(), "funded 10.00 USD 4411 org-Acme0001"),
    Case(
        "funded, the same mail with another Message-ID",
        swapped(good(), b"<1@geopod-ismtpd-9>", b"<666@evil.example>"),
        "funded 10.00 USD 4411 org-Acme0001",
    ),
    Case(
        "funded, the same mail by another way",
        on_top(good(), "Received: from relay.example by mx.example.com", "X-Spam: no"),
        "funded 10.00 USD 4411 org-Acme0001",
    ),
    Case(
        "funded, an hour later once more",
        good(number=3000),
        "funded 10.00 USD 4411 org-Acme0001",
    ),
    Case(
        "funded, from the other sender",
        signed(
            Mail("billing@tm1.openai.com", text=funded("$25.00", "1881", "org-Other0002")).raw(),
            "tm1.openai.com",
        ),
        "funded 25.00 USD 1881 org-Other0002",
    ),
    Case(
        "funded, signed by the domain above",
        signed(Mail(text=funded("$12.00"), date=SENT + timedelta(seconds=5)).raw(), "openai.com"),
        "funded 12.00 USD 4411 org-Acme0001",
    ),
    Case(
        "funded, with a second signature of the sender's service",
        signed(good(funded("$13.00"), 6), "evil.example", covering="from:subject:to"),
        "funded 13.00 USD 4411 org-Acme0001",
    ),
    Case(
        "funded, HTML only, quoted-printable",
        good(
            quopri.encodestring(page(funded("$14.00")).encode()),
            7,
            kind=HTML,
            encoding="quoted-printable",
        ),
        "funded 14.00 USD 4411 org-Acme0001",
    ),
    Case(
        "funded, HTML only, base64",
        good(base64.encodebytes(page(funded("$15.00")).encode()), 8, kind=HTML, encoding="base64"),
        "funded 15.00 USD 4411 org-Acme0001",
    ),
    Case(
        "funded, text and HTML",
        signed(
            multipart((PLAIN_PART, funded("$16.00")), (HTML_PART, page(funded("$16.00")))).raw()
        ),
        "funded 16.00 USD 4411 org-Acme0001",
    ),
    Case(
        "funded, the amount cut up by tags",
        good(page(funded("<b>$1</b>7<span>.00</span>")), 9, kind=HTML),
        "funded 17.00 USD 4411 org-Acme0001",
    ),
    Case(
        "funded, HTML entities",
        good(page(funded("&#36;18&#46;00")).replace("&amp;#", "&#"), 10, kind=HTML),
        "funded 18.00 USD 4411 org-Acme0001",
    ),
    Case(
        "funded, lines broken in the sentence",
        good(funded("$19.00").replace(" to your", "\nto your").replace(" ending", "\nending"), 11),
        "funded 19.00 USD 4411 org-Acme0001",
    ),
    Case(
        "funded, thousands",
        good(funded("$1,234.56"), 12),
        "funded 1234.56 USD 4411 org-Acme0001",
    ),
    Case(
        "funded, the currency spelled out",
        good(funded("US$20.00"), 13),
        "funded 20.00 USD 4411 org-Acme0001",
    ),
    Case(
        "funded, in euros",
        good(funded("€21.00"), 14),
        "funded 21.00 EUR 4411 org-Acme0001",
    ),
    Case(
        "funded, Latin-1",
        good(
            funded("$22.00").replace("Acme &", "Café &").encode("latin-1"),
            15,
            kind="text/plain; charset=iso-8859-1",
        ),
        "funded 22.00 USD 4411 org-Acme0001",
    ),
    Case(
        "funded, an encoded subject",
        good(
            funded("$23.00"),
            16,
            subject="=?utf-8?Q?Your_OpenAI_API_account?=\r\n =?utf-8?Q?_has_been_funded?=",
        ),
        "funded 23.00 USD 4411 org-Acme0001",
    ),
    Case(
        "funded, no Date",
        signed(Mail(text=funded("$24.00"), date=None).raw()),
        "funded 24.00 USD 4411 org-Acme0001",
    ),
    Case(
        "funded, a large attachment",
        signed(
            multipart(
                (PLAIN_PART, funded("$26.00")), (PDF, b"JVBERi0x" * 150_000), kind="mixed"
            ).raw()
        ),
        "funded 26.00 USD 4411 org-Acme0001",
    ),
    Case(
        "funded, another amount in an attachment",
        signed(
            multipart(
                (PLAIN_PART, funded("$27.00")),
                (f"{PLAIN_PART}\nContent-Disposition: attachment", funded("$900.00")),
                kind="mixed",
            ).raw()
        ),
        "funded 27.00 USD 4411 org-Acme0001",
    ),
    Case(
        "funded, another amount in a mail within the mail",
        signed(
            multipart(
                (PLAIN_PART, funded("$28.00")),
                ("Content-Type: message/rfc822", Mail(text=funded("$900.00")).raw()),
                kind="mixed",
            ).raw()
        ),
        "funded 28.00 USD 4411 org-Acme0001",
    ),
    Case(
        "funded, no organization",
        good(funded("$29.00").replace("Organization: Acme & Co (org-Acme0001)", ""), 17),
        "funded 29.00 USD 4411 -",
    ),
    Case(
        "funded, a Date of tomorrow",
        good(funded("$30.00"), 86_400),
        "funded 30.00 USD 4411 org-Acme0001",
    ),
    Case(
        "threshold reached",
        good(
            "Usage of $80.00 has reached",
            18,
            subject="API usage has reached your notification threshold",
        ),
        "notice",
    ),
    Case(
        "limits increased",
        good("Congratulations, $1,000.00", 19, subject="Your API usage limits have increased"),
        "notice",
    ),
    Case("Stripe: receipt", stripe(), "receipt 11.90 USD 4411 #2070-4164"),
    Case(
        "Stripe: the receipt sent once more",
        stripe(text=receipt() + "\nYou asked for this receipt.\n"),
        "receipt 11.90 USD 4411 #2070-4164",
    ),
    Case(
        "Stripe: receipt from the other sender, long number",
        stripe(
            "Your receipt from OpenAI OpCo, LLC #2070-4164-2450",
            receipt("$23.80", "1881", "2070-4164-2450"),
            '"OpenAI OpCo, LLC" <receipts+acct_1HOrSwC6h1nxGoI3@stripe.com>',
        ),
        "receipt 23.80 USD 1881 #2070-4164-2450",
    ),
    Case(
        "Stripe: receipt with the card's brand",
        stripe(
            RECEIPT.replace("4164", "4165"),
            receipt("$35.70", number="2070-4165").replace("method –", "method Visa •••• "),
        ),
        "receipt 35.70 USD 4411 #2070-4165",
    ),
    Case(
        "Stripe: receipt of another merchant",
        stripe("Your receipt from Cursor #1111-2222"),
        "ignored",
    ),
    Case(
        "Stripe: receipt of a merchant with OpenAI in its name",
        stripe("Your receipt from Courses on OpenAI Ltd #1111-2223"),
        "ignored",
    ),
    Case(
        "Stripe: receipt of a subscription",
        stripe(
            RECEIPT.replace("4164", "4166"), receipt("$20.00", what="ChatGPT Plus Subscription")
        ),
        "ignored",
    ),
    Case(
        "Stripe: receipt of Anthropic",
        stripe(
            "Your receipt from Anthropic, PBC #1111-2224",
            receipt("$59.50", "9900"),
            STRIPE.replace("OpenAI, LLC", "Anthropic, PBC"),
        ),
        "receipt 59.50 USD 9900 #1111-2224",
    ),
    Case(
        "Stripe: payment failed",
        failed("$10.00 payment to OpenAI, LLC was unsuccessful"),
        "failed 10.00 USD 4411 -",
    ),
    Case(
        "Stripe: payment failed again",
        failed("$10.00 payment to OpenAI, LLC was unsuccessful again"),
        "failed 10.00 USD 4411 -",
    ),
    Case(
        "Stripe: your payment failed, thousands",
        failed("Your $1,190.00 payment to OpenAI, LLC was unsuccessful", card="1881"),
        "failed 1190.00 USD 1881 -",
    ),
    Case(
        "Stripe: payment to another merchant failed",
        failed("$90.00 payment to Figma was unsuccessful"),
        "ignored",
    ),
    Case(
        "Stripe: upcoming invoice",
        stripe(
            "Your upcoming invoice from OpenAI, LLC",
            None,
            STRIPE.replace("invoice+statements", "upcoming-invoice"),
        ),
        "ignored",
    ),
    Case(
        "Anthropic: receipt",
        stripe(
            "Your receipt from Anthropic, PBC #2070-4164-2451",
            receipt("$119.00", "9900"),
            ANTHROPIC,
            "mail.anthropic.com",
        ),
        "receipt 119.00 USD 9900 #2070-4164-2451",
    ),
    Case(
        "Anthropic: receipt of a plan",
        stripe(
            "Your receipt from Anthropic, PBC #2070-4164-2452",
            receipt("$200.00", "9900", what="Max plan - 20x"),
            ANTHROPIC,
            "mail.anthropic.com",
        ),
        "ignored",
    ),
    Case(
        "Anthropic: payment failed",
        failed(
            "$500.00 payment to Anthropic, PBC was unsuccessful",
            '"Anthropic, PBC" <failed-payments@mail.anthropic.com>',
            "mail.anthropic.com",
            card="9900",
        ),
        "failed 500.00 USD 9900 -",
    ),
    Case(
        "a newsletter", good("We charged $10.00", 20, subject="What is new in the API"), "ignored"
    ),
    Case(
        "a mail of somebody else",
        signed(Mail("a@example.com", "Lunch?", "$10.00").raw(), "example.com"),
        "ignored",
    ),
]

UNCLEAR = [
    Case("funded, two amounts", good(funded() + funded("$20.00"), 30), "unclear"),
    Case(
        "funded, text and HTML disagree",
        signed(
            multipart((PLAIN_PART, funded("$10.00")), (HTML_PART, page(funded("$100.00")))).raw()
        ),
        "unclear",
    ),
    Case("funded, no amount", good("Thank you.", 31), "unclear"),
    Case("funded, empty", good("", 32), "unclear"),
    Case("funded, an amount without currency", good(funded("10.00"), 33), "unclear"),
    Case("funded, a comma before three digits", good(funded("$1,234"), 34), "unclear"),
    Case("funded, a point before three digits", good(funded("1.234 €"), 35), "unclear"),
    Case("funded, two currencies in one", good(funded("€10.00 USD"), 36), "unclear"),
    Case("funded, a yen or a yuan", good(funded("¥1000"), 37), "unclear"),
    Case("funded, less than nothing", good(funded("-$10.00"), 38), "unclear"),
    Case(
        "funded, digits of another script",
        good(funded("$\uff11\uff10.\uff10\uff10"), 39),
        "unclear",
    ),
    Case("funded, an amount like an address", good(funded("$10.00.5.1"), 40), "unclear"),
    Case("funded, more than there is", good(funded("$999999999999.00"), 41), "unclear"),
    Case(
        "funded, broken base64",
        good("!!!!" + base64.b64encode(funded().encode()).decode()[1:-3], 42, encoding="base64"),
        "unclear",
    ),
    Case(
        "funded, base64 that is none",
        good(funded(), 43, encoding="base64"),
        "unclear",
    ),
    Case(
        "funded, an unknown charset",
        good(funded("$31.00"), 44, kind="text/plain; charset=x-klingon"),
        "funded 31.00 USD 4411 org-Acme0001",
    ),
    Case(
        "funded, UTF-16 that is none",
        good(funded(), 45, kind="text/plain; charset=utf-16"),
        "funded 10.00 USD 4411 org-Acme0001",
    ),
    Case(
        "funded, a boundary that never comes",
        good(funded(), 46, kind='multipart/mixed; boundary="never"', encoding=None),
        "unclear",
    ),
    Case(
        "funded, parts in parts without end",
        good(
            "".join(
                f"--b{depth}\nContent-Type: multipart/mixed; boundary=b{depth + 1}\n\n"
                for depth in range(400)
            ),
            47,
            kind="multipart/mixed; boundary=b0",
            encoding=None,
        ),
        "unclear",
    ),
    Case(
        "funded, the sentence in French",
        good("Nous avons débité 10,00 $US de votre carte se terminant par 4411.", 48),
        "unclear",
    ),
    Case(
        "Stripe: receipt without the words Amount paid",
        stripe(RECEIPT.replace("4164", "4167"), "Betrag: $5.00\nPayment method – 4411"),
        "unclear",
    ),
    Case(
        "Stripe: receipt with commas and points of Europe",
        stripe(RECEIPT.replace("4164", "4168"), receipt("1.190,00 €", number="2070-4168")),
        "receipt 1190.00 EUR 4411 #2070-4168",
    ),
    Case(
        "Stripe: receipt with thin spaces",
        stripe(
            RECEIPT.replace("4164", "4169"), receipt("1\u202f190,00\u00a0€", number="2070-4169")
        ),
        "receipt 1190.00 EUR 4411 #2070-4169",
    ),
    Case(
        "Stripe: receipt paid by two cards",
        stripe(RECEIPT.replace("4164", "4170"), receipt() + "Payment method – 1881\n"),
        "receipt 11.90 USD - #2070-4170",
    ),
    Case(
        "Stripe: receipt in German",
        stripe(
            "Ihr Zahlungsbeleg von OpenAI, LLC Nr. 2070-4171",
            "Gezahlter Betrag 10,00 €\nZahlungsmethode – 4411",
        ),
        "ignored",
    ),
    Case(
        "Stripe: receipt in Chinese",
        stripe(
            "=?utf-8?B?5oKo5p2l6IeqIE9wZW5BSSwgTExDIOeahOaUtuaNriAjMjA3MC00MTcy?=",
            "支付金额 US$10.00\n支付方式 – 4411",
        ),
        "ignored",
    ),
]

FORGED = [
    Case("forged: no signature", unsigned(), "forged: it is not signed by tm.openai.com"),
    Case(
        "forged: signed by somebody else",
        signed(unsigned(), "evil.example"),
        "forged: it is not signed by tm.openai.com",
    ),
    Case(
        "forged: signed by com",
        signed(unsigned(), "com"),
        "forged: it is not signed by tm.openai.com",
    ),
    Case(
        "forged: signed by the payment processor",
        signed(unsigned(), "stripe.com"),
        "forged: it is not signed by tm.openai.com",
    ),
    Case(
        "forged: signed with a key of their own",
        signed(unsigned(), owner="evil"),
        "forged: its signature does not hold",
    ),
    Case(
        "forged: signed with a key that is not published",
        signed(unsigned(), selector="s9", owner="evil"),
        "forged: the key of its signature is not published",
    ),
    Case("forged: the amount changed", broken(), "forged: its signature does not hold"),
    Case(
        "forged: the subject changed",
        swapped(good(number=60, subject="Welcome"), b"Welcome", FUNDED.encode()),
        "forged: its signature does not hold",
    ),
    Case(
        "forged: a subject on top of the signed one",
        on_top(good(number=61, subject="Welcome"), f"Subject: {FUNDED}"),
        "forged: its headers contradict one another",
    ),
    Case(
        "forged: subject not signed",
        signed(unsigned(), covering="from:to:date:content-type:content-transfer-encoding"),
        "forged: its signature does not cover sender and subject",
    ),
    Case(
        "forged: text put behind what is signed (l=)",
        signed(Mail(text="Hi there,\n").raw(), body_length=11) + FORGED_TEXT.encode(),
        "forged: its signature covers only a part of it",
    ),
    Case(
        "forged: l= although all is signed",
        signed(unsigned(), body_length=100_000),
        "forged: its signature covers only a part of it",
    ),
    Case(
        "forged: another way to read the text",
        on_top(
            signed(Mail(text="x", kind=None, encoding=None).raw(), covering="from:subject:to:date"),
            "Content-Type: text/html",
        ),
        "forged: its signature does not cover how to read it",
    ),
    Case(
        "forged: a second way to read the text",
        on_top(good(number=62), "Content-Type: text/html"),
        "forged: its headers contradict one another",
    ),
    Case(
        "forged: an old mail after its signature expired",
        signed(
            Mail(text=funded(), date=later()).raw(),
            tags={"x": str(int((ARRIVED - timedelta(days=3)).timestamp()))},
        ),
        "forged: its signature had expired when it arrived",
    ),
    Case(
        "forged: an expiry that is no number",
        signed(Mail(text=funded(), date=later()).raw(), tags={"x": "never"}),
        "forged: its signature had expired when it arrived",
    ),
    Case(
        "forged: signed with SHA-1",
        signed(unsigned(), algorithm="rsa-sha1"),
        "forged: it is signed by a method that is not accepted",
    ),
    Case(
        "forged: OpenAI's address as the name of somebody",
        signed(
            Mail('"noreply@tm.openai.com" <x@evil.example>', text=FORGED_TEXT, date=later()).raw(),
            "evil.example",
        ),
        "forged: it is not from whom it pretends to be from",
    ),
    Case(
        "forged: OpenAI as the name of somebody",
        signed(
            Mail("OpenAI Billing <x@evil.example>", text=FORGED_TEXT, date=later()).raw(),
            "evil.example",
        ),
        "forged: it is not from whom it pretends to be from",
    ),
    Case(
        "forged: OpenAI as an encoded name",
        signed(
            Mail("=?utf-8?B?T3BlbkFJ?= <x@evil.example>", text=FORGED_TEXT, date=later()).raw(),
            "evil.example",
        ),
        "forged: it is not from whom it pretends to be from",
    ),
    Case(
        "forged: a domain that begins alike",
        signed(
            Mail("noreply@tm.openai.com.evil.example", text=FORGED_TEXT, date=later()).raw(),
            "tm.openai.com.evil.example",
        ),
        "forged: it is not from whom it pretends to be from",
    ),
    Case(
        "forged: a domain that ends early",
        signed(Mail("noreply@tm.openai.co", text=FORGED_TEXT, date=later()).raw(), "tm.openai.co"),
        "forged: it is not from whom it pretends to be from",
    ),
    Case(
        "forged: a domain that looks alike",
        signed(
            Mail("OpenAI <noreply@tm.opena1.com>", text=FORGED_TEXT, date=later()).raw(),
            "tm.opena1.com",
        ),
        "forged: it is not from whom it pretends to be from",
    ),
    Case(
        "somebody says so under a name of their own",
        signed(Mail("x@evil.example", text=FORGED_TEXT, date=later()).raw(), "evil.example"),
        "ignored",
    ),
    Case(
        "forged: another From on top",
        on_top(good(number=63), "From: x@evil.example"),
        "forged: it does not name exactly one sender",
    ),
    Case(
        "forged: OpenAI's From on top of the signed one",
        on_top(
            signed(Mail("x@evil.example", text=FORGED_TEXT, date=later()).raw(), "evil.example"),
            f"From: {FROM}",
        ),
        "forged: it does not name exactly one sender",
    ),
    Case(
        "forged: two addresses in one From",
        signed(
            Mail("x@evil.example, noreply@tm.openai.com", text=FORGED_TEXT, date=later()).raw(),
            "evil.example",
        ),
        "forged: it does not name exactly one sender",
    ),
    Case(
        "forged: a From behind a lone carriage return",
        swapped(
            signed(Mail("x@evil.example", text=FORGED_TEXT, date=later()).raw(), "evil.example"),
            b"To: ",
            b"X: y\rFrom: noreply@tm.openai.com\rTo: ",
        ),
        "ignored",
    ),
    Case(
        "forged: a lone carriage return in a good mail",
        swapped(good(number=64), b"To: ", b"X-Y: z\rTo: "),
        "forged: it is not formed as a mail is",
    ),
    Case(
        "forged: a zero byte in a good mail",
        swapped(good(number=65), b"Hi there", b"Hi\0there"),
        "forged: it is not formed as a mail is",
    ),
    Case(
        "forged: a line that is no header",
        swapped(good(number=66), b"To: ", b"no header\r\nTo: "),
        "forged: it is not formed as a mail is",
    ),
    Case(
        "forged: results of a server that nobody asked",
        on_top(unsigned(), says("dkim=pass header.d=tm.openai.com")),
        "forged: it is not signed by tm.openai.com",
    ),
    Case(
        "forged: a receipt, unsigned, of a real number",
        Mail(STRIPE, RECEIPT, receipt("$500.00")).raw(),
        "forged: it is not signed by stripe.com",
    ),
    Case(
        "forged: payment failed",
        Mail(FAILURES, "$10.00 payment to OpenAI, LLC was unsuccessful", unsuccessful()).raw(),
        "forged: it is not signed by stripe.com",
    ),
    Case(
        "a forward",
        signed(
            Mail("me@example.com", f"Fwd: {FUNDED}", f"From: {FROM}\n\n{funded()}").raw(),
            "example.com",
        ),
        "ignored",
    ),
    Case(
        "a forward as an attachment",
        signed(
            Mail(
                "me@example.com",
                "FW:",
                b"--b\nContent-Type: message/rfc822\n\n" + good() + b"\n--b--",
                kind="multipart/mixed; boundary=b",
                encoding=None,
            ).raw(),
            "example.com",
        ),
        "ignored",
    ),
    Case(
        "a forward with the old subject",
        signed(Mail("me@example.com", FUNDED, funded()).raw(), "example.com"),
        "ignored",
    ),
]

BY_SERVER = [
    Case("server: pass", on_top(OWN, says(PASS)), "funded 10.00 USD 4411 org-Acme0001"),
    Case(
        "server: pass by header.d, spf in front, comments",
        on_top(
            good(funded("$32.00"), 70),
            says(
                "spf=pass (sender IP is 159.183.12.231) smtp.mailfrom=em7877.tm.openai.com;\r\n"
                " dkim=pass (signature was verified; dkim=fail) header.d=tm.openai.com"
            ),
        ),
        "funded 32.00 USD 4411 org-Acme0001",
    ),
    Case(
        "server: pass, though the way broke the text",
        on_top(
            swapped(good(funded("$33.00"), 71), b"The OpenAI team", b"The OpenAI team -- list"),
            says("dkim=pass header.d=tm.openai.com"),
        ),
        "funded 33.00 USD 4411 org-Acme0001",
    ),
    Case(
        "server: fail",
        on_top(broken(), says("dkim=fail header.d=tm.openai.com")),
        f"forged: {SERVER} does not confirm a signature of tm.openai.com",
    ),
    Case(
        "server: pass of somebody else",
        on_top(broken(), says("dkim=pass header.d=evil.example; spf=pass; dmarc=pass")),
        f"forged: {SERVER} does not confirm a signature of tm.openai.com",
    ),
    Case(
        "server: silent",
        OWN,
        f"forged: {SERVER} does not say whether it is signed",
    ),
    Case(
        "server: unsigned",
        on_top(unsigned(), says("dkim=pass header.d=tm.openai.com")),
        "forged: it is not signed by tm.openai.com",
    ),
    Case(
        "server: another server's word",
        on_top(broken(), says("dkim=pass header.d=tm.openai.com", "mx.evil.example")),
        f"forged: {SERVER} does not say whether it is signed",
    ),
    Case(
        "server: its name with more behind it",
        on_top(broken(), says("dkim=pass header.d=tm.openai.com", f"{SERVER}.evil.example")),
        f"forged: {SERVER} does not say whether it is signed",
    ),
    Case(
        "server: the sender wrote in its name, further down",
        on_top(
            broken(),
            says("dkim=fail header.d=tm.openai.com"),
            "Received: from evil.example by mx.example.com",
            says("dkim=pass header.d=tm.openai.com"),
        ),
        f"forged: {SERVER} does not confirm a signature of tm.openai.com",
    ),
    Case(
        "server: the sender wrote into its comment",
        on_top(
            broken(),
            says(
                "dkim=fail header.d=tm.openai.com; spf=fail (domain of a); "
                "dkim=pass header.d=tm.openai.com (x) smtp.mailfrom=evil.example"
            ),
        ),
        f"forged: {SERVER} does not confirm a signature of tm.openai.com",
    ),
    Case(
        "server: it cannot be read",
        on_top(
            broken(),
            says("dkim=pass (header.d=tm.openai.com"),
            says("dkim=pass header.d=tm.openai.com"),
        ),
        f"forged: {SERVER} does not say whether it is signed",
    ),
    Case(
        "server: pass of a signature with l=",
        on_top(signed(unsigned(), body_length=11), says("dkim=pass header.d=tm.openai.com")),
        "forged: its signature covers only a part of it",
    ),
    Case(
        "server: pass, but of which of two signatures",
        on_top(
            signed(good(number=73), owner="evil", covering="from:subject"),
            says("dkim=pass header.d=tm.openai.com"),
        ),
        f"forged: {SERVER} does not say which signature it confirms",
    ),
]

CORPUS = tuple(
    Case(case.name, case.raw, case.tells, trust, case.arrived_at)
    for cases, trust in (
        (GENUINE, Trust.DKIM),
        (UNCLEAR, Trust.DKIM),
        (FORGED, Trust.DKIM),
        (BY_SERVER, Trust.AUTHENTICATION_RESULTS),
    )
    for case in cases
)
