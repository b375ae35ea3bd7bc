"""The provider against a billing world that answers over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from freezegun.api import real_monotonic

from spendguard.core.errors import ErrorKind, ProviderError
from spendguard.core.money import Money
from spendguard.core.prices import PriceTable
from spendguard.core.readings import Extras, Limit, Name, OwnKey, Spend, SpendAlert
from spendguard.core.windows import DAY, HOUR, Window, utc_day
from spendguard.prices import price
from spendguard.providers.base import Clients, Deadline
from spendguard.providers.openai import OpenAI
from spendguard.simulator.faults import LEGAL, Fault
from spendguard.simulator.server import Simulator
from spendguard.simulator.world import World
from tests.providers.asking import KEY
from tests.spending import spend_on_everything

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = utc_day(NOW)
WEEK = Window(TODAY.end - DAY * 8, TODAY.end)
EXPIRY = NOW + timedelta(days=20)
KINDS = {
    Fault.RATE_LIMITED: ErrorKind.RATE_LIMITED,
    Fault.SERVER_ERROR: ErrorKind.UNAVAILABLE,
    Fault.BAD_GATEWAY: ErrorKind.UNAVAILABLE,
    Fault.OVERLOADED: ErrorKind.UNAVAILABLE,
    Fault.REVOKED: ErrorKind.AUTH,
    Fault.DEACTIVATED: ErrorKind.AUTH,
    Fault.MISSING_SCOPES: ErrorKind.SCOPE,
    Fault.MISSING_SCOPES_401: ErrorKind.SCOPE,
    Fault.GEO_BLOCKED: ErrorKind.BLOCKED,
    Fault.NOT_FOUND: ErrorKind.UNAVAILABLE,
    Fault.BILLING_NOT_ACTIVE: ErrorKind.EXHAUSTED,
    Fault.EXHAUSTED: ErrorKind.EXHAUSTED,
    Fault.HTML: ErrorKind.MALFORMED,
    Fault.TIMEOUT: ErrorKind.UNAVAILABLE,
    Fault.DROPPED: ErrorKind.UNAVAILABLE,
    Fault.CUT_SHORT: ErrorKind.MALFORMED,
    Fault.TRUNCATED: ErrorKind.MALFORMED,
    Fault.WRONG_TYPE: ErrorKind.MALFORMED,
    Fault.WRONG_AMOUNT: ErrorKind.MALFORMED,
    Fault.NAN: ErrorKind.MALFORMED,
    Fault.SAME_CURSOR: ErrorKind.MALFORMED,
    Fault.NEW_CURSORS: ErrorKind.MALFORMED,
}


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A world with a little of everything in it."""
    world = World(NOW)
    world.purchase(NOW - DAY * 9, "50.00")
    world.project("proj_a", "Alpha")
    world.project("proj_b", "Beta", archived=True)
    world.api_key("key_a", "proj_a", "the robot")
    world.alert("alert_1", "80.00")
    world.limit(NOW - DAY * 9, "100.00")
    world.limit(NOW - DAY * 9, "30.00", "proj_a")
    for days, amount in ((2, "1.000000001"), (1, "2.5"), (0, "0.25")):
        at = NOW - DAY * days - timedelta(hours=3)
        item = "gpt-6-astra, input_tokens"
        world.spend(at, amount, project="proj_a", api_key="key_a", line_item=item)
    patience = timedelta(seconds=2)
    with Simulator(world, KEY, key_expires_at=EXPIRY, patience=patience) as running:
        yield running


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """A client as the product builds it."""
    clients = Clients()
    yield clients.get(None)
    clients.close()


def provider(
    simulator: Simulator,
    http: httpx.Client,
    allowed: timedelta = timedelta(seconds=30),
    key: str = KEY,
) -> OpenAI:
    deadline = Deadline(real_monotonic, allowed)
    return OpenAI(http, key, base_url=simulator.url, currency="USD", deadline=deadline)


