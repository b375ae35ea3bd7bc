"""channel test: one test message to each channel, past the outbox."""

from __future__ import annotations

import os
from collections.abc import Sequence
from difflib import get_close_matches

from spendguard.app.program import App, configure
from spendguard.cli.output import complain, emit, say
from spendguard.cli.parser import Options
from spendguard.cli.writing import quiet
from spendguard.core.errors import SpendguardError
from spendguard.core.routing import Channel
from spendguard.notify.results import Refused


def test(options: Options) -> int:
    """Send a test message to one channel or to all, and say how it went.

    Raises:
        SpendguardError: when there is no such channel, or none at all.
    """
    quiet()
    configuration = configure(options.config, os.environ)
    channels = _chosen(configuration.channels, options.name)
    with App(configuration, os.environ) as app:
        results = {channel.name: app.send_test(channel) for channel in channels}
    refused = {name: one.why for name, one in results.items() if isinstance(one, Refused)}
    if options.json:
        emit(
            {
                "channels": [
                    {"name": name, "delivered": name not in refused, "error": refused.get(name)}
                    for name in results
                ]
            }
        )
    for name in results:
        if name in refused:
            complain(f"channel '{name}': {refused[name]}", "correct its url; see docs/channels.md")
        elif not options.json:
            say(f"{name}: delivered")
    return 1 if refused else 0


def _chosen(channels: Sequence[Channel], name: str | None) -> Sequence[Channel]:
    if not channels:
        raise SpendguardError("no channel is configured", "add a [[channels]] section")
    if name is None:
        return channels
    known = [channel.name for channel in channels]
    if name not in known:
        close = get_close_matches(name, known, n=1)
        meant = f"did you mean '{close[0]}'? " if close else ""
        raise SpendguardError(f"unknown channel '{name}'", f"{meant}known: {', '.join(known)}")
    return [channel for channel in channels if channel.name == name]
