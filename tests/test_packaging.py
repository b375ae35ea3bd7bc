"""The built wheel, alone in a fresh environment, without what development needs."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENVIRONMENT = dict(os.environ)  # as it came: an installer may need its proxy and certificates

pytestmark = [pytest.mark.wheel, pytest.mark.timeout(900)]


def run(*command: str | Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(  # noqa: S603
        command, cwd=ROOT, env=env or ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", target)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def fresh(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that holds the wheel and what it requires."""
    home = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(home, with_pip=True)
    pip = (home / "bin" / "python", "-m", "pip", "install", "-qq")
    run(*pip, "--require-hashes", "-r", "requirements/run.txt")
    run(*pip, "--no-deps", wheel)
    run(home / "bin" / "python", "-m", "pip", "check")
    return home / "bin"


def below(directory: str, shipped_as: str) -> set[str]:
    """Return the files of a directory by the names they have in the wheel."""
    root = ROOT / directory
    return {
        f"{shipped_as}/{path.relative_to(root)}"
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_package_its_migrations_its_units_and_nothing_else(
    wheel: Path,
) -> None:
    with zipfile.ZipFile(wheel) as archive:
        shipped = set(archive.namelist())
    migrations = below("migrations", "spendguard/_migrations")
    units = below("deploy/systemd", "spendguard/_systemd")
    assert any("/versions/" in name for name in migrations)
    assert "spendguard/_systemd/spendguard.service" in units
    expected = below("src/spendguard", "spendguard") | migrations | units
    assert {name for name in shipped if ".dist-info/" not in name} == expected


def test_the_wheel_installs_its_unit_with_its_own_place_in_it(fresh: Path, tmp_path: Path) -> None:
    run(fresh / "spendguard", "service", "install", "--root", tmp_path)
    unit = (tmp_path / "etc/systemd/system/spendguard.service").read_text()
    assert f"\nExecStart={fresh / 'spendguard'} run\n" in unit


def test_the_wheel_says_its_name_license_and_bounds(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
        assert f"{name.rpartition('/')[0]}/licenses/LICENSE" in archive.namelist()
    assert metadata["Name"] == "spendguard-daemon"
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert "apprise<3,>=2.2" in metadata.get_all("Requires-Dist", [])


def test_the_command_says_its_version(fresh: Path, wheel: Path) -> None:
    version = wheel.name.split("-")[1]
    assert version in run(fresh / "spendguard", "--version")
    assert version in run(fresh / "python", "-m", "spendguard", "--version")


def test_the_wheel_makes_its_database(fresh: Path, tmp_path: Path) -> None:
    config = tmp_path / "spendguard.toml"
    config.write_text(
        f"""
        [database]
        url = "sqlite:///{tmp_path}/spendguard.db"

        [[accounts]]
        name = "openai-main"
        provider = "openai"
        key = "env:OPENAI_ADMIN_KEY"
        currency = "USD"
        """
    )
    env = {"PATH": os.defpath, "HOME": str(tmp_path)}
    run(fresh / "spendguard", "db", "upgrade", "--config", config, env=env)
    assert (tmp_path / "spendguard.db").stat().st_size > 0
    run(fresh / "spendguard", "--config", config, "db", "check", env=env)


def test_the_wheel_brings_nothing_of_development(fresh: Path) -> None:
    for module in ("pytest", "freezegun", "hypothesis", "mypy", "tests"):
        absent = f"import importlib.util as u; assert u.find_spec({module!r}) is None"
        run(fresh / "python", "-I", "-c", absent)
