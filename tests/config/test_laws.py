"""Whatever the file holds, it is read or refused, and a secret in it is never repeated."""

from __future__ import annotations

import re
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.config import load as loading
from spendguard.config.load import load, render_effective
from spendguard.config.locate import locate
from spendguard.core.errors import ConfigError

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
CANARY = "sk-admin-CANARY0CANARY0CANARY0"
CANARIES = (CANARY, "slack://T0CANARY/B0/x", "4111 1111 1111 1111", "user:CANARY@host")
WHOLE = tomllib.loads(
    re.sub(
        r"^# (?=(?!restore_to)[a-z0-9_]+ = |\[)",
        "",
        EXAMPLE.read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
)

scalars = (
    st.none().map(lambda _: "")
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([date(2026, 1, 1), time(1, 2), datetime(2026, 1, 1, tzinfo=UTC)])
    | st.sampled_from([*CANARIES, "5m", "1.00", "openai-main", "env:X", "file:/x", "https://x.y"])
)
keys = st.text(max_size=8) | st.sampled_from([*CANARIES, "name", "key", "url", "enabled"])
junk = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=5,
)
Place = tuple[str | int, ...]


def places(value: Any, here: Place = ()) -> Iterator[Place]:
    """Every place of a document, those of tables and arrays included."""
    if here:
        yield here
    parts: Any = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    for key, part in parts:
        yield from places(part, (*here, key))


def planted(document: Any, place: Place, value: Any) -> Any:
    if not place:
        return value
    copy: Any = dict(document) if isinstance(document, dict) else list(document)
    copy[place[0]] = planted(document[place[0]], place[1:], value)
    return copy


def messages(document: dict[str, Any], env: dict[str, str]) -> str:
    """All that is said of a document, read or refused; only ConfigError is expected."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "read_toml", lambda _: document)
        try:
            configuration = load(Path("/x/spendguard.toml"), env, ["openai"])
        except ConfigError as error:
            return "\n".join(f"{one.message}\n{one.hint}" for one in error.problems)
    render_effective(configuration)
    return "\n".join(f"{one}\n{one.hint}" for one in configuration.warnings)


@given(st.sampled_from(list(places(WHOLE))), junk)
def test_junk_in_any_place_is_read_or_refused(place: Place, value: Any) -> None:
    said = messages(planted(WHOLE, place, value), {})
    assert "CANARY" not in said
    assert "1111" not in said


@given(st.dictionaries(st.sampled_from(list(WHOLE)) | keys, junk, max_size=4))
def test_any_document_is_read_or_refused(document: dict[str, Any]) -> None:
    said = messages(document, {})
    assert "CANARY" not in said
    assert "1111" not in said


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("place", list(places(WHOLE)), ids=str)
def test_a_secret_in_a_wrong_place_is_not_repeated(place: Place, canary: str) -> None:
    said = messages(planted(WHOLE, place, canary), {})
    assert "CANARY" not in said
    assert "1111" not in said


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "SPENDGUARD_TIMEZONE",
                "SPENDGUARD_DATABASE__URL",
                "SPENDGUARD_HEARTBEAT__URL",
                "SPENDGUARD_QUIET_HOURS__FROM",
                "SPENDGUARD_RULES__BALANCE_LOW__TRIGGER",
                "SPENDGUARD_RULES__GUARD__ENABLED",
                "SPENDGUARD_RULES__GUARD__MINIMUM_FREE",
                "SPENDGUARD_DATABASE",
                "SPENDGUARD_ACCOUNTS",
            ]
        ),
        st.text(max_size=12) | st.sampled_from(CANARIES),
    )
)
def test_junk_in_the_environment_is_read_or_refused(env: dict[str, str]) -> None:
    said = messages(WHOLE, env)
    assert "CANARY" not in said
    assert "1111" not in said


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_file_is_read_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "spendguard.toml"
        path.write_bytes(content)
        with suppress(ConfigError):
            locate(path, {})
        with suppress(ConfigError):
            load(path, {}, ["openai"])
