"""OpenAI's list prices, out of the table that genai-prices brings along, without its guesses.

Only its figures are used, not its arithmetic: that takes the standard price for a tier it does not
know, text's for audio it has no price of, and a whole bucket for one long request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, ModelPrice, TieredPrices

from spendguard.core.money import NANOS
from spendguard.core.prices import MILLION
from spendguard.core.readings import Usage
from spendguard.prices.sheets import Rate, Sheet

BATCH, FLEX = "batch", "flex"
OWN_LISTS = {"decisions": "openai-decisions"}

# Our quantity, the table's price, how many units that is for, and what is charged where the table
# has none: never what is cheaper.
_PRICES: tuple[tuple[str, str, int, str], ...] = (
    ("input", "input_mtok", MILLION, ""),
    ("cached", "cache_read_mtok", MILLION, "input"),
    ("cache_write", "cache_write_mtok", MILLION, "input"),
    ("output", "output_mtok", MILLION, ""),
    ("input_audio", "input_audio_mtok", MILLION, ""),
    ("cached_audio", "cache_audio_read_mtok", MILLION, "input_audio"),
    ("output_audio", "output_audio_mtok", MILLION, ""),
    ("input_image", "input_image_mtok", MILLION, "input"),
    ("output_image", "output_image_mtok", MILLION, ""),
    ("characters", "input_mchars", MILLION, ""),
    ("seconds", "audio_hours", 3600, ""),
)
FILES = "file_search_calls"
_CALLS = {"web_search_calls": "web_searches_kcount", FILES: "storage_searches_kcount"}
_SNAPSHOT = re.compile(r"-20\d\d-[01]\d-[0-3]\d\Z")


def listed(usage: Usage) -> Sheet:
    """Return the list prices for a row of usage; what is not in it has none."""
    hour = usage.window.start.replace(minute=0, second=0, microsecond=0)
    if usage.series in _CALLS:
        return _calls(usage.series, usage.model.lower(), hour)
    provider = OWN_LISTS.get(usage.series, "openai")
    return _sheet(provider, usage.model.lower(), usage.tier.lower(), hour)


@lru_cache(maxsize=4096)
def _sheet(provider: str, name: str, tier: str, at: datetime) -> Sheet:
    model = _model(provider, name)
    if model is None:
        return {}
    context = _context(tier)
    if not context:
        return _rates(model.get_prices(at))
    if _has_variant(model, context, at):
        return _rates(model.get_prices(at, context))
    return _without_variant(_rates(model.get_prices(at)), tier)


def _context(tier: str) -> dict[str, str]:
    if not tier:
        return {}
    return {"processing": BATCH} if tier == BATCH else {"service_tier": tier}


def _has_variant(model: ModelInfo, context: Mapping[str, str], at: datetime) -> bool:
    return any(
        variant.when == context and (variant.constraint is None or variant.constraint.active(at))
        for variant in model.price_variants or ()
    )


def _without_variant(standard: Sheet, tier: str) -> Sheet:
    """Return the prices of a tier that the table does not have: none of one that may be dearer.

    OpenAI states that a batch costs half; what is already cheap is not halved again. Flex is
    never dearer than standard.
    """
    if tier == BATCH:
        half = {"input", "output"}
        return {name: rate.times(1, 2) if name in half else rate for name, rate in standard.items()}
    return standard if tier == FLEX else {}


def _model(provider: str, name: str) -> ModelInfo | None:
    """Return a model, or for a dated snapshot that the table does not know the model it is of."""
    snapshot = get_snapshot()
    for ref in (name, _SNAPSHOT.sub("", name)):
        try:
            return snapshot.find_provider_model(ref, None, provider, None)[1]
        except LookupError:
            continue
    return None


def _rates(prices: ModelPrice) -> Sheet:
    rates: dict[str, Rate] = {}
    for name, key, per, instead in _PRICES:
        own = _rate(prices, key, per)
        if own is None:
            own = rates.get(instead)
        if own is not None:
            rates[name] = own
    return {**rates, **_images(prices, rates), **_held_longer(prices)}


def _images(prices: ModelPrice, rates: Sheet) -> dict[str, Rate]:
    """Return image prices that follow from others.

    A model whose table tells image input apart makes images, and `output` is then their price.
    """
    images: dict[str, Rate] = {}
    own = _rate(prices, "input_image_mtok", MILLION)
    cached = _rate(prices, "cache_image_read_mtok", MILLION) or own or rates.get("cached")
    if cached is not None:
        images["cached_image"] = cached
    if own is not None and "output_image" not in rates and "output" in rates:
        images["output_image"] = rates["output"]
    return images


def _held_longer(prices: ModelPrice) -> dict[str, Rate]:
    """Return the price of cache writes that are held for 12 hours: twice that of others.

    The table has none; LiteLLM's, of 2026-11, has twice for each model it has one of.
    """
    written = _rate(prices, "cache_write_mtok", MILLION)
    return {} if written is None else {"cache_write_12h": written.times(2)}


def _rate(prices: ModelPrice, key: str, per: int) -> Rate | None:
    value = getattr(prices, key)
    if value is None:
        return None
    if isinstance(value, TieredPrices):
        long = [(tier.start, _nanos(tier.price)) for tier in value.tiers]
        return Rate.of(_nanos(value.base), per, long)
    return Rate.of(_nanos(value), per)


def _nanos(price: Decimal) -> int:
    return int((price * NANOS).to_integral_value(ROUND_CEILING))


@lru_cache(maxsize=1024)
def _calls(series: str, name: str, at: datetime) -> Sheet:
    """Return the price of a tool's calls: by model, or where none is told that of all models.

    A search by a preview model costs more than its family's: the list does not tell that apart.
    """
    if series == FILES:
        models = get_snapshot().find_provider(None, "openai", None).models
    else:
        model = None if "search-preview" in name else _model("openai", name)
        models = [] if model is None else [model]
    rates = {_rate(model.get_prices(at), _CALLS[series], 1000) for model in models} - {None}
    [rate] = rates if len(rates) == 1 else [None]
    return {} if rate is None else {"calls": rate}
