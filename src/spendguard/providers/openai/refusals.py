"""How OpenAI refuses, and which of its keys can read costs at all."""

from __future__ import annotations

from spendguard.core.errors import ErrorKind, Problem
from spendguard.providers.base import Dialect

NAME = "openai"
ADMIN = "sk-admin-"
_MAKE = (
    "an owner of the organization makes an admin key (sk-admin-…) at "
    "https://platform.openai.com/settings/organization/admin-keys"
)
_WRONG = {
    "sk-ant-": "a key of Anthropic",
    "sk-or-": "a key of OpenRouter",
    "sk-proj-": "a project key",
    "sk-svcacct-": "a service account key",
    "sk-": "a user key",
}

# error.code and error.type of OpenAI's bodies: developers.openai.com/api/docs/guides/error-codes
# and help.openai.com 5955604, as of 2026-11.
CODES = {
    "invalid_api_key": ErrorKind.AUTH,
    "account_deactivated": ErrorKind.AUTH,
    "unsupported_country_region_territory": ErrorKind.BLOCKED,
    "rate_limit_exceeded": ErrorKind.RATE_LIMITED,
    "slow_down": ErrorKind.RATE_LIMITED,
    "credit_balance_exhausted": ErrorKind.EXHAUSTED,
    "insufficient_quota": ErrorKind.EXHAUSTED,
    "billing_hard_limit_reached": ErrorKind.EXHAUSTED,
    "billing_not_active": ErrorKind.EXHAUSTED,
    "organization_spend_limit_exceeded": ErrorKind.EXHAUSTED,
    "organization_usage_limit_exceeded": ErrorKind.EXHAUSTED,
    "project_spend_limit_exceeded": ErrorKind.EXHAUSTED,
    "server_is_overloaded": ErrorKind.UNAVAILABLE,
}


def key_problem(key: str) -> Problem | None:
    """Say what is wrong with a key that cannot read costs, None when nothing can be told."""
    if key.startswith(ADMIN):
        return None
    for prefix, kind in _WRONG.items():
        if key.startswith(prefix):
            return Problem(f"this is {kind} ({prefix}…): it cannot read an OpenAI account", _MAKE)
    return None


def dialect(key: str) -> Dialect:
    """Return how to read refusals; the hint names a key of the wrong kind."""
    problem = key_problem(key)
    told = f"{problem.message}; {_MAKE}" if problem else None
    hints = {
        ErrorKind.AUTH: told or f"the key is revoked, expired or mistyped; {_MAKE}",
        ErrorKind.SCOPE: told
        or f"the key lacks the scope api.usage.read, or is no admin key; {_MAKE}",
        ErrorKind.BLOCKED: "OpenAI refuses this region, or a firewall answers in its place: set "
        "the account's `proxy`",
        ErrorKind.EXHAUSTED: "credit or a spend limit is used up: see "
        "https://platform.openai.com/settings/organization/billing/",
    }
    return Dialect(NAME, "https://status.openai.com", CODES, hints)
