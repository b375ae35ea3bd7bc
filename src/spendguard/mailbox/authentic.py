"""Authenticity: whether the domain that a letter names as its sender has signed what is read.

Either we verify the signature (`dkim`), or we take the word of the server that received the mail
(`authentication-results`). What a signature must cover is asked in both cases.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from spendguard.core.evidence import MailPattern, Trust
from spendguard.mailbox.letter import Letter
from spendguard.mailbox.results import CannotTellError

Lookup = Callable[[str], bytes | None]
"""Returns a TXT record, None where there is none; raises CannotTellError."""

MOST_SIGNATURES = 10
CLOCKS_DIFFER = timedelta(hours=1)
SEEN = ("from", "subject", "date", "content-type", "content-transfer-encoding")
"""What is read, and what says how to read it: present once at most, and then signed."""
_LABEL = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\Z")
_NAMED = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a letter is not authentic, nothing when it is; which of its headers are vouched for."""

    why: str = ""
    signed: frozenset[str] = frozenset()

    @property
    def authentic(self) -> bool:
        """True when the sender's domain has signed what is read."""
        return not self.why


@dataclass(frozen=True, slots=True)
class Signature:
    """A DKIM-Signature header and its place among those of the letter."""

    index: int
    value: bytes
    tags: Mapping[str, str]

    @property
    def domain(self) -> str:
        """Who signs."""
        return self.tags.get("d", "").lower()

    def begins(self, start: str) -> bool:
        """Tell whether this is the signature that begins so."""
        return "".join(self.tags.get("b", "").split()).startswith(start)

    @property
    def headers(self) -> frozenset[str]:
        """What is signed."""
        return frozenset(name.strip().lower() for name in self.tags.get("h", "").split(":"))


def judge(
    letter: Letter,
    pattern: MailPattern,
    dns: Lookup,
    *,
    trust: Trust = Trust.DKIM,
    authserv_id: str | None = None,
) -> Verdict:
    """Return whether a letter was signed by the domain of its sender.

    Raises:
        CannotTellError: when the name service did not answer, and no other signature holds.
    """
    flaw = _flaw(letter)
    if flaw:
        return Verdict(flaw)
    domain = (letter.sender or "").partition("@")[2]
    signatures = [one for one in _signatures(letter) if aligned(one.domain, domain, pattern)]
    if not signatures:
        return Verdict(f"it is not signed by {domain}")
    if trust is Trust.AUTHENTICATION_RESULTS:
        return _server_says(letter, signatures, domain, authserv_id or "", pattern)
    return _we_verify(letter, signatures, dns)


def aligned(signer: str, domain: str, pattern: MailPattern) -> bool:
    """Tell whether a signing domain is the sender's, or one above it that the pattern names."""
    if not signer or signer == domain:
        return bool(signer)
    return domain.endswith(f".{signer}") and signer in pattern.signers


def _flaw(letter: Letter) -> str:
    """Say why no signature could vouch for what a reader sees."""
    if not letter.complete:
        return "it is longer than what is read of a mail"
    if not letter.sound:
        return "it is not formed as a mail is"
    if letter.sender is None:
        return "it does not name exactly one sender"
    if any(len(letter.all(name)) > 1 for name in SEEN) or not letter.all("subject"):
        return "its headers contradict one another"
    return ""


def _uncovered(letter: Letter, signature: Signature) -> str:
    """Say what a signature, however good, does not vouch for."""
    if signature.tags.get("a", "").lower() != "rsa-sha256":
        return "it is signed by a method that is not accepted"
    if "l" in signature.tags:
        return "its signature covers only a part of it"
    if not {"from", "subject"} <= signature.headers:
        return "its signature does not cover sender and subject"
    # A header that says how to read the text changes what was signed as much as the text would.
    reading = {name for name in SEEN if name.startswith("content-") and letter.all(name)}
    if not reading <= signature.headers:
        return "its signature does not cover how to read it"
    expires = signature.tags.get("x")
    if expires is not None and _expired(expires, letter.arrived_at):
        return "its signature had expired when it arrived"
    return ""


def _expired(text: str, arrived_at: datetime) -> bool:
    try:
        return arrived_at > datetime.fromtimestamp(int(text), UTC) + CLOCKS_DIFFER
    except (ValueError, OverflowError, OSError):
        return True


def _vouched(letter: Letter, signature: Signature) -> frozenset[str]:
    return frozenset(name for name in signature.headers if len(letter.all(name)) == 1)


def _signatures(letter: Letter) -> Iterator[Signature]:
    found = [value for name, value in letter.headers if name == "dkim-signature"]
    for index, value in enumerate(found[:MOST_SIGNATURES]):
        tags = _tags(value)
        if tags is not None:
            yield Signature(index, value, tags)


def _tags(value: bytes) -> dict[str, str] | None:
    """Read the tags of a signature; None where one stands twice or is no tag."""
    tags: dict[str, str] = {}
    text = value.decode("ascii", "replace").replace("\r\n", "")
    for part in text.strip().removesuffix(";").split(";"):
        name, equals, content = part.partition("=")
        name = name.strip()
        if not equals or not _NAMED.match(name) or name in tags:
            return None
        tags[name] = content.strip()
    return tags


