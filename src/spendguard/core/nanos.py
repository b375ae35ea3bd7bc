"""Nanos: how billionths are written and rounded. Alone, for commands that only print sums."""

from __future__ import annotations

NANOS = 1_000_000_000
_CENT = NANOS // 100


def exact(nanos: int) -> str:
    """Return the decimal string of JSON: exact, with at least two decimals."""
    sign = "-" if nanos < 0 else ""
    whole, rest = divmod(abs(nanos), NANOS)
    fraction = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{sign}{whole}.{fraction}"


def floored(nanos: int) -> int:
    """Round down to the cent, also below zero: how a balance is shown."""
    return nanos // _CENT * _CENT


def ceiled(nanos: int) -> int:
    """Round up to the cent: how spend is shown."""
    return -floored(-nanos)
