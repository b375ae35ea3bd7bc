from __future__ import annotations

from datetime import UTC, datetime

import dkim
import pytest
from freezegun.api import real_monotonic
from hypothesis import given
from hypothesis import strategies as st

from spendguard.mailbox.letter import Letter, open_letter
from tests.mailbox.post import ARRIVED, Mail


def letter(raw: bytes) -> Letter:
    return open_letter(raw, ARRIVED)


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("noreply@tm.openai.com", "noreply@tm.openai.com"),
        ("OpenAI <NoReply@TM.OpenAI.com>", "noreply@tm.openai.com"),
        ('"OpenAI, LLC" <a+b_c@stripe.com>', "a+b_c@stripe.com"),
        ('"a \\" <x@evil.example>" <b@stripe.com>', "b@stripe.com"),
        ("=?utf-8?Q?Caf=C3=A9?= <a@b.example>", "a@b.example"),
        ("<a@b.example>", "a@b.example"),
        ("", None),
        ("a@b", None),
        ("a@b.example, c@d.example", None),
        ("OpenAI, LLC <a@b.example>", None),
        ("a@b.example <c@d.example>", None),
        ("<a@b.example> <c@d.example>", None),
        ("a@b.example (c@d.example)", None),
        ("Team: a@b.example;", None),
        ("a@b@c.example", None),
        ("a@[127.0.0.1]", None),
        ("a@b.ex\u0430mple", None),
        ("a@b.example\x00", None),
    ],
)
def test_there_is_one_sender_or_none(written: str, address: str | None) -> None:
    assert letter(Mail(written).raw()).sender == address


def test_a_subject_is_decoded_and_in_one_line() -> None:
    raw = b"Subject: =?utf-8?B?5oKo?=\r\n =?iso-8859-1?Q?_caf=E9?= \t x\r\n\r\n"
    assert letter(raw).subject == "您 café x"


@pytest.mark.parametrize(
    "subject",
    [b"=?utf-8?B?!!!?=", b"=?x-none?Q?a?=", b"\xff\xfe", b"=?utf-8?Q?=?=", b"=?hex?Q?a?="],
)
def test_a_broken_subject_is_some_text(subject: bytes) -> None:
    assert isinstance(letter(b"Subject: " + subject + b"\r\n\r\n").subject, str)


def test_what_nobody_sees_is_not_text() -> None:
    page = (
        "<html><head><title>$1.00</title><style>a{b:'$2.00'}</style></head><body>We charged <b>$3</b>"
        ".<i>00</i><br>to&nbsp;your<!-- $4.00 --> card<script>$5.00</script>\u200b 3 < 5</body></html>"
    )
    raw = Mail(text=page, kind="text/html; charset=utf-8").raw()
    assert letter(raw).texts() == ("We charged $3.00 to your card 3 < 5",)


def test_dates_are_of_utc() -> None:
    raw = b"Date: Mon, 23 Nov 2026 12:00:00 +0800\r\n\r\n"
    assert letter(raw).dated_at == datetime(2026, 11, 23, 4, tzinfo=UTC)
    assert letter(b"Date: someday\r\n\r\n").dated_at is None
    assert letter(b"\r\n").dated_at is None


@given(st.binary(max_size=400))
def test_headers_are_split_as_those_who_verify_signatures_split_them(raw: bytes) -> None:
    ours = letter(raw)
    if not ours.sound or raw.startswith(b"From "):
        return
    headers, body = dkim.rfc822_parse(raw)
    assert [(name.decode().lower(), bytes(value)) for name, value in headers] == list(ours.headers)
    assert body == ours.body


@given(
    st.lists(
        st.sampled_from(
            [b"From: a@b.example", b"Subject: x", b" folded", b"\ttabbed", b": y", b"From x", b"no"]
        )
    ),
    st.sampled_from([b"\n", b"\r\n"]),
)
def test_and_so_are_lines_of_headers(lines: list[bytes], end: bytes) -> None:
    raw = end.join([*lines, b"", b"body"])
    ours = letter(raw)
    if ours.sound:
        headers, body = dkim.rfc822_parse(raw)
        assert [(n.decode().lower(), bytes(v)) for n, v in headers] == list(ours.headers)
        assert body == ours.body


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"Subject: x\r\n" + b" x\r\n" * 300_000 + b"\r\n", id="folded without end"),
        pytest.param(b"From: " + b"a." * 100_000 + b"@\r\n\r\n", id="a long address"),
        pytest.param(b'From: "' + b"\\a" * 100_000 + b"\r\n\r\n", id="a long name"),
        pytest.param(b"Subject: " + b"=?utf-8?q?a?= " * 50_000 + b"\r\n\r\n", id="many words"),
        pytest.param(b"Content-Type: text/html\r\n\r\n" + b"<!--" * 60_000, id="open comments"),
        pytest.param(b"Content-Type: text/html\r\n\r\n" + b"<a '" * 60_000, id="open tags"),
        pytest.param(b"Content-Type: text/html\r\n\r\n" + b"&#" * 120_000, id="open entities"),
        pytest.param(
            b"".join(
                b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
                for n in range(20_000)
            ),
            id="parts in parts",
        ),
        pytest.param(b"Content-Type: message/rfc822\r\n\r\n" * 40_000, id="mails in mails"),
    ],
)
def test_a_mail_made_to_be_slow_is_not(raw: bytes) -> None:
    began = real_monotonic()
    read = letter(raw)
    read.texts()
    assert (read.sender, read.subject, read.dated_at, read.senders_words) is not None
    assert real_monotonic() - began < 10