def _we_verify(letter: Letter, signatures: list[Signature], dns: Lookup) -> Verdict:
    why = ""
    unsure: CannotTellError | None = None
    for signature in signatures:
        uncovered = _uncovered(letter, signature)
        if uncovered:
            why = why or uncovered
            continue
        try:
            flaw = _verify(letter, signature, dns)
        except CannotTellError as error:
            unsure = error
            continue
        if not flaw:
            return Verdict("", _vouched(letter, signature))
        why = why or flaw
    if unsure is not None:
        raise unsure
    return Verdict(why)


def _verify(letter: Letter, signature: Signature, dns: Lookup) -> str:
    """Say why a signature does not hold; nothing when it does."""
    selector = signature.tags.get("s", "").lower()
    if not _LABEL.match(selector) or not _LABEL.match(signature.domain):
        return "its signature names no key"
    record = dns(f"{selector}._domainkey.{signature.domain}")
    if record is None:
        return "the key of its signature is not published"
    return "" if _holds(letter, signature, record) else "its signature does not hold"


def _holds(letter: Letter, signature: Signature, record: bytes) -> bool:
    """Tell whether a signature is that of a published key.

    Its times are judged elsewhere, against the mail's arrival: dkimpy would take the clock's, and
    call every signature bad that was good when the mail came.
    """
    import dkim

    def published(_name: bytes, **_how: object) -> bytes:
        return record

    try:
        mail = dkim.DKIM(letter.raw)
        headers = [one for one in mail.headers if one[0].lower() == b"dkim-signature"]
        tags = dkim.util.parse_tag_value(headers[signature.index][1])
        dkim.validate_signature_fields({k: v for k, v in tags.items() if k not in (b"t", b"x")})
        covered = [name.lower() for name in re.split(rb"\s*:\s*", tags[b"h"])]
        return bool(mail.verify_sig(tags, covered, headers[signature.index], published))
    except (
        dkim.DKIMException,
        dkim.util.InvalidTagValueList,
        ArithmeticError,
        AssertionError,
        LookupError,
        TypeError,
        ValueError,
    ):
        return False


def _server_says(
    letter: Letter,
    signatures: list[Signature],
    domain: str,
    authserv_id: str,
    pattern: MailPattern,
) -> Verdict:
    """Take the word of the receiving server: the topmost header that bears its name.

    One further down was there before the mail arrived, written by whoever sent it.
    """
    results = _topmost(letter, authserv_id.lower())
    if results is None:
        return Verdict(f"{authserv_id} does not say whether it is signed")
    own = [one for one in results if aligned(one["domain"], domain, pattern)]
    # Whoever can slip a result of their own into the server's header cannot take its own out.
    if not own or any(one["result"] != "pass" for one in own) or _unsigned(results):
        return Verdict(f"{authserv_id} does not confirm a signature of {domain}")
    confirmed = [one for one in signatures if _meant(one, signatures, own)]
    why = ""
    for signature in confirmed:
        uncovered = _uncovered(letter, signature)
        if not uncovered:
            return Verdict("", _vouched(letter, signature))
        why = why or uncovered
    return Verdict(why or f"{authserv_id} does not say which signature it confirms")


def _topmost(letter: Letter, authserv_id: str) -> list[dict[str, str]] | None:
    for value in letter.all("authentication-results"):
        found = read_results(value)
        if found is None:
            return None
        if found[0] == authserv_id:
            return found[1]
    return None


def _unsigned(results: list[dict[str, str]]) -> bool:
    return any(one["result"] == "none" for one in results)


def _meant(
    signature: Signature, signatures: list[Signature], results: list[dict[str, str]]
) -> bool:
    """Tell whether a result is about this signature: by its beginning, or because it is alone."""
    for result in results:
        start = result.get("header.b", "")
        if len(start) >= 8:
            begins = [one for one in signatures if one.begins(start)]
            if begins == [signature]:
                return True
        elif signatures == [signature]:
            return True
    return False


def read_results(value: str) -> tuple[str, list[dict[str, str]]] | None:
    """Return who speaks in an Authentication-Results header, and its results of DKIM.

    Each has `result`, `domain` and the properties as they stand. None where it cannot be read.
    """
    parts = _clauses(value)
    if parts is None or not parts[0]:
        return None
    results = []
    for words in parts[1:]:
        method, equals, result = words[0].partition("=") if words else ("", "", "")
        if not equals or method.partition("/")[0].lower() != "dkim":
            continue
        found = {"result": result.lower()}
        for word in words[1:]:
            name, _, content = word.partition("=")
            if name.lower() in found:
                return None
            found[name.lower()] = content
        identity = found.get("header.i", "").rpartition("@")[2].lower()
        found["domain"] = found.get("header.d", identity).lower()
        results.append(found)
    return parts[0][0].lower(), results


def _clauses(value: str) -> list[list[str]] | None:
    """Split a header into clauses and words, without comments; quotes keep a word together."""
    clauses: list[list[str]] = [[]]
    word = ""
    depth = 0
    quoted = escaped = False
    for sign in value:
        if escaped:
            escaped = False
            word += "" if depth else sign
        elif sign == "\\" and (quoted or depth):
            escaped = True
        elif quoted:
            quoted = sign != '"'
            word += sign if quoted else ""
        elif sign in "()":
            depth += 1 if sign == "(" else -1
            if depth < 0:
                return None
        elif depth:
            continue
        elif sign == '"':
            quoted = True
        elif sign in "; \t\r\n":
            if word:
                clauses[-1].append(word)
            word = ""
            if sign == ";":
                clauses.append([])
        else:
            word += sign
    if quoted or depth:
        return None
    if word:
        clauses[-1].append(word)
    return clauses
