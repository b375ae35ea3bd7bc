"""Read: what is new in a mailbox, over TLS. Nothing is ever marked, moved or deleted."""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from spendguard.core.accounts import Mailbox
from spendguard.core.errors import ErrorKind
from spendguard.core.evidence import Evidence
from spendguard.mailbox import hearing, patterns
from spendguard.mailbox.authentic import Lookup
from spendguard.mailbox.letter import Letter, open_letter
from spendguard.mailbox.results import CannotTellError, MailboxError, MailRead, Mark

if TYPE_CHECKING:
    from imapclient import IMAPClient

MOST_MAILS = 200
LARGEST = 2 * 1024 * 1024
LOOK_BACK = timedelta(days=35)
AT_ONCE = 50
REPLY, WHOLE, ENOUGH = 15.0, 60.0, 40.0
"""Seconds: for a reply of the server, for the whole reading, and after which no mail is begun."""
_HEADERS = "BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)]"
_BUSY = re.compile(r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\]")
_ATOM = re.compile(r"[A-Za-z0-9.@_+=~-]+\Z")
_HINTS = {
    ErrorKind.AUTH: "check `user` and `password` of the mailbox; many providers of mail want an "
    "application password for programs",
    ErrorKind.SCOPE: "check `folder` of the mailbox, and that the user may read it",
    ErrorKind.BLOCKED: "for a server of your own name its certificate authority in `tls_ca`",
    ErrorKind.UNAVAILABLE: "it is tried again at the next reading; if it lasts, check `host` and "
    "`port` of the mailbox, and the network",
    ErrorKind.MALFORMED: "check `host` and `port` of the mailbox: TLS from the start, usually 993",
}
T = TypeVar("T")


def read(
    mailbox: Mailbox,
    password: str,
    mark: Mark | None,
    now: datetime,
    *,
    dns: Lookup | None = None,
    context: ssl.SSLContext | None = None,
) -> MailRead:
    """Return what the mails after the mark tell, and how far they were read.

    At most 200 mails are looked at, and only those whose sender and subject concern us are
    fetched. The first reading, and one after the folder was made anew, looks back 35 days. A mail
    whose signature cannot be checked yet ends the reading before it, and is read again next time.

    Raises:
        MailboxError: when the mailbox could not be read.
    """
    visit = _Visit(mailbox, now, dns or _default_lookup(), context)
    try:
        return visit.within(WHOLE, lambda: visit.read(password, mark))
    except TimeoutError:
        raise _error(ErrorKind.UNAVAILABLE, mailbox, "took too long") from None


def _default_lookup() -> Lookup:
    from spendguard.mailbox.names import published

    return published()


def _error(kind: ErrorKind, mailbox: Mailbox, what: str) -> MailboxError:
    return MailboxError(kind, f"the mail server of mailbox {mailbox.name!r} {what}", _HINTS[kind])


