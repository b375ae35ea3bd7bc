"""Canary secrets: no output, message, file, database page or process list ever holds one."""

from __future__ import annotations

import os
import signal
import zlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from spendguard.app.clock import utc_now
from spendguard.simulator import Fault, Simulator, World
from tests.ends import SlackEnd, SmtpEnd
from tests.system import books
from tests.system.daemon import armed
from tests.system.program import Done, Program, account, channel

ECHOES = ("error", "string", "html", "redirect", "json")
COMMANDS = (
    "check --json",
    "config check",
    "config check --json",
    "doctor",
    "doctor --json",
    "channel test",
    "channel test --json mail",
    "status",
    "status --json",
    "balance",
    "spend --json --by key",
    "spend --csv",
    "alerts --json",
    "alerts show 1",
    "alerts ack 1",
    "alerts silence --account openai-main --for 1h",
    "deposit add openai-main 1.00",
    "deposit list",
    "rules --json",
    "providers",
    "db check",
    "db upgrade",
    "check",
)


@dataclass(frozen=True)
class Canaries:
    """Secrets that no other run uses, each in a file of its own outside of what is searched."""

    directory: Path
    key: str
    token: str
    password: str

    def file(self, name: str, content: str) -> str:
        """Return a reference to a secret."""
        path = self.directory / name
        path.write_text(content, encoding="utf-8")
        path.chmod(0o600)
        return f"file:{path}"

    def slack(self) -> str:
        return self.file("slack", f"slack://T1JJ3T3L2/A1BRTD4JD/{self.token}/#alerts")

    def mail(self, port: int) -> str:
        there = f"127.0.0.1:{port}?from=guard@example.com&to=ops@example.com"
        return self.file("mail", f"mailto://guard:{self.password}@{there}")

    def found(self, content: bytes) -> list[str]:
        """Return which of them a content holds, plain or encoded."""
        parts = (self.key, self.token, self.password)
        return [part for part in parts if any(form in content for form in _forms(part))]

    def check(self, content: str | bytes, where: str = "output") -> None:
        """Fail if a content holds one of them."""
        raw = content.encode() if isinstance(content, str) else content
        assert self.found(raw) == [], where


