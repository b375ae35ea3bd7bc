"""Every unfaulted reply, against OpenAI's own description of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from spendguard.core.world import Terms
from spendguard.simulator import Fault, Simulator, World
from spendguard.simulator.usage import SERIES
from tests.spending import spend_on_everything

SPEC = Path(__file__).parents[1] / "data" / "openai-admin.openapi.yaml"
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
START = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
KEY = "sk-admin-simulated-0001"


@cache
def spec() -> Any:
    return yaml.safe_load(SPEC.read_text())


def problems(pointer: str, document: Any) -> list[str]:
    resource = DRAFT202012.create_resource(spec())
    registry: Registry[Any] = Registry().with_resource("urn:openai", resource)
    validator = Draft202012Validator({"$ref": f"urn:openai#{pointer}"}, registry=registry)
    return [error.message for error in validator.iter_errors(document)]


def answered(template: str, method: str = "get", status: str = "200") -> str:
    escaped = template.replace("~", "~0").replace("/", "~1")
    return f"/paths/{escaped}/{method}/responses/{status}/content/application~1json/schema"


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    world = World(NOW, terms=Terms())
    world.project("proj_web", "Web")
    world.project("proj_old", "Old", archived=True)
    world.api_key("key_web", "proj_web", "web production")
    world.alert("alert_1", "1000")
    world.alert("alert_2", "50", "proj_web")
    world.limit(world.began_at, "100")
    world.limit(world.began_at, "0.50", "proj_web")
    world.spend(NOW, "1.000000001", project="proj_web", api_key="key_web", model="gpt-6-astra")
    spend_on_everything(world, NOW - timedelta(minutes=30))
    headers = {"Authorization": f"Bearer {KEY}"}
    with (
        Simulator(world, KEY, key_expires_at=datetime(2026, 6, 1, tzinfo=UTC)) as simulator,
        httpx.Client(base_url=simulator.url, headers=headers, trust_env=False) as client,
    ):
        yield client


GROUPS = ("project_id", "line_item", "api_key_id")
PROJECT = "/organization/projects/{project_id}"


@pytest.mark.parametrize(
    ("template", "query"),
    [
        ("/organization/costs", f"start_time={START}"),
        ("/organization/costs", f"start_time={START}&limit=2"),
        (
            "/organization/costs",
            f"start_time={START}&limit=180&group_by=" + "&group_by=".join(GROUPS),
        ),
        ("/organization/admin_api_keys", ""),
        ("/organization/projects", "include_archived=true"),
        ("/organization/projects", "limit=0"),
        (PROJECT, ""),
        (PROJECT + "/api_keys", ""),
        (PROJECT + "/rate_limits", ""),
        (PROJECT + "/spend_alerts", ""),
        (PROJECT + "/spend_alerts/{alert_id}", ""),
        (PROJECT + "/spend_limit", ""),
        ("/organization/spend_alerts", ""),
        ("/organization/spend_limit", ""),
    ],
)
def test_answers_as_described(api: httpx.Client, template: str, query: str) -> None:
    path = template.replace("{project_id}", "proj_web").replace("{alert_id}", "alert_2")
    reply = api.get(f"{path}?{query}")
    assert reply.status_code == 200
    assert problems(answered(template), reply.json()) == []


PUBLISHED = sorted(SERIES.keys() - {"decisions"})  # the published description is older than it


@pytest.mark.parametrize("width", ["1m", "1h", "1d"])
@pytest.mark.parametrize("series", PUBLISHED)
def test_answers_with_usage_as_described(api: httpx.Client, series: str, width: str) -> None:
    path = f"/organization/usage/{series}"
    start = int(NOW.timestamp()) - 3600
    for groups in ((), SERIES[series].groups):
        asked: dict[str, Any] = {
            "start_time": start,
            "bucket_width": width,
            "group_by": list(groups),
        }
        reply = api.get(path, params=asked).json()
        assert problems(answered(path), reply) == []
        assert any(bucket["results"] for bucket in reply["data"])


@pytest.mark.parametrize("series", PUBLISHED)
def test_its_groups_are_those_described(series: str) -> None:
    parameters = spec()["paths"][f"/organization/usage/{series}"]["get"]["parameters"]
    [groups] = [one["schema"]["items"]["enum"] for one in parameters if one["name"] == "group_by"]
    assert sorted(groups) == sorted(SERIES[series].groups)


def test_changing_a_limit_is_answered_as_described(api: httpx.Client) -> None:
    template = "/organization/projects/{project_id}/spend_limit"
    path = "/organization/projects/proj_web/spend_limit"
    body = {"threshold_amount": 4200, "currency": "USD", "interval": "month"}
    before = api.get(path).json()
    changed = api.post(path, json=body)
    assert problems(answered(template, "post"), changed.json()) == []
    assert changed.json()["threshold_amount"] == 4200
    gone = api.delete(path)
    assert problems(answered(template, "delete"), gone.json()) == []
    assert api.get(path).status_code == 404
    api.post(path, json=body | {"threshold_amount": before["threshold_amount"]})
    assert api.get(path).json() == before


@pytest.mark.parametrize("query", ["", "start_time=x", f"start_time={START}&limit=181"])
def test_refuses_in_the_usual_form(api: httpx.Client, query: str) -> None:
    reply = api.get(f"/organization/costs?{query}")
    assert reply.status_code == 400
    assert problems("/components/schemas/ErrorResponse", reply.json()) == []


def test_the_validator_is_not_asleep() -> None:
    bucket = {"object": "bucket", "start_time": 0, "end_time": 1, "results": [{"object": "x"}]}
    page = {"object": "page", "data": [bucket], "has_more": False, "next_page": None}
    assert problems(answered("/organization/costs"), page)


LEGAL_ERRORS = [
    Fault.RATE_LIMITED,
    Fault.SERVER_ERROR,
    Fault.OVERLOADED,
    Fault.REVOKED,
    Fault.DEACTIVATED,
    Fault.NOT_FOUND,
    Fault.BILLING_NOT_ACTIVE,
    Fault.EXHAUSTED,
]


@pytest.mark.parametrize("fault", LEGAL_ERRORS)
def test_its_errors_have_the_usual_form(fault: Fault) -> None:
    with Simulator(World(NOW)) as simulator:
        simulator.fault(fault)
        reply = httpx.get(f"{simulator.url}/organization/projects", trust_env=False)
    assert problems("/components/schemas/ErrorResponse", json.loads(reply.text)) == []
