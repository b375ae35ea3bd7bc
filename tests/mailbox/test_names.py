"""The name service, asked for real on loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from threading import Thread

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from spendguard.mailbox import CannotTellError
from spendguard.mailbox.names import published

RECORDS = {
    "s1._domainkey.tm.openai.com.": ['"v=DKIM1; k=rsa; " "p=AAAA"'],
    "s2._domainkey.tm.openai.com.": ['"some other text"', '"p=BBBB"'],
    "s3._domainkey.tm.openai.com.": [],
}


class NameServer:
    """A name server over UDP; `asked` is every name in order."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broken = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            packet, sender = self._socket.recvfrom(4096)
            if not packet:
                return
            query = dns.message.from_wire(packet)
            name = query.question[0].name.to_text()
            self.asked.append(name)
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.RA
            if self.broken:
                answer.set_rcode(dns.rcode.SERVFAIL)
            elif name not in RECORDS:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            elif RECORDS[name]:
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *RECORDS[name]))
            self._socket.sendto(answer.to_wire(), sender)


@pytest.fixture
def server() -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.close()


def resolver(server: NameServer) -> dns.resolver.Resolver:
    made = dns.resolver.Resolver(configure=False)
    made.nameservers = ["127.0.0.1"]
    made.port = server.port
    return made


def test_a_key_is_put_together_and_asked_for_once(server: NameServer) -> None:
    look_up = published(resolver(server))
    for _ in range(3):
        assert look_up("s1._domainkey.tm.openai.com") == b"v=DKIM1; k=rsa; p=AAAA"
    assert len(server.asked) == 1


def test_a_text_that_is_no_key_is_passed_over(server: NameServer) -> None:
    assert published(resolver(server))("s2._domainkey.tm.openai.com") == b"p=BBBB"


@pytest.mark.parametrize(
    "name", ["nowhere.example", "s3._domainkey.tm.openai.com", "a" * 64, "a..b"]
)
def test_what_is_not_published_is_none(server: NameServer, name: str) -> None:
    assert published(resolver(server))(name) is None


def test_a_server_that_fails_leaves_it_open(server: NameServer) -> None:
    server.broken = True
    look_up = published(resolver(server))
    for _ in range(3):
        with pytest.raises(CannotTellError):
            look_up("s1._domainkey.tm.openai.com")
    assert len(set(server.asked)) == 1
    server.broken = False
    assert published(resolver(server))("s1._domainkey.tm.openai.com")
