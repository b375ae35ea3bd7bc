"""A far end that answers with a page of costs: 310 rows of 31 days, of which today moves on.

`python -m benchmarks.costs_end FIRST [CERTIFICATE]`, with FIRST in seconds; it prints its port. With
a certificate it speaks TLS and closes each connection after its reply, as a poll of an account
that was left alone for minutes finds it.
"""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
import sys

DAYS, PARTS = 31, 10
_SECONDS = 86400


def page(first: int, turn: int) -> bytes:
    """Return a page of costs from a day on; each turn tells more of the last day."""
    buckets = [
        {
            "object": "bucket",
            "start_time": first + _SECONDS * day,
            "end_time": first + _SECONDS * (day + 1),
            "results": [_result(part, turn * (day == DAYS - 1)) for part in range(PARTS)],
        }
        for day in range(DAYS)
    ]
    whole = {"object": "page", "data": buckets, "has_more": False, "next_page": None}
    return json.dumps(whole).encode()


def _result(part: int, turn: int) -> dict[str, object]:
    return {
        "object": "organization.costs.result",
        "amount": {"value": f"{part}.{turn:06d}", "currency": "usd"},
        "line_item": f"model-{part % 5}, output",
        "project_id": f"proj_{part % 3}",
        "project_name": None,
        "organization_id": "org-1",
        "api_key_id": f"key_{part}",
    }


async def _main(first: int, certificate: str) -> None:
    turns = iter(range(10**6))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                body = page(first, next(turns))
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n"
                head += "Content-Type: application/json\r\n"
                head += "Connection: close\r\n" * bool(certificate)
                writer.write(f"{head}\r\n".encode() + body)
                if certificate:
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    tls = None
    if certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    asyncio.run(_main(int(sys.argv[1]), (*sys.argv, "")[2]))
