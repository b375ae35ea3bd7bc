"""Providers: the companies whose APIs bill you, one module each."""

from __future__ import annotations

from spendguard.providers.base import Provider
from spendguard.providers.deepseek import DeepSeek
from spendguard.providers.openai import OpenAI
from spendguard.providers.openrouter import OpenRouter

PROVIDERS: dict[str, type[Provider]] = {
    "openai": OpenAI,
    "openrouter": OpenRouter,
    "deepseek": DeepSeek,
}
