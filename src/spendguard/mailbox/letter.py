"""Letters: the bytes of a mail as headers and text. Whatever arrives, reading it does not fail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.policy import compat32
from email.utils import parsedate_to_datetime
from html import unescape

LONGEST_HEAD = 256 * 1024
LONGEST_PART = 1024 * 1024
LONGEST_TEXT = 256 * 1024
DEEPEST = 20
"""Parts in parts that are looked into; real receipts have three levels at most."""
_ADDRESS = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,10}"
_FROM = re.compile(
    rf"""\s*(?:(?:"(?:[^"\\]|\\.)*"|[^<>",;:()@\\]*)\s*<(?P<angled>{_ADDRESS})>|(?P<bare>{_ADDRESS}))\s*\Z"""
)
_HEADER = re.compile(rb"([\x21-\x39\x3b-\x7e]+):(.*)\Z", re.DOTALL)
_TAG = re.compile(r"<(/?)(!--|[A-Za-z!?][A-Za-z0-9]*)")
UNSEEN = frozenset({"script", "style", "template", "title"})
INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "big", "em", "font", "i", "small", "span", "strong", "u"}
)
_SMALL = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff\x00]")
_EMPTY_LINE = re.compile(rb"(?:\A|(?<=\n))\r?\n")
# What foreign bytes make the standard library raise, besides its own errors of mails.
_FOREIGN = (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it lies in the mailbox.

    `headers` are names in lower case with values still folded, split exactly as those who verify
    signatures split them. `sound` is False where two readers could see two different mails.
    """

    raw: bytes
    headers: tuple[tuple[str, bytes], ...]
    body: bytes
    arrived_at: datetime
    sound: bool
    complete: bool = True

    def all(self, name: str) -> list[str]:
        """Return the values of every header of a name, unfolded, top first."""
        return [_unfolded(value) for known, value in self.headers if known == name]

    def one(self, name: str) -> str | None:
        """Return the value of a header that stands there exactly once."""
        values = self.all(name)
        return values[0] if len(values) == 1 else None

    @property
    def sender(self) -> str | None:
        """The address of the one sender, in lower case; None unless there is exactly one."""
        match = _FROM.match(self.one("from") or "")
        return None if match is None else (match["angled"] or match["bare"]).lower()

    @property
    def senders_words(self) -> str:
        """All that a reader sees as the sender: names, addresses, as many as there are."""
        return flat(" ".join(_decoded(value) for value in self.all("from")))

    @property
    def subject(self) -> str:
        """The subject, decoded, in one line; the first where there is more than one."""
        return flat(_decoded(next(iter(self.all("subject")), "")))

    @property
    def dated_at(self) -> datetime | None:
        """When the sender says the mail was written."""
        try:
            stated = parsedate_to_datetime(self.one("date") or "")
            return (stated if stated.tzinfo else stated.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None

    def texts(self) -> tuple[str, ...]:
        """Return what a reader sees, each reading of the mail in one line: plain, then HTML.

        Attachments and mails within the mail are left closed.
        """
        kept = [
            name + b":" + value
            for name, value in ((n.encode(), v) for n, v in self.headers)
            if name in {b"content-type", b"content-transfer-encoding"}
        ]
        try:
            message = message_from_bytes(b"".join(kept) + b"\r\n" + self.body, policy=compat32)
            parts = list(_parts(message))
        except _FOREIGN:
            return ()
        plain = " ".join(text for kind, text in parts if kind == "text/plain")
        html = " ".join(_seen(text) for kind, text in parts if kind == "text/html")
        return tuple(flat(text) for text in (plain, html) if text.strip())


def open_letter(raw: bytes, arrived_at: datetime, *, complete: bool = True) -> Letter:
    """Return the bytes of a mail as a letter."""
    head, body, sound = _split(raw)
    # A lone carriage return ends a line for some readers and not for others.
    sound = sound and b"\r" not in raw.replace(b"\r\n", b"") and b"\0" not in raw
    return Letter(raw, tuple(head), body, arrived_at, sound, complete)


def flat(text: str) -> str:
    """Return a text in one line, without what nobody sees."""
    seen = _INVISIBLE.sub("", text).encode("utf-8", "replace").decode()
    return " ".join(seen.split())


def _split(raw: bytes) -> tuple[list[tuple[str, bytes]], bytes, bool]:
    """Split headers and body at the first empty line; unsound where a line is no header."""
    end = _EMPTY_LINE.search(raw)
    head = raw if end is None else raw[: end.start()]
    body = b"" if end is None else raw[end.end() :]
    sound = len(head) <= LONGEST_HEAD
    headers: list[tuple[str, list[bytes]]] = []
    for line in re.split(b"\r?\n", head[:LONGEST_HEAD].removesuffix(b"\n").removesuffix(b"\r")):
        match = _HEADER.match(line)
        if line[:1] in (b" ", b"\t") and headers:
            headers[-1][1].append(line)
        elif match is not None:
            headers.append((match[1].decode().lower(), [match[2]]))
        else:
            sound = False
    joined = [(name, b"".join(line + b"\r\n" for line in lines)) for name, lines in headers]
    return joined, re.sub(b"\r?\n", b"\r\n", body), sound


def _unfolded(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return text.replace("\r\n", "").strip()


def _decoded(value: str) -> str:
    try:
        return "".join(
            part if isinstance(part, str) else part.decode(charset or "ascii", "replace")
            for part, charset in decode_header(value)
        )
    except _FOREIGN:
        return value


def _parts(message: Message, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the kind and the text of every part that a reader sees at once."""
    kind = message.get_content_type()
    payload = message.get_payload()
    if message.is_multipart() and isinstance(payload, list):
        if kind.startswith("multipart/") and depth < DEEPEST:
            for part in payload:
                if isinstance(part, Message):
                    yield from _parts(part, depth + 1)
    elif kind in {"text/plain", "text/html"} and message.get_content_disposition() in {
        None,
        "inline",
    }:
        content = message.get_payload(decode=True)
        if isinstance(content, bytes) and len(content) <= LONGEST_PART:
            yield kind, _text(content, message)[:LONGEST_TEXT]


def _text(content: bytes, message: Message) -> str:
    charset = message.get_content_charset() or "utf-8"
    try:
        return content.decode("utf-8" if charset == "us-ascii" else charset)
    except (LookupError, UnicodeError):
        return content.decode("utf-8", "replace")


def _seen(html: str) -> str:
    """Return what is seen of an HTML page.

    The standard library's parser takes minutes over a page made for it to (CPython 135462), so
    tags are only skipped here, each in one look, and quotes in them not understood.
    """
    words: list[str] = []
    small = html.translate(_SMALL)
    place = 0
    while (opening := html.find("<", place)) >= 0:
        words.append(html[place:opening])
        tag = _TAG.match(html, opening)
        if tag is None:
            words.append("<")
            place = opening + 1
            continue
        name = tag[2].lower()
        words.append("" if name in INLINE else " ")
        closing = "-->" if name == "!--" else f"</{name}" if not tag[1] and name in UNSEEN else ">"
        found = small.find(closing, tag.end())
        if found < 0:
            return unescape("".join(words))
        place = found + (0 if closing.startswith("<") else len(closing))
    words.append(html[place:])
    return unescape("".join(words))
