"""A configuration to begin with, and a way to write another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from spendguard.config.configuration import Configuration
from spendguard.config.load import load
from spendguard.core.errors import ConfigError


class Load(Protocol):
    def __call__(self, text: str, **env: str) -> Configuration: ...


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "spendguard.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def configure(write: Callable[[str], Path]) -> Load:
    def configure(text: str, **env: str) -> Configuration:
        return load(write(text), env, ["openai", "anthropic"])

    return configure


@pytest.fixture
def problems(configure: Load) -> Callable[..., dict[str, str]]:
    """Load what must be refused; return the hint of each message."""

    def problems(text: str, **env: str) -> dict[str, str]:
        with pytest.raises(ConfigError) as caught:
            configure(text, **env)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        return {one.message: one.hint for one in caught.value.problems}

    return problems
