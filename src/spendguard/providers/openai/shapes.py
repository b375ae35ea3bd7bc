"""The shapes of OpenAI's replies: what we read of them, and nothing else."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import TypeVar

import msgspec

from spendguard.core.errors import ProviderError
from spendguard.core.money import Money, currency_code, nanos_of
from spendguard.providers.base import UNREADABLE, decode, malformed
from spendguard.providers.openai.refusals import NAME

T = TypeVar("T")
P = TypeVar("P", bound="Part")


class Page(msgspec.Struct):
    """A page of buckets."""

    data: msgspec.Raw
    has_more: bool | None = None
    next_page: str | None = None


class Part(msgspec.Struct):
    """A part of a list: what it is stands in `object`."""

    object: str


class Bucket(Part):
    """One UTC day of costs; a minute, an hour or a UTC day of usage."""

    start_time: int
    results: msgspec.Raw
    end_time: int | None = None


class Amount(msgspec.Struct):
    """Dollars. A number by the schema; a string in production since 2026-05 (CodexBar #999)."""

    value: Decimal | None = None
    currency: str | None = None


class CostsResult(Part):
    """What one combination of line item, project and api key cost."""

    amount: Amount | None = None
    line_item: str | None = None
    project_id: str | None = None
    api_key_id: str | None = None


class UsageResult(Part):
    """What one combination of dimensions used; each series tells some of the measures.

    Of the schema's sums only those are read that tell something the parts do not.
    """

    input_tokens: Decimal | None = None
    input_cached_tokens: Decimal | None = None
    input_cached_text_tokens: Decimal | None = None
    input_cached_audio_tokens: Decimal | None = None
    input_cached_image_tokens: Decimal | None = None
    input_cache_write_tokens: Decimal | None = None
    input_cache_write_30m_tokens: Decimal | None = None
    input_cache_write_12h_tokens: Decimal | None = None
    input_audio_tokens: Decimal | None = None
    input_image_tokens: Decimal | None = None
    output_tokens: Decimal | None = None
    output_audio_tokens: Decimal | None = None
    output_image_tokens: Decimal | None = None
    images: Decimal | None = None
    characters: Decimal | None = None
    seconds: Decimal | None = None
    usage_bytes: Decimal | None = None
    num_sessions: Decimal | None = None
    num_requests: Decimal | None = None
    num_model_requests: Decimal | None = None
    project_id: str | None = None
    api_key_id: str | None = None
    model: str | None = None
    batch: bool | None = None
    service_tier: str | None = None
    size: str | None = None
    context_level: str | None = None


class ListPage(msgspec.Struct):
    """A page of a list."""

    data: msgspec.Raw
    has_more: bool | None = None
    last_id: str | None = None


class SpendLimit(msgspec.Struct):
    """A spend limit in cents; what GET answers where none is set is not documented."""

    threshold_amount: int | None = None
    currency: str | None = None
    interval: str = "month"
    enforcement: dict[str, object] | None = None


class SpendAlert(Part):
    """A spend alert in cents."""

    id: str
    threshold_amount: int
    currency: str | None = None
    interval: str = "month"


class AdminKey(Part):
    """An admin key of the organization."""

    redacted_value: str
    expires_at: int | None = None


class Project(Part):
    """A project; archived ones are listed too."""

    id: str
    name: str | None = None
    status: str | None = None
    archived_at: int | None = None


class ApiKey(Part):
    """An api key of a project."""

    id: str
    name: str | None = None
    owner_project_access: str | None = None


def known(parts: msgspec.Raw, kind: str, shape: type[P]) -> list[P]:
    """Return the parts of a list whose `object` is `kind`.

    The list of kinds grows. Where one of them has another shape, each part is looked at by itself.
    """
    try:
        return [part for part in _whole(shape).decode(parts) if part.object == kind]
    except UNREADABLE:
        each = read(parts, list[msgspec.Raw])
        return [read(part, shape) for part in each if read(part, Part).object == kind]


@cache
def _whole(shape: type[P]) -> msgspec.json.Decoder[list[P]]:
    return msgspec.json.Decoder(list[shape])  # type: ignore[valid-type]


def read(body: msgspec.Raw, shape: type[T]) -> T:
    """Return a part of a reply as a value of `shape`."""
    return decode(NAME, body, shape)


def wrong(what: str) -> ProviderError:
    """Return the error for a reply that means nothing, although its shape is right."""
    return malformed(NAME, what)


def money(value: Decimal, currency: str) -> Money:
    """Return an amount of whole units.

    Raises:
        ProviderError: when it is no amount of money.
    """
    return Money(*nanos(value, currency))


def nanos(value: Decimal, currency: str) -> tuple[int, str]:
    """Return the nanos of an amount of whole units, and its currency; as `money`, but bare."""
    try:
        return nanos_of(value), currency_code(currency)
    except (ValueError, ArithmeticError):
        raise wrong("states an amount that is not money") from None