class _Visit:
    """One connection to a mailbox, for as long as one reading takes."""

    def __init__(
        self, mailbox: Mailbox, now: datetime, dns: Lookup, context: ssl.SSLContext | None
    ) -> None:
        self._mailbox = mailbox
        self._now = now
        self._dns = dns
        self._context = context
        self._client: IMAPClient | None = None
        self._enough = time.monotonic() + ENOUGH
        self._given_up = False

    def within(self, seconds: float, call: Callable[[], T]) -> T:
        """Return what `call` returns; when it takes longer, cut the connection.

        It runs in a thread of its own, for no time-out of a socket bounds a server that answers
        byte by byte.

        Raises:
            TimeoutError: when it took longer.
        """
        results: list[T] = []
        failures: list[BaseException] = []

        def run() -> None:
            try:
                results.append(call())
            except Exception as error:  # noqa: BLE001 - raised again below
                failures.append(error)

        thread = threading.Thread(target=run, name="spendguard-mailbox", daemon=True)
        thread.start()
        thread.join(seconds)
        if failures:
            raise failures[0] from None
        if not results:
            self._given_up = True
            self._cut()
            raise TimeoutError
        return results[0]

    def read(self, password: str, mark: Mark | None) -> MailRead:
        """Connect, read and leave; what goes wrong is said in our words."""
        import logging

        from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

        # At DEBUG they hold whole mails.
        logging.getLogger("imapclient").setLevel(logging.INFO)
        try:
            client = self._client = self._connect()
            try:
                self._log_in(client, password)
                return self._look(client, mark)
            finally:
                self._leave(client)
        except MailboxError:
            raise
        except IMAPClientAbortError:
            raise self._failed(ErrorKind.UNAVAILABLE, "broke the connection off") from None
        except IMAPClientError:
            raise self._failed(ErrorKind.MALFORMED, "refused what was asked") from None
        except OSError:
            raise self._failed(ErrorKind.UNAVAILABLE, "does not answer") from None
        except (ValueError, LookupError, TypeError, AttributeError, AssertionError):
            raise self._failed(ErrorKind.MALFORMED, "answered with something else") from None

    def _failed(self, kind: ErrorKind, what: str) -> MailboxError:
        return _error(kind, self._mailbox, what)

    def _connect(self) -> IMAPClient:
        from imapclient import IMAPClient
        from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

        mailbox = self._mailbox
        context = self._context or self._tls()
        try:
            client = IMAPClient(mailbox.host, mailbox.port, ssl_context=context, timeout=REPLY)
        except ssl.SSLCertVerificationError:
            raise self._failed(
                ErrorKind.BLOCKED, "shows a certificate nobody vouches for"
            ) from None
        except ssl.SSLError:
            raise self._failed(ErrorKind.MALFORMED, "does not speak TLS on this port") from None
        except (OSError, UnicodeError):
            raise self._failed(ErrorKind.UNAVAILABLE, "cannot be reached") from None
        except IMAPClientAbortError:
            raise self._failed(ErrorKind.UNAVAILABLE, "does not greet as one does") from None
        except IMAPClientError:
            raise self._failed(ErrorKind.MALFORMED, "does not speak IMAP") from None
        client.normalise_times = False
        return client

    def _tls(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self._mailbox.tls_ca)
        except (OSError, ValueError):
            raise MailboxError(
                ErrorKind.BLOCKED,
                f"`tls_ca` of mailbox {self._mailbox.name!r} cannot be read as certificates",
                "name a PEM file that the guard's user may read",
            ) from None

    def _log_in(self, client: IMAPClient, password: str) -> None:
        from imapclient.exceptions import IMAPClientAbortError, LoginError

        user = self._mailbox.user
        try:
            if user.isascii() and password.isascii():
                client.login(user if _ATOM.match(user) else _quoted(user), password)
            else:
                client.plain_login(user, password)
        except LoginError as error:
            if isinstance(error.__context__, IMAPClientAbortError):
                raise self._failed(ErrorKind.UNAVAILABLE, "broke the log-in off") from None
            if _BUSY.search(str(error)):
                raise self._failed(ErrorKind.UNAVAILABLE, "lets nobody in at present") from None
            raise self._failed(ErrorKind.AUTH, "refused user or password") from None

    def _look(self, client: IMAPClient, mark: Mark | None) -> MailRead:
        uidvalidity, newest = self._examine(client)
        if mark is not None and mark.uidvalidity != uidvalidity:
            mark = None
        uids = self._new(client, mark)
        last = newest if mark is None else mark.last_uid
        if uids:
            last = uids[0] - 1 if mark is None else mark.last_uid
        evidence: list[Evidence] = []
        seen = 0
        for uid, heard in self._hear(client, uids[:MOST_MAILS]):
            last = uid
            seen += 1
            if heard is not None:
                evidence.append(heard)
        return MailRead(tuple(evidence), Mark(uidvalidity, last), seen)

    def _examine(self, client: IMAPClient) -> tuple[int, int]:
        """Open the folder so that nothing can be changed; return its UIDVALIDITY and last UID."""
        from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

        try:
            answer = client.select_folder(self._mailbox.folder, readonly=True)
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            raise self._failed(ErrorKind.SCOPE, "does not open the folder") from None
        uidvalidity = answer.get(b"UIDVALIDITY")
        if uidvalidity is None:
            raise self._failed(ErrorKind.MALFORMED, "gives its folder no UIDVALIDITY")
        uidnext = answer.get(b"UIDNEXT")
        newest = max(client.search("ALL"), default=0) if uidnext is None else int(uidnext) - 1
        return int(uidvalidity), newest

    def _new(self, client: IMAPClient, mark: Mark | None) -> list[int]:
        """Return the UIDs of mails that were not read yet, in order."""
        if mark is None:
            found = client.search(["SINCE", (self._now - LOOK_BACK).date()])
            return sorted(int(uid) for uid in found)
        # "n:*" names the last mail even where there is none after n.
        found = client.search(["UID", f"{mark.last_uid + 1}:*"])
        return sorted(int(uid) for uid in found if int(uid) > mark.last_uid)

    def _hear(self, client: IMAPClient, uids: list[int]) -> Iterator[tuple[int, Evidence | None]]:
        """Yield each mail with what it tells, until there is no time or one cannot be judged."""
        known = hearing.known_patterns(self._mailbox)
        for start in range(0, len(uids), AT_ONCE):
            batch = uids[start : start + AT_ONCE]
            heads = client.fetch(batch, [_HEADERS, "RFC822.SIZE", "INTERNALDATE"])
            for uid in batch:
                if self._given_up or time.monotonic() > self._enough:
                    return
                head = heads.get(uid, {})
                letter = open_letter(_body(head), self._arrived(head))
                if patterns.find(letter, known) is None:
                    yield uid, None
                    continue
                whole = self._whole(client, uid, head)
                try:
                    yield uid, hearing.hear(whole, known, self._mailbox, self._dns, self._now)
                except CannotTellError:
                    return

    def _whole(self, client: IMAPClient, uid: int, head: dict[bytes, Any]) -> Letter:
        """Return a mail with its text, or the headers alone of one that is too large."""
        complete = int(head.get(b"RFC822.SIZE", 0)) <= LARGEST
        what = f"BODY.PEEK[]<0.{LARGEST}>" if complete else "BODY.PEEK[HEADER]"
        raw = _body(client.fetch([uid], [what]).get(uid, {}))
        return open_letter(raw, self._arrived(head), complete=complete and len(raw) < LARGEST)

    def _arrived(self, head: dict[bytes, Any]) -> datetime:
        stated = head.get(b"INTERNALDATE")
        if not isinstance(stated, datetime) or stated.tzinfo is None:
            return self._now
        return stated.astimezone(UTC)

    def _leave(self, client: IMAPClient) -> None:
        with suppress(Exception):
            client.logout()
        with suppress(Exception):
            client.shutdown()

    def _cut(self) -> None:
        client = self._client
        if client is not None:
            with suppress(OSError, AttributeError):
                client.socket().shutdown(socket.SHUT_RDWR)


def _body(answer: dict[bytes, Any]) -> bytes:
    """Return the part that was fetched, however the server names it."""
    found = (value for name, value in answer.items() if name.startswith(b"BODY["))
    return next((value for value in found if isinstance(value, bytes)), b"")


def _quoted(user: str) -> str:
    escaped = user.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
