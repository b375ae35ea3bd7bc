"""Usage: what was used by minute, hour or UTC day, in each series, grouped as asked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

from spendguard.core.windows import DAY, HOUR, Window
from spendguard.simulator.buckets import Width, groups, page
from spendguard.simulator.meter import Count
from spendguard.simulator.wire import Request, invalid, missing
from spendguard.simulator.world import World

WIDTHS = {
    "1m": Width(timedelta(minutes=1), 60, 1440),
    "1h": Width(HOUR, 24, 168),
    "1d": Width(DAY, 7, 31),
}
FILTERS: Mapping[str, Callable[[Count], str]] = {
    "project_ids": lambda count: count.project,
    "api_key_ids": lambda count: count.api_key,
    "models": lambda count: count.what.model,
}

Dimension: TypeAlias = str | bool | None
Measured: TypeAlias = Counter[str]


def _tier(count: Count) -> str:
    return "default" if count.what.tier in ("", "batch") else count.what.tier


DIMENSIONS: Mapping[str, Callable[[Count], Dimension]] = {
    "project_id": lambda count: count.project or None,
    "user_id": lambda _: None,
    "api_key_id": lambda count: count.api_key or None,
    "model": lambda count: count.what.model or None,
    "batch": lambda count: count.what.tier == "batch",
    "service_tier": _tier,
    "size": lambda count: count.what.tier or None,
    "source": lambda _: "image.generation",
    "vector_store_id": lambda _: None,
    "context_level": lambda count: count.what.tier or None,
    "api_source": lambda _: None,
}
_WHO = ("project_id", "user_id", "api_key_id")
_CALLER = (*_WHO, "model")
_PRICED = (*_CALLER, "batch", "service_tier")


@dataclass(frozen=True, slots=True)
class Series:
    """What a series is called in its results, what groups them, and what they tell."""

    kind: str
    groups: tuple[str, ...]
    measures: Callable[[Measured], dict[str, int]]


def _tokens(used: Measured) -> dict[str, int]:
    cached, written = used["input_cached_tokens"], used["input_cache_write_tokens"]
    fresh, spoken = used["input_tokens"], used["output_audio_tokens"]
    return {
        "input_tokens": fresh + used["input_audio_tokens"] + cached + written,
        "input_cached_tokens": cached,
        "input_cache_write_tokens": written,
        "input_uncached_tokens": fresh + used["input_audio_tokens"],
        "output_tokens": used["output_tokens"] + spoken,
        "input_text_tokens": fresh,
        "output_text_tokens": used["output_tokens"],
        "input_cached_text_tokens": cached,
        "input_audio_tokens": used["input_audio_tokens"],
        "input_cached_audio_tokens": 0,
        "output_audio_tokens": spoken,
        "input_image_tokens": 0,
        "input_cached_image_tokens": 0,
        "output_image_tokens": 0,
        "num_model_requests": max(1, used["requests"]),
    }


def _measured(*names: str, requests: bool = True) -> Callable[[Measured], dict[str, int]]:
    def measures(used: Measured) -> dict[str, int]:
        counted = {name: used[name] for name in names}
        return counted | ({"num_model_requests": max(1, used["requests"])} if requests else {})

    return measures


SERIES: Mapping[str, Series] = {
    "completions": Series("completions", _PRICED, _tokens),
    "decisions": Series("decisions", (*_PRICED, "api_source"), _tokens),
    "embeddings": Series("embeddings", _CALLER, _measured("input_tokens")),
    "moderations": Series("moderations", _CALLER, _measured("input_tokens")),
    "images": Series("images", (*_CALLER, "size", "source"), _measured("images")),
    "audio_speeches": Series("audio_speeches", _CALLER, _measured("characters")),
    "audio_transcriptions": Series("audio_transcriptions", _CALLER, _measured("seconds")),
    "vector_stores": Series(
        "vector_stores", ("project_id",), _measured("usage_bytes", requests=False)
    ),
    "code_interpreter_sessions": Series(
        "code_interpreter_sessions", ("project_id",), _measured("num_sessions", requests=False)
    ),
    "file_search_calls": Series(
        "file_searches", (*_WHO, "vector_store_id"), _measured("num_requests", requests=False)
    ),
    "web_search_calls": Series(
        "web_searches", (*_CALLER, "context_level"), _measured("num_requests")
    ),
}


def usage(world: World, name: str, request: Request) -> dict[str, Any]:
    """Answer `GET /organization/usage/NAME`."""
    series = SERIES.get(name)
    if series is None:
        raise missing()
    width = WIDTHS.get(request.one("bucket_width") or "1d")
    if width is None:
        raise invalid("Invalid value for 'bucket_width'.", "bucket_width")
    asked = groups(request, series.groups)

    wanted = {told: ids for one, told in FILTERS.items() if (ids := request.many(one))}

    def results(window: Window) -> list[dict[str, Any]]:
        used = world.used(name, window)
        counts = [one for one in used if all(told(one) in ids for told, ids in wanted.items())]
        return _results(series, counts, asked)

    return page(request, width, world.now, results)


def _results(
    series: Series, counts: Collection[Count], asked: Collection[str]
) -> list[dict[str, Any]]:
    sums: dict[tuple[Dimension, ...], Measured] = defaultdict(Counter)
    for count in counts:
        apart = tuple(DIMENSIONS[name](count) if name in asked else None for name in series.groups)
        sums[apart][count.what.measure] += count.units
        sums[apart]["requests"] += count.requests
    return [
        {
            "object": f"organization.usage.{series.kind}.result",
            **series.measures(used),
            **dict(zip(series.groups, apart, strict=True)),
        }
        for apart, used in sorted(sums.items(), key=lambda one: str(one[0]))
    ]
