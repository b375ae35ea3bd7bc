"""Providers that state the balance: what they tell, how they refuse, and over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from freezegun.api import real_monotonic
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.errors import ErrorKind, ProviderError
from spendguard.core.money import Money
from spendguard.core.readings import Balance, Extras, Movement, OwnKey
from spendguard.core.windows import DAY
from spendguard.providers import PROVIDERS
from spendguard.providers.base import Clients, Deadline, Provider
from spendguard.simulator import DeepSeek, Fault, OpenRouter, Simulator, World
from tests.providers.asking import DATA, always, asking, by_path, ok, recorded

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = "sk-or-v1-canary-0123456789"
REFUSALS = {
    "401": ErrorKind.AUTH,
    "402": ErrorKind.EXHAUSTED,
    "403_geo_block": ErrorKind.BLOCKED,
    "403_not_management": ErrorKind.SCOPE,
}
AMOUNTS = st.integers(0, 10**15)


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def refused(provider: Provider) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        provider.balance()
    return caught.value


def openrouter(**replies: Any) -> Provider:
    return asking(by_path(**{path: ok(told) for path, told in replies.items()}), "openrouter")


def deepseek(document: Any, currency: str = "USD") -> Provider:
    return asking(always(ok(document)), "deepseek", currency=currency)


class TestOpenRouter:
    def test_has_left_what_was_bought_and_not_used(self) -> None:
        told = openrouter(credits=recorded("credits", "openrouter")).balance()

        assert told == Balance(usd("74.75"), credited=usd("100.50"))

    def test_money_is_what_was_written_digit_by_digit(self) -> None:
        body = '{"data": {"total_credits": 12345678.123456789, "total_usage": 0.000000001}}'

        assert openrouter(credits=body).balance().left == usd("12345678.123456788")

    def test_its_key_may_expire(self) -> None:
        expires = datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC)

        def extras(**key: Any) -> Extras:
            return openrouter(key={"data": key}).extras(names=True, projects=[])

        told = openrouter(key=recorded("key", "openrouter"))
        assert told.extras(names=True, projects=[]) == Extras(own_key=OwnKey(expires))
        assert extras(expires_at=None) == extras() == Extras(own_key=OwnKey(None))
        assert extras(expires_at="2027-12-31T23:59:59") == Extras(own_key=OwnKey(expires))

    def test_an_expiry_that_is_no_instant_leaves_it_unknown(self) -> None:
        told = openrouter(key={"data": {"expires_at": "soon"}}).extras(names=False, projects=[])

        assert (told.own_key, told.failures) == (None, {"own_key": ErrorKind.MALFORMED})

    def test_no_part_of_a_key_is_kept(self) -> None:
        provider = openrouter(key=recorded("key", "openrouter"))
        provider.extras(names=False, projects=[])

        assert "sk-or" not in "".join(reply.body for reply in provider.replies())

    @pytest.mark.parametrize("name", REFUSALS)
    def test_refusals_have_their_kind(self, name: str) -> None:
        body = (DATA / "openrouter" / f"error_{name}.json").read_bytes()
        error = refused(asking(always(httpx.Response(int(name[:3]), content=body)), "openrouter"))

        assert error.kind is REFUSALS[name]

    def test_an_ordinary_key_is_told_which_one_is_needed(self) -> None:
        body = recorded("error_403_not_management", "openrouter")
        error = refused(asking(always(httpx.Response(403, content=body)), "openrouter"))

        assert "management key" in error.hint

    def test_an_account_in_another_currency_is_told_to_be_in_dollars(self) -> None:
        content = recorded("credits", "openrouter")
        error = refused(asking(always(ok(content)), "openrouter", currency="EUR"))

        assert error.kind is ErrorKind.UNSUPPORTED
        assert "USD" in error.hint


class TestDeepSeek:
    TWO = recorded("balance_two_currencies", "deepseek")

    @pytest.mark.parametrize(("currency", "left"), [("USD", "0.00"), ("CNY", "3.14")])
    def test_the_balance_in_the_accounts_currency_counts(self, currency: str, left: str) -> None:
        assert deepseek(self.TWO, currency).balance() == Balance(Money.parse(left, currency))

    def test_a_currency_it_does_not_state_is_told_with_one_it_does(self) -> None:
        error = refused(deepseek(recorded("balance", "deepseek"), "USD"))

        assert (error.kind, "CNY" in error.hint) == (ErrorKind.UNSUPPORTED, True)

    @pytest.mark.parametrize("infos", [[], ["1.00", "1.00"], ["NaN"], ["-Infinity"], ["1e30"]])
    def test_nonsense_is_malformed(self, infos: list[str]) -> None:
        told = [{"currency": "USD", "total_balance": amount} for amount in infos]

        assert refused(deepseek({"balance_infos": told})).kind is ErrorKind.MALFORMED

    def test_a_wrong_key_is_known_although_its_code_says_a_wrong_request(self) -> None:
        error = {"message": "no", "type": "authentication_error", "code": "invalid_request_error"}
        provider = asking(always(httpx.Response(401, json={"error": error})), "deepseek")

        assert refused(provider).kind is ErrorKind.AUTH


@pytest.mark.parametrize(
    ("provider", "key", "what"),
    [
        ("openrouter", "sk-ant-x", "a key of Anthropic"),
        ("openrouter", "sk-proj-x", "a project key of OpenAI"),
        ("deepseek", "sk-or-x", "a key of OpenRouter"),
        ("deepseek", "sk-admin-x", "an admin key of OpenAI"),
        ("openrouter", KEY, None),
        ("openrouter", "a gateway's", None),
        ("deepseek", "sk-0123", None),
    ],
)
def test_a_key_of_somebody_else_is_named(provider: str, key: str, what: str | None) -> None:
    problem = PROVIDERS[provider].key_problem(key)

    assert (problem is None) == (what is None)
    assert what is None or (problem is not None and what in problem.message)


@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, st.booleans())
def test_what_moved_is_what_the_balances_differ_by(
    left: int,
    bought: int,
    after: int,
    more: int,
    lifetime: bool,  # noqa: FBT001
) -> None:
    def told(left: int, credited: int) -> Balance:
        return Balance(Money(left, "USD"), Money(credited, "USD") if lifetime else None)

    before, now = told(left, bought), told(after, bought + more)
    moved = now.since(before)

    assert before.left + moved.credit - moved.spent == now.left
    assert now.since(now) == Movement(usd("0"), usd("0"))
    assert moved.credit == Money(more, "USD") if lifetime else moved.spent.nanos >= 0


@pytest.fixture
def world() -> World:
    """Twenty dollars bought, two and a third spent."""
    world = World(NOW)
    world.purchase(NOW - DAY * 9, "20.00")
    world.spend(NOW - DAY, "2.333333333")
    return world


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """A client as the product builds it."""
    clients = Clients()
    yield clients.get(None)
    clients.close()


def reading(name: str, simulator: Simulator, http: httpx.Client, key: str = KEY) -> Provider:
    deadline = Deadline(real_monotonic, timedelta(seconds=5))
    return PROVIDERS[name](http, key, base_url=simulator.url, currency="USD", deadline=deadline)


def test_openrouter_is_read_over_http(world: World, http: httpx.Client) -> None:
    with Simulator(world, api=OpenRouter(world, KEY, expires_at=NOW + DAY)) as simulator:
        here = reading("openrouter", simulator, http)

        assert here.balance() == Balance(usd("17.666666667"), usd("20.00"))
        assert here.extras(names=False, projects=[]).own_key == OwnKey(NOW + DAY)
        assert refused(reading("openrouter", simulator, http, "sk-or-no")).kind is ErrorKind.AUTH
        simulator.fault(Fault.GEO_BLOCKED)
        assert refused(here).kind is ErrorKind.BLOCKED
    with Simulator(world, api=OpenRouter(world, KEY, ordinary=True)) as simulator:
        assert refused(reading("openrouter", simulator, http)).kind is ErrorKind.SCOPE


def test_deepseek_is_read_over_http(world: World, http: httpx.Client) -> None:
    yuan = Money.of(Decimal(3), "CNY")
    with Simulator(world, api=DeepSeek(world, KEY, beside=yuan)) as simulator:
        assert reading("deepseek", simulator, http).balance() == Balance(usd("17.666666667"))
        assert refused(reading("deepseek", simulator, http, "sk-no")).kind is ErrorKind.AUTH
