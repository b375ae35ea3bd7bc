"""The receipts mailbox on a real server: Debian's Dovecot over TLS, started for this test alone."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Self

import pytest
import trustme
from imapclient import IMAPClient

from spendguard.core.accounts import Mailbox
from spendguard.core.errors import ErrorKind
from spendguard.mailbox import MailboxError, Mark
from spendguard.mailbox.read import read
from tests.mailbox.corpus import CORPUS, Case, good
from tests.mailbox.post import NOW, dns, funded
from tests.mailbox.test_corpus import told

DOVECOT = shutil.which("dovecot", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
USER, PASSWORD = "billing@acme.example", 'hunter2 "quoted"'
CONFIGURATION = """
protocols = imap
listen = 127.0.0.1
base_dir = {home}/run
log_path = {home}/log
ssl = required
ssl_cert = <{home}/cert.pem
ssl_key = <{home}/key.pem
mail_location = maildir:{home}/Maildir
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {home}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
"""


def version() -> str:
    assert DOVECOT is not None
    done = subprocess.run([DOVECOT, "--version"], capture_output=True, text=True, check=True)  # noqa: S603
    return done.stdout.strip()


def why_not() -> str:
    """Say what is missing for this test, which then stands in the summary in capitals."""
    if DOVECOT is None:
        return "NO REAL MAIL SERVER WAS TRIED: apt-get install dovecot-imapd"
    if not version().startswith("2.3."):
        return (
            f"NO REAL MAIL SERVER WAS TRIED: this test configures Dovecot 2.3, here is {version()}"
        )
    return ""


pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


class Dovecot:
    """A server with one user, whose mails are files in a Maildir."""

    def __enter__(self) -> Self:
        # Not under pytest's own directory: the path of a UNIX socket holds 107 signs.
        self.home = Path(tempfile.mkdtemp(prefix="sg-dovecot-"))
        self.new = self.home / "Maildir" / "new"
        for part in ("new", "cur", "tmp"):
            (self.home / "Maildir" / part).mkdir(parents=True)
        authority = trustme.CA()
        leaf = authority.issue_cert("127.0.0.1")
        self.ca = self.home / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca))
        leaf.private_key_pem.write_to_path(str(self.home / "key.pem"))
        (self.home / "cert.pem").write_bytes(leaf.cert_chain_pems[0].bytes())
        (self.home / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}::::::\n", encoding="utf-8")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._configure()
        self._process = subprocess.Popen(  # noqa: S603
            [str(DOVECOT), "-F", "-c", str(self.home / "dovecot.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)
        shutil.rmtree(self.home)

    def _configure(self) -> None:
        us = pwd.getpwuid(os.getuid()).pw_name
        root = os.getuid() == 0  # Dovecot gives root no mail
        owner = pwd.getpwnam("nobody" if root else us)
        text = CONFIGURATION.format(
            home=self.home,
            port=self.port,
            internal="dovecot" if root else us,
            group="dovecot" if root else grp.getgrgid(owner.pw_gid).gr_name,
            login="dovenull" if root else us,
            uid=owner.pw_uid,
            gid=owner.pw_gid,
        )
        (self.home / "dovecot.conf").write_text(text, encoding="utf-8")
        if root:
            self.home.chmod(0o755)
            for path in [self.home, *self.home.rglob("*")]:
                os.chown(path, owner.pw_uid, owner.pw_gid)

    def deliver(self, number: int, case: Case) -> None:
        """Let a mail arrive."""
        path = self.new / f"{int(case.arrived_at.timestamp())}.M{number:06d}.host"
        path.write_bytes(case.raw.replace(b"\r\n", b"\n"))
        stamp = case.arrived_at.timestamp()
        os.utime(path, (stamp, stamp))
        if os.getuid() == 0:
            os.chown(path, pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)

    def client(self) -> IMAPClient:
        """Return somebody else's connection to the mailbox."""
        context = ssl.create_default_context(cafile=str(self.ca))
        client = IMAPClient("127.0.0.1", self.port, ssl_context=context, timeout=5)
        client.login(USER, PASSWORD)
        return client

    def log(self) -> str:
        """Return what the server says of itself."""
        log = self.home / "log"
        return log.read_text(encoding="utf-8") if log.exists() else "it said nothing"

    def answers(self) -> bool:
        """Tell whether somebody can log in."""
        try:
            self.client().logout()
        except (OSError, IMAPClient.Error):
            return False
        return True


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with Dovecot() as server:
        assert any(server.answers() or Event().wait(0.1) for _ in range(200)), server.log()
        for number, case in enumerate(CORPUS):
            if case.trust == "dkim":
                server.deliver(number, case)
        yield server


def box(server: Dovecot) -> Mailbox:
    return Mailbox(
        "receipts", "127.0.0.1", USER, "env:MAIL_PASSWORD", port=server.port, tls_ca=str(server.ca)
    )


def flags(server: Dovecot) -> list[tuple[bytes, ...]]:
    """Return the marks of every mail, as somebody else sees them."""
    with server.client() as client:
        client.select_folder("INBOX", readonly=True)
        found = client.fetch(client.search("ALL"), ["FLAGS"])
    return [tuple(one for one in mail[b"FLAGS"] if one != b"\\Recent") for mail in found.values()]


def test_the_corpus_is_read_from_a_real_server_and_no_mail_is_marked(server: Dovecot) -> None:
    cases = [case for case in CORPUS if case.trust == "dkim"]
    found = read(box(server), PASSWORD, None, NOW, dns=dns)

    # Why a mail is not believed may differ: Dovecot mends what is not formed as a mail is.
    expected = [case.tells.partition(":")[0] for case in cases if case.tells != "ignored"]
    assert [told(one).partition(":")[0] for one in found.evidence] == expected
    assert found.seen == len(cases)
    assert flags(server) == [()] * len(cases)

    again = read(box(server), PASSWORD, found.mark, NOW, dns=dns)
    assert (again.evidence, again.mark) == ((), found.mark)

    anew = read(box(server), PASSWORD, Mark(found.mark.uidvalidity + 1, 0), NOW, dns=dns)
    assert anew.evidence == found.evidence

    late = Case("late", good(funded("$77.00"), 5000), "", arrived_at=NOW + timedelta(minutes=1))
    server.deliver(9999, late)
    more = read(box(server), PASSWORD, found.mark, NOW + timedelta(minutes=2), dns=dns)
    assert [str(one.amount) for one in more.evidence] == ["77.00 USD"]
    assert flags(server) == [()] * (len(cases) + 1)


def test_a_real_server_refuses_and_is_understood(server: Dovecot) -> None:
    with pytest.raises(MailboxError) as caught:
        read(box(server), "wrong-and-s3cret", None, NOW, dns=dns)
    assert caught.value.kind is ErrorKind.AUTH
    assert "s3cret" not in str(caught.value)
