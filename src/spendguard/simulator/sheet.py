"""The sheet: what a line item counts, and what the provider of the simulated world charges for it.

It is the world's own price list, so that what the guard estimates is compared with something that
does not come from the guard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from spendguard.core.money import Money
from spendguard.core.world import Spending


@dataclass(frozen=True, slots=True)
class Metered:
    """What is counted: a measure of a series, of a model, at a tier."""

    series: str
    measure: str
    model: str = ""
    tier: str = ""


# By the second part of a line item such as "gpt-6-astra, input_tokens, batch".
KINDS: Mapping[str, tuple[str, str]] = {
    "input_tokens": ("completions", "input_tokens"),
    "cached_input_tokens": ("completions", "input_cached_tokens"),
    "cache_write_tokens": ("completions", "input_cache_write_tokens"),
    "output_tokens": ("completions", "output_tokens"),
    "input_audio_tokens": ("completions", "input_audio_tokens"),
    "output_audio_tokens": ("completions", "output_audio_tokens"),
    "embedding_tokens": ("embeddings", "input_tokens"),
    "characters": ("audio_speeches", "characters"),
    "seconds": ("audio_transcriptions", "seconds"),
    "images": ("images", "images"),
}
# By the first part of a line item without a model, such as "web search tool calls, high".
TOOLS: Mapping[str, tuple[str, str]] = {
    "web search tool calls": ("web_search_calls", "num_requests"),
    "file search tool calls": ("file_search_calls", "num_requests"),
    "code interpreter sessions": ("code_interpreter_sessions", "num_sessions"),
}

_TOKENS = ("input_tokens", "input_cached_tokens", "input_cache_write_tokens", "output_tokens")
_TEXT: Mapping[str, tuple[int, int, int, int]] = {
    "gpt-6-astra": (10_000, 1_000, 12_500, 50_000),
    "gpt-6-luna": (100, 10, 125, 500),
    "gpt-4o": (2_500, 1_250, 2_500, 10_000),
    "gpt-4o-mini": (150, 75, 150, 600),
    "gpt-realtime": (4_000, 400, 4_000, 16_000),
}
_OTHERS: Mapping[tuple[str, str], int] = {
    ("gpt-realtime", "input_audio_tokens"): 32_000,
    ("gpt-realtime", "output_audio_tokens"): 64_000,
    ("text-embedding-3-small", "input_tokens"): 20,
    ("tts-1", "characters"): 15_000,
    ("whisper-1", "seconds"): 100_000,
}
PRICES: Mapping[tuple[str, str], int] = {
    **{
        (model, measure): nanos
        for model, row in _TEXT.items()
        for measure, nanos in zip(_TOKENS, row, strict=True)
    },
    **_OTHERS,
}
# What costs the same whatever the model, and what a model costs that no public list knows.
COMMON: Mapping[str, int] = {
    "web_search_calls": 10_000_000,
    "file_search_calls": 2_500_000,
    "code_interpreter_sessions": 30_000_000,
    "images": 40_000_000,
}
UNLISTED: Mapping[str, int] = {"input_cached_tokens": 200, "output_tokens": 10_000}
UNLISTED_REST = 2_000
TIERS: Mapping[str, Fraction] = {
    "batch": Fraction(1, 2),
    "flex": Fraction(1, 2),
    "priority": Fraction(2),
}


def metered(spending: Spending) -> Metered | None:
    """Return what a spending counts; None where its line item tells nothing that is counted."""
    if spending.corrects:
        return None
    first, _, rest = spending.line_item.partition(", ")
    if first in TOOLS:
        return Metered(*TOOLS[first], spending.model, rest)
    kind, _, tier = rest.partition(", ")
    if kind in KINDS:
        return Metered(*KINDS[kind], first, tier)
    if spending.model and not spending.line_item:
        return Metered(*KINDS["input_tokens"], spending.model)
    return None


def unit_price(what: Metered) -> int:
    """Return the nanos that one unit costs."""
    nanos = PRICES.get((what.model, what.measure)) or COMMON.get(what.series)
    if nanos is None:
        nanos = UNLISTED.get(what.measure, UNLISTED_REST)
    return int(nanos * TIERS.get(what.tier, Fraction(1)))


def whole(amount: Money, what: Metered) -> Money:
    """Return an amount less what does not pay for a whole unit."""
    return Money(amount.nanos - amount.nanos % unit_price(what), amount.currency)
