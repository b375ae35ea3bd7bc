"""Any bytes are a mail: none breaks the reading, and none is believed that nobody signed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spendguard.core.accounts import Mailbox
from spendguard.core.evidence import Claim, Evidence, Trust
from spendguard.mailbox.authentic import read_results
from spendguard.mailbox.hearing import hear, known_patterns
from spendguard.mailbox.letter import open_letter
from tests.mailbox.corpus import CORPUS, SERVER, good
from tests.mailbox.post import ARRIVED, FROM, FUNDED, NOW, dns

BOX = Mailbox("receipts", "127.0.0.1", "billing@acme.example", "env:MAIL_PASSWORD")
BY_SERVER = replace(BOX, trust=Trust.AUTHENTICATION_RESULTS, authserv_id=SERVER)
GOOD = good()


def heard(raw: bytes, box: Mailbox = BOX) -> Evidence | None:
    return hear(open_letter(raw, ARRIVED), known_patterns(box), box, dns, NOW)


TRUTH = heard(GOOD)


@given(st.binary(max_size=2000))
def test_no_bytes_are_believed(raw: bytes) -> None:
    found = heard(raw)
    assert found is None or not found.authenticated


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [
                    f"From: {FROM}\r\n".encode(),
                    f"Subject: {FUNDED}\r\n".encode(),
                    b"Content-Type: text/html; charset=\r\n",
                    b"Content-Type: multipart/mixed; boundary=b\r\n",
                    b"Content-Transfer-Encoding: base64\r\n",
                    (
                        b"DKIM-Signature: v=1; a=rsa-sha256; d=tm.openai.com; s=s1;"
                        b" h=from:subject:content-type:content-transfer-encoding; bh=aa==; b=aaaa\r\n"
                    ),
                    (
                        b"DKIM-Signature: v=1; a=rsa-sha256; d=tm.openai.com; s=s1; c=/; h=from:subject:"
                        b"content-type:content-transfer-encoding; b=; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5N"
                        b"MpJWZG3hSuFU=\r\n"
                    ),
                    b"\r\n",
                    b"--b\r\n",
                    b"We charged $500.00 to your credit card ending in 4411",
                ]
            ),
            st.binary(max_size=30),
        ),
        max_size=12,
    )
)
def test_no_pieces_of_mails_are_believed(pieces: list[bytes]) -> None:
    found = heard(b"".join(pieces))
    assert found is None or not found.authenticated


@settings(max_examples=300)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_a_good_mail_that_was_changed_is_the_same_or_not_believed(
    place: int, inserted: bytes, removed: int
) -> None:
    found = heard(GOOD[:place] + inserted + GOOD[place + removed :])
    assert TRUTH is not None
    if found is not None and found.authenticated:
        assert found == replace(TRUTH, merchant=found.merchant)


@pytest.mark.parametrize("box", [BOX, BY_SERVER], ids=["dkim", "server"])
@settings(max_examples=60)
@given(case=st.sampled_from(CORPUS), data=st.data())
def test_no_part_of_a_mail_breaks_the_reading(
    box: Mailbox, case: object, data: st.DataObject
) -> None:
    raw = case.raw[:20_000]  # type: ignore[attr-defined]
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, len(raw)))
    for mail in (raw[start:end], raw[:start] + raw[end:]):
        found = heard(mail, box)
        assert found is None or found.claim in Claim


@given(st.text(alphabet='abd;=/ ()"\\\r\n.@:', max_size=60))
def test_no_results_break_the_reading(value: str) -> None:
    read_results(value)
