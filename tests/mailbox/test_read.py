from __future__ import annotations

import gc
import logging
import socket
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from spendguard.core.accounts import Mailbox
from spendguard.core.errors import ErrorKind
from spendguard.mailbox import CannotTellError, MailboxError, Mark
from spendguard.mailbox import read as reading
from spendguard.mailbox.read import LARGEST, LOOK_BACK, MOST_MAILS, read
from tests.mailbox.corpus import CORPUS, good, stripe
from tests.mailbox.imap_server import ImapServer
from tests.mailbox.post import ARRIVED, NOW, Mail, dns, funded, signed
from tests.mailbox.test_corpus import told

HOUR = timedelta(hours=1)
LUNCH = Mail("a@example.com", "Lunch?", "x").raw()


@pytest.fixture
def server() -> Iterator[ImapServer]:
    with ImapServer() as server:
        yield server
        assert server.changed == []


def box(server: ImapServer) -> Mailbox:
    return Mailbox(
        "receipts",
        "127.0.0.1",
        server.user,
        "env:MAIL_PASSWORD",
        port=server.port,
        tls_ca=str(server.ca),
    )


def cannot_tell(_name: str) -> bytes | None:
    raise CannotTellError


def test_what_arrived_is_told_and_never_again(server: ImapServer) -> None:
    server.folder.add(LUNCH, ARRIVED)
    server.folder.add(good(), ARRIVED)
    server.folder.add(stripe(), ARRIVED)

    first = read(box(server), server.password, None, NOW, dns=dns)
    assert [one.origin for one in first.evidence] == ["openai-funded", "stripe-receipt"]
    assert (first.mark, first.seen) == (Mark(77, 3), 3)

    again = read(box(server), server.password, first.mark, NOW, dns=dns)
    assert (again.evidence, again.mark, again.seen) == ((), Mark(77, 3), 0)

    server.folder.add(good(funded("$20.00")), ARRIVED)
    later = read(box(server), server.password, again.mark, NOW, dns=dns)
    assert [str(one.amount) for one in later.evidence] == ["20.00 USD"]
    assert later.mark == Mark(77, 4)


def test_the_whole_corpus_travels(server: ImapServer) -> None:
    cases = [case for case in CORPUS if case.trust == "dkim"]
    sizes = {len(case.raw) for case in cases}
    assert max(sizes) > 1_000_000
    for case in cases:
        server.folder.add(case.raw, case.arrived_at)
    found = read(box(server), server.password, None, NOW, dns=dns)
    expected = [case.tells for case in cases if case.tells != "ignored"]
    assert [told(one) for one in found.evidence] == expected
    assert found.seen == len(cases)


def test_only_what_concerns_us_is_fetched(server: ImapServer) -> None:
    server.folder.add(LUNCH, ARRIVED)
    ours = server.folder.add(good(), ARRIVED)
    read(box(server), server.password, None, NOW, dns=dns)
    assert [uid for uid, items in server.fetched if "HEADER.FIELDS" not in items] == [ours]


def test_an_empty_mailbox_is_read_from_its_end(server: ImapServer) -> None:
    server.folder.next_uid = 500
    found = read(box(server), server.password, None, NOW, dns=dns)
    assert (found.evidence, found.mark, found.seen) == ((), Mark(77, 499), 0)


def test_the_first_reading_looks_back_thirty_five_days(server: ImapServer) -> None:
    server.folder.add(good(), NOW - LOOK_BACK - timedelta(days=2))
    assert read(box(server), server.password, None, NOW, dns=dns).mark == Mark(77, 1)
    recent = server.folder.add(good(funded("$20.00")), NOW - LOOK_BACK + HOUR)
    found = read(box(server), server.password, None, NOW, dns=dns)
    assert [str(one.amount) for one in found.evidence] == ["20.00 USD"]
    assert found.mark == Mark(77, recent)


def test_a_folder_made_anew_is_read_anew_and_tells_the_same(server: ImapServer) -> None:
    server.folder.add(good(), ARRIVED)
    first = read(box(server), server.password, None, NOW, dns=dns)
    server.folder.uidvalidity = 78
    again = read(box(server), server.password, first.mark, NOW, dns=dns)
    assert again.evidence == first.evidence
    assert again.mark == Mark(78, 1)


def test_many_mails_are_read_in_turns(server: ImapServer) -> None:
    for _ in range(MOST_MAILS + 5):
        server.folder.add(LUNCH, ARRIVED)
    server.folder.add(good(), ARRIVED)
    first = read(box(server), server.password, None, NOW, dns=dns)
    assert (first.seen, first.evidence, first.mark) == (MOST_MAILS, (), Mark(77, MOST_MAILS))
    rest = read(box(server), server.password, first.mark, NOW, dns=dns)
    assert (rest.seen, len(rest.evidence), rest.mark.last_uid) == (6, 1, MOST_MAILS + 6)


def test_a_mail_that_cannot_be_judged_waits_and_so_does_what_came_after(
    server: ImapServer,
) -> None:
    server.folder.add(LUNCH, ARRIVED)
    server.folder.add(good(), ARRIVED)
    server.folder.add(stripe(), ARRIVED)
    waiting = read(box(server), server.password, None, NOW, dns=cannot_tell)
    assert (waiting.evidence, waiting.mark) == ((), Mark(77, 1))
    found = read(box(server), server.password, waiting.mark, NOW, dns=dns)
    assert (len(found.evidence), found.mark) == (2, Mark(77, 3))


