from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parsedate_to_datetime
from html import unescape

import pytest

from spendguard.core.money import Money
from spendguard.core.world import Charged
from spendguard.simulator import Card, Organization, World, mails

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACME = Organization("Acme & Co", "org-Acme0001", "billing@acme.example", "4411")
# What real mails were recognized by.
FUNDED = (
    r"We charged \$(?P<amount>[\d,]+\.\d{2}) to your credit card ending in (?P<last4>\d{4})"
    r" to fund your OpenAI API credit balance"
)
ORGANIZATION = r"Organization: (?P<name>.+?) \((?P<id>org-[A-Za-z0-9]+)\)"
RECEIPT = r"^Your receipt from (?P<merchant>.+?) #(?P<receipt>\d{4}-\d{4}(?:-\d{4})?)$"
FAILED = r"^(?:Your )?\$(?P<amount>[\d,]+\.\d{2}) payment to (?P<merchant>.+?) was unsuccessful$"


def charged(amount: str = "10", paid: str = "10", *, succeeded: bool = True) -> Charged:
    money, taken = Money.parse(amount, "USD"), Money.parse(paid, "USD")
    return Charged(NOON, "main", money, succeeded, "visa-4411", int(not succeeded), taken)


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return unescape(str(body.get_content()))


def found(pattern: str, text: str) -> dict[str, str]:
    match = re.search(pattern, text, re.MULTILINE)
    assert match, text
    return match.groupdict()


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_the_provider_says_that_the_account_was_funded(kind: str) -> None:
    mail = mails([charged("1234.56", "1469.13")], ACME)[0]
    assert mail["From"].addresses[0].addr_spec == "noreply@tm.openai.com"
    assert mail["Subject"] == "Your OpenAI API account has been funded"
    assert found(FUNDED, part(mail, kind)) == {"amount": "1,234.56", "last4": "4411"}
    assert found(ORGANIZATION, part(mail, kind)) == {"name": "Acme & Co", "id": "org-Acme0001"}


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_the_receipt_says_what_the_card_paid_with_tax(kind: str) -> None:
    mail = mails([charged("10", "11.90")], ACME)[1]
    sender = mail["From"].addresses[0].addr_spec
    assert re.fullmatch(r"invoice\+statements\+acct_\w+@stripe\.com", sender)
    subject = found(RECEIPT, mail["Subject"])
    assert subject["merchant"] == "OpenAI, LLC"
    text = part(mail, kind)
    assert "Amount paid $11.90" in text
    assert f"Receipt number {subject['receipt']}" in text
    assert "Payment method – 4411" in text
    assert "Date paid March 1, 2026" in text


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_a_failed_charge_is_one_mail_of_the_payment_processor(kind: str) -> None:
    (mail,) = mails([charged(succeeded=False)], ACME)
    sender = mail["From"].addresses[0].addr_spec
    assert re.fullmatch(r"failed-payments\+acct_\w+@stripe\.com", sender)
    assert found(FAILED, mail["Subject"]) == {"amount": "10.00", "merchant": "OpenAI, LLC"}
    assert "We weren't able to charge the credit card you provided." in part(mail, kind)
    assert "Payment method – 4411" in part(mail, kind)


def test_a_mail_is_dated_when_the_charge_was_tried() -> None:
    elsewhere = replace(charged(), at=NOON.astimezone(timezone(timedelta(hours=8))))
    for mail in mails([elsewhere], ACME):
        assert parsedate_to_datetime(mail["Date"]) == NOON
        assert mail["To"] == "billing@acme.example"


def test_the_same_charges_make_the_same_bytes() -> None:
    charges = [charged(), charged(succeeded=False)]
    one, other = ([mail.as_bytes() for mail in mails(charges, ACME)] for _ in range(2))
    assert one == other
    abroad = [replace(c, at=c.at.astimezone(timezone(timedelta(hours=8)))) for c in charges]
    assert [mail.as_bytes() for mail in mails(abroad, ACME)] == one


def test_two_charges_of_one_instant_are_two_mails_and_two_receipts() -> None:
    written = mails([charged(), charged()], ACME)
    assert len({mail["Message-ID"] for mail in written}) == 4
    assert len({mail["Subject"] for mail in written}) == 3


def test_a_mail_survives_the_wire() -> None:
    for mail in mails([charged(), charged(succeeded=False)], ACME):
        sent = mail.as_bytes()
        assert sent.isascii()
        assert b"\n" not in sent.replace(b"\r\n", b"")
        received = message_from_bytes(sent, policy=SMTP)
        assert received["Message-ID"] == mail["Message-ID"]
        assert received.as_bytes() == sent


def test_a_world_writes_mails_about_its_charges() -> None:
    card = Card("visa-1881")
    card.fill(NOON, "10")
    world = World(NOON + timedelta(days=2), card=card)
    world.recharge(NOON, trigger="5", amount="10")
    world.spend(NOON + timedelta(hours=1), "6")
    written = mails(world.charges, replace(ACME, last4=card.last4))
    assert [mail["Subject"].partition(" #")[0] for mail in written] == [
        "Your OpenAI API account has been funded",
        "Your receipt from OpenAI, LLC",
        "$10.00 payment to OpenAI, LLC was unsuccessful",
        "$10.00 payment to OpenAI, LLC was unsuccessful",
    ]
