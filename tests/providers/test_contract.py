"""What every provider keeps, whoever is on the other end."""

from __future__ import annotations

import pkgutil
from datetime import timedelta

import httpx
import pytest

import spendguard.providers
from spendguard.core.errors import ErrorKind, ProviderError
from spendguard.core.readings import Balance
from spendguard.core.windows import DAY, Window
from spendguard.providers import PROVIDERS
from spendguard.providers.base import Provider
from tests.providers.asking import FIRST, KEY, WEEK, Reply, always, asking, read, recorded

RECORDED = {"openai": "costs", "openrouter": "credits", "deepseek": "balance"}
CURRENCY = {"deepseek": "CNY"}
EXTRAS = {
    "openai": {"limits", "alerts", "own_key", "names"},
    "openrouter": {"own_key"},
    "deepseek": set(),
}
RECORDED_USAGE = {"openai": "usage_completions"}
TODAY = Window(FIRST, FIRST + DAY)
FAILURES: list[tuple[Reply, ErrorKind]] = [
    (httpx.Response(401), ErrorKind.AUTH),
    (httpx.Response(401, text="<html>no</html>"), ErrorKind.AUTH),
    (httpx.Response(403), ErrorKind.BLOCKED),
    (httpx.Response(403, text="<html>Access denied</html>"), ErrorKind.BLOCKED),
    (httpx.Response(404), ErrorKind.UNAVAILABLE),
    (httpx.Response(407), ErrorKind.UNAVAILABLE),
    (httpx.Response(429), ErrorKind.RATE_LIMITED),
    (httpx.Response(500, text="<html>sorry</html>"), ErrorKind.UNAVAILABLE),
    (httpx.Response(503), ErrorKind.UNAVAILABLE),
    (httpx.Response(302, headers={"Location": "/login"}), ErrorKind.MALFORMED),
    (httpx.Response(400, json={"error": {"message": "no"}}), ErrorKind.MALFORMED),
    (httpx.Response(204), ErrorKind.MALFORMED),
    (httpx.Response(200, text="<html>maintenance</html>"), ErrorKind.MALFORMED),
    (httpx.Response(200, json={}), ErrorKind.MALFORMED),
    (httpx.Response(200, json=[1, None]), ErrorKind.MALFORMED),
    (httpx.Response(200, text='{"data": NaN}'), ErrorKind.MALFORMED),
    (httpx.Response(200, text="[" * 100_000), ErrorKind.MALFORMED),
    (httpx.Response(200, content=b'{"data": "\xff"}'), ErrorKind.MALFORMED),
    (httpx.ConnectTimeout("https://host/?key=" + KEY), ErrorKind.UNAVAILABLE),
    (httpx.ReadTimeout(KEY), ErrorKind.UNAVAILABLE),
    (httpx.ConnectError(KEY), ErrorKind.UNAVAILABLE),
    (httpx.ProxyError(KEY), ErrorKind.UNAVAILABLE),
    (httpx.RemoteProtocolError(KEY), ErrorKind.UNAVAILABLE),
    (AssertionError(KEY), ErrorKind.UNAVAILABLE),  # what a proxy library raises
]


def answered(name: str) -> Provider:
    """A provider whose far end always answers with the recorded reply."""
    content = recorded(RECORDED[name], name)
    return asking(
        lambda _: httpx.Response(200, content=content), name, currency=CURRENCY.get(name, "USD")
    )


def test_every_module_is_registered() -> None:
    modules = {module.name for module in pkgutil.iter_modules(spendguard.providers.__path__)}
    registered = {cls.__module__.rpartition(".")[2] for cls in PROVIDERS.values()}

    assert modules - {"base"} == registered == set(PROVIDERS)


def fit_to_be_shown(error: ProviderError, name: str, provider: Provider) -> bool:
    told = f"{error.message} {error.hint} {provider.replies()}"
    in_our_words = error.message.startswith(name) and error.__cause__ is None
    return in_our_words and bool(error.hint) and KEY not in told and "start_time" not in told


