"""Estimates: usage times price, beside what is booked. Of both together nothing counts twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from spendguard.core.spread import SETTLES, divide
from spendguard.core.windows import Window, utc_day

Spender = tuple[str, str, str]  # project, api key, and the model or tool
TOOLS = {
    "web_search_calls": "web search",
    "file_search_calls": "file search",
    "code_interpreter_sessions": "code interpreter",
}
"""Series of which no model is billed, and how the lines begin that they are billed on."""
KeyModel = tuple[str, str]  # api key, model


class Estimate(NamedTuple):
    """What the usage of one spender costs over a day; `nanos` is None where nothing has a price."""

    nanos: int | None
    requests: int
    unpriced: int  # requests among them without a price


@lru_cache(maxsize=1000)  # every line of a bill is asked for at each reading
def billed_on(model: str, line_item: str) -> str:
    """Return what a cost is compared with usage by: its model, or the tool that a line names."""
    line = " ".join(line_item.lower().replace("_", " ").split())
    found = (series for series, begins in TOOLS.items() if line.startswith(begins))
    return model or next(found, "")


def first_unsettled(now: datetime) -> Window:
    """Return the oldest UTC day whose cost may still come: it ended less than 48 h ago."""
    return utc_day(now - SETTLES)


def unbooked(estimated: Mapping[Spender, int], booked: Mapping[Spender, int]) -> dict[Spender, int]:
    """Return what of a UTC day is estimated above what is booked, for each api key and model.

    Money booked for other keys and models makes up for nothing. Projects of one key and model
    share what is missing by how much each of them lacks.
    """
    groups: dict[tuple[str, str], list[Spender]] = defaultdict(list)
    for spender in sorted(estimated.keys() | booked.keys()):
        groups[spender[1:]].append(spender)
    missing: dict[Spender, int] = {}
    for group in groups.values():
        told = [one for one in group if one in estimated]
        lacks = [max(estimated[one] - booked.get(one, 0), 0) for one in told]
        short = sum(estimated[one] for one in told) - sum(booked.get(one, 0) for one in group)
        if told and short > 0:
            weights = lacks if any(lacks) else [1] * len(told)
            missing |= dict(zip(told, divide(short, weights), strict=True))
    return {spender: nanos for spender, nanos in missing.items() if nanos}


def apart(estimated: Mapping[Spender, int], booked: Mapping[Spender, int]) -> int:
    """Return what is booked for keys and models without usage: no estimate makes up for it."""
    used = {spender[1:] for spender in estimated}
    return sum(nanos for spender, nanos in booked.items() if spender[1:] not in used)


def beyond(
    risen: Mapping[Spender, int], estimated: Mapping[Spender, int], booked: Mapping[Spender, int]
) -> dict[KeyModel, int]:
    """Return what a UTC day rose by that its usage does not explain, for each api key and model.

    What usage explains is counted as usage told of it, whenever it is booked. A key and model that
    fell make up for others that rose: a cost that only changed its place is none.
    """
    added, told, known = _together(risen), _together(estimated), _together(booked)
    found = {
        who: max(min(nanos, known.get(who, 0) - told.get(who, 0)), 0)
        for who, nanos in sorted(added.items())
    }
    whole, most = sum(found.values()), max(sum(risen.values()), 0)
    if whole > most:
        found = dict(zip(found, divide(most, [*found.values()]), strict=True))
    return {who: nanos for who, nanos in found.items() if nanos}


def _together(spent: Mapping[Spender, int]) -> dict[KeyModel, int]:
    """Return the sums over the projects of each api key and model."""
    sums: dict[KeyModel, int] = defaultdict(int)
    for spender, nanos in spent.items():
        sums[spender[1:]] += nanos
    return dict(sums)


def drifts(percent: int | None) -> bool:
    """Tell whether estimates are so far from what was booked that prices must be wrong."""
    return percent is not None and not 80 <= percent <= 125


def compared(
    estimates: Mapping[Spender, Estimate], booked: Mapping[Spender, int]
) -> tuple[int, int]:
    """Return the estimate of a day and the bill for the same keys and models.

    One of which a part has no price is left out of both.
    """
    doubtful = {spender[1:] for spender, one in estimates.items() if one.unpriced}
    told = {
        spender: one.nanos
        for spender, one in estimates.items()
        if one.nanos is not None and spender[1:] not in doubtful
    }
    keys = {spender[1:] for spender in told}
    return sum(told.values()), sum(n for spender, n in booked.items() if spender[1:] in keys)
