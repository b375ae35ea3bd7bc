from __future__ import annotations

import socket
from datetime import timedelta
from pathlib import Path

import pytest

from spendguard.daemon.systemd import Supervisor

PID = 4711


@pytest.mark.parametrize("abstract", [False, True])
def test_assignments_arrive_as_one_datagram(tmp_path: Path, *, abstract: bool) -> None:
    path = f"{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind("\0" + path if abstract else path)
        name = "@" + path if abstract else path
        Supervisor({"NOTIFY_SOCKET": name}, PID).tell("READY=1", "STATUS=well")
        assert end.recv(4096) == b"READY=1\nSTATUS=well"


@pytest.mark.parametrize("env", [{}, {"NOTIFY_SOCKET": "/nowhere/notify"}])
def test_nobody_who_listens_is_no_trouble(env: dict[str, str]) -> None:
    Supervisor(env, PID).tell("READY=1")


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"WATCHDOG_USEC": "180000000"}, timedelta(minutes=3)),
        ({"WATCHDOG_USEC": "180000000", "WATCHDOG_PID": str(PID)}, timedelta(minutes=3)),
        ({"WATCHDOG_USEC": "180000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_known_where_it_is_ours(
    env: dict[str, str], expected: timedelta | None
) -> None:
    assert Supervisor({"NOTIFY_SOCKET": "@x", **env}, PID).watchdog == expected


@pytest.mark.parametrize(
    ("longest", "bites"),
    [(0.0, False), (178.9, False), (179.0, True), (500.0, True)],
)
def test_the_watchdog_bites_before_work_is_under_way_longer_than_it_waits(
    tmp_path: Path, longest: float, *, bites: bool
) -> None:
    path = f"{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(path)
        end.settimeout(0)
        supervisor = Supervisor({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "180000000"}, PID)
        supervisor.see_to(longest)
        told = [end.recv(4096)] if bites else []
        assert told == ([b"WATCHDOG=trigger"] if bites else [])
        with pytest.raises(BlockingIOError):
            end.recv(4096)