def spend(days: int, amount: str) -> Spend:
    money, item = Money.parse(amount, "USD"), "gpt-6-astra, input_tokens"
    return Spend(utc_day(NOW - DAY * days), money, "proj_a", "key_a", item, "gpt-6-astra")


ROWS = (spend(2, "1.000000001"), spend(1, "2.5"), spend(0, "0.25"))


def test_reads_what_was_booked(simulator: Simulator, http: httpx.Client) -> None:
    read = provider(simulator, http).costs(WEEK)

    assert read.rows == ROWS


def test_reads_half_a_year_and_more(simulator: Simulator, http: httpx.Client) -> None:
    window = Window(TODAY.end - DAY * 400, TODAY.end)

    assert provider(simulator, http).costs(window).rows == ROWS
    assert len(simulator.requests) == 3


def test_reads_the_rest(simulator: Simulator, http: httpx.Client) -> None:
    asked = provider(simulator, http)

    assert asked.extras(names=True, projects=["proj_a", "proj_b", ""]) == Extras(
        limits=(
            Limit("", Money.parse("100", "USD"), enforcing=False),
            Limit("proj_a", Money.parse("30", "USD"), enforcing=False),
        ),
        alerts=(SpendAlert("", "alert_1", Money.parse("80", "USD")),),
        own_key=OwnKey(EXPIRY),
        names=(
            Name("project", "proj_a", "Alpha"),
            Name("project", "proj_b", "Beta", active=False),
            Name("api_key", "key_a", "the robot"),
        ),
    )
    kept = "".join(reply.body for reply in asked.replies())
    assert "alert_1" in kept
    for private in ("Alpha", "the robot", "First Last", "user@example.com", "finance@", "sk-"):
        assert private not in kept


@pytest.mark.parametrize("fault", sorted(LEGAL))
def test_legal_oddities_change_nothing(
    simulator: Simulator, http: httpx.Client, fault: Fault
) -> None:
    simulator.fault(fault)

    assert provider(simulator, http).costs(WEEK).rows == ROWS


@pytest.mark.parametrize("fault", sorted(set(Fault) - LEGAL))
def test_faults_are_told_by_kind_and_pass(
    simulator: Simulator, http: httpx.Client, fault: Fault
) -> None:
    simulator.fault(fault, path="/organization/costs")
    with pytest.raises(ProviderError) as caught:
        provider(simulator, http, timedelta(seconds=1)).costs(WEEK)
    simulator.clear()

    assert caught.value.kind is KINDS[fault]
    assert KEY not in f"{caught.value} {caught.value.hint}"
    assert provider(simulator, http).costs(WEEK).rows == ROWS


@pytest.mark.parametrize("fault", sorted(set(Fault) - LEGAL - {Fault.NOT_FOUND}))
def test_extras_that_fail_are_unknown_and_never_raise(
    simulator: Simulator, http: httpx.Client, fault: Fault
) -> None:
    simulator.fault(fault, path="/organization/spend_alerts")

    told = provider(simulator, http, timedelta(seconds=1)).extras(names=False, projects=[])

    assert told.alerts is None
    assert told.failures["alerts"] is KINDS[fault]
    assert told.own_key == OwnKey(EXPIRY)


USED = Window(NOW - HOUR * 8, NOW)
PLAIN = ("completions",)


def test_reads_everything_that_is_used_by_minute_and_by_hour_alike(
    simulator: Simulator, http: httpx.Client
) -> None:
    spend_on_everything(simulator.world, NOW - HOUR * 2, "proj_a", "key_a")
    asked = provider(simulator, http)

    by_width = [
        {
            (row.series, row.model, row.tier, row.api_key): (row.requests, row.quantities)
            for row in asked.usage(window, width).rows
        }
        for window, width in (
            (Window(NOW - HOUR * 2, NOW), timedelta(minutes=1)),
            (Window(NOW - HOUR * 2, NOW), HOUR),
        )
    ]

    assert by_width[0] == by_width[1]
    assert by_width[0]["completions", "gpt-6-astra", "batch", "key_a"] == (10, {"input": 20_000})
    assert by_width[0]["images", "dall-e-3", "1024x1024", "key_a"] == (1, {"images": 2})
    assert {series for series, *_ in by_width[0]} == OpenAI.usage_series - {"decisions"}


