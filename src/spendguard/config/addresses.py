"""Addresses and references of the file. Any of them may hold a secret: none is ever repeated."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from spendguard.config.places import RefusedError, text

REFERENCES = ("env", "file", "credential")
HOW = "write env:NAME, file:PATH or credential:NAME"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_VARIABLE = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_CREDENTIAL = re.compile(r"[\w.@-]+", re.ASCII)


def parted(reference: str) -> tuple[str, str]:
    """Return the kind of a reference and what it names; the kind of a literal is empty."""
    scheme, colon, rest = reference.partition(":")
    return (scheme, rest) if colon and scheme in REFERENCES else ("", reference)


def loopback(url: str) -> bool:
    """Tell whether a URL leads to this machine."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def base_url(value: object) -> str:
    """Read where a provider answers: https, or http on this machine, without credentials."""
    url = text(value)
    parts = _split(url)
    if parts.scheme not in {"http", "https"}:
        raise RefusedError(
            "is neither http:// nor https://", "write the address of the provider's API"
        )
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise RefusedError(
            "holds more than a host and a path", "the key belongs into `key`, never into an address"
        )
    if parts.scheme == "http" and not loopback(url):
        raise RefusedError(
            "is http:// to another machine: the key would cross the network in clear",
            "write https://",
        )
    return url


def proxy(value: object) -> str:
    """Read a proxy."""
    url = text(value)
    parts = _split(url)
    if parts.scheme not in {"http", "https", "socks5"} or parts.path not in {"", "/"}:
        raise RefusedError(
            "is not the address of a proxy", "write http://HOST:PORT or socks5://HOST:PORT"
        )
    return url


def holds_password(url: str) -> bool:
    """Tell whether a URL that was accepted holds a password."""
    return urlsplit(url).password is not None


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        complete = bool(parts.hostname) and parts.port != 0 and " " not in url
    except ValueError:
        complete = False
    if not complete:
        raise RefusedError(
            "is not a URL with a host", "write it whole, such as https://api.openai.com/v1"
        )
    return parts


def key(value: object) -> str:
    """Read the reference to a key, or a literal one."""
    reference = _reference(value)
    scheme = _SCHEME.match(reference)
    if not parted(reference)[0] and scheme:
        raise RefusedError("begins like a reference of an unknown kind", HOW)
    return reference


def password(value: object) -> str:
    """Read the reference to a password, or a literal one, which may hold any sign."""
    return _reference(value)


def channel_url(value: object) -> str:
    """Read the reference to an Apprise URL, or a literal one."""
    reference = _reference(value)
    if not parted(reference)[0] and "://" not in reference:
        raise RefusedError("is neither a reference nor a URL", f"{HOW}, or an Apprise URL")
    return reference


def web_url(value: object) -> str:
    """Read the reference to a web address, or a literal one."""
    reference = _reference(value)
    if not parted(reference)[0] and _split(reference).scheme not in {"http", "https"}:
        raise RefusedError("is neither a reference nor a web address", f"{HOW}, or https://…")
    return reference


def _reference(value: object) -> str:
    reference = text(value)
    scheme, name = parted(reference)
    if scheme == "env" and not _VARIABLE.fullmatch(name):
        raise RefusedError(
            "does not name a variable", "write env:NAME, such as env:OPENAI_ADMIN_KEY"
        )
    if scheme == "file" and not name.strip():
        raise RefusedError("does not name a file", "write file:/path/to/the/file")
    if scheme == "credential" and (not _CREDENTIAL.fullmatch(name) or name in {".", ".."}):
        raise RefusedError(
            "does not name a credential", "write credential:NAME, as in LoadCredential="
        )
    return reference
