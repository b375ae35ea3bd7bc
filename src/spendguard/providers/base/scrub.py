"""Scrubbing: a reply without names, mail addresses and keys, short enough to be kept."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import msgspec

from spendguard.providers.base.failures import UNREADABLE

LONGEST = 256 * 1024
LONGEST_TEXT = 4 * 1024
BLANK = "-"
PRIVATE = frozenset(
    {
        "display_name",
        "email",
        "first_name",
        "full_name",
        "last_name",
        "name",
        "owner",
        "phone",
        "recipients",
        "redacted_value",
        "subject_prefix",
        "user",
        "username",
        "value_preview",
    }
)
_MAIL = re.compile(r"[^\s\"'<>,;:@]{1,64}@[^\s\"'<>,;@]{1,255}")
_KEY = re.compile(r"\bsk-[^\s\"'<>,;]*")
_SUSPECT = (b"@", b"sk-", *(f'"{name}":'.encode() for name in PRIVATE))
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def scrubbed(body: bytes, key: str) -> str:
    """Return a body for keeping. Figures stay exactly as they came; what names people does not.

    JSON that does not parse is dropped, for nobody can tell what in it is a name.
    """
    try:
        value = _decoder.decode(body)
        text = _encoder.encode(value)
        if key.encode() in text or any(part in text for part in _SUSPECT):
            text = _encoder.encode(_cleaned(value, key))
    except (*UNREADABLE, ArithmeticError):  # Decimal refuses 9e9999999999999999999
        return _unreadable(body, key)
    return text[:LONGEST].decode(errors="ignore")


def _cleaned(value: Any, key: str) -> Any:
    if isinstance(value, str):
        return _plain(value, key)
    if isinstance(value, list):
        return [_cleaned(part, key) for part in value]
    if isinstance(value, dict):
        return {
            _plain(name, key): BLANK if name in PRIVATE else _cleaned(part, key)
            for name, part in value.items()
        }
    return value


def _plain(text: str, key: str) -> str:
    return _KEY.sub(BLANK, _MAIL.sub(BLANK, text.replace(key, BLANK) if key else text))


def _unreadable(body: bytes, key: str) -> str:
    if body.lstrip()[:1] in (b"{", b"["):
        return f"unreadable JSON of {len(body)} bytes"
    text = body[:LONGEST_TEXT].decode(errors="replace").replace("\0", "")
    return _plain(text, key)
