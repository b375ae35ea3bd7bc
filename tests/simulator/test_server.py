from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from spendguard.simulator import Fault, Simulator, World
from spendguard.simulator.openai import OpenAI
from spendguard.simulator.world import AdminKey

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
NOW = MIDNIGHT + timedelta(hours=12)
KEY = "sk-admin-simulated-0001"
COSTS = f"/organization/costs?start_time={int(MIDNIGHT.timestamp())}"


@pytest.fixture
def world() -> World:
    world = World(NOW)
    world.project("proj_web", "Web")
    world.limit(MIDNIGHT, "100")
    world.spend(MIDNIGHT, "1.25", project="proj_web", model="big")
    return world


@pytest.fixture
def simulator(world: World) -> Iterator[Simulator]:
    with Simulator(world, KEY, patience=timedelta(seconds=0.2)) as simulator:
        yield simulator


@pytest.fixture
def client(simulator: Simulator) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=simulator.url, headers=headers, trust_env=False) as client:
        yield client


def ask_as(simulator: Simulator, authorization: str | None) -> httpx.Response:
    headers = {} if authorization is None else {"Authorization": authorization}
    return httpx.get(simulator.url + COSTS, headers=headers, trust_env=False)


@pytest.mark.parametrize(
    "authorization", [None, "Bearer sk-admin-wrong", "Basic abc", f"Bearer {KEY}x"]
)
def test_a_wrong_or_missing_key_is_refused(simulator: Simulator, authorization: str | None) -> None:
    reply = ask_as(simulator, authorization)
    assert reply.status_code == 401
    assert reply.json()["error"]["code"] == "invalid_api_key"


def test_a_key_that_may_not_administer_is_told_so_in_a_plain_string(simulator: Simulator) -> None:
    reply = ask_as(simulator, "Bearer sk-proj-abcdef")
    assert reply.status_code == 403
    assert "Missing scopes: api.usage.read" in reply.json()["error"]


def test_its_own_key_is_listed_by_its_end_and_expires(
    world: World, simulator: Simulator, client: httpx.Client
) -> None:
    world.admin_keys.append(AdminKey("key_other", "sk-admin...zzzz"))
    assert isinstance(simulator.api, OpenAI)
    simulator.api.key_expires_at = NOW + timedelta(days=7)
    keys = client.get("/organization/admin_api_keys").json()["data"]
    own = [key for key in keys if KEY.endswith(key["redacted_value"].rpartition(".")[2])]
    assert [key["expires_at"] for key in own] == [int((NOW + timedelta(days=7)).timestamp())]
    world.now = NOW + timedelta(days=7)
    assert client.get("/organization/admin_api_keys").status_code == 401


def test_lists_are_paged(world: World, client: httpx.Client) -> None:
    for n in range(3):
        world.api_key(f"key_{n}", "proj_web", f"key number {n}")
    path = "/organization/projects/proj_web/api_keys?limit=2"
    first = client.get(path).json()
    second = client.get(f"{path}&after={first['last_id']}").json()
    assert [one["id"] for one in first["data"] + second["data"]] == ["key_0", "key_1", "key_2"]
    assert (first["has_more"], second["has_more"]) == (True, False)


