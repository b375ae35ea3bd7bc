"""What the simulated world writes about its charges is what the mailbox understands."""

from __future__ import annotations

from email.policy import SMTP

from spendguard.core.accounts import Mailbox
from spendguard.core.evidence import Claim, Evidence
from spendguard.core.money import Money
from spendguard.core.world import Charged
from spendguard.mailbox.hearing import hear, known_patterns
from spendguard.mailbox.letter import open_letter
from spendguard.simulator import Organization, mails
from tests.mailbox.post import ARRIVED, NOW, SENT, SES, dns, signed

ACME = Organization("Acme & Co (Berlin)", "org-Acme0001", "billing@acme.example", "4411")
BOX = Mailbox("receipts", "127.0.0.1", "billing@acme.example", "env:MAIL_PASSWORD")


def heard(*, succeeded: bool, amount: str = "1234.50", paid: str = "1469.06") -> list[Evidence]:
    credit, taken = Money.parse(amount, "USD"), Money.parse(paid, "USD")
    charged = Charged(SENT, "main", credit, succeeded, "visa-4411", int(not succeeded), taken)
    found = []
    for mail in mails([charged], ACME):
        raw = mail.as_bytes(policy=SMTP)
        domain = mail["From"].addresses[0].domain
        letter = open_letter(signed(raw, domain, covering=SES), ARRIVED)
        evidence = hear(letter, known_patterns(BOX), BOX, dns, NOW)
        assert evidence is not None
        assert evidence.authenticated
        assert (evidence.why, evidence.at, evidence.provider) == ("", SENT, "openai")
        assert evidence.card_digits == "4411"
        found.append(evidence)
    return found


def test_a_recharge_is_told_by_the_provider_and_by_the_payment_processor() -> None:
    funded, receipt = heard(succeeded=True)
    assert (funded.claim, str(funded.amount)) == (Claim.FUNDED, "1234.50 USD")
    assert funded.organization == "org-Acme0001"
    assert (receipt.claim, str(receipt.amount)) == (Claim.RECEIPT, "1469.06 USD")
    assert receipt.external_id.startswith("stripe:")
    assert receipt.merchant == "OpenAI, LLC"


def test_a_failed_recharge_is_told_by_the_payment_processor() -> None:
    (failed,) = heard(succeeded=False)
    assert (failed.claim, str(failed.amount)) == (Claim.FAILED, "1469.06 USD")
    assert failed.external_id.startswith("mail:")
