"""Failures: every way in which a provider does not answer, as one of a closed set of kinds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from spendguard.core.errors import ErrorKind, ProviderError

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_SECONDS = re.compile(r"\d{1,9}\Z", re.ASCII)
_BY_STATUS = {
    401: ErrorKind.AUTH,
    402: ErrorKind.EXHAUSTED,
    403: ErrorKind.BLOCKED,
    404: ErrorKind.UNAVAILABLE,  # /organization/costs was 404 for a day on 2025-11-08
    407: ErrorKind.UNAVAILABLE,
    408: ErrorKind.UNAVAILABLE,
    429: ErrorKind.RATE_LIMITED,
    451: ErrorKind.BLOCKED,
}
_WORDS = {
    ErrorKind.AUTH: "refused the key",
    ErrorKind.SCOPE: "does not let this key read what the guard needs",
    ErrorKind.BLOCKED: "does not answer from this place",
    ErrorKind.RATE_LIMITED: "asks to be asked less often",
    ErrorKind.EXHAUSTED: "refuses because credit or a limit is used up",
    ErrorKind.UNAVAILABLE: "is not available",
    ErrorKind.MALFORMED: "did not understand, or answers with something else",
    ErrorKind.UNSUPPORTED: "does not offer this",
}
_HINTS = {
    ErrorKind.AUTH: "make a new key and put it where the account's `key` points",
    ErrorKind.SCOPE: "use a key that may read costs",
    ErrorKind.BLOCKED: "the region or a firewall is refused: set the account's `proxy`",
    ErrorKind.RATE_LIMITED: "nothing to do unless it lasts; then raise `poll_interval`",
    ErrorKind.EXHAUSTED: "look at the provider's billing page",
    ErrorKind.UNAVAILABLE: "it is tried again at the next poll; if it lasts, look at "
    "{status_page}, the network and the proxy",
    ErrorKind.MALFORMED: "check the account's `base_url` and `proxy`; a portal or a gateway may "
    "answer in the provider's place",
    ErrorKind.UNSUPPORTED: "see the provider's page in the documentation",
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one provider words its refusals, and what then helps."""

    provider: str
    status_page: str
    codes: Mapping[str, ErrorKind]
    hints: Mapping[ErrorKind, str]

    def error(
        self,
        kind: ErrorKind,
        message: str,
        *,
        status: int | None = None,
        retry_after: timedelta | None = None,
    ) -> ProviderError:
        """Return an error in our words, with the hint that fits its kind."""
        hint = self.hints.get(kind) or _HINTS[kind].format(status_page=self.status_page)
        text = f"{self.provider} {message}"
        return ProviderError(kind, text, hint, status=status, retry_after=retry_after)

    def refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Return the error that a reply other than 2xx stands for."""
        kind = self._kind(status, body)
        message = f"{_WORDS[kind]} (HTTP {status})"
        return self.error(kind, message, status=status, retry_after=_retry_after(headers))

    def _kind(self, status: int, body: bytes) -> ErrorKind:
        error = _error(body)
        code, kind = _words(error)
        known = self.codes.get(code) or self.codes.get(kind)
        if known is not None:
            return known
        # "Missing scopes" comes as a plain string or without a code, with 401 or with 403.
        if error and (status == 403 or (status == 401 and not code)):
            return ErrorKind.SCOPE
        if status in _BY_STATUS:
            return _BY_STATUS[status]
        return ErrorKind.UNAVAILABLE if status >= 500 else ErrorKind.MALFORMED


def malformed(provider: str, what: str) -> ProviderError:
    """Return the error for a reply that came but is not what it should be."""
    return ProviderError(ErrorKind.MALFORMED, f"{provider} {what}", _HINTS[ErrorKind.MALFORMED])


def _error(body: bytes) -> dict[str, Any] | str | None:
    try:
        reply = msgspec.json.decode(body)
    except UNREADABLE:
        return None
    error = reply.get("error") if isinstance(reply, dict) else None
    if isinstance(error, dict):
        return error if isinstance(error.get("message"), str) else None
    # A string that stands alone: a firewall's has other fields beside it (`"success": false`).
    return error if isinstance(error, str) and len(reply) == 1 else None


def _words(error: dict[str, Any] | str | None) -> tuple[str, str]:
    if not isinstance(error, dict):
        return "", ""
    code, kind = error.get("code"), error.get("type")
    told = str(code) if isinstance(code, str | int) else ""  # OpenRouter's codes are numbers
    return told, kind if isinstance(kind, str) else ""


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Return how long to wait; a date is taken relative to the reply's own, not to our clock."""
    asked = headers.get("retry-after", "").strip()
    if _SECONDS.match(asked):
        return timedelta(seconds=int(asked))
    try:
        until = parsedate_to_datetime(asked)
        wait = until - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(wait, timedelta(0))
