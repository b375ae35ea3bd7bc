"""The units: understood by systemd without a word, each setting explained, the sandbox as hard as told."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEPLOYED = ROOT / "deploy" / "systemd"
UNITS = ("spendguard.service", "user/spendguard.service")
DROPINS = sorted((DEPLOYED / "spendguard.service.d").glob("*.conf"))
PROGRAM = "/opt/spendguard/bin/spendguard"
EXPOSURE = 1.1
SETTING = re.compile(r"^([A-Z][A-Za-z0-9]*)=(.*)$")
# The same for a user and for the machine: what watches over the daemon does not depend on whose it is.
ALIKE = (
    *("Type", "ExecStartPre", "ExecStart", "ExecReload", "Restart", "RestartSec", "WatchdogSec"),
    *("RestartPreventExitStatus", "TimeoutStartSec", "TimeoutStopSec", "LimitCORE"),
    *("StartLimitIntervalSec", "NoNewPrivileges", "SystemCallFilter", "RestrictAddressFamilies"),
)

analyzed = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="NOT TESTED: systemd-analyze is not installed, so nobody has looked at the units",
)


def settings(unit: str) -> list[tuple[str, str]]:
    lines = (DEPLOYED / unit).read_text().splitlines()
    return [(found[1], found[2]) for line in lines if (found := SETTING.match(line))]


def analyze(*arguments: str | Path, units: Path) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze over units of ours alone, beside those of the system."""
    return subprocess.run(  # noqa: S603
        ["systemd-analyze", *map(str, arguments)],  # noqa: S607
        env={
            **os.environ,
            "SYSTEMD_UNIT_PATH": f"{units}:",
            "SYSTEMD_COLORS": "0",
            "XDG_RUNTIME_DIR": str(units),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units as they are installed, with all drop-ins and a program that exists."""
    place = tmp_path / "units"
    shutil.copytree(DEPLOYED, place)
    for unit in UNITS:
        path = place / unit
        path.write_text(path.read_text().replace(PROGRAM, shutil.which("true") or ""))
    return place


@analyzed
@pytest.mark.parametrize("unit", UNITS)
def test_systemd_has_nothing_to_say_about_a_unit(unit: str, units: Path) -> None:
    """It says what it does not know and still ends with 0, so silence is asked for."""
    scope = ("--user",) if unit.startswith("user/") else ("--system",)
    done = analyze(*scope, "--recursive-errors=no", "verify", units / unit, units=units)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@analyzed
def test_systemd_says_something_about_a_unit_that_is_wrong(units: Path) -> None:
    """What the test above relies on."""
    unit = units / "spendguard.service"
    unit.write_text(unit.read_text().replace("ProtectClock=", "ProtectClocks="))
    assert "ProtectClocks" in analyze("verify", unit, units=units).stderr


@analyzed
def test_little_is_exposed(units: Path) -> None:
    unit = units / "spendguard.service"
    done = analyze(
        "security",
        "--offline=yes",
        f"--threshold={EXPOSURE * 10:.0f}",
        "--no-pager",
        unit,
        units=units,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    (found,) = re.findall(r"Overall exposure level for spendguard\.service: ([\d.]+)", done.stdout)
    assert float(found) <= EXPOSURE


@pytest.mark.parametrize("unit", UNITS)
def test_above_each_setting_stands_what_breaks_without_it(unit: str) -> None:
    lines = (DEPLOYED / unit).read_text().splitlines()
    bare = [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if SETTING.match(line) and not before.startswith("# ")
    ]
    assert bare == []


@pytest.mark.parametrize("dropin", DROPINS, ids=lambda path: str(path.name))
def test_a_drop_in_says_where_it_goes(dropin: Path) -> None:
    assert f"/etc/systemd/system/spendguard.service.d/{dropin.name}" in dropin.read_text()


def test_a_users_unit_is_watched_over_as_the_machines_is() -> None:
    machine, user = (
        [setting for setting in settings(unit) if setting[0] in ALIKE] for unit in UNITS
    )
    assert machine == user
    assert {name for name, _ in machine} == set(ALIKE)


def test_a_users_unit_asks_for_nothing_that_takes_root() -> None:
    names = {name for name, _ in settings(UNITS[1])}
    assert not names & {
        "User",
        "Group",
        "StateDirectory",
        "CapabilityBoundingSet",
        "PrivateDevices",
    }
    assert not {name for name in names if name.startswith(("Protect", "Private"))}


def test_members_of_the_group_may_read_and_nobody_else() -> None:
    told = dict(settings(UNITS[0]))
    assert (told["UMask"], told["StateDirectoryMode"], told["Group"]) == (
        "0027",
        "0750",
        "spendguard",
    )
    (line,) = (
        line
        for line in (DEPLOYED / "spendguard.sysusers.conf").read_text().splitlines()
        if not line.startswith("#")
    )
    assert line.split()[:3] == ["u", told["User"], "-"]