def test_a_first_mail_that_cannot_be_judged_is_read_again(server: ImapServer) -> None:
    server.folder.next_uid = 41
    server.folder.add(good(), ARRIVED)
    waiting = read(box(server), server.password, None, NOW, dns=cannot_tell)
    assert waiting.mark == Mark(77, 40)
    assert len(read(box(server), server.password, waiting.mark, NOW, dns=dns).evidence) == 1


def test_it_does_not_wait_for_longer_than_a_day(server: ImapServer) -> None:
    server.folder.add(good(), ARRIVED)
    later = ARRIVED + timedelta(hours=24)
    found = read(box(server), server.password, None, later, dns=cannot_tell)
    (evidence,) = found.evidence
    assert not evidence.authenticated
    assert "could not be checked for a day" in evidence.why
    assert found.mark == Mark(77, 1)


def test_a_mail_that_goes_away_is_passed_over(server: ImapServer) -> None:
    gone = server.folder.add(good(), ARRIVED)
    server.folder.add(stripe(), ARRIVED)

    def vanish(_uid: int) -> None:
        server.folder.mails = [one for one in server.folder.mails if one.uid != gone]

    server.on_fetch = vanish
    found = read(box(server), server.password, None, NOW, dns=dns)
    assert [one.origin for one in found.evidence] == ["stripe-receipt"]
    assert found.mark == Mark(77, 2)


def test_a_mail_too_large_is_not_fetched_and_not_believed(server: ImapServer) -> None:
    text = funded() + "x" * 70 + "\n"
    raw = signed(Mail(text=text + ("y" * 70 + "\n") * (LARGEST // 70)).raw())
    server.folder.add(raw, ARRIVED)
    (evidence,) = read(box(server), server.password, None, NOW, dns=dns).evidence
    assert evidence.why == "it is longer than what is read of a mail"
    assert evidence.amount is None
    assert all("BODY.PEEK[]" not in items for _, items in server.fetched)


@pytest.mark.parametrize("user", ["billing@acme.example", 'two words "x"', "bücher@acme.example"])
@pytest.mark.parametrize("password", ["plain", 'a "b" \\c', "pässwörd"])
def test_any_user_and_password_pass(server: ImapServer, user: str, password: str) -> None:
    server.user, server.password = user, password
    assert read(box(server), password, None, NOW, dns=dns).seen == 0


def refused(server: ImapServer, password: str = "", **changed: object) -> MailboxError:
    """Read what cannot be read, and look for the password everywhere."""
    mailbox = replace(box(server), **changed)  # type: ignore[arg-type]
    with pytest.raises(MailboxError) as caught:
        read(mailbox, password or server.password, None, NOW, dns=dns)
    shown = "".join(traceback.format_exception(caught.value)) + caught.value.hint
    assert (password or server.password) not in shown
    assert caught.value.__cause__ is None
    assert caught.value.hint
    return caught.value


def test_a_wrong_password_is_told_apart_and_not_repeated(
    server: ImapServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        error = refused(server, "s3cret-and-wrong")
    assert error.kind is ErrorKind.AUTH
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("busy", ErrorKind.UNAVAILABLE),
        ("drop", ErrorKind.UNAVAILABLE),
        ("hang-up", ErrorKind.UNAVAILABLE),
        ("garbage", ErrorKind.UNAVAILABLE),
        ("timeless", ErrorKind.MALFORMED),
        ("plain", ErrorKind.MALFORMED),
    ],
)
def test_a_server_that_fails_is_an_error_of_a_kind(
    server: ImapServer, mode: str, kind: ErrorKind
) -> None:
    server.folder.add(good(), ARRIVED)
    server.mode = mode
    assert refused(server).kind is kind


def test_a_folder_that_is_not_there(server: ImapServer) -> None:
    assert refused(server, folder="Receipts").kind is ErrorKind.SCOPE


def test_a_certificate_that_nobody_vouches_for(server: ImapServer) -> None:
    error = refused(server, tls_ca=None)
    assert error.kind is ErrorKind.BLOCKED
    assert "tls_ca" in error.hint


def test_a_certificate_for_another_name(server: ImapServer) -> None:
    assert refused(server, host="localhost").kind is ErrorKind.BLOCKED


@pytest.mark.parametrize("name", ["nowhere.pem", ""])
def test_an_authority_that_cannot_be_read(server: ImapServer, name: str) -> None:
    error = refused(server, tls_ca=f"{server.ca.parent}/{name}")
    assert error.kind is ErrorKind.BLOCKED
    assert "tls_ca" in error.message


def test_nobody_listens(server: ImapServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert refused(server, port=port).kind is ErrorKind.UNAVAILABLE


def test_a_server_that_answers_byte_by_byte_is_given_up(
    server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "WHOLE", 0.5)
    server.folder.add(good(), ARRIVED)
    server.mode = "trickle"
    error = refused(server)
    assert error.kind is ErrorKind.UNAVAILABLE
    assert "too long" in error.message


def test_no_connection_is_left_open(server: ImapServer) -> None:
    read(box(server), server.password, None, NOW, dns=dns)
    assert server.told[-1] == "LOGOUT"
    gc.collect()  # an open socket would be a warning here, and so an error
