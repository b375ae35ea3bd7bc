"""Dice: chance that falls the same way for the same seed."""

from __future__ import annotations

from random import Random


def dice(*seed: object) -> Random:
    """Return a source of chance that depends on its arguments alone."""
    return Random(" ".join(map(str, seed)))  # noqa: S311
