"""Place: where a service of the machine, or of one user, has its files."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from spendguard.cli.parser import Options
from spendguard.cli.service_units import UNIT, running_program
from spendguard.core.errors import SpendguardError, UsageError

NAME = "spendguard"
HERE = Path("/")
_UNITS = Path("etc/systemd/system")


@dataclass(frozen=True, slots=True)
class Place:
    """The files of a service, and the systemd that must hear of them."""

    user: bool
    root: Path
    unit: Path
    configuration: Path
    wanted: Path
    managed: bool  # a systemd runs that must hear of it

    @property
    def credentials(self) -> Path:
        """Where secrets are put, each in a file of its own."""
        return self.configuration / "credentials"

    @property
    def sysusers(self) -> Path:
        """What tells systemd of the user to make."""
        return self.root / "etc/sysusers.d/spendguard.conf"

    @property
    def state(self) -> Path:
        """Where the history of a service of the machine is."""
        return self.root / "var/lib/spendguard"

    @property
    def dropins(self) -> Path:
        """Where the operator's changes to the unit are."""
        return self.unit.with_name(f"{UNIT}.d")

    @property
    def control(self) -> tuple[str, ...]:
        """The command that speaks to this systemd."""
        return ("systemctl", "--user") if self.user else ("systemctl",)

    def inside(self, path: Path) -> Path:
        """Return a path as the service sees it."""
        return HERE / path.relative_to(self.root)


def place_of(options: Options) -> Place:
    """Return the place that the options mean.

    Raises:
        UsageError: for another root together with --user.
        SpendguardError: when it takes root, or there is no such root.
    """
    root = HERE if options.root is None else Path(options.root).absolute()
    if options.user:
        if options.root is not None:
            raise UsageError("--root is for a service of the machine", "leave out --user")
        return _of_user()
    if not root.is_dir():
        raise SpendguardError(f"there is no directory '{root}'", "name the root of an image")
    if root == HERE and os.geteuid() != 0 and not options.dry_run:
        raise SpendguardError(
            "a service of the machine needs root",
            f"put sudo before {running_program()}, or have one for you alone: --user",
        )
    return Place(
        user=False,
        root=root,
        unit=root / _UNITS / UNIT,
        configuration=root / "etc/spendguard",
        wanted=root / _UNITS / "multi-user.target.wants" / UNIT,
        managed=root == HERE and Path("/run/systemd/system").is_dir(),
    )


def _of_user() -> Place:
    given = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    home = given if given.is_absolute() else Path("~").expanduser() / ".config"
    running = os.environ.get("XDG_RUNTIME_DIR")
    return Place(
        user=True,
        root=HERE,
        unit=home / "systemd/user" / UNIT,
        configuration=home / NAME,
        wanted=home / "systemd/user/default.target.wants" / UNIT,
        managed=running is not None and (Path(running) / "systemd").is_dir(),
    )


def user_exists(root: Path) -> bool:
    """Tell whether the user of the service is there."""
    if root != HERE:
        users = root / "etc/passwd"
        return users.exists() and f"\n{NAME}:" in f"\n{users.read_text(encoding='utf-8')}"
    try:
        pwd.getpwnam(NAME)
    except KeyError:
        return False
    return True


def service_may_read(path: Path) -> bool:
    """Tell whether the user of the service may read a file, as far as its mode says."""
    found = path.stat()
    if found.st_mode & stat.S_IROTH:
        return True
    try:
        group = grp.getgrgid(found.st_gid).gr_name
    except KeyError:
        return False
    return group == NAME and bool(found.st_mode & stat.S_IRGRP)
