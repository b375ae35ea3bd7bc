"""Guards: our daemon, and Prometheus with Alertmanager and an exporter, as processes to be weighed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.far_end import FarEnd
from benchmarks.frame import BUILD, OURS
from benchmarks.peers import find
from spendguard.app.clock import utc_now
from spendguard.app.program import App, configure
from spendguard.core.ledger import Kind
from spendguard.core.money import Money
from spendguard.core.windows import DAY, utc_day
from spendguard.store.ledger import Stated

PATIENCE = 120.0
TICK = os.sysconf("SC_CLK_TCK")
BALANCE = 100
"""Dollars of the first account; what is spent beyond them is a crossing."""
UNIT = {"MALLOC_ARENA_MAX": "2"}
"""What the service unit sets in the environment, as far as it matters here."""
_HOW = "install Debian's packages prometheus and prometheus-alertmanager"


def wait(holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Return as soon as something holds.

    Raises:
        RuntimeError: when it does not come to hold.
    """
    ends_at = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > ends_at:
            raise RuntimeError("it did not come to hold")
        rest(0.005)


def rest(seconds: float) -> None:
    """Let time pass, in which only what is measured is at work."""
    time.sleep(seconds)  # noqa: TID251  measuring, not guarding


@dataclass
class Guard:
    """Processes that guard together."""

    pids: list[int]

    @property
    def memory(self) -> int:
        """Resident bytes of them all."""
        return sum(_kibibytes(pid) for pid in self.pids) * 1024

    @property
    def cpu(self) -> float:
        """Seconds of processor time of them all so far."""
        return sum(_ticks(pid) for pid in self.pids) / TICK


def _kibibytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0])


def _ticks(pid: int) -> int:
    parts = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return int(parts[11]) + int(parts[12])


def folder(name: str) -> Path:
    """Return an empty folder to work in."""
    path = BUILD / "running" / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def configured(path: Path, end: FarEnd, accounts: int, interval: str) -> Path:
    """Write a configuration of so many accounts at the far end."""
    tables = (
        f'[[accounts]]\nname = "account-{n}"\nprovider = "openai"\nkey = "sk-admin-{n:016}"\n'
        f'base_url = "{end.url}"\npoll_interval = "{interval}"\n'
        for n in range(accounts)
    )
    told = f'[[channels]]\nname = "ops"\nurl = "json://{end.hook("ours")}"\n'
    url = f'[database]\nurl = "sqlite:///{path / "spendguard.db"}"\n'
    config = path / "spendguard.toml"
    config.write_text(url + "".join(tables) + told, encoding="utf-8")
    return config


def fund(config: Path) -> None:
    """State the balance of the first account as of yesterday, which was read before."""
    at = utc_day(utc_now()).start - DAY
    with App(configure(str(config), os.environ), os.environ) as app:
        app.prepare()
        app.poll(app.account("account-0"))
        stated = Stated(Kind.CHECKPOINT, Money.parse(f"{BALANCE}.00", "USD"), at)
        app.set_balance("account-0", stated)


@contextmanager
def ours(config: Path) -> Iterator[Guard]:
    """Yield our daemon once it says that it is ready."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(f"\0spendguard-benchmark-{os.getpid()}")
        end.settimeout(PATIENCE)
        env = {**os.environ, **UNIT, "NOTIFY_SOCKET": f"@spendguard-benchmark-{os.getpid()}"}
        log = (config.parent / "log").open("a")
        with log, _process([OURS, "--config", str(config), "run"], env, log.fileno()) as pid:
            while not end.recv(4096).startswith(b"READY=1"):
                continue
            end.close()  # nobody reads what else it tells
            yield Guard([pid])


def start_to_ready(config: Path) -> tuple[float, float]:
    """Start our daemon; return the seconds until it is ready, and of processor time."""
    begun = time.perf_counter()
    with ours(config) as guard:
        return time.perf_counter() - begun, guard.cpu


@contextmanager
def peers(
    path: Path, end: FarEnd, accounts: int, every: str, group_wait: str, group_interval: str
) -> Iterator[Guard]:
    """Yield Prometheus, Alertmanager and an exporter that asks the same far end.

    Raises:
        MissingError: when one of them is not on this machine.
    """
    programs = find("prometheus", _HOW), find("prometheus-alertmanager", _HOW)
    ports = [_free_port() for _ in range(3)]
    (path / "rules.yml").write_text(
        "groups:\n- name: money\n  rules:\n  - alert: BalanceLow\n    expr: balance < 5\n"
    )
    (path / "prometheus.yml").write_text(
        f"global:\n  scrape_interval: {every}\n  evaluation_interval: {every}\n"
        f"rule_files: ['{path}/rules.yml']\nalerting:\n  alertmanagers:\n  - static_configs:\n"
        f"    - targets: ['127.0.0.1:{ports[1]}']\nscrape_configs:\n- job_name: money\n"
        f"  static_configs:\n  - targets: ['127.0.0.1:{ports[2]}']\n"
    )
    (path / "alertmanager.yml").write_text(
        f"route:\n  receiver: ops\n  group_wait: {group_wait}\n  group_interval: {group_interval}\n"
        f"receivers:\n- name: ops\n  webhook_configs:\n  - url: http://{end.hook('peer')}\n"
    )
    commands = (
        [
            *(programs[0], f"--config.file={path}/prometheus.yml"),
            *(f"--storage.tsdb.path={path}/data", f"--web.listen-address=127.0.0.1:{ports[0]}"),
        ],
        [
            *(programs[1], f"--config.file={path}/alertmanager.yml"),
            *(f"--storage.path={path}/alerts", f"--web.listen-address=127.0.0.1:{ports[1]}"),
            "--cluster.listen-address=",
        ],
        [
            *(sys.executable, str(Path(__file__).with_name("exporter.py"))),
            *(str(ports[2]), end.url, str(accounts), str(BALANCE)),
        ],
    )
    with ExitStack() as processes, (path / "log").open("a") as log:
        env = dict(os.environ)
        pids = [processes.enter_context(_process(one, env, log.fileno())) for one in commands]
        for port, page in zip(ports, ("/-/ready", "/-/ready", "/metrics"), strict=True):
            wait(lambda port=port, page=page: _answers(port, page))  # type: ignore[misc]
        yield Guard(pids)


@contextmanager
def _process(command: list[str], env: dict[str, str], log: int) -> Iterator[int]:
    child = subprocess.Popen(command, env=env, stdout=log, stderr=log)  # noqa: S603
    try:
        yield child.pid
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(PATIENCE)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _answers(port: int, page: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", page)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
