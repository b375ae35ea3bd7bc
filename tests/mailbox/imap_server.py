"""A mail server on loopback: small, faithful in what the guard asks, and a witness of all it was told.

`mode` says how it behaves:

    ok        as a server does                 busy      lets nobody in at present
    drop      hangs up after the greeting      hang-up   hangs up instead of answering a fetch
    garbage   speaks something else            trickle   answers byte by byte, for ever
    timeless  knows no UIDVALIDITY             plain     no TLS
"""

from __future__ import annotations

import base64
import re
import socket
import ssl
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self

import trustme

# Made while this module is imported, by the real clock: under a frozen one cryptography breaks.
_AUTHORITY = trustme.CA()
_LEAF = _AUTHORITY.issue_cert("127.0.0.1")
READ_ONLY = {
    "CAPABILITY",
    "LOGIN",
    "AUTHENTICATE",
    "EXAMINE",
    "UID SEARCH",
    "UID FETCH",
    "NOOP",
    "LOGOUT",
}
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass
class Stored:
    """A mail in the folder."""

    uid: int
    raw: bytes
    arrived_at: datetime


@dataclass
class Folder:
    """What the server holds."""

    uidvalidity: int = 77
    mails: list[Stored] = field(default_factory=list)
    next_uid: int = 1

    def add(self, raw: bytes, arrived_at: datetime) -> int:
        """Let a mail arrive."""
        self.mails.append(Stored(self.next_uid, raw, arrived_at))
        self.next_uid += 1
        return self.next_uid - 1


