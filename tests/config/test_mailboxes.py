from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from spendguard.config.configuration import Configuration
from spendguard.config.load import load, render_effective
from spendguard.core.accounts import Mailbox
from spendguard.core.evidence import Claim, MailPattern, Trust

Configure = Callable[..., Configuration]
Problems = Callable[..., dict[str, str]]

ACCOUNT = """
[[accounts]]
name = "main"
provider = "openai"
key = "env:OPENAI_ADMIN_KEY"
organization = "org-abc123"
[[channels]]
name = "ops"
url = "env:SLACK_URL"
"""
BOX = """
[[mailboxes]]
name = "receipts"
host = "imap.example.com"
user = "billing@example.com"
password = "env:MAIL_PASSWORD"
"""
WHOLE = """
[[mailboxes]]
name = "receipts"
host = "127.0.0.1"
port = 1993
user = "billing@example.com"
password = "file:secret"
folder = "Receipts/2026"
interval = "2s"
trust = "authentication-results"
authserv_id = "MX.example.com"
tls_ca = "ca.pem"
accounts = ["main"]
[[mailboxes.patterns]]
name = "resold"
from = ["Receipts+*@example.com", "*.example.org"]
subject = '^Receipt'
claim = "receipt"
provider = "openai"
amount = 'Total (?P<amount>\\S+)'
card = '(?P<card>\\d{4})$'
unless = 'subscription'
signed_by = ["example.com"]
[[mailboxes.patterns]]
name = "declined"
from = "failed@example.com"
subject = 'declined'
claim = "failed"
"""
PATTERN = """
[[mailboxes.patterns]]
name = "mine"
from = ["a@example.com"]
subject = 'x'
claim = "notice"
"""


def test_little_is_enough(configure: Configure) -> None:
    configuration = configure(ACCOUNT + BOX)
    assert configuration.mailboxes == (
        Mailbox("receipts", "imap.example.com", "billing@example.com", "env:MAIL_PASSWORD"),
    )
    assert configuration.accounts[0].organization == "org-abc123"
    assert configuration.warnings == ()


def test_all_of_it_becomes_values(write: Callable[[str], Path]) -> None:
    path = write(ACCOUNT + WHOLE)
    assert load(path, {}, ["openai"]).mailboxes == (
        Mailbox(
            name="receipts",
            host="127.0.0.1",
            user="billing@example.com",
            password=f"file:{path.parent / 'secret'}",
            port=1993,
            folder="Receipts/2026",
            interval=timedelta(seconds=2),
            trust=Trust.AUTHENTICATION_RESULTS,
            authserv_id="mx.example.com",
            tls_ca=str(path.parent / "ca.pem"),
            accounts=("main",),
            patterns=(
                MailPattern(
                    name="resold",
                    senders=("receipts+*@example.com", "*.example.org"),
                    subject="^Receipt",
                    claim=Claim.RECEIPT,
                    provider="openai",
                    body=(r"Total (?P<amount>\S+)", r"(?P<card>\d{4})$"),
                    signers=("example.com",),
                    unless="subscription",
                ),
                MailPattern("declined", ("failed@example.com",), "declined", Claim.FAILED),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOX.replace("host", "hots"), "mailboxes.receipts.host: is missing"),
        (BOX.replace("imap.", "imaps://imap."), "mailboxes.receipts.host: is not the name of"),
        (BOX + "port = 0", "mailboxes.receipts.port: must be from 1 to 65535"),
        (BOX + "interval = '5s'", "mailboxes.receipts.interval: '5s' is under 1m"),
        (BOX + "trust = 'spf'", "mailboxes.receipts.trust: unknown trust 'spf'"),
        (BOX + "trust = 'authentication-results'", "mailboxes.receipts.authserv_id: is missing"),
        (BOX + "authserv_id = 'mx.example.com'", "mailboxes.receipts.authserv_id: stands without"),
        (BOX + "accounts = ['mian']", "mailboxes.receipts.accounts: unknown account 'mian'"),
        (BOX + BOX, "mailboxes.receipts.name: stands 2 times"),
        (BOX + PATTERN * 2, "mailboxes.receipts.patterns.0.name: stands 2 times"),
        (BOX + PATTERN + "nope = 1", "mailboxes.receipts.patterns.0.nope: unknown key 'nope'"),
        (
            BOX + PATTERN + "provider = 'opnai'",
            "mailboxes.receipts.patterns.0.provider: unknown provider 'opnai'",
        ),
        (
            BOX + PATTERN.replace("notice", "paid"),
            "mailboxes.receipts.patterns.0.claim: unknown claim 'paid'",
        ),
        (
            BOX + PATTERN.replace("'x'", "'(x'"),
            "mailboxes.receipts.patterns.0.subject: is not a regular expression",
        ),
        (
            BOX + PATTERN + "amount = 'Total'",
            "mailboxes.receipts.patterns.0.amount: names no group 'amount'",
        ),
        (
            BOX + PATTERN + "card = '(?P<amount>x)'",
            "mailboxes.receipts.patterns.0.card: names no group 'card'",
        ),
        *(
            (
                BOX + PATTERN.replace("a@example.com", sender),
                "mailboxes.receipts.patterns.0.from: is neither an address nor a domain",
            )
            for sender in ("*", "*@*", "a@*", "a@com", "*.com", "a@*example.com", "a@b@c.example")
        ),
        (
            BOX + PATTERN + "signed_by = ['*.example.com']",
            "mailboxes.receipts.patterns.0.signed_by: is not a domain",
        ),
        (
            ACCOUNT.replace("org-abc123", "Acme"),
            "accounts.main.organization: is not the id of an organization",
        ),
    ],
)
def test_what_is_wrong_is_refused(problems: Problems, text: str, message: str) -> None:
    told = problems(text if "[[accounts]]" in text else ACCOUNT + text)
    assert [one for one in told if one.startswith(message)], told


def test_a_card_number_may_not_stand_in_a_pattern(problems: Problems) -> None:
    told = problems(ACCOUNT + BOX + PATTERN.replace("'x'", "'4111 1111 1111 1111'"))
    assert not any("4111" in line for pair in told.items() for line in pair)


def test_no_password_is_repeated(problems: Problems, configure: Configure) -> None:
    secret = "hunter2:s3cret"  # noqa: S105
    literal = BOX.replace("env:MAIL_PASSWORD", secret)
    told = problems(ACCOUNT + literal.replace("host", "hots"))
    assert not any(secret in line for pair in told.items() for line in pair)
    configuration = configure(ACCOUNT + literal)
    assert [str(one) for one in configuration.warnings] == [
        "SG-W01 mailboxes.receipts.password: a secret stands in the file"
    ]
    assert secret not in repr(configuration)
    assert secret not in json.dumps(render_effective(configuration))


def test_the_effective_configuration_names_neither_server_nor_user(configure: Configure) -> None:
    effective: dict[str, Any] = render_effective(configure(ACCOUNT + WHOLE))
    assert effective["mailboxes"] == [
        {
            "name": "receipts",
            "folder": "Receipts/2026",
            "interval": 2,
            "trust": "authentication-results",
            "accounts": ["main"],
            "patterns": ["resold", "declined"],
        }
    ]
    assert effective["accounts"][0]["organization"] == "org-abc123"
