"""Hints: what is left to do by hand once a service is installed or gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from spendguard.cli.service_place import NAME, Place, service_may_read

KEY = "openai_admin_key"


@dataclass(frozen=True, slots=True)
class Hint:
    """One thing to do next, and what to type for it."""

    what: str
    lines: tuple[str, ...]


def after_install(place: Place, *, replaced: bool) -> Iterator[Hint]:
    """Yield the way from an installed unit to a guard that runs."""
    control = " ".join(place.control)
    if replaced:
        yield Hint("let it run by the new unit", (f"{control} restart {NAME}",))
        return
    credentials, configuration = map(place.inside, (place.credentials, place.configuration))
    yield Hint(
        "put each secret into a file of its own",
        (f"install -m 0600 /dev/stdin {credentials}/{KEY}",),
    )
    yield Hint(
        f"hand it to the service, by `{control} edit {NAME}`",
        ("[Service]", f"LoadCredential={KEY}:{credentials}/{KEY}"),
    )
    written = place.configuration / "config.toml"
    if not written.exists():
        known = f"env CREDENTIALS_DIRECTORY={credentials}"
        yield Hint(
            f"write {configuration}/config.toml",
            (f"{known} spendguard init --key credential:{KEY}",),
        )
    elif not place.user and not service_may_read(written):
        told = place.inside(written)
        yield Hint(
            "let the service read its configuration",
            (f"chgrp {NAME} {told}", f"chmod 0640 {told}"),
        )
    yield Hint("start it, now and at every boot", (f"{control} enable --now {NAME}",))
    if place.user:
        yield Hint("let it run while you are logged out", ("loginctl enable-linger",))
    else:
        yield Hint("let somebody ask it without sudo", (f"gpasswd --add SOMEBODY {NAME}",))


def after_uninstall(place: Place) -> Iterator[Hint]:
    """Yield what removes the rest."""
    if place.user or not place.state.exists():
        return
    state, configuration = map(place.inside, (place.state, place.configuration))
    yield Hint(
        "if the history is of no use any more, remove what was kept",
        (f"rm -r {state} {configuration}", f"userdel {NAME}"),
    )
