"""Something used in each series, and what it was billed."""

from __future__ import annotations

from datetime import datetime

from spendguard.simulator import Count, Metered, World

ON_EVERYTHING = (
    ("gpt-6-astra, input_tokens", "gpt-6-astra", "0.50"),
    ("gpt-6-astra, cached_input_tokens", "gpt-6-astra", "0.02"),
    ("gpt-6-astra, cache_write_tokens", "gpt-6-astra", "0.05"),
    ("gpt-6-astra, output_tokens", "gpt-6-astra", "0.70"),
    ("gpt-6-astra, input_tokens, batch", "gpt-6-astra", "0.10"),
    ("gpt-6-astra, output_tokens, priority", "gpt-6-astra", "0.30"),
    ("gpt-4o, input_tokens", "gpt-4o", "0.03"),
    ("gpt-realtime, input_audio_tokens", "gpt-realtime", "0.32"),
    ("gpt-realtime, output_audio_tokens", "gpt-realtime", "0.64"),
    ("text-embedding-3-small, embedding_tokens", "text-embedding-3-small", "0.002"),
    ("tts-1, characters", "tts-1", "0.015"),
    ("whisper-1, seconds", "whisper-1", "0.006"),
    ("web search tool calls, high", "gpt-4o", "0.02"),
    ("file search tool calls", "", "0.005"),
)
WITHOUT_A_PRICE = (
    ("dall-e-3, images, 1024x1024", "dall-e-3", "0.08"),
    ("code interpreter sessions", "", "0.06"),
)
FREE = (
    Metered("moderations", "input_tokens", "omni-moderation-latest"),
    Metered("vector_stores", "usage_bytes"),
)


def spend_on_everything(
    world: World, at: datetime, project: str = "proj_web", api_key: str = "key_web"
) -> None:
    """Use a little of everything at an instant."""
    for item, model, amount in (*ON_EVERYTHING, *WITHOUT_A_PRICE):
        world.spend(at, amount, project=project, api_key=api_key, line_item=item, model=model)
    for what in FREE:
        world.count(Count(at, what, 1_000, project, api_key))