@pytest.mark.parametrize("name", PROVIDERS)
class TestEveryProvider:
    def test_reads_the_recorded_reply(self, name: str) -> None:
        told = read(answered(name))

        assert told.left if isinstance(told, Balance) else told.rows

    def test_reads_the_same_twice(self, name: str) -> None:
        provider = answered(name)

        assert read(provider) == read(provider)

    def test_refuses_what_it_does_not_offer(self, name: str) -> None:
        provider = answered(name)

        with pytest.raises(ProviderError) as caught:
            provider.costs(WEEK) if provider.states_balance else provider.balance()

        assert caught.value.kind is ErrorKind.UNSUPPORTED

    def test_reads_recorded_usage_and_the_same_twice(self, name: str) -> None:
        if name not in RECORDED_USAGE:
            provider = answered(name)
            assert provider.usage(TODAY, DAY).series == provider.usage_series == frozenset()
            return
        content = recorded(RECORDED_USAGE[name], name)
        provider = asking(lambda _: httpx.Response(200, content=content), name)

        told = provider.usage(TODAY, DAY)

        assert told.rows
        assert told.series <= provider.usage_series
        assert told == provider.usage(TODAY, DAY)

    def test_only_gets(self, name: str) -> None:
        methods = set()

        def answer(request: httpx.Request) -> httpx.Response:
            methods.add(request.method)
            return httpx.Response(200, content=recorded(RECORDED[name], name))

        provider = asking(answer, name, currency=CURRENCY.get(name, "USD"))
        read(provider)
        provider.usage(TODAY, DAY)
        provider.extras(names=True, projects=["proj_abc"])

        assert methods == {"GET"}

    @pytest.mark.parametrize(("reply", "kind"), FAILURES, ids=repr)
    def test_names_the_failure_and_says_what_to_do(
        self, name: str, reply: Reply, kind: ErrorKind
    ) -> None:
        provider = asking(always(reply), name)

        with pytest.raises(ProviderError) as caught:
            read(provider)

        assert caught.value.kind is kind
        assert fit_to_be_shown(caught.value, name, provider)

    @pytest.mark.parametrize(("reply", "kind"), FAILURES, ids=repr)
    def test_names_the_failure_to_read_usage(
        self, name: str, reply: Reply, kind: ErrorKind
    ) -> None:
        provider = asking(always(reply), name)
        unheard = isinstance(reply, httpx.Response) and reply.status_code == 404
        if unheard or not provider.usage_series:
            assert provider.usage(TODAY, DAY).series == frozenset()
            return

        with pytest.raises(ProviderError) as caught:
            provider.usage(TODAY, DAY)

        assert caught.value.kind is kind
        assert fit_to_be_shown(caught.value, name, provider)

    @pytest.mark.parametrize(
        ("headers", "wait"),
        [
            ({"Retry-After": "30"}, timedelta(seconds=30)),
            (
                {
                    "Retry-After": "Mon, 23 Nov 2026 12:05:00 GMT",
                    "Date": "Mon, 23 Nov 2026 12:00:00 GMT",
                },
                timedelta(minutes=5),
            ),
            (
                {
                    "Retry-After": "Mon, 23 Nov 2026 11:00:00 GMT",
                    "Date": "Mon, 23 Nov 2026 12:00:00 GMT",
                },
                timedelta(0),
            ),
            ({"Retry-After": "Mon, 23 Nov 2026 12:05:00 GMT"}, None),
            ({"Retry-After": "soon"}, None),
            ({"Retry-After": "-5"}, None),
            ({"Retry-After": "9" * 5000}, None),
            ({}, None),
        ],
    )
    def test_hears_when_to_come_again(
        self, name: str, headers: dict[str, str], wait: timedelta | None
    ) -> None:
        with pytest.raises(ProviderError) as caught:
            read(asking(always(httpx.Response(429, headers=headers)), name))

        assert caught.value.retry_after == wait

    def test_extras_never_raise(self, name: str) -> None:
        for reply in (httpx.Response(503), httpx.Response(200, text="<"), httpx.ReadTimeout("")):
            extras = asking(always(reply), name).extras(names=True, projects=["proj_abc"])

            assert set(extras.failures) == EXTRAS[name]
            assert (extras.limits, extras.alerts, extras.own_key, extras.names) == (None,) * 4

    @pytest.mark.parametrize("key", ["", "sk-admin-ä", "sk-admin-\n", "sk-admin-\u2026"])
    def test_a_key_that_cannot_be_sent_is_refused_in_words(self, name: str, key: str) -> None:
        with pytest.raises(ProviderError) as caught:
            read(asking(always(httpx.Response(200)), name, key=key))

        assert caught.value.kind is ErrorKind.AUTH
