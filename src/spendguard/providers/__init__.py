"""Providers: the companies whose APIs bill you, one module each."""

from __future__ import annotations

from spendguard.providers.base import Provider
from spendguard.providers.openai import OpenAI

PROVIDERS: dict[str, type[Provider]] = {"openai": OpenAI}
