"""Series: what OpenAI counts, what it can be told apart by, and what of it we count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TypeAlias

from spendguard.providers.openai.shapes import UsageResult, wrong

Quantities: TypeAlias = Mapping[str, int]

MOST = 10**15  # of anything in a bucket
_WHO = ("project_id", "api_key_id")
_CALLER = (*_WHO, "model")
_PRICED = (*_CALLER, "batch", "service_tier")


@dataclass(frozen=True, slots=True)
class Series:
    """One series: its path, the kind of its results, what they are grouped by, what is counted."""

    path: str
    kind: str
    groups: tuple[str, ...]
    measure: Callable[[UsageResult], Quantities]

    def quantities(self, result: UsageResult) -> dict[str, int]:
        """Return what was used, without what was not."""
        return {name: count for name, count in self.measure(result).items() if count}

    def requests(self, result: UsageResult) -> int:
        """Return the requests; where OpenAI does not count them, the calls or sessions."""
        if result.num_model_requests is not None:
            return counted(result.num_model_requests)
        return counted(result.num_requests) or counted(result.num_sessions)

    def tier(self, result: UsageResult) -> str:
        """Return what else decides the price."""
        if result.batch:
            return " ".join(("batch", *_named(result.service_tier)))
        return " ".join(
            (*_named(result.service_tier), *_named(result.size), *_named(result.context_level))
        )


def _named(tier: str | None) -> tuple[str, ...]:
    return () if tier in (None, "", "default") else (tier,)


def counted(value: Decimal | None) -> int:
    """Return a count, none where it is not told; a part of a second counts as one.

    Raises:
        ProviderError: when it is no count.
    """
    if not value:  # most of what is told is none
        return 0
    if not value.is_finite() or not 0 <= value <= MOST:
        raise wrong("states a count that is none")
    return int(value.to_integral_value(ROUND_CEILING))


def _told(value: Decimal | None) -> int:
    if value is None:
        raise wrong("does not say how much was used")
    return counted(value)


def _tokens(result: UsageResult) -> Quantities:
    """Return tokens of each price, none of them twice.

    `input_tokens` is all of them; audio and image tokens are told without the cached ones.
    """
    one_by_one = {
        "cached_audio": counted(result.input_cached_audio_tokens),
        "cached_image": counted(result.input_cached_image_tokens),
        "cache_write_12h": counted(result.input_cache_write_12h_tokens),
        "input_audio": counted(result.input_audio_tokens),
        "input_image": counted(result.input_image_tokens),
    }
    apart = one_by_one["cached_audio"] + one_by_one["cached_image"]
    cached = max(0, _cached(result) - apart)
    written = max(0, _written(result) - one_by_one["cache_write_12h"])
    known = sum(one_by_one.values()) + cached + written
    audio, image = counted(result.output_audio_tokens), counted(result.output_image_tokens)
    return {
        **one_by_one,
        "cached": cached,
        "cache_write": written,
        "input": max(0, _told(result.input_tokens) - known),
        "output_audio": audio,
        "output_image": image,
        "output": max(0, _told(result.output_tokens) - audio - image),
    }


def _cached(result: UsageResult) -> int:
    if result.input_cached_tokens is not None:
        return counted(result.input_cached_tokens)
    return (
        counted(result.input_cached_text_tokens)
        + counted(result.input_cached_audio_tokens)
        + counted(result.input_cached_image_tokens)
    )


def _written(result: UsageResult) -> int:
    if result.input_cache_write_tokens is not None:
        return counted(result.input_cache_write_tokens)
    short, long = result.input_cache_write_30m_tokens, result.input_cache_write_12h_tokens
    return counted(short) + counted(long)


def _read(result: UsageResult) -> Quantities:
    return {"input": _told(result.input_tokens)}


_ALL = (
    Series("completions", "completions", _PRICED, _tokens),
    Series("decisions", "decisions", _PRICED, _tokens),
    Series("embeddings", "embeddings", _CALLER, _read),
    Series("moderations", "moderations", _CALLER, _read),
    Series("images", "images", (*_CALLER, "size"), lambda one: {"images": _told(one.images)}),
    Series(
        "audio_speeches",
        "audio_speeches",
        _CALLER,
        lambda one: {"characters": _told(one.characters)},
    ),
    Series(
        "audio_transcriptions",
        "audio_transcriptions",
        _CALLER,
        lambda one: {"seconds": _told(one.seconds)},
    ),
    Series(
        "vector_stores",
        "vector_stores",
        ("project_id",),
        lambda one: {"bytes": _told(one.usage_bytes)},
    ),
    Series(
        "code_interpreter_sessions",
        "code_interpreter_sessions",
        ("project_id",),
        lambda one: {"sessions": _told(one.num_sessions)},
    ),
    Series(
        "file_search_calls", "file_searches", _WHO, lambda one: {"calls": _told(one.num_requests)}
    ),
    Series(
        "web_search_calls",
        "web_searches",
        (*_CALLER, "context_level"),
        lambda one: {"calls": _told(one.num_requests)},
    ),
)
SERIES: Mapping[str, Series] = {series.path: series for series in _ALL}
