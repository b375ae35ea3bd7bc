"""How OpenAI says no, and what is made of it."""

from __future__ import annotations

import httpx
import pytest

from spendguard.core.errors import ErrorKind, ProviderError
from spendguard.providers.openai import key_problem
from tests.providers.asking import DATA, KEY, WEEK, always, asking

KINDS = {
    "400_billing_hard_limit_reached": ErrorKind.EXHAUSTED,
    "401_invalid_api_key": ErrorKind.AUTH,
    "403_missing_scopes": ErrorKind.SCOPE,
    "403_session_key": ErrorKind.SCOPE,
    "429_billing_not_active": ErrorKind.EXHAUSTED,
    "429_credit_balance_exhausted": ErrorKind.EXHAUSTED,
    "429_insufficient_quota": ErrorKind.EXHAUSTED,
    "429_organization_spend_limit_exceeded": ErrorKind.EXHAUSTED,
    "429_organization_usage_limit_exceeded": ErrorKind.EXHAUSTED,
    "429_project_spend_limit_exceeded": ErrorKind.EXHAUSTED,
    "429_rate_limit_exceeded": ErrorKind.RATE_LIMITED,
}
SCOPES = "You have insufficient permissions for this operation. Missing scopes: api.usage.read."


def refusal(reply: httpx.Response, key: str = KEY) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        asking(always(reply), key=key).costs(WEEK)
    return caught.value


@pytest.mark.parametrize(
    "name", sorted(path.stem.removeprefix("error_") for path in (DATA / "openai").glob("error_*"))
)
def test_recorded_refusals_have_their_kind(name: str) -> None:
    body = (DATA / "openai" / f"error_{name}.json").read_bytes()

    assert refusal(httpx.Response(int(name[:3]), content=body)).kind is KINDS[name]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"error": SCOPES}, ErrorKind.SCOPE),
        (401, {"error": {"message": SCOPES, "type": "invalid_request_error"}}, ErrorKind.SCOPE),
        (403, {"error": {"message": SCOPES, "code": "missing_scopes"}}, ErrorKind.SCOPE),
        (401, {"error": {"message": "", "code": "token_revoked"}}, ErrorKind.AUTH),
        (403, {"error": {"message": "", "code": "account_deactivated"}}, ErrorKind.AUTH),
        (
            403,
            {"error": {"message": "", "code": "unsupported_country_region_territory"}},
            ErrorKind.BLOCKED,
        ),
        (403, {"success": False, "error": "Access denied by security policy."}, ErrorKind.BLOCKED),
        (403, {"error": 1}, ErrorKind.BLOCKED),
        (403, ["error"], ErrorKind.BLOCKED),
        (429, {"error": {"message": "", "code": "new", "type": "insufficient_quota"}},
         ErrorKind.EXHAUSTED),
        (429, {"error": {"message": "", "code": "slow_down"}}, ErrorKind.RATE_LIMITED),
        (429, {"error": {"message": "", "code": 7, "type": []}}, ErrorKind.RATE_LIMITED),
        (503, {"error": {"message": "", "code": "server_is_overloaded"}}, ErrorKind.UNAVAILABLE),
        (404, {"error": {"message": "", "code": None}}, ErrorKind.UNAVAILABLE),
    ],
)  # fmt: skip
def test_code_then_type_then_status_decide(status: int, body: object, kind: ErrorKind) -> None:
    assert refusal(httpx.Response(status, json=body)).kind is kind


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("sk-proj-abc", "a project key"),
        ("sk-svcacct-abc", "a service account key"),
        ("sk-ant-admin01-abc", "a key of Anthropic"),
        ("sk-abc", "a user key"),
    ],
)
def test_a_wrong_type_of_key_is_named(key: str, what: str) -> None:
    problem = key_problem(key)
    error = refusal(httpx.Response(403, json={"error": SCOPES}), key)

    assert problem is not None
    assert what in problem.message
    assert what in error.hint
    assert "sk-admin-" in problem.hint
    assert key not in f"{problem} {error} {error.hint}"


@pytest.mark.parametrize("key", [KEY, "something a gateway gave"])
def test_nothing_is_said_of_other_keys(key: str) -> None:
    assert key_problem(key) is None
