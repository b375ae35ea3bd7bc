"""The receipts mailbox: what mails prove of charges. Read-only: nothing is marked or deleted."""

from __future__ import annotations

from spendguard.mailbox.results import CannotTellError, MailboxError, MailRead, Mark

__all__ = ["CannotTellError", "MailRead", "MailboxError", "Mark"]
