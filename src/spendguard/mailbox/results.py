"""Results: what a reading of a mailbox gives, and how it fails."""

from __future__ import annotations

from dataclasses import dataclass

from spendguard.core.errors import ProviderError
from spendguard.core.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a mailbox was read; UIDs mean nothing under another `uidvalidity`."""

    uidvalidity: int
    last_uid: int


@dataclass(frozen=True, slots=True)
class MailRead:
    """What new mails tell, in the order they came, and the mark to begin from next time."""

    evidence: tuple[Evidence, ...]
    mark: Mark
    seen: int


class MailboxError(ProviderError):
    """A mailbox could not be read. Its text never holds a password or a foreign message."""


class CannotTellError(Exception):
    """The name service did not answer, so that a signature can be called neither good nor bad."""
