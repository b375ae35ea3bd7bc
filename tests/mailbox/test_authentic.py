"""The signature that counts; the corpus has what each forgery comes to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from spendguard.core.evidence import Claim, MailPattern
from spendguard.mailbox import CannotTellError
from spendguard.mailbox.authentic import Verdict, aligned, judge, read_results
from spendguard.mailbox.letter import open_letter
from tests.mailbox.corpus import good, on_top
from tests.mailbox.post import ARRIVED, SENT, SES, Mail, dns, funded, signed

PATTERN = MailPattern(
    "p", ("noreply@tm.openai.com",), "funded", Claim.FUNDED, signers=("openai.com",)
)


def verdict(raw: bytes) -> Verdict:
    return judge(open_letter(raw, ARRIVED), PATTERN, dns)


def test_what_is_signed_is_vouched_for() -> None:
    found = verdict(good())
    assert found.authentic
    assert {"from", "subject", "date"} <= found.signed
    assert "message-id" not in found.signed
    assert "message-id" in verdict(signed(Mail(text=funded()).raw(), covering=SES)).signed


def test_a_header_that_stands_twice_is_not_vouched_for() -> None:
    raw = signed(Mail(text=funded()).raw(), covering=SES)
    found = verdict(on_top(raw, "Message-ID: <another@evil.example>"))
    assert found.authentic
    assert "message-id" not in found.signed


@pytest.mark.parametrize(
    ("signer", "domain", "fits"),
    [
        ("tm.openai.com", "tm.openai.com", True),
        ("openai.com", "tm.openai.com", True),
        ("com", "tm.openai.com", False),
        ("", "tm.openai.com", False),
        ("evil.tm.openai.com", "tm.openai.com", False),
        ("openai.com", "evilopenai.com", False),
        ("tm.openai.com", "openai.com", False),
    ],
)
def test_who_may_sign_for_whom(signer: str, domain: str, *, fits: bool) -> None:
    assert aligned(signer, domain, PATTERN) is fits


def test_one_good_signature_is_enough() -> None:
    for raw in (
        signed(good(), owner="evil", covering="from:subject"),
        signed(good(), algorithm="rsa-sha1"),
        signed(good(), "evil.example"),
        on_top(good(), "DKIM-Signature: nonsense", "DKIM-Signature: d=tm.openai.com; d=x"),
    ):
        assert verdict(raw).authentic


def test_only_so_many_signatures_are_tried() -> None:
    asked: list[str] = []

    def look_up(name: str) -> bytes | None:
        asked.append(name)
        return None

    raw = good()
    for _ in range(30):
        raw = signed(
            raw, owner="evil", covering="from:subject:content-type:content-transfer-encoding"
        )
    assert not judge(open_letter(raw, ARRIVED), PATTERN, look_up).authentic
    assert len(asked) == 10


def test_nobody_elses_key_is_asked_for() -> None:
    def nobody(name: str) -> bytes | None:
        raise AssertionError(name)

    raw = signed(Mail(text=funded()).raw(), "evil.example")
    assert not judge(open_letter(raw, ARRIVED), PATTERN, nobody).authentic


def test_a_name_service_that_does_not_answer_is_neither_yes_nor_no() -> None:
    def silent(_name: str) -> bytes | None:
        raise CannotTellError

    with pytest.raises(CannotTellError):
        judge(open_letter(good(), ARRIVED), PATTERN, silent)


def test_a_signature_that_can_be_checked_makes_up_for_one_that_cannot() -> None:
    def half(name: str) -> bytes | None:
        if name.startswith("s2."):
            raise CannotTellError
        return dns(name)

    raw = signed(good(), selector="s2", owner="openai")
    assert judge(open_letter(raw, ARRIVED), PATTERN, half).authentic


@pytest.mark.parametrize(
    "published", [b"", b"v=DKIM1; p=", b"v=DKIM1; k=rsa; p=AAAA", b"p=!", b"x"]
)
def test_a_key_that_is_none_holds_nothing(published: bytes) -> None:
    found = judge(open_letter(good(), ARRIVED), PATTERN, lambda _name: published)
    assert found.why == "its signature does not hold"


@pytest.mark.parametrize(
    ("expires", "believed"),
    [(SENT + timedelta(days=7), True), (ARRIVED - timedelta(minutes=30), True),
     (ARRIVED - timedelta(hours=2), False)],
)  # fmt: skip
def test_a_signature_is_judged_at_the_arrival_of_the_mail(
    expires: object, *, believed: bool
) -> None:
    stamp = str(int(expires.timestamp()))  # type: ignore[attr-defined]
    assert verdict(signed(Mail(text=funded()).raw(), tags={"x": stamp})).authentic is believed


def test_results_are_read_with_comments_quotes_and_folds() -> None:
    value = (
        'mx.Google.com 1 (the (nested) "one); dkim=pass (2048-bit; key) header.i="@tm.openai.com"'
        "\r\n header.b=abcd1234; dkim/1=FAIL header.d=Evil.example; spf=pass smtp.mailfrom=a@b"
    )
    assert read_results(value) == (
        "mx.google.com",
        [
            {
                "result": "pass",
                "header.i": "@tm.openai.com",
                "header.b": "abcd1234",
                "domain": "tm.openai.com",
            },
            {"result": "fail", "header.d": "Evil.example", "domain": "evil.example"},
        ],
    )


@pytest.mark.parametrize(
    "value", ["", "   ", "(mx)", "mx (open", 'mx "open', "mx) x", "; dkim=pass"]
)
def test_results_that_cannot_be_read_are_none(value: str) -> None:
    assert read_results(value) is None


def test_an_identity_with_two_ats_is_of_the_last_domain() -> None:
    found = read_results("mx; dkim=pass header.i=tm.openai.com@evil.example")
    assert found is not None
    assert found[1][0]["domain"] == "evil.example"
