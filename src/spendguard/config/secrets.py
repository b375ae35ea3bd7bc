"""Secrets: references until they are used, and never in an error."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from spendguard.config.addresses import parted
from spendguard.config.problems import quoted
from spendguard.core.errors import Problem, SpendguardError

LARGEST = 64 * 1024


def resolve(reference: str, env: Mapping[str, str], *, base: Path | None = None) -> SecretStr:
    """Return the secret behind a reference; a relative file is looked for under `base`.

    Raises:
        SpendguardError: when there is none, or it is not one line of text. It names the
            reference, never a value.
    """
    kind, name = parted(reference)
    if kind == "env":
        value = _from_environment(name, env)
    elif kind:
        value = _from_file(secret_file(reference, env, base=base), _called(kind, name))
    else:
        value = name
    return SecretStr(_one_line(value, _called(kind, name)))


def check_reference(
    reference: str, env: Mapping[str, str], *, base: Path | None = None
) -> Problem | None:
    """Return why a reference does not resolve; None when it does."""
    try:
        resolve(reference, env, base=base)
    except SpendguardError as error:
        return Problem(error.message, error.hint)
    return None


def readable_by_everyone(
    reference: str, env: Mapping[str, str], *, base: Path | None = None
) -> bool:
    """Tell whether a reference leads to a file that every user of the machine can read."""
    if parted(reference)[0] != "file":
        return False
    try:
        return bool(secret_file(reference, env, base=base).stat().st_mode & stat.S_IROTH)
    except (OSError, ValueError):
        return False


def secret_file(reference: str, env: Mapping[str, str], *, base: Path | None = None) -> Path:
    """Return the file that a reference of the kinds file and credential leads to.

    Raises:
        SpendguardError: for a credential where systemd hands out none.
    """
    kind, name = parted(reference)
    if kind == "file":
        return (base or Path()) / name
    directory = env.get("CREDENTIALS_DIRECTORY")
    if not directory:
        raise SpendguardError(
            f"{_called(kind, name)} needs systemd, which hands out no credentials here",
            f"in the unit: LoadCredential={name}:/path/to/the/file; elsewhere use file: or env:",
        )
    return Path(directory) / name


def _from_environment(name: str, env: Mapping[str, str]) -> str:
    if name not in env:
        raise SpendguardError(
            f"environment variable {quoted(name)} is not set", "export it, or use file:PATH"
        )
    return env[name]


def _from_file(path: Path, called: str) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a path"
        raise SpendguardError(
            f"{called} cannot be read: {why.lower()}", "check the path and who may read it"
        ) from None
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise SpendguardError(
            f"{called} is not text", "write the secret in it, and nothing else"
        ) from None


def _one_line(value: str, called: str) -> str:
    line = value.removesuffix("\n").removesuffix("\r")
    if not line.strip():
        raise SpendguardError(f"{called} is empty", "put the secret there")
    if not line.isprintable():
        raise SpendguardError(
            f"{called} holds more than one line of text", "put the secret there, and nothing else"
        )
    return line


def _called(kind: str, name: str) -> str:
    if not kind:
        return "the literal secret"
    what = {"env": "environment variable", "file": "file", "credential": "credential"}[kind]
    return f"{what} {repr(name) if kind == 'file' else quoted(name)}"
