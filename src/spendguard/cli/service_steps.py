"""Steps: the changes of the machine that a service takes. What is told is what is done."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from spendguard.core.errors import SpendguardError

KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Step:
    """One change: its verb before and after, what it is done to, and how."""

    will: str
    did: str
    target: str
    note: str = ""
    apply: Callable[[], None] = lambda: None
    text: str = ""

    @property
    def changes(self) -> bool:
        """True unless everything is as it shall be already."""
        return self.will != KEEP


def kept(target: Path | str, note: str) -> Step:
    """Leave something as it is."""
    return Step(KEEP, "kept", str(target), note)


def directory(path: Path, mode: int) -> Step:
    """Make a directory; one that is there is left as it is."""
    if _there(path) and path.is_dir():
        return kept(f"{path}/", "it is there")
    return Step("create", "created", f"{path}/", f"mode {mode:04o}", lambda: _make(path, mode))


def written(path: Path, text: str, note: str = "", *, aside: bool = False) -> Step:
    """Write a file; a former one goes, or is put aside."""
    there = _there(path)
    if there and not path.is_symlink() and _read(path) == text:
        return kept(path, "it is as it shall be")
    will, did = ("replace", "replaced") if there else ("write", "wrote")
    if aside:
        note = f"the one before is {_aside(path)}"
    return Step(will, did, str(path), note, lambda: _write(path, text, aside=aside), text)


def removed(path: Path, *, aside: bool = False) -> Step:
    """Remove a file, or put it aside."""
    if aside:
        note = f"as {_aside(path)}"
        return Step("put aside", "put aside", str(path), note, lambda: _put_aside(path))
    return Step("remove", "removed", str(path), "", lambda: _unlink(path))


def ran(command: Sequence[str], note: str = "") -> Step:
    """Run a command."""
    return Step("run", "ran", shlex.join(command), note, lambda: _run(command))


def read(path: Path) -> str | None:
    """Return what a file holds, None when there is none.

    Raises:
        SpendguardError: when it cannot be read, or is a link.
    """
    if not _there(path):
        return None
    if path.is_symlink():
        raise SpendguardError(
            f"'{path}' is a link to '{path.readlink()}'",
            "a masked unit is one: `systemctl unmask spendguard`; else remove the link",
        )
    return _read(path)


def _there(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _failed("look at", path, error) from None
    return True


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise _failed("read", path, error) from None


def _make(path: Path, mode: int) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
    except OSError as error:
        raise _failed("create", path, error) from None


def _write(path: Path, text: str, *, aside: bool) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.chmod(0o644)
        if aside:
            path.replace(_aside(path))
        draft.replace(path)
    except OSError as error:
        raise _failed("write", path, error) from None
    finally:
        draft.unlink(missing_ok=True)


def _aside(path: Path) -> Path:
    return path.with_name(f"{path.name}.old")


def _put_aside(path: Path) -> None:
    try:
        path.replace(_aside(path))
    except OSError as error:
        raise _failed("put aside", path, error) from None


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _failed("remove", path, error) from None


def _run(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603
        said, code = (done.stderr or done.stdout).strip(), done.returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        said, code = type(error).__name__, 1
    if code:
        raise SpendguardError(
            f"`{shlex.join(command)}` failed: {said.splitlines()[-1] if said else code}",
            "what was done before it stays; repeat the command when the cause is gone",
        )


def _failed(what: str, path: Path, error: OSError) -> SpendguardError:
    why = (error.strerror or type(error).__name__).lower()
    return SpendguardError(
        f"cannot {what} '{path}': {why}", "a service of the machine needs root; or: --user"
    )