@pytest.mark.parametrize(
    "path",
    [
        "/organization/projects/proj_none",
        "/organization/projects/proj_web/spend_limit",
        "/organization/spend_alerts/alert_none",
        "/organization/usage/dreams",
        "/nowhere",
    ],
)
def test_what_does_not_exist_is_not_found(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_limit_shows_whether_it_is_enforced(world: World, client: httpx.Client) -> None:
    path = "/organization/spend_limit"
    assert client.get(path).json()["enforcement"] == {"status": "inactive"}
    world.spend(NOW, "100")
    assert client.get(path).json()["enforcement"] == {"status": "enforcing"}


def test_requests_are_recorded_without_the_key(simulator: Simulator, client: httpx.Client) -> None:
    client.get(COSTS)
    [request] = simulator.requests
    assert (request.method, request.path) == ("GET", "/organization/costs")
    assert request.one("start_time") == str(int(MIDNIGHT.timestamp()))
    assert KEY not in repr(request)


def test_a_connection_is_kept_for_the_next_request(simulator: Simulator) -> None:
    connection = HTTPConnection("127.0.0.1", urlsplit(simulator.url).port)
    with closing(connection):
        connection.request("GET", f"/v1{COSTS}")
        connection.getresponse().read()
        kept = connection.sock
        connection.request("GET", f"/v1{COSTS}")
        assert connection.getresponse().status == 401
        assert connection.sock is kept is not None


def test_it_says_nothing(
    simulator: Simulator, client: httpx.Client, capfd: pytest.CaptureFixture[str]
) -> None:
    client.get(COSTS)
    simulator.fault(Fault.DROPPED, times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(COSTS)
    with socket.create_connection(("127.0.0.1", urlsplit(simulator.url).port or 0)) as raw:
        raw.sendall(b"GET /v1/organiz")
    assert capfd.readouterr() == ("", "")


class TestFaults:
    @pytest.mark.parametrize(
        ("fault", "status", "code"),
        [
            (Fault.RATE_LIMITED, 429, "rate_limit_exceeded"),
            (Fault.SERVER_ERROR, 500, None),
            (Fault.OVERLOADED, 503, "server_is_overloaded"),
            (Fault.REVOKED, 401, "invalid_api_key"),
            (Fault.DEACTIVATED, 401, "account_deactivated"),
            (Fault.NOT_FOUND, 404, "not_found"),
            (Fault.BILLING_NOT_ACTIVE, 429, "billing_not_active"),
            (Fault.EXHAUSTED, 429, "credit_balance_exhausted"),
        ],
    )
    def test_refusals(
        self,
        simulator: Simulator,
        client: httpx.Client,
        fault: Fault,
        status: int,
        code: str | None,
    ) -> None:
        simulator.fault(fault)
        reply = client.get(COSTS)
        assert reply.status_code == status
        assert reply.json()["error"]["code"] == code

    @pytest.mark.parametrize(
        ("fault", "status", "words"),
        [
            (Fault.BAD_GATEWAY, 502, "<html>"),
            (Fault.HTML, 200, "<html>"),
            (Fault.MISSING_SCOPES, 403, "Missing scopes"),
            (Fault.MISSING_SCOPES_401, 401, "Missing scopes"),
            (Fault.GEO_BLOCKED, 403, "security policy"),
        ],
    )
    def test_bodies_of_another_form(
        self, simulator: Simulator, client: httpx.Client, fault: Fault, status: int, words: str
    ) -> None:
        simulator.fault(fault)
        reply = client.get(COSTS)
        assert reply.status_code == status
        assert words in reply.text

    def test_retry_after(self, simulator: Simulator, client: httpx.Client) -> None:
        simulator.fault(Fault.RATE_LIMITED, retry_after=30, times=1)
        simulator.fault(Fault.RATE_LIMITED, times=1)
        assert client.get(COSTS).headers["Retry-After"] == "30"
        assert "Retry-After" not in client.get(COSTS).headers
        assert client.get(COSTS).status_code == 200

    def test_only_on_the_paths_asked_for(self, simulator: Simulator, client: httpx.Client) -> None:
        simulator.fault(Fault.SERVER_ERROR, path="/organization/spend_*")
        assert client.get(COSTS).status_code == 200
        assert client.get("/organization/spend_limit").status_code == 500

    def test_for_a_while_of_the_worlds_time(
        self, world: World, simulator: Simulator, client: httpx.Client
    ) -> None:
        simulator.fault(Fault.NOT_FOUND, lasting=timedelta(hours=6))
        assert client.get(COSTS).status_code == 404
        world.now = NOW + timedelta(hours=6)
        assert client.get(COSTS).status_code == 200

    def test_until_cleared(self, simulator: Simulator, client: httpx.Client) -> None:
        simulator.fault(Fault.OVERLOADED)
        assert [client.get(COSTS).status_code for _ in range(3)] == [503] * 3
        simulator.clear()
        assert client.get(COSTS).status_code == 200

    @pytest.mark.parametrize("fault", [Fault.TIMEOUT, Fault.DROPPED, Fault.CUT_SHORT])
    def test_connections_that_end_too_soon(
        self, simulator: Simulator, client: httpx.Client, fault: Fault
    ) -> None:
        simulator.fault(fault, times=1)
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(COSTS)
        assert client.get(COSTS).status_code == 200

    def test_no_answer_within_the_askers_patience(
        self, simulator: Simulator, client: httpx.Client
    ) -> None:
        simulator.fault(Fault.TIMEOUT)
        with pytest.raises(httpx.ReadTimeout):
            client.get(COSTS, timeout=0.05)

    def test_a_slow_body_is_right_in_the_end(
        self, simulator: Simulator, client: httpx.Client
    ) -> None:
        good = client.get(COSTS).json()
        simulator.fault(Fault.SLOW_BODY)
        with client.stream("GET", COSTS) as reply:
            pieces = list(reply.iter_raw())
        assert len(pieces) > 5
        assert json.loads(b"".join(pieces)) == good

    def test_json_that_ends_too_soon(self, simulator: Simulator, client: httpx.Client) -> None:
        simulator.fault(Fault.TRUNCATED)
        reply = client.get(COSTS)
        assert reply.headers["Content-Type"] == "application/json"
        with pytest.raises(ValueError, match=r"delimiter|Expecting|Unterminated"):
            reply.json()

    @pytest.mark.parametrize(
        ("fault", "amount"),
        [
            (Fault.WRONG_AMOUNT, [{"value": Decimal("1.25"), "currency": "usd"}]),
            (Fault.NAN, {"value": "not a number", "currency": "usd"}),
            (Fault.STRING_AMOUNTS, {"value": "1.25", "currency": "usd"}),
        ],
    )
    def test_amounts(
        self, simulator: Simulator, client: httpx.Client, fault: Fault, amount: Any
    ) -> None:
        simulator.fault(fault)
        text = client.get(COSTS).text
        page = json.loads(text, parse_float=Decimal, parse_constant=lambda _: "not a number")
        assert page["data"][0]["results"][0]["amount"] == amount

    def test_data_of_a_wrong_type(self, simulator: Simulator, client: httpx.Client) -> None:
        simulator.fault(Fault.WRONG_TYPE)
        assert isinstance(client.get(COSTS).json()["data"], str)
        assert isinstance(client.get("/organization/spend_limit").json(), list)

    @pytest.mark.parametrize(
        ("fault", "different"), [(Fault.SAME_CURSOR, 1), (Fault.NEW_CURSORS, 3)]
    )
    @pytest.mark.parametrize(
        ("path", "parameter", "cursor"),
        [
            (COSTS, "page", "next_page"),
            ("/organization/projects?limit=100", "after", "last_id"),
        ],
    )
    def test_cursors_that_never_end(
        self,
        simulator: Simulator,
        client: httpx.Client,
        fault: Fault,
        different: int,
        path: str,
        parameter: str,
        cursor: str,
    ) -> None:
        simulator.fault(fault)
        seen, page = set(), client.get(path).json()
        for _ in range(3):
            assert page["has_more"] is True
            seen.add(page[cursor])
            page = client.get(f"{path}&{parameter}={page[cursor]}").json()
        assert len(seen) == different

    def test_unknown_fields_objects_and_values(
        self, simulator: Simulator, client: httpx.Client
    ) -> None:
        simulator.fault(Fault.UNKNOWN_FIELDS)
        results = client.get(COSTS).json()["data"][0]["results"]
        assert [row["object"] for row in results] == [
            "organization.costs.result",
            "organization.costs.forecast.result",
        ]
        assert results[0]["amount"]["value"] == 1.25
        assert client.get("/organization/projects").json()["data"][0]["status"] == "parsecs"
        assert client.get("/organization/spend_limit").json()["enforcement"]["status"] == "inactive"

    def test_a_refusal_is_not_distorted(self, simulator: Simulator) -> None:
        simulator.fault(Fault.NAN)
        assert ask_as(simulator, None).status_code == 401


def test_closing_does_not_wait_for_what_is_never_answered(world: World) -> None:
    simulator = Simulator(world, KEY, patience=timedelta(hours=1))
    with simulator, httpx.Client(base_url=simulator.url, trust_env=False) as client:
        simulator.fault(Fault.TIMEOUT)
        with pytest.raises(httpx.ReadTimeout):
            client.get(COSTS, timeout=0.05)
    with pytest.raises(RuntimeError):
        _ = simulator.url


class TestChaos:
    def test_the_weather_is_the_same_for_the_same_seed(self, simulator: Simulator) -> None:
        spells = [NOW + timedelta(hours=3 * n) for n in range(240)]
        one, other = simulator.chaos(5), simulator.chaos(5)
        assert [one.standing(at) for at in spells] == [other.standing(at) for at in spells]
        assert [one.pick(at) for at in spells] == [other.pick(at) for at in spells]
        assert [simulator.chaos(6).standing(at) for at in spells] != [
            one.standing(at) for at in spells
        ]

    def test_a_month_sees_every_fault_and_calm_too(self, simulator: Simulator) -> None:
        chaos = simulator.chaos(1)
        picked = [chaos.pick(NOW + timedelta(minutes=5 * n)) for n in range(30 * 288)]
        assert set(picked) == {*Fault, None}
        assert 0.4 < picked.count(None) / len(picked) < 0.8

    def test_a_spell_is_calm_flaky_or_one_fault(self, simulator: Simulator) -> None:
        chaos = simulator.chaos(1)
        for start in (NOW + timedelta(hours=3 * n) for n in range(50)):
            picked = {chaos.pick(start + timedelta(minutes=n)) for n in range(180)}
            standing = chaos.standing(start)
            if not chaos.flaky(start):
                assert picked == {standing}
            else:
                assert standing is None
                assert None in picked

    def test_whatever_befalls_the_simulator_goes_on(
        self, world: World, simulator: Simulator, client: httpx.Client
    ) -> None:
        good = client.get(COSTS).json()
        simulator.patience = timedelta(milliseconds=1)
        simulator.chaos(2)
        for n in range(7 * 24):
            world.now = NOW + timedelta(hours=n)
            with suppress(httpx.HTTPError):
                client.get(f"{COSTS}&end_time={int(NOW.timestamp())}")
        simulator.clear()
        assert client.get(f"{COSTS}&end_time={int(NOW.timestamp())}").json() == good
        assert len(simulator.requests) == 2 + 7 * 24