def _forms(secret: str) -> Iterator[bytes]:
    raw = secret.encode()
    yield raw
    yield raw.hex().encode()
    for shift in range(3):  # base64 is another text at each of three places
        encoded = b64encode(b"\0" * shift + raw)
        yield encoded[4 : len(encoded) // 4 * 4 - 4]


@pytest.fixture
def canaries(tmp_path: Path) -> Canaries:
    mark = sha256(str(tmp_path).encode()).hexdigest()
    directory = tmp_path / "secrets"
    directory.mkdir()
    key = f"sk-admin-canary{mark[:20]}"
    return Canaries(directory, key, f"canary{mark[20:38]}", f"canary{mark[38:54]}")


@pytest.fixture
def world() -> World:
    now = utc_now()
    world = World(now, clock=utc_now)
    world.project("proj_web", "Website")
    for days in range(4):
        at = now - timedelta(days=days)
        world.spend(at, "2.50", project="proj_web", api_key="key_prod", line_item="gpt, input")
    return world


class Echo(ThreadingHTTPServer):
    """A provider, or something in its place, that repeats the key it was given."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        super().__init__(("127.0.0.1", 0), _Echo)

    def __enter__(self) -> Echo:
        Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Echo(BaseHTTPRequestHandler):
    server: Echo

    def do_GET(self) -> None:
        key = self.headers["Authorization"].removeprefix("Bearer ")
        error = f'{{"message": "bad key {key}", "code": "{key}", "type": "{key}"}}'
        status, body, headers = {
            "error": (401, f'{{"error": {error}}}', {"X-Key": key}),
            "string": (403, f'{{"error": "Missing scopes for {key}"}}', {}),
            "html": (200, f"<html>{key}</html>", {"Set-Cookie": f"k={key}"}),
            "redirect": (302, key, {"Location": f"/{key}?key={key}"}),
            "json": (200, f'{{"{key}": "{key}", "data": "{key}"}}', {}),
        }[self.server.mode]
        self.send_response(status, key)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def search(canaries: Canaries, run: Program, *dones: Done) -> None:
    """Look into everything that commands said and left behind."""
    for done in dones:
        canaries.check(done.out)
        canaries.check(done.err)
        assert "Traceback" not in done.err
    for path in (path for path in run.directory.rglob("*") if path.is_file()):
        canaries.check(path.read_bytes(), str(path))
    home = Path(run.env["HOME"])
    for path in (path for path in home.rglob("*") if path.is_file()):
        canaries.check(path.read_bytes(), str(path))
    if books.made(run.database):
        for row in books.ask(run.database, "SELECT path, body FROM raw_replies"):
            canaries.check(zlib.decompress(row["body"]), row["path"])


def test_a_whole_life_with_two_channels_one_of_which_refuses_its_password(
    canaries: Canaries, world: World, tmp_path: Path
) -> None:
    key = canaries.file("key", canaries.key)
    with Simulator(world, canaries.key) as simulator, SlackEnd() as chat, SmtpEnd() as mail:
        channels = channel("chat", canaries.slack()) + channel("mail", canaries.mail(mail.port))
        run = Program(
            tmp_path / "guard", account(simulator.url, key=key) + channels, chat.environment()
        )
        first = [run("check"), run("balance", "set", "openai-main", "4.00")]
        dones = [run(*command.split()) for command in COMMANDS]
        search(canaries, run, *first, *dones)
        assert [done.code for done in (*first, *dones) if done.code not in {0, 1, 2}] == []
        assert len(chat.messages) > 2
        for payload in chat.messages:
            canaries.check(repr(payload))
        assert {row["state"] for row in books.outbox(run.database) if row["channel"] == "mail"} == {
            "owed"
        }


@pytest.mark.parametrize("mode", ECHOES)
def test_a_provider_that_repeats_the_key(mode: str, canaries: Canaries, tmp_path: Path) -> None:
    key = canaries.file("key", canaries.key)
    with Echo(mode) as echo, SlackEnd() as chat:
        channels = channel("chat", canaries.slack())
        run = Program(tmp_path / "guard", account(echo.url, key=key) + channels, chat.environment())
        dones = [run("check"), run("check"), run("check", "--json"), run("doctor")]
        assert [done.code for done in dones] == [69] * 4
        search(canaries, run, *dones, run("alerts", "show", "1"), run("status"))
        titles = [payload["attachments"][0]["title"] for payload in chat.messages]
        assert titles == ["WARNING blind openai-main"]
        for payload in chat.messages:
            canaries.check(repr(payload))


def test_a_daemon_between_ends_that_all_refuse(canaries: Canaries, tmp_path: Path) -> None:
    """A provider that repeats the key, channels and a watch that are dead, a mistaken reload."""
    key = canaries.file("key", canaries.key)
    beat = canaries.file("beat", f"http://127.0.0.1:1/{canaries.token}")
    gone = canaries.file("gone", f"json://u:{canaries.password}@127.0.0.1:1/{canaries.token}")
    with Echo("error") as echo, SmtpEnd() as mail:
        channels = channel("mail", canaries.mail(mail.port)) + channel("gone", gone)
        table = account(echo.url, key=key) + 'poll_interval = "1s"\n'
        rest = f'[heartbeat]\nurl = "{beat}"\n'
        run = Program(tmp_path / "guard", table + channels + rest)
        with armed(run) as daemon:
            for told in ("account cannot be read", "alert firing rule=blind", "heartbeat is not"):
                daemon.said(told)
            for name in ("mail", "gone"):
                daemon.said(f"channel takes no message channel={name}")
            Program(run.directory, f'x = "{canaries.token}"\n{table}')
            daemon.send(signal.SIGHUP)
            daemon.said("configuration refused")
            code = daemon.stop()
        run.config.unlink()
        search(canaries, run, Done(code, "", "\n".join(daemon.lines)))
        assert code == 0


REFUSED = """
{key} = "{key}"
[[accounts]]
name = "a"
provider = "openai"
key = "vault:{key}"
base_url = "http://{key}@127.0.0.1:1/v1"
[[accounts]]
name = "b"
provider = "openai"
key = "env:{key}"
base_url = "https://127.0.0.1:1/v1?key={key}"
proxy = "ftp://user:{key}@127.0.0.1:1"
[[accounts]]
name = "c"
provider = "openai"
key = ["{key}"]
base_url = "{key}"
proxy = "http://user:{key}@"
[[accounts]]
name = "d"
provider = "openai"
key = "{key}\\u0007"
kay = "{key}"
poll_interval = "{key}"
[[channels]]
name = "e"
url = "{token}"
[[channels]]
name = "f"
url = "env:slack://a/b/{token}"
[[channels]]
name = "g"
uri = "slack://a/b/{token}"
[heartbeat]
url = "ftp://u:{password}@127.0.0.1/{token}"
"""
USELESS = """
[[accounts]]
name = "a"
provider = "openai"
key = "{key}"
base_url = "http://127.0.0.1:1/v1"
[[accounts]]
name = "b"
provider = "openai"
key = "{key}"
base_url = "http://127.0.0.1:1/v1"
proxy = "http://user:{key}@127.0.0.1:1"
[[channels]]
name = "c"
url = "slack://{token}"
[[channels]]
name = "d"
url = "slck://a/b/{token}"
[[channels]]
name = "e"
url = "mailto://u:{password}@127.0.0.1:1"
[[channels]]
name = "f"
url = "json://u:{password}@127.0.0.1:1/{token}?-X={key}"
"""


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        pytest.param(REFUSED, [1] * 6, id="refused"),
        pytest.param(USELESS, [1, 69, 69, 2, 1, 1], id="accepted, and of no use"),
        pytest.param('key = "{key}"unquoted', [1] * 6, id="not TOML"),
    ],
)
def test_a_secret_in_the_wrong_place(
    table: str, codes: list[int], canaries: Canaries, tmp_path: Path
) -> None:
    told = table.format(key=canaries.key, token=canaries.token, password=canaries.password)
    run = Program(tmp_path / "guard", told)
    commands = ("config check", "check", "check", "check", "doctor", "channel test")
    dones = [run(*command.split()) for command in commands]
    assert [done.code for done in dones] == codes
    run.config.unlink()
    search(canaries, run, *dones)


def test_a_check_that_waits_shows_no_secret_to_other_users_and_none_when_interrupted(
    canaries: Canaries, world: World, tmp_path: Path
) -> None:
    key = canaries.file("key", canaries.key)
    with Simulator(world, canaries.key) as simulator:
        simulator.fault(Fault.TIMEOUT)
        run = Program(tmp_path / "guard", account(simulator.url, key=key))
        with run.start("check") as child:
            while not simulator.requests and child.poll() is None:
                os.sched_yield()
            assert child.poll() is None
            for part in ("cmdline", "environ"):
                for path in Path("/proc").glob(f"[0-9]*/{part}"):
                    with suppress(OSError):
                        canaries.check(path.read_bytes(), str(path))
            os.killpg(child.pid, signal.SIGINT)
            simulator.stopped.set()
            out, err = child.communicate(timeout=60)
        assert child.returncode != 0
        canaries.check(out + err)
