"""Faults: what can stand between a request and its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fnmatch import fnmatchcase
from itertools import count
from typing import Any

from spendguard.simulator.openai import missing_scopes, unknown_key
from spendguard.simulator.wire import Reply, dumps, missing, refusal


class Fault(StrEnum):
    """One way of answering wrongly, late, or not at all; the last three are legal oddities."""

    RATE_LIMITED = "rate limited"
    SERVER_ERROR = "server error"
    BAD_GATEWAY = "bad gateway"
    OVERLOADED = "overloaded"
    REVOKED = "revoked key"
    DEACTIVATED = "account deactivated"
    MISSING_SCOPES = "missing scopes"
    MISSING_SCOPES_401 = "missing scopes with 401"
    GEO_BLOCKED = "blocked region"
    NOT_FOUND = "not found"
    BILLING_NOT_ACTIVE = "billing not active"
    EXHAUSTED = "credit exhausted"
    HTML = "html page with 200"
    TIMEOUT = "no answer"
    DROPPED = "connection dropped"
    CUT_SHORT = "connection dropped within the body"
    TRUNCATED = "truncated json"
    WRONG_TYPE = "data of a wrong type"
    WRONG_AMOUNT = "amount of a wrong type"
    NAN = "not a number"
    SAME_CURSOR = "the same cursor for ever"
    NEW_CURSORS = "new cursors for ever"
    SLOW_BODY = "slow body"
    STRING_AMOUNTS = "amounts as strings"
    UNKNOWN_FIELDS = "unknown fields, objects and enum values"


# What tells how much was used, in one series or another.
COUNTS = (
    "input_tokens",
    "images",
    "characters",
    "seconds",
    "usage_bytes",
    "num_sessions",
    "num_requests",
)
LEGAL = frozenset({Fault.SLOW_BODY, Fault.STRING_AMOUNTS, Fault.UNKNOWN_FIELDS})
ENDLESS = frozenset({Fault.SAME_CURSOR, Fault.NEW_CURSORS})

_HTML = "<!doctype html><html><head><title>Just a moment...</title></head><body></body></html>"
_PAGE = "text/html; charset=utf-8"
_INSTEAD: Mapping[Fault, Reply] = {
    Fault.SERVER_ERROR: refusal(500, "The server had an error.", kind="server_error"),
    Fault.BAD_GATEWAY: Reply(502, text=_HTML, content_type=_PAGE),
    Fault.OVERLOADED: refusal(
        503, "The server is overloaded.", kind="server_error", code="server_is_overloaded"
    ),
    Fault.REVOKED: unknown_key("sk-admin-revoked"),
    Fault.DEACTIVATED: refusal(401, "Your account was deactivated.", code="account_deactivated"),
    Fault.MISSING_SCOPES: missing_scopes(),
    Fault.MISSING_SCOPES_401: missing_scopes(401),
    Fault.GEO_BLOCKED: Reply(403, {"success": False, "error": "Access denied by security policy."}),
    Fault.NOT_FOUND: missing().reply,
    Fault.BILLING_NOT_ACTIVE: refusal(
        429,
        "Your account is not active, please check your billing details on our website.",
        kind="billing_not_active",
        code="billing_not_active",
    ),
    Fault.EXHAUSTED: refusal(
        429,
        "You have no credits remaining. Add credits to continue using the API at "
        "https://platform.openai.com/settings/organization/billing/.",
        kind="insufficient_quota",
        code="credit_balance_exhausted",
    ),
    Fault.HTML: Reply(200, text=_HTML, content_type=_PAGE),
}


def instead(fault: Fault, retry_after: int | None) -> Reply | None:
    """Return the reply that stands in the place of an answer, None when a fault has none."""
    if fault is Fault.RATE_LIMITED:
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        message = "Rate limit reached for requests per min (RPM). Please try again later."
        return refusal(429, message, kind="requests", code="rate_limit_exceeded", headers=headers)
    return _INSTEAD.get(fault)


def distort(fault: Fault, reply: Reply) -> Reply:
    """Return a good reply with the fault in its body."""
    if fault is Fault.TRUNCATED:
        text = dumps(reply.document)
        return replace(reply, text=text[: len(text) * 2 // 3])
    change = _DISTORTIONS.get(fault)
    return reply if change is None else replace(reply, document=change(reply.document))


def _walk(node: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """Return a document with each of its objects changed, the inner ones first."""
    if isinstance(node, list):
        return [_walk(part, change) for part in node]
    if isinstance(node, dict):
        return change({key: _walk(value, change) for key, value in node.items()})
    return node


def _each(names: set[str], change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def changed(one: dict[str, Any]) -> dict[str, Any]:
        return one | {name: change(one[name]) for name in one.keys() & names}

    return lambda document: _walk(document, changed)


def _wrong_type(document: Any) -> Any:
    if "data" in document:
        return document | {"data": "none"}
    return [document]


def _endless(document: Any, number: int) -> Any:
    if document.get("object") == "page":
        return document | {"has_more": True, "next_page": f"page_{number}"}
    if document.get("object") == "list":
        return document | {"has_more": True, "last_id": f"id_{number}"}
    return document


def _unknown_fields(document: Any) -> Any:
    def changed(one: dict[str, Any]) -> dict[str, Any]:
        grown = one | {"x_new": {"nested": [None, 1, "text"]}}
        if "results" in one:
            stranger = {"object": "organization.costs.forecast.result", "confidence": "high"}
            grown["results"] = [*one["results"], stranger]
        for name in one.keys() & {"quantity_unit", "owner_project_access", "status"}:
            if one[name] not in ("enforcing", "inactive"):
                grown[name] = "parsecs"
        return grown

    return _walk(document, changed)


_CURSORS = count(1)
_DISTORTIONS: Mapping[Fault, Callable[[Any], Any]] = {
    Fault.WRONG_TYPE: _wrong_type,
    Fault.WRONG_AMOUNT: _each({"amount", "threshold_amount", *COUNTS}, lambda value: [value]),
    Fault.NAN: _each({"value", "threshold_amount", *COUNTS}, lambda _: Decimal("NaN")),
    Fault.STRING_AMOUNTS: _each({"value"}, lambda value: format(value, "f")),
    Fault.SAME_CURSOR: lambda document: _endless(document, 0),
    Fault.NEW_CURSORS: lambda document: _endless(document, next(_CURSORS)),
    Fault.UNKNOWN_FIELDS: _unknown_fields,
}


@dataclass(slots=True)
class Order:
    """A fault that was asked for: on which paths, how often, or until when in the world's time."""

    fault: Fault
    path: str = "*"
    times: int | None = None
    until: datetime | None = None
    retry_after: int | None = None

    def takes(self, path: str, now: datetime) -> bool:
        """Tell whether it befalls a request, and count that it did."""
        over = self.times == 0 or (self.until is not None and now >= self.until)
        if over or not fnmatchcase(path, self.path):
            return False
        if self.times is not None:
            self.times -= 1
        return True
