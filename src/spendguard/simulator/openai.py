"""OpenAI's admin API: who may ask, and what each path answers as of the world's now."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from spendguard.core.money import NANOS, Money
from spendguard.simulator.costs import costs
from spendguard.simulator.usage import usage
from spendguard.simulator.wire import ApiError, Reply, Request, invalid, missing, refusal
from spendguard.simulator.world import AdminKey, ApiKey, Project, SpendAlert, World

CENT = NANOS // 100
CANNOT_ADMINISTER = ("sk-proj-", "sk-svcacct-", "sk-None-")
MISSING_SCOPES = (
    "You have insufficient permissions for this operation. Missing scopes: api.usage.read. Check "
    "that you have the correct role in your organization (Reader, Writer, Owner) and project "
    "(Member, Owner), and if you're using a restricted API key, that it has the necessary scopes."
)
MODELS = ("gpt-6-astra", "gpt-6-astra-mini")


def unknown_key(key: str) -> Reply:
    """Return what a wrong, revoked or expired key is answered."""
    shown = f"{key[:8]}***{key[-4:]}" if len(key) > 12 else "***"
    return refusal(
        401,
        f"Incorrect API key provided: {shown}. You can find your API key at "
        "https://platform.openai.com/account/api-keys.",
        code="invalid_api_key",
    )


def redacted(key: str) -> str:
    """Return a key as lists of keys show it."""
    return f"{key[:8]}...{key[-4:]}"


def missing_scopes(status: int = 403) -> Reply:
    """Return what a key of the wrong kind is answered: the error is a plain string."""
    return Reply(status, {"error": MISSING_SCOPES})


class OpenAI:
    """The admin API of one organization, read with one key.

    The key is listed among the organization's admin keys, and stops working when it expires.
    """

    def __init__(self, world: World, key: str, key_expires_at: datetime | None) -> None:
        self.key_expires_at = key_expires_at
        self._world = world
        self._key = key

    def answer(self, request: Request, key: str | None, body: bytes = b"") -> Reply:
        """Return the reply to a request that no fault gets in the way of."""
        try:
            with self._world.lock:
                self._admit(key)
                return Reply(200, self._route(request, body))
        except ApiError as error:
            return error.reply

    def _admit(self, key: str | None) -> None:
        expired = self.key_expires_at is not None and self._world.now >= self.key_expires_at
        if key == self._key and not expired:
            return
        if key is not None and key != self._key and key.startswith(CANNOT_ADMINISTER):
            raise ApiError(missing_scopes())
        raise ApiError(unknown_key(key or ""))

    def _route(self, request: Request, body: bytes) -> Any:
        world = self._world
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["organization", "costs"]:
                return costs(world, request)
            case "GET", ["organization", "usage", series]:
                return usage(world, series, request)
            case "GET", ["organization", "admin_api_keys"]:
                return _page([_admin_key(one, world) for one in self._admin_keys()], request)
            case "GET", ["organization", "projects"]:
                archived = request.one("include_archived") == "true"
                shown = [one for one in world.projects if archived or not one.archived]
                return _page([_project(one, world) for one in shown], request)
            case method, ["organization", "spend_limit"]:
                return _spend_limit(world, method, "", body)
            case "GET", ["organization", "spend_alerts", *rest]:
                return _alerts(world, "", rest, request)
            case method, ["organization", "projects", id, *rest]:
                return _of_project(world, _known(world, id), method, rest, request, body)
        raise missing()

    def _admin_keys(self) -> list[AdminKey]:
        own = AdminKey("key_guard", redacted(self._key), "spendguard", self.key_expires_at)
        return [*self._world.admin_keys, own]


def _of_project(
    world: World, project: Project, method: str, rest: list[str], request: Request, body: bytes
) -> Any:
    match method, rest:
        case "GET", []:
            return _project(project, world)
        case "GET", ["api_keys"]:
            keys = [one for one in world.api_keys if one.project == project.id]
            return _page([_api_key(one, world) for one in keys], request)
        case "GET", ["rate_limits"]:
            return _page([_rate_limit(model) for model in MODELS], request, default=100)
        case "GET", ["spend_alerts", *alert]:
            return _alerts(world, project.id, alert, request)
        case _, ["spend_limit"]:
            return _spend_limit(world, method, project.id, body)
    raise missing()


def _known(world: World, id: str) -> Project:  # noqa: A002
    for project in world.projects:
        if project.id == id:
            return project
    raise missing()


def _page(rows: Sequence[dict[str, Any]], request: Request, default: int = 20) -> dict[str, Any]:
    limit = request.number("limit", default)
    if not 0 <= limit <= 100:
        raise invalid("Invalid value for 'limit': must be between 0 and 100.", "limit")
    rows = rows[::-1] if request.one("order") == "desc" else rows
    ids = [row["id"] for row in rows]
    after = request.one("after")
    if after is not None and after not in ids:
        raise invalid("Invalid value for 'after'.", "after")
    first = 0 if after is None else ids.index(after) + 1
    shown = rows[first : first + limit]
    return {
        "object": "list",
        "data": list(shown),
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": first + limit < len(rows),
    }


def _seconds(instant: datetime | None) -> int | None:
    return None if instant is None else int(instant.timestamp())


def _admin_key(key: AdminKey, world: World) -> dict[str, Any]:
    born = _seconds(world.began_at)
    return {
        "object": "organization.admin_api_key",
        "id": key.id,
        "name": key.name,
        "redacted_value": key.redacted,
        "created_at": born,
        "expires_at": _seconds(key.expires_at),
        "last_used_at": None,
        "owner": {"type": "user", "object": "organization.user", **_person(world)},
    }


def _person(world: World) -> dict[str, Any]:
    born = _seconds(world.began_at)
    return {"id": "user_abc", "name": "First Last", "created_at": born, "role": "owner"}


def _project(project: Project, world: World) -> dict[str, Any]:
    return {
        "id": project.id,
        "object": "organization.project",
        "name": project.name,
        "created_at": _seconds(world.began_at),
        "archived_at": _seconds(world.began_at) if project.archived else None,
        "status": "archived" if project.archived else "active",
    }


def _api_key(key: ApiKey, world: World) -> dict[str, Any]:
    return {
        "object": "organization.project.api_key",
        "redacted_value": "sk-abc...def",
        "name": key.name,
        "created_at": _seconds(world.began_at),
        "last_used_at": None,
        "id": key.id,
        "owner_project_access": "active",
        "owner": {"type": "user", "user": {**_person(world), "email": "user@example.com"}},
    }


def _rate_limit(model: str) -> dict[str, Any]:
    return {
        "object": "project.rate_limit",
        "id": f"rl-{model}",
        "model": model,
        "max_requests_per_1_minute": 600,
        "max_tokens_per_1_minute": 150_000,
    }


def _alerts(world: World, project: str, rest: list[str], request: Request) -> dict[str, Any]:
    rows = [_alert(one) for one in world.alerts if one.project == project]
    if not rest:
        return _page(rows, request)
    for row in rows:
        if rest == [row["id"]]:
            return row
    raise missing()


def _alert(alert: SpendAlert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "object": "project.spend_alert" if alert.project else "organization.spend_alert",
        "threshold_amount": alert.threshold.nanos // CENT,
        "currency": alert.threshold.currency,
        "interval": "month",
        "notification_channel": {
            "type": "email",
            "recipients": ["finance@example.com"],
            "subject_prefix": None,
        },
    }


def _spend_limit(world: World, method: str, project: str, body: bytes) -> dict[str, Any]:
    kind = "project.spend_limit" if project else "organization.spend_limit"
    if method == "POST":
        world.limit(world.now, _threshold(body), project)
    threshold = world.billing.limit(world.now, project)
    # What a GET answers when no limit is set is unconfirmed; 404 is the plain reading.
    if threshold is None:
        raise missing()
    if method == "DELETE":
        world.limit(world.now, None, project)
        return {"object": f"{kind}.deleted", "deleted": True}
    enforcing = world.billing.enforcing(world.now, project)
    return {
        "object": kind,
        "threshold_amount": threshold.nanos // CENT,
        "currency": threshold.currency,
        "interval": "month",
        "enforcement": {"status": "enforcing" if enforcing else "inactive"},
    }


def _threshold(body: bytes) -> Money:
    try:
        asked = json.loads(body)
    except ValueError:
        raise invalid("The body is not JSON.", "body") from None
    match asked:
        case {"threshold_amount": int(cents), "currency": "USD", "interval": "month"} if cents > 0:
            return Money(cents * CENT, "USD")
    raise invalid("Invalid spend limit.", "threshold_amount")
