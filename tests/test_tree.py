"""The tree: registries equal directories, every module has its place, no text names what it must not."""

from __future__ import annotations

import os
import pkgutil
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

import spendguard
import spendguard.cli
import spendguard.providers
import spendguard.rules
from spendguard.cli.parser import COMMANDS

ROOT = Path(__file__).parents[1]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def modules(package: Any) -> set[str]:
    return {module.name for module in pkgutil.iter_modules(package.__path__)}


def test_every_rule_module_is_registered_under_its_name() -> None:
    named = {name: rule.__module__ for name, rule in spendguard.rules.RULES.items()}
    assert named == {
        module.replace("_", "-"): f"spendguard.rules.{module}"
        for module in modules(spendguard.rules) - {"base"}
    }


def test_every_rule_says_the_name_it_is_registered_under() -> None:
    assert {name: rule.name for name, rule in spendguard.rules.RULES.items()} == {
        name: name for name in spendguard.rules.RULES
    }


def test_every_provider_module_is_registered_under_its_name() -> None:
    registered = {
        name: provider.__module__.split(".")[2]
        for name, provider in spendguard.providers.PROVIDERS.items()
    }
    assert registered == {name: name for name in modules(spendguard.providers) - {"base"}}


def test_every_command_is_there_and_every_module_of_the_command_line_is_used() -> None:
    named = {command.code.partition(":")[0] for command in COMMANDS.values() if command.code}
    present = modules(spendguard.cli)
    assert named <= present
    sources = (ROOT / "src" / "spendguard" / "cli").glob("*.py")
    imported = set(re.findall(r"spendguard\.cli\.(\w+)", "".join(p.read_text() for p in sources)))
    assert present <= named | imported | {"main"}


def test_every_top_level_module_has_its_place_among_the_layers() -> None:
    contract = PYPROJECT["tool"]["importlinter"]["contracts"][0]
    assert (contract["type"], contract["exhaustive"]) == ("layers", True)
    placed = set(re.findall(r"\w+", " ".join(contract["layers"])))
    assert modules(spendguard) | {"__main__"} <= placed


def test_only_one_file_may_read_the_clock() -> None:
    exempt = PYPROJECT["tool"]["ruff"]["lint"]["per-file-ignores"]
    assert [where for where, rules in exempt.items() if "TID251" in rules] == [
        "src/spendguard/app/clock.py"
    ]
    sources = (ROOT / "src").rglob("*.py")
    assert [path.name for path in sources if re.search(r"noqa:.*TID251", path.read_text())] == []


# Each holds a [character class], so that this file does not name what it looks for.
FORBIDDEN = {
    "a path of the machine it was written on": re.compile(r"(?<![\w.-])/wor[k]/"),
    "a package registry's host": re.compile(r"\bpypi[.](?:org|python)|\bpythonhosted[.]org"),
    "an index address": re.compile(r"--(?:extra-)?index-ur[l]|--find-link[s]"),
    "somebody else's package": re.compile(r"\bpip3? install (?:-\S+ )*spendguar[d](?!-daemon)"),
}


def tracked() -> list[Path]:
    """Every file that is, or is about to be, in the repository."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(ROOT.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    return [path for name in listing.stdout.split("\0") if (path := ROOT / name).is_file()]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")
@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_text_names(what: str) -> None:
    files = tracked()
    assert ROOT / "pyproject.toml" in files
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in files
        if (match := FORBIDDEN[what].search(path.read_text(errors="replace")))
    ]
    assert found == []
