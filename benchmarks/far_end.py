"""A far end in a process of its own: a provider that answers quickly, and a webhook, with a clock.

Every account spends the same each day, from `crossing` on one spends more. Both clocks of a
crossing, when the reply that shows it was sent and when a message came, are of this process.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

PYTHON = sys.executable
DAY = 86400
ROWS = 4
"""How many lines a day has, and how many a minute of usage."""
_LIST = json.dumps({"object": "list", "data": [], "has_more": False})
_NONE = json.dumps({"error": {"message": "Not found.", "type": "invalid_request_error"}})


class FarEnd:
    """The process, and what is asked of it from here."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603  our own module
            [PYTHON, "-m", "benchmarks.far_end"], stdout=subprocess.PIPE, text=True
        )
        told = self._process.stdout
        self.port = int(told.readline()) if told else 0
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()

    @property
    def url(self) -> str:
        """Where the provider is."""
        return f"http://127.0.0.1:{self.port}/v1"

    def hook(self, name: str) -> str:
        """Return where a webhook of a name is, without its scheme."""
        return f"127.0.0.1:{self.port}/hook/{name}"

    def tell(self, **changed: float) -> float:
        """Change what is answered: `extra` dollars today, the time `now`, `since` and `pause`.

        All but the first are seconds: nothing was spent before `since`, and tokens are used only
        in the minute that begins each `pause`.

        Return when that was, by the clock of the far end.
        """
        words = "&".join(f"{key}={value}" for key, value in changed.items())
        return float(self._ask(f"/control?{words}"))

    def heard(self, who: str) -> list[tuple[float, float]]:
        """Return when each message of one guard came, and when the last reply before it was sent."""
        return [(at, replied) for name, at, replied in self.log()["hooks"] if name == who]

    def log(self) -> dict[str, Any]:
        """Return what came so far: replies, and when the last was sent and each message came."""
        found: dict[str, Any] = json.loads(self._ask("/log"))
        return found

    def _ask(self, path: str) -> bytes:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path)
        body = connection.getresponse().read()
        connection.close()
        return body


class _State:
    def __init__(self) -> None:
        self.extra = 0.0
        self.now: float | None = None
        self.since = 0.0
        self.pause = 60.0
        self.costs = 0
        self.replied_at = 0.0
        self.hooks: list[tuple[str, float, float]] = []  # whose, when, and the last reply before

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, str]:
        """Return a status and a body."""
        if path == "/control":
            for name, values in query.items():
                setattr(self, name, float(values[0]))
            return 200, str(time.perf_counter())
        if path == "/log":
            return 200, json.dumps(vars(self))
        if path.startswith("/hook/"):
            self.hooks.append((path.split("/")[2], time.perf_counter(), self.replied_at))
            return 200, ""
        if path.endswith("/costs"):
            self.costs += 1
            return 200, self._page(query, DAY, self._costs)
        if "/usage/completions" in path:
            width = {"1m": 60, "1h": 3600, "1d": DAY}[query.get("bucket_width", ["1d"])[0]]
            return 200, self._page(query, width, self._tokens)
        if "/usage/" in path:
            return 200, self._page(query, DAY, lambda _start, _last: [])
        return (404, _NONE) if path.endswith("/spend_limit") else (200, _LIST)

    def _page(self, query: dict[str, list[str]], width: int, results: Any) -> str:
        now = int(self.now or time.time())  # noqa: TID251  the far end has its own clock
        asked = query.get("page", query["start_time"])[0]
        start = max(int(asked), int(self.since)) // width * width
        end = min(int(query.get("end_time", [str(now)])[0]), now)
        last = (end - 1) // width * width
        starts = range(start, end, width)
        told = starts[: int(query.get("limit", [str(len(starts))])[0])]
        data = [
            {
                "object": "bucket",
                "start_time": one,
                "end_time": one + width,
                "results": results(one, one == last),
            }
            for one in told
        ]
        more = len(told) < len(starts)
        cursor = str(starts[len(told)]) if more else None
        page = {"object": "page", "data": data, "has_more": more, "next_page": cursor}
        return json.dumps(page)

    def _costs(self, start: int, last: bool) -> list[dict[str, Any]]:  # noqa: FBT001
        return [
            {
                "object": "organization.costs.result",
                "amount": {
                    "value": f"{0.25 + (self.extra if last and not part else 0):.2f}",
                    "currency": "usd",
                },
                "line_item": f"gpt-4o, kind {part}",
                "project_id": "proj_1",
                "project_name": None,
                "organization_id": "org-1",
                "api_key_id": f"key_{part}",
            }
            for part in range(ROWS)
        ]

    def _tokens(self, start: int, _last: bool) -> list[dict[str, Any]]:  # noqa: FBT001
        return [] if start % self.pause else _tokens()


def _tokens() -> list[dict[str, Any]]:
    return [
        {
            "object": "organization.usage.completions.result",
            "input_tokens": 10,
            "output_tokens": 5,
            "input_cached_tokens": 0,
            "input_audio_tokens": 0,
            "output_audio_tokens": 0,
            "num_model_requests": 1,
            "project_id": "proj_1",
            "user_id": None,
            "api_key_id": f"key_{part}",
            "model": "gpt-4o",
            "batch": False,
            "service_tier": "default",
        }
        for part in range(2)
    ]


async def _serve(state: _State, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while line := await reader.readline():
            target = line.split()[1].decode()
            length = 0
            while (header := await reader.readline()) not in {b"\r\n", b""}:
                if header.lower().startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            if length:
                await reader.readexactly(length)
            parts = urlsplit(target)
            status, body = state.answer(parts.path, parse_qs(parts.query))
            content = body.encode()
            head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n"
            writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
            if parts.path.startswith("/v1/"):
                state.replied_at = time.perf_counter()
    except (ConnectionError, asyncio.IncompleteReadError):
        return
    finally:
        writer.close()


async def _main() -> None:
    state = _State()
    server = await asyncio.start_server(lambda *ends: _serve(state, *ends), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    asyncio.run(_main())
