"""A poll ends in time, however slowly the far end answers."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread

import httpx
import pytest
from freezegun.api import real_monotonic

from spendguard.core.errors import ErrorKind, ProviderError
from spendguard.providers.base import Deadline, tls_context
from spendguard.providers.base.api import LARGEST
from spendguard.providers.base.clients import client
from spendguard.providers.base.deadline import within
from spendguard.providers.openai import OpenAI
from tests.providers.asking import KEY, WEEK

SOON = timedelta(milliseconds=300)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@contextmanager
def far_end(talk: Callable[[socket.socket, Event], None]) -> Iterator[str]:
    """Give the base URL of a server that reads a request, then talks as it likes."""
    stopped = Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                try:
                    talk(connection, stopped)
                except OSError:
                    return  # hung up on, as is to be expected

        thread = Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        stopped.set()
        thread.join()


def drip(content: bytes, connection: socket.socket, stopped: Event) -> None:
    """Send a byte now and then until nobody listens."""
    connection.sendall(content)
    while not stopped.wait(0.02):
        connection.sendall(b"x")


def ask(base_url: str, allowed: timedelta = SOON) -> ProviderError:
    deadline = Deadline(real_monotonic, allowed)
    with client(None, tls_context()) as http:
        provider = OpenAI(http, KEY, base_url=base_url, currency="USD", deadline=deadline)
        with pytest.raises(ProviderError) as caught:
            provider.costs(WEEK)
    return caught.value


@pytest.mark.parametrize(
    "start",
    [
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n100000\r\n{",
        HEAD + b"Content-Length: 1000000\r\n\r\n{",
        HEAD + b"X-Long: ",
        b"HTTP/1.1 200 ",
    ],
    ids=["chunks", "body", "headers", "status line"],
)
def test_an_answer_that_drips_in_is_cut_off(start: bytes) -> None:
    begun = real_monotonic()

    with far_end(lambda connection, stopped: drip(start, connection, stopped)) as url:
        error = ask(url)
        took = real_monotonic() - begun

    assert error.kind is ErrorKind.UNAVAILABLE
    assert "in time" in error.message
    assert took < 5


def test_silence_is_cut_off() -> None:
    def say_nothing(_: socket.socket, stopped: Event) -> None:
        stopped.wait(10)

    with far_end(say_nothing) as url:
        assert ask(url).kind is ErrorKind.UNAVAILABLE


def test_a_body_that_breaks_off_is_malformed() -> None:
    text = HEAD + b'Content-Length: 1000\r\n\r\n{"object": "page", '

    with far_end(lambda connection, _: connection.sendall(text)) as url:
        assert ask(url, timedelta(seconds=5)).kind is ErrorKind.MALFORMED


def test_a_refusal_that_breaks_off_is_judged_by_its_status() -> None:
    text = b"HTTP/1.1 503 Unavailable\r\nContent-Length: 1000\r\n\r\n<html>"

    with far_end(lambda connection, _: connection.sendall(text)) as url:
        assert ask(url, timedelta(seconds=5)).kind is ErrorKind.UNAVAILABLE


def test_a_body_without_end_is_malformed() -> None:
    def flood(connection: socket.socket, _: Event) -> None:
        connection.sendall(HEAD + b"\r\n" + b" " * (LARGEST + 1))

    with far_end(flood) as url:
        assert ask(url, timedelta(seconds=20)).kind is ErrorKind.MALFORMED


def test_nobody_listening_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert ask(f"http://127.0.0.1:{port}/v1").kind is ErrorKind.UNAVAILABLE


def test_a_reply_has_its_own_time_within_that_of_the_poll() -> None:
    instants = [0.0]
    deadline = Deadline(lambda: instants[-1])

    assert deadline.left == 60
    assert deadline.for_reply().left == 20
    instants.append(45.0)
    assert deadline.for_reply().left == 15
    instants.append(61.0)
    assert deadline.for_reply().left < 0


def test_what_is_called_in_time_returns_or_raises_as_it_would() -> None:
    def fail() -> None:
        raise httpx.InvalidURL("")

    assert within(5, lambda: 7) == 7
    with pytest.raises(httpx.InvalidURL):
        within(5, fail)
