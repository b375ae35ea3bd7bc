from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from spendguard.notify.heartbeat import beat
from spendguard.notify.results import Delivered, Refused
from spendguard.providers.base import Clients
from tests.ends import HttpEnd

SECRET = "canary-0123456789"  # noqa: S105


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """A client as the product builds it."""
    clients = Clients()
    yield clients.get(None)
    clients.close()


def url(end: HttpEnd) -> str:
    return f"http://127.0.0.1:{end.port}/{SECRET}"


def test_a_visit_that_is_answered_well_arrived(http: httpx.Client) -> None:
    with HttpEnd() as watch:
        assert beat(http, url(watch)) == Delivered()
    assert [one.path for one in watch.requests] == [f"/{SECRET}"]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("404", Refused(permanent=True, why="refused (HTTP 404)")),
        ("503", Refused(permanent=False, why="refused (HTTP 503)")),
        ("302", Refused(permanent=False, why="refused (HTTP 302)")),
    ],
)
def test_a_refusal_is_told_by_its_status(http: httpx.Client, mode: str, expected: Refused) -> None:
    with HttpEnd() as watch:
        watch.mode = mode
        assert beat(http, url(watch)) == expected


def test_a_watch_that_does_not_answer_is_told_in_our_words(http: httpx.Client) -> None:
    with HttpEnd() as watch:
        watch.mode = "drop"
        dropped = beat(http, url(watch))
        gone = url(watch)
    refused = beat(http, gone)
    for outcome in (dropped, refused, beat(http, f"nonsense:{SECRET}")):
        assert isinstance(outcome, Refused)
        assert outcome.why.startswith("no answer (")
        assert SECRET not in outcome.why


def test_a_visit_follows_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with HttpEnd() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        clients = Clients()
        assert beat(clients.get(None), f"http://watch.example/{SECRET}") == Delivered()
        clients.close()
    assert [one.headers["Host"] for one in proxy.requests] == ["watch.example"]
