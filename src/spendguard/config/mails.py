"""Mails: what the sections of mailboxes hold. Each function returns a value or refuses it."""

from __future__ import annotations

import re

from spendguard.config.places import RefusedError, text
from spendguard.config.problems import quoted, suggestion
from spendguard.config.values import count, texts
from spendguard.core.evidence import Claim, Trust

_ORGANIZATION = re.compile(r"org-[A-Za-z0-9]{1,64}")
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
_AUTHSERV_ID = re.compile(r"[A-Za-z0-9._-]{1,253}")
_SENDER = re.compile(r"(?:[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@)?(?P<domain>[a-z0-9.*-]+)")
_LABELS = re.compile(r"(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)+")


def organization(value: object) -> str:
    """Read the id of an organization, as mails name it."""
    name = text(value)
    if not _ORGANIZATION.fullmatch(name):
        raise RefusedError(
            "is not the id of an organization", "write it as the provider shows it: org-…"
        )
    return name


def host(value: object) -> str:
    """Read the name of a server."""
    name = text(value)
    if not _HOST.fullmatch(name):
        raise RefusedError(
            "is not the name of a server", "write the name alone, such as imap.example.com"
        )
    return name


def port(value: object) -> int:
    """Read a port."""
    return count(value, least=1, most=65535)


def trust(value: object) -> Trust:
    """Read why a mail is believed."""
    word = text(value)
    if word not in list(Trust):
        raise RefusedError(f"unknown trust {quoted(word)}", suggestion(word, list(Trust)))
    return Trust(word)


def claim(value: object) -> Claim:
    """Read what a mail says has happened."""
    word = text(value)
    if word not in list(Claim):
        raise RefusedError(f"unknown claim {quoted(word)}", suggestion(word, list(Claim)))
    return Claim(word)


def authserv_id(value: object) -> str:
    """Read the name of the server whose word is taken."""
    name = text(value)
    if not _AUTHSERV_ID.fullmatch(name):
        raise RefusedError(
            "is not the name of a server",
            "write the first word of the Authentication-Results in one of your mails",
        )
    return name.lower()


def senders(value: object) -> tuple[str, ...]:
    """Read addresses and domains; the end of a domain stands in full, or anybody could own it."""
    known = tuple(sender.lower() for sender in texts([value] if isinstance(value, str) else value))
    for sender in known:
        match = _SENDER.fullmatch(sender)
        if match is None or not _LABELS.fullmatch(match["domain"]):
            raise RefusedError(
                "is neither an address nor a domain",
                "write billing@example.com, receipts+*@example.com, example.com or *.example.com",
            )
    return known


def domains(value: object) -> tuple[str, ...]:
    """Read domains that sign for those below them."""
    known = tuple(domain.lower() for domain in texts(value))
    if not all(_LABELS.fullmatch(domain) and "*" not in domain for domain in known):
        raise RefusedError("is not a domain", "write it in full, such as example.com")
    return known


def expression(value: object) -> str:
    """Read a regular expression."""
    return _expression(value).pattern


def amount_expression(value: object) -> str:
    """Read a regular expression that names an amount."""
    return _with(value, "amount")


def card_expression(value: object) -> str:
    """Read a regular expression that names the last digits of a card."""
    return _with(value, "card")


def _with(value: object, group: str) -> str:
    found = _expression(value)
    if group not in found.groupindex:
        raise RefusedError(
            f"names no group {group!r}", f"put (?P<{group}>…) around what is to be read"
        )
    return found.pattern


def _expression(value: object) -> re.Pattern[str]:
    written = text(value)
    try:
        return re.compile(written)
    except (re.error, RecursionError, OverflowError):
        raise RefusedError(
            "is not a regular expression", "write it in single quotes, so that \\ stays as it is"
        ) from None
