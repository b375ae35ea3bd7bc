"""Limits, alerts, names and the guard's own key: told, or told to be unknown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from spendguard.core.errors import ErrorKind
from spendguard.core.money import Money
from spendguard.core.readings import Extras, Limit, Name, OwnKey, SpendAlert
from spendguard.providers.base import Deadline
from tests.providers.asking import Answer, Reply, asking, by_path, ok, recorded

EXPIRY = datetime(2024, 4, 25, 16, 45, 33, tzinfo=UTC)


def extras(answer: Answer, *projects: str, names: bool = False) -> Extras:
    return asking(answer).extras(names=names, projects=projects)


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def listed(*rows: dict[str, Any], **fields: Any) -> httpx.Response:
    last = {"has_more": False, "first_id": None, "last_id": None}
    return ok({"object": "list", "data": list(rows), **last, **fields})


def admin_key(redacted: str, expires_at: int | None = None) -> dict[str, Any]:
    kind = "organization.admin_api_key"
    return {"object": kind, "redacted_value": redacted, "expires_at": expires_at}


def routed(request: httpx.Request) -> Reply:
    """Answer as the recorded organization with one project does."""
    path = request.url.path.removeprefix("/v1/organization/")
    names = {
        "admin_api_keys": "admin_api_keys",
        "spend_limit": "spend_limit_org",
        "spend_alerts": "spend_alerts_org",
        "projects": "projects",
        "projects/proj_abc/spend_limit": "spend_limit_project",
        "projects/proj_abc/spend_alerts": "spend_alerts_project",
        "projects/proj_abc/api_keys": "project_api_keys",
    }
    return ok(recorded(names[path]))


def test_reads_the_recorded_replies() -> None:
    assert extras(routed, "proj_abc", names=True) == Extras(
        limits=(Limit("", usd("100"), True), Limit("proj_abc", usd("100"), True)),  # noqa: FBT003
        alerts=(
            SpendAlert("", "alert_abc123", usd("1000")),
            SpendAlert("proj_abc", "alert_abc123", usd("1000")),
        ),
        own_key=OwnKey(EXPIRY),
        names=(
            Name("project", "proj_abc", "Project example"),
            Name("api_key", "key_abc", "My API Key"),
        ),
    )


def test_a_404_means_that_none_is_set() -> None:
    nothing = extras(by_path(), "proj_abc", names=True)

    assert nothing == Extras(limits=(), alerts=(), own_key=None, names=())


@pytest.mark.parametrize(
    "body",
    [
        "null",
        "{}",
        '{"object":"organization.spend_limit","threshold_amount":null}',
        '{"object":"organization.spend_limit","threshold_amount":5,"interval":"week"}',
    ],
)
def test_other_ways_to_have_no_monthly_limit(body: str) -> None:
    assert extras(by_path(spend_limit=ok(body))).limits == ()


@pytest.mark.parametrize(
    ("status", "enforcing"), [("enforcing", True), ("inactive", False), ("dreaming", False)]
)
def test_a_limit_is_enforced_only_where_that_is_said(status: str, enforcing: bool) -> None:  # noqa: FBT001
    limit = {"threshold_amount": 1, "currency": "USD", "enforcement": {"status": status}}

    told = extras(by_path(spend_limit=ok(limit)))

    assert told.limits == (Limit("", usd("0.01"), enforcing),)


@pytest.mark.parametrize("amount", ['"5"', "true", "[1]", "NaN", "1.5", "9" * 30])
def test_a_limit_that_is_no_money_is_unknown(amount: str) -> None:
    told = extras(by_path(spend_limit=ok(f'{{"threshold_amount": {amount}}}')))

    assert told.limits is None
    assert told.failures == {"limits": ErrorKind.MALFORMED}


def test_one_part_that_fails_leaves_the_others() -> None:
    told = extras(by_path(spend_alerts=httpx.Response(403, json={"error": "Missing scopes"})))

    assert told == Extras(limits=(), alerts=None, failures={"alerts": ErrorKind.SCOPE})


def test_a_project_that_cannot_be_read_makes_all_limits_unknown() -> None:
    def answer(request: httpx.Request) -> Reply:
        return httpx.Response(500 if "proj_b" in request.url.path else 404)

    assert extras(answer, "proj_a", "proj_b").limits is None


def test_ids_cannot_lead_to_another_path() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> Reply:
        asked.append(request.url.raw_path.decode())
        return httpx.Response(404)

    extras(answer, "../x?y")

    assert "/v1/organization/projects/..%2Fx%3Fy/spend_limit" in asked


@pytest.mark.parametrize(
    ("keys", "own"),
    [
        ([admin_key("sk-admin...def", 1714063533)], OwnKey(EXPIRY)),
        ([admin_key("sk-admin-*****9def", 1714063533)], OwnKey(EXPIRY)),
        ([admin_key("sk-admin…def")], OwnKey(None)),
        ([admin_key("sk-admin...xyz", 1714063533)], None),
        ([admin_key("sk-proj...def", 1714063533)], None),
        ([admin_key("..."), admin_key(""), admin_key("sk-admin-ca")], None),
        (
            [
                admin_key("sk-admin...def"),
                admin_key("sk-admin...def", 1814063533),
                admin_key("sk-admin...def", 1714063533),
            ],
            OwnKey(EXPIRY),
        ),
        ([], None),
    ],
    ids=[
        "the only key",
        "another way to hide it",
        "a key that never expires",
        "another end",
        "another kind",
        "nothing to go by",
        "the earliest of several",
        "no keys",
    ],
)
def test_the_own_key_is_known_by_its_ends(keys: list[dict[str, Any]], own: OwnKey | None) -> None:
    told = extras(by_path(admin_api_keys=listed(*keys)))

    assert told.own_key == own
    assert told.failures == {}


def test_an_expiry_beyond_the_calendar_is_malformed() -> None:
    told = extras(by_path(admin_api_keys=listed(admin_key("sk-admin...def", 10**15))))

    assert told.failures == {"own_key": ErrorKind.MALFORMED}


def test_lists_are_followed_to_their_end() -> None:
    def answer(request: httpx.Request) -> Reply:
        if not request.url.path.endswith("admin_api_keys"):
            return httpx.Response(404)
        if request.url.params.get("after") == "key_1":
            return listed(admin_key("sk-admin...def", 1714063533))
        return listed(admin_key("sk-admin...abc"), has_more=True, last_id="key_1")

    assert extras(answer).own_key == OwnKey(EXPIRY)


@pytest.mark.parametrize("cursor", ["key_1", None])
def test_a_list_that_leads_nowhere_is_unknown(cursor: str | None) -> None:
    told = extras(lambda _: listed(has_more=True, last_id=cursor))

    assert told.failures["own_key"] is ErrorKind.MALFORMED
    assert told.failures["alerts"] is ErrorKind.MALFORMED


def test_a_404_in_the_middle_of_a_list_is_not_its_end() -> None:
    def answer(request: httpx.Request) -> Reply:
        if "after" in request.url.params or not request.url.path.endswith("spend_alerts"):
            return httpx.Response(404)
        return listed(has_more=True, last_id="alert_1")

    assert extras(answer).failures == {"alerts": ErrorKind.UNAVAILABLE}


def test_archived_projects_and_keys_without_access_are_told_as_inactive() -> None:
    def project(id: str, **fields: Any) -> dict[str, Any]:  # noqa: A002
        return {"object": "organization.project", "id": id, "name": id.upper(), **fields}

    def key(id: str, access: str) -> dict[str, Any]:  # noqa: A002
        kind = "organization.project.api_key"
        return {"object": kind, "id": id, "name": None, "owner_project_access": access}

    def answer(request: httpx.Request) -> Reply:
        match request.url.path.removeprefix("/v1/organization/").split("/"):
            case ["projects"]:
                assert request.url.params["include_archived"] == "true"
                old = project("old", status="archived", archived_at=1)
                return listed(project("new", status="active"), old)
            case ["projects", id, "api_keys"]:
                assert request.url.params["owner_project_access"] == "any"
                return listed(key(f"{id}-1", "active"), key(f"{id}-2", "inactive"))
        return httpx.Response(404)

    assert extras(answer, names=True).names == (
        Name("project", "new", "NEW"),
        Name("project", "old", "OLD", active=False),
        Name("api_key", "new-1", ""),
        Name("api_key", "new-2", "", active=False),
        Name("api_key", "old-1", "", active=False),
        Name("api_key", "old-2", "", active=False),
    )


def test_names_are_read_only_when_asked_for() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> Reply:
        asked.append(request.url.path)
        return routed(request)

    assert extras(answer).names is None
    assert "/v1/organization/projects" not in asked


def test_names_read_before_a_failure_are_kept_those_that_spend_first() -> None:
    def answer(request: httpx.Request) -> Reply:
        match request.url.path.removeprefix("/v1/organization/").split("/"):
            case ["projects"]:
                kind = "organization.project"
                return listed({"object": kind, "id": "a"}, {"object": kind, "id": "b"})
            case ["projects", "b", "api_keys"]:
                return listed({"object": "organization.project.api_key", "id": "k", "name": "K"})
        return httpx.Response(500)

    told = extras(answer, "b", names=True)

    assert told.names == (
        Name("project", "a", ""),
        Name("project", "b", ""),
        Name("api_key", "k", "K"),
    )
    assert told.failures["names"] is ErrorKind.UNAVAILABLE


def test_when_the_time_is_up_nothing_more_is_asked() -> None:
    ticks = iter(range(1000))
    asked: list[str] = []

    def answer(request: httpx.Request) -> Reply:
        asked.append(request.url.path)
        return httpx.Response(404)

    deadline = Deadline(lambda: float(next(ticks)), timedelta(seconds=6))
    told = asking(answer, deadline=deadline).extras(names=True, projects=["proj_abc"])

    assert asked == ["/v1/organization/admin_api_keys"]
    assert told.failures == dict.fromkeys(["limits", "alerts", "names"], ErrorKind.UNAVAILABLE)
