"""The wire: requests and replies as values, and JSON that keeps every digit of a Decimal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Protocol

CURSORS = frozenset({"page", "after", "before"})


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, without the key it was asked with; `path` begins after /v1."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()

    def one(self, name: str) -> str | None:
        """Return the last value of a parameter."""
        values = [value for key, value in self.query if key == name]
        return values[-1] if values else None

    def many(self, name: str) -> list[str]:
        """Return all values of an array, repeated plainly or with brackets as the SDK does."""
        return [value for key, value in self.query if key in (name, f"{name}[]")]

    def number(self, name: str, default: int | None = None) -> int:
        """Return a whole number.

        Raises:
            ApiError: when it is missing and has no default, or is no number.
        """
        text = self.one(name)
        if text is None and default is not None:
            return default
        if text is None:
            raise invalid(f"Missing required parameter: '{name}'.", name)
        try:
            return int(text)
        except ValueError:
            raise invalid(f"Invalid type for '{name}': expected an integer.", name) from None

    def rewound(self) -> Request:
        """Return the request for the first page."""
        return replace(self, query=tuple(pair for pair in self.query if pair[0] not in CURSORS))


@dataclass(frozen=True, slots=True)
class Reply:
    """A status and a document; where `text` is given, it is sent as it stands."""

    status: int
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None
    content_type: str = "application/json"

    @property
    def content(self) -> bytes:
        """The body."""
        return (dumps(self.document) if self.text is None else self.text).encode()


class Api(Protocol):
    """What a provider answers, as of the world's now."""

    def answer(self, request: Request, key: str | None, body: bytes = b"") -> Reply:
        """Return the reply to a request that no fault gets in the way of."""
        ...


class ApiError(Exception):
    """A refusal, with the reply that tells it."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def refusal(
    status: int,
    message: str,
    *,
    kind: str = "invalid_request_error",
    param: str | None = None,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Return an error in OpenAI's usual form."""
    error = {"message": message, "type": kind, "param": param, "code": code}
    return Reply(status, {"error": error}, headers or {})


def invalid(message: str, param: str) -> ApiError:
    """Return the refusal of a malformed request."""
    return ApiError(refusal(400, message, param=param))


def missing() -> ApiError:
    """Return the refusal of what does not exist."""
    return ApiError(refusal(404, "Not found.", code="not_found"))


def dumps(document: Any) -> str:
    """Write JSON with each Decimal as a number of exactly its digits; NaN stays NaN."""
    if isinstance(document, Mapping):
        pairs = (f"{json.dumps(str(key))}: {dumps(value)}" for key, value in document.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(document, list | tuple):
        return "[" + ", ".join(dumps(part) for part in document) + "]"
    if isinstance(document, Decimal):
        return format(document, "f")
    if isinstance(document, float):
        raise TypeError("a float has no place in a reply")
    return json.dumps(document)