class ImapServer:
    """A server with one user and one folder."""

    user, password, name = "billing@acme.example", 'hunter2 "quoted" \\', "INBOX"

    def __init__(self) -> None:
        self.mode = "ok"
        self.folder = Folder()
        self.told: list[str] = []  # every command, without its arguments
        self.fetched: list[tuple[int, str]] = []
        self.on_fetch: Callable[[int], None] = lambda _uid: None
        self._closing = Event()
        self._threads: list[Thread] = []

    def __enter__(self) -> Self:
        self._files = tempfile.TemporaryDirectory(prefix="spendguard-imap-")
        self.ca = Path(self._files.name) / "ca.pem"
        _AUTHORITY.cert_pem.write_to_path(str(self.ca))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _LEAF.configure_cert(self._context)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port = int(self._listener.getsockname()[1])
        self._acceptor = Thread(target=self._accept, daemon=True)
        self._acceptor.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._acceptor.join()
        for thread in self._threads:
            thread.join()
        self._listener.close()
        self._files.cleanup()

    @property
    def changed(self) -> list[str]:
        """The commands that could have changed something; a FETCH that marks is one."""
        return [command for command in self.told if command not in READ_ONLY]

    def _accept(self) -> None:
        while not self._closing.is_set():
            with suppress(TimeoutError):
                plain, _ = self._listener.accept()
                thread = Thread(target=self._serve, args=(plain,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, plain: socket.socket) -> None:
        plain.settimeout(10)
        connection: socket.socket = plain
        with suppress(OSError, ValueError):
            if self.mode != "plain":
                connection = self._context.wrap_socket(plain, server_side=True)
            _Talk(self, connection, self._closing).run()
        with suppress(OSError):
            connection.close()


class _Talk:
    """One connection."""

    def __init__(self, server: ImapServer, connection: socket.socket, closing: Event) -> None:
        self._server = server
        self._connection = connection
        self._closing = closing
        self._stream = connection.makefile("rb")

    def run(self) -> None:
        """Speak until somebody leaves."""
        mode = self._server.mode
        if mode == "garbage":
            self._say("HTTP/1.1 400 Bad Request")
            return
        self._say("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready")
        if mode == "drop":
            return
        while line := self._stream.readline():
            tag, _, rest = line.decode().rstrip("\r\n").partition(" ")
            command, _, arguments = rest.partition(" ")
            if command.upper() == "UID":
                verb, _, arguments = arguments.partition(" ")
                command = f"UID {verb}"
            self._server.told.append(command.upper())
            if not self._answer(tag, command.upper(), arguments):
                return

    def _say(self, line: str | bytes) -> None:
        raw = line if isinstance(line, bytes) else line.encode()
        self._connection.sendall(raw + b"\r\n")

    def _answer(self, tag: str, command: str, arguments: str) -> bool:
        if command == "CAPABILITY":
            self._say("* CAPABILITY IMAP4rev1 AUTH=PLAIN")
        elif command == "LOGIN":
            return self._log_in(tag, arguments)
        elif command == "AUTHENTICATE":
            self._say("+ ")
            said = base64.b64decode(self._stream.readline()).decode().split("\0")
            return self._let_in(tag, said[1], said[2])
        elif command == "EXAMINE":
            return self._examine(tag, arguments)
        elif command == "UID SEARCH":
            self._say(f"* SEARCH {' '.join(map(str, self._found(arguments)))}".rstrip())
        elif command == "UID FETCH":
            if not self._fetch(arguments):
                return False
        elif command == "LOGOUT":
            self._say("* BYE")
            self._say(f"{tag} OK done")
            return False
        elif command != "NOOP":
            self._say(f"{tag} NO [NOPERM] this server is only read")
            return True
        self._say(f"{tag} OK done")
        return True

    def _log_in(self, tag: str, arguments: str) -> bool:
        words = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', arguments)
        user, password = (re.sub(r"\\(.)", r"\1", quoted) or plain for quoted, plain in words)
        return self._let_in(tag, user, password)

    def _let_in(self, tag: str, user: str, password: str) -> bool:
        if self._server.mode == "busy":
            self._say(f"{tag} NO [UNAVAILABLE] come back later")
        elif (user, password) == (self._server.user, self._server.password):
            self._say(f"{tag} OK welcome")
        else:
            self._say(f"{tag} NO [AUTHENTICATIONFAILED] not with {password}")
        return True

    def _examine(self, tag: str, arguments: str) -> bool:
        if arguments.strip('"') != self._server.name:
            self._say(f"{tag} NO [NONEXISTENT] no such folder")
            return True
        folder = self._server.folder
        self._say(f"* {len(folder.mails)} EXISTS")
        self._say("* FLAGS (\\Seen \\Deleted)")
        if self._server.mode != "timeless":
            self._say(f"* OK [UIDVALIDITY {folder.uidvalidity}] valid")
            self._say(f"* OK [UIDNEXT {folder.next_uid}] next")
        self._say(f"{tag} OK [READ-ONLY] done")
        return True

    def _found(self, arguments: str) -> list[int]:
        mails = self._server.folder.mails
        since = re.search(r"SINCE (\d+)-(\w+)-(\d+)", arguments)
        if since:
            day = datetime(int(since[3]), _MONTHS.index(since[2]) + 1, int(since[1]), tzinfo=UTC)
            return [one.uid for one in mails if one.arrived_at >= day]
        above = re.search(r"UID (\d+):\*", arguments)
        if above and mails:
            last = max(one.uid for one in mails)
            first = min(int(above[1]), last)  # n:* holds the last one, whatever n is
            return [one.uid for one in mails if one.uid >= first]
        return [one.uid for one in mails]

    def _fetch(self, arguments: str) -> bool:
        chosen, _, items = arguments.partition(" ")
        if self._server.mode == "hang-up":
            return False
        if re.search(r"BODY\[|RFC822(?!\.SIZE)", items):
            self._server.told.append("FETCH THAT MARKS")
        for uid in _uids(chosen):
            self._server.fetched.append((uid, items))
            self._server.on_fetch(uid)
            for place, one in enumerate(self._server.folder.mails, 1):
                if one.uid == uid:
                    self._say_mail(place, one, items)
        return True

    def _say_mail(self, place: int, mail: Stored, items: str) -> None:
        head, _, _body = mail.raw.partition(b"\r\n\r\n")
        parts = [f"UID {mail.uid}".encode()]
        if "RFC822.SIZE" in items:
            parts.append(f"RFC822.SIZE {len(mail.raw)}".encode())
        if "INTERNALDATE" in items:
            at = mail.arrived_at
            stamp = f"{at.day:2d}-{_MONTHS[at.month - 1]}-{at.year} {at:%H:%M:%S} +0000"
            parts.append(f'INTERNALDATE "{stamp}"'.encode())
        if "HEADER.FIELDS" in items:
            wanted = re.findall(rb"(?mi)^(?:From|Subject):.*\r\n(?:[ \t].*\r\n)*", head + b"\r\n")
            content = b"".join(wanted) + b"\r\n"
            parts.append(b"BODY[HEADER.FIELDS (FROM SUBJECT)] " + _literal(content))
        elif "BODY.PEEK[HEADER]" in items:
            parts.append(b"BODY[HEADER] " + _literal(head + b"\r\n\r\n"))
        elif cut := re.search(r"BODY\.PEEK\[\]<0\.(\d+)>", items):
            parts.append(b"BODY[]<0> " + _literal(mail.raw[: int(cut[1])]))
        line = f"* {place} FETCH (".encode() + b" ".join(parts) + b")"
        if self._server.mode == "trickle":
            while not self._closing.wait(0.05):
                self._connection.sendall(b"* OK still here\r\n"[:1])
        self._say(line)


def _literal(content: bytes) -> bytes:
    return f"{{{len(content)}}}\r\n".encode() + content


def _uids(chosen: str) -> list[int]:
    found: list[int] = []
    for part in chosen.split(","):
        first, _, last = part.partition(":")
        found += range(int(first), int(last or first) + 1)
    return found
