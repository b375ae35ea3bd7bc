"""Api: the GETs of one account, in time, within size, classified, and kept scrubbed."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar
from urllib.parse import urlencode

import httpx
import msgspec

from spendguard.core.errors import ErrorKind
from spendguard.core.readings import RawReply
from spendguard.providers.base.deadline import Deadline, within
from spendguard.providers.base.failures import UNREADABLE, Dialect, malformed
from spendguard.providers.base.scrub import LONGEST, scrubbed

T = TypeVar("T")
Params: TypeAlias = Sequence[tuple[str, str | int]]

LARGEST = 20 * 1024 * 1024
_PLACE = re.compile(r" - at `(\$[^`]*)`\Z")


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool


class Api:
    """What a provider reads its account with."""

    def __init__(
        self, http: httpx.Client, base_url: str, key: str, deadline: Deadline, dialect: Dialect
    ) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._deadline = deadline
        self._dialect = dialect
        self._replies: list[tuple[str, int, bytes | str]] = []  # a text is scrubbed

    def get(self, path: str, shape: type[T], params: Params = (), *, keep: bool = True) -> T:
        """Return the reply to one GET as a value of `shape`.

        It is among those that `drain` returns, unless it is good and not to be kept.

        Raises:
            ProviderError: for everything else that can happen.
        """
        reply = self._fetch(path, params)
        good = _good(reply.status)
        if keep or not good:
            self._replies.append((path, reply.status, self._held(reply.body)))
        if not good:
            raise self._dialect.refusal(reply.status, reply.headers, reply.body)
        if not reply.whole:
            raise malformed(self._dialect.provider, "sent a reply that broke off or has no end")
        return decode(self._dialect.provider, reply.body, shape)

    def drain(self, but: Container[str] = ()) -> list[RawReply]:
        """Return the replies since the last call, scrubbed, and forget them.

        Good ones of the paths in `but` are left out, which saves scrubbing them.
        """
        replies, self._replies = self._replies, []
        return [
            RawReply(path, status, body if isinstance(body, str) else scrubbed(body, self._key))
            for path, status, body in replies
            if not (_good(status) and path in but)
        ]

    def _held(self, body: bytes) -> bytes | str:
        """Return what is held of a reply until it is asked for: one that is long, scrubbed at once."""
        return body if len(body) <= LONGEST else scrubbed(body, self._key)

    def _fetch(self, path: str, params: Params) -> _Reply:
        error = self._dialect.error
        if not (self._key and self._key.isascii() and self._key.isprintable()):
            raise error(ErrorKind.AUTH, "was not asked: the key holds what no key can hold")
        deadline = self._deadline.for_reply()
        if deadline.left <= 0:
            raise error(ErrorKind.UNAVAILABLE, "took too long: the time of this poll is used up")
        try:
            return within(deadline.left, lambda: self._read(path, params, deadline))
        except (TimeoutError, httpx.TimeoutException):
            raise error(ErrorKind.UNAVAILABLE, "did not answer in time") from None
        except httpx.ProxyError:
            raise error(ErrorKind.UNAVAILABLE, "could not be reached: the proxy fails") from None
        except Exception as cause:  # noqa: BLE001 - socksio and idna raise kinds of their own
            why = type(cause).__name__
            raise error(ErrorKind.UNAVAILABLE, f"could not be reached: {why}") from None

    def _read(self, path: str, params: Params, deadline: Deadline) -> _Reply:
        question = f"?{urlencode(params)}" if params else ""  # httpx takes longer to put it there
        with self._http.stream(
            "GET",
            f"{self._base_url}{path}{question}",
            headers={"Authorization": f"Bearer {self._key}"},
            timeout=deadline.left,
        ) as response:
            body = bytearray()
            whole = False
            try:
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > LARGEST:
                        break
                    if deadline.left <= 0:
                        raise TimeoutError
                else:
                    whole = True
            except (httpx.RemoteProtocolError, httpx.DecodingError):
                pass  # what came still tells, by its status
            return _Reply(response.status_code, response.headers, bytes(body), whole)


def _good(status: int) -> bool:
    return 200 <= status < 300


def decode(provider: str, body: bytes | msgspec.Raw, shape: type[T]) -> T:
    """Return JSON as a value of `shape`; what the shape does not name is ignored.

    Raises:
        ProviderError: of kind malformed, naming the place but nothing of the content.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except UNREADABLE as error:
        raise malformed(provider, f"sent a reply of an unexpected shape{_place(error)}") from None


def _place(error: Exception) -> str:
    found = _PLACE.search(str(error)) if isinstance(error, msgspec.ValidationError) else None
    return f" at {found[1]}" if found else ""