def test_what_is_used_costs_what_is_booked(simulator: Simulator, http: httpx.Client) -> None:
    before = simulator.world.booked_in(TODAY)
    spend_on_everything(simulator.world, NOW - HOUR * 2)
    told = provider(simulator, http).usage(TODAY, DAY).rows

    estimates = [price("openai", row, PriceTable()) for row in told if row.project == "proj_web"]

    unpriced = {row.series for row in told if price("openai", row, PriceTable()) is None}
    assert unpriced == {"images", "code_interpreter_sessions", "vector_stores"}
    listed = sum(one.nanos for one in estimates if one is not None)
    others = Money.parse("0.14", "USD")  # the pictures and sessions
    assert simulator.world.booked_in(TODAY) - before == Money(listed, "USD") + others


def test_six_hours_of_minutes_cost_one_request_and_a_day_four(
    simulator: Simulator, http: httpx.Client
) -> None:
    asked = provider(simulator, http)

    for hours, requests in ((6, 1), (24, 4)):
        simulator.requests.clear()
        window = Window(TODAY.start - HOUR * hours, TODAY.start)
        asked.usage(window, timedelta(minutes=1), PLAIN)
        assert len(simulator.requests) == requests


@pytest.mark.parametrize("fault", sorted(LEGAL))
def test_legal_oddities_change_no_usage(
    simulator: Simulator, http: httpx.Client, fault: Fault
) -> None:
    spend_on_everything(simulator.world, NOW - HOUR * 2)
    before = provider(simulator, http).usage(USED, HOUR)
    simulator.fault(fault, path="/organization/usage/completions")

    assert provider(simulator, http).usage(USED, HOUR) == before


@pytest.mark.parametrize("fault", sorted(set(Fault) - LEGAL - {Fault.NOT_FOUND}))
def test_faults_of_usage_are_told_by_kind_and_pass(
    simulator: Simulator, http: httpx.Client, fault: Fault
) -> None:
    spend_on_everything(simulator.world, NOW - HOUR * 2)
    window = Window(NOW - DAY * 10, NOW)  # longer than a page of hours
    before = provider(simulator, http).usage(window, HOUR, PLAIN)
    simulator.fault(fault, path="/organization/usage/*")
    with pytest.raises(ProviderError) as caught:
        provider(simulator, http, timedelta(seconds=1)).usage(window, HOUR, PLAIN)
    simulator.clear()

    assert caught.value.kind is KINDS[fault]
    assert KEY not in f"{caught.value} {caught.value.hint}"
    assert before.rows
    assert provider(simulator, http).usage(window, HOUR, PLAIN) == before


def test_a_slow_body_ends_with_the_time_of_the_poll(
    simulator: Simulator, http: httpx.Client
) -> None:
    simulator.fault(Fault.SLOW_BODY)

    with pytest.raises(ProviderError) as caught:
        provider(simulator, http, timedelta(milliseconds=300)).costs(WEEK)

    assert caught.value.kind is ErrorKind.UNAVAILABLE


def test_obeys_retry_after(simulator: Simulator, http: httpx.Client) -> None:
    simulator.fault(Fault.RATE_LIMITED, retry_after=42)

    with pytest.raises(ProviderError) as caught:
        provider(simulator, http).costs(WEEK)

    assert caught.value.retry_after == timedelta(seconds=42)


def test_another_kind_of_key_is_named(simulator: Simulator, http: httpx.Client) -> None:
    with pytest.raises(ProviderError) as caught:
        provider(simulator, http, key="sk-proj-canary").costs(WEEK)

    assert caught.value.kind is ErrorKind.SCOPE
    assert "project key" in caught.value.hint
