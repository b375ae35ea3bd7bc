"""service: make spendguard a service of systemd, for the machine or for one user."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from spendguard.cli.output import clean, emit, say, warn
from spendguard.cli.parser import Options
from spendguard.cli.service_hints import Hint, after_install, after_uninstall
from spendguard.cli.service_place import HERE, NAME, Place, place_of, user_exists
from spendguard.cli.service_steps import Step, directory, kept, ran, read, removed, written
from spendguard.cli.service_units import (
    UNIT,
    intact,
    out_of_sight,
    running_program,
    sealed,
    shipped,
    unit,
)
from spendguard.core.errors import SpendguardError


def install(options: Options) -> int:
    """Install the unit, its user and its directories, and say what comes next.

    Raises:
        SpendguardError: when something cannot be written, or was edited.
    """
    place = place_of(options)
    steps = list(_installing(place, force=options.force))
    hidden = None if place.user else out_of_sight()
    if hidden is not None:
        warn(
            f"the service will not start: its sandbox hides '{hidden}', which belongs to this "
            "program; install it below /opt or /usr/local, then repeat this with it"
        )
    replaced = any(step.will == "replace" and step.target == str(place.unit) for step in steps)
    changed = any(step.changes for step in steps)
    return _do(
        options, steps, lambda: after_install(place, replaced=replaced) if changed else iter(())
    )


def uninstall(options: Options) -> int:
    """Stop the service and remove what was installed; configuration, history and user stay.

    Raises:
        SpendguardError: when something cannot be removed, or was edited.
    """
    place = place_of(options)
    steps = list(_uninstalling(place, force=options.force))
    return _do(options, steps, lambda: after_uninstall(place))


def _installing(place: Place, *, force: bool) -> Iterator[Step]:
    yield directory(place.configuration, 0o700 if place.user else 0o755)
    yield directory(place.credentials, 0o700)
    if not place.user:
        declared = _placed(
            place, place.sysusers, sealed(shipped("spendguard.sysusers.conf")), force=force
        )
        yield declared
        if declared.changes or not user_exists(place.root):
            yield ran(_sysusers(place), "makes the user and the group spendguard")
    made = _placed(place, place.unit, unit(running_program(), user=place.user), force=force)
    yield made
    if made.changes and place.managed:
        yield ran((*place.control, "daemon-reload"))


def _sysusers(place: Place) -> tuple[str, ...]:
    where = () if place.root == HERE else (f"--root={place.root}",)
    return ("systemd-sysusers", *where, place.sysusers.name)


def _placed(place: Place, path: Path, text: str, *, force: bool) -> Step:
    before = read(path)
    edited = before != text and _is_edited(place, path, before, force=force)
    return written(path, text, aside=edited)


def _is_edited(place: Place, path: Path, text: str | None, *, force: bool) -> bool:
    """Tell whether a file holds anything but what we wrote.

    Raises:
        SpendguardError: when it does, and nobody said `--force`.
    """
    edited = text is not None and not intact(text)
    if edited and not force:
        edit = " ".join((*place.control, "edit", NAME))
        raise SpendguardError(
            f"'{path}' was edited, or is not by `spendguard service install`: nothing was changed",
            f"keep your changes in a drop-in, `{edit}`, then repeat with --force: "
            f"it is put aside as '{path.name}.old'",
        )
    return edited


def _uninstalling(place: Place, *, force: bool) -> Iterator[Step]:
    found = read(place.unit)
    if found is None:
        yield kept(place.unit, "it is not there")
    else:
        edited = _is_edited(place, place.unit, found, force=force)
        if place.managed:
            yield ran((*place.control, "disable", "--now", UNIT), "stops it, now and at boot")
        elif place.wanted.is_symlink():
            yield removed(place.wanted)
        yield removed(place.unit, aside=edited)
        if place.managed:
            yield ran((*place.control, "daemon-reload"))
    if not place.user:
        yield from _without_its_user(place, force=force)
    for path, what in (
        (place.dropins, "your drop-ins"),
        (place.configuration, "the configuration and its secrets"),
        (place.state, "the history"),
    ):
        if path.exists() and not (place.user and path == place.state):
            yield kept(f"{path}/", what)


def _without_its_user(place: Place, *, force: bool) -> Iterator[Step]:
    declared = read(place.sysusers)
    if declared is not None:
        yield removed(
            place.sysusers, aside=_is_edited(place, place.sysusers, declared, force=force)
        )
    if user_exists(place.root):
        yield kept("user and group spendguard", "files belong to them")


def _do(options: Options, steps: Iterable[Step], after: Callable[[], Iterable[Hint]]) -> int:
    steps = list(steps)
    for step in steps:
        if not options.dry_run:
            step.apply()
        if not options.json:
            _tell(step, planned=options.dry_run)
    hints = list(after())
    if options.json:
        _emit(steps, hints, planned=options.dry_run)
        return 0
    if options.dry_run:
        _show(steps)
    _advise(hints)
    return 0


def _emit(steps: Iterable[Step], hints: Iterable[Hint], *, planned: bool) -> None:
    told = [
        {
            "action": step.will,
            "target": step.target,
            "note": step.note or None,
            "content": step.text or None,
        }
        for step in steps
    ]
    after = [{"what": hint.what, "lines": list(hint.lines)} for hint in hints]
    emit({"dry_run": planned, "steps": told, "next": after})


def _tell(step: Step, *, planned: bool) -> None:
    verb = f"would {step.will:9}" if planned else f"{step.did:9}"
    say(f"{verb} {step.target}{f' ({step.note})' if step.note else ''}")


def _show(steps: Iterable[Step]) -> None:
    """Print what the files would hold, as it is: a terminal may break lines, we do not."""
    for step in (step for step in steps if step.text):
        sys.stdout.write(f"\n{clean(step.target)} would hold:\n")
        for line in step.text.splitlines():
            sys.stdout.write(f"    {clean(line)}".rstrip() + "\n")


def _advise(hints: Iterable[Hint]) -> None:
    for number, hint in enumerate(hints, start=1):
        if number == 1:
            sys.stdout.write("\nnext:\n")
        sys.stdout.write(f"  {number}. {clean(hint.what)}:\n")
        for line in hint.lines:
            sys.stdout.write(f"       {clean(line)}\n")
