"""Ends: what needs a secret, made when first used: providers, senders, readers of mailboxes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING

from spendguard.config.configuration import Configuration
from spendguard.config.secrets import resolve
from spendguard.core.accounts import Account, Mailbox
from spendguard.core.errors import ErrorKind, ProviderError, SpendguardError
from spendguard.mailbox import MailboxError, MailRead, Mark
from spendguard.notify.heartbeat import beat
from spendguard.notify.results import Delivered, Refused
from spendguard.providers import PROVIDERS
from spendguard.providers.base import Clients, Deadline, Provider

if TYPE_CHECKING:
    from spendguard.notify.channel import Channel as Sender


class Ends:
    """Every way out of this process: one HTTP client per proxy, one Apprise object per channel."""

    def __init__(self, configuration: Configuration, env: Mapping[str, str]) -> None:
        self._configuration = configuration
        self._env = env
        self._clients = Clients()
        self._senders: dict[str, Sender | str] = {}
        self._lock = Lock()

    def provider(self, account: Account) -> Provider:
        """Return what reads an account for the length of one poll.

        Raises:
            ProviderError: of kind auth, when the reference of the key does not resolve.
        """
        try:
            key = resolve(account.key, self._env)
            http = self._clients.get(account.proxy)
        except SpendguardError as error:
            raise ProviderError(ErrorKind.AUTH, error.message, error.hint) from None
        return PROVIDERS[account.provider](
            http,
            key.get_secret_value(),
            base_url=account.base_url,
            currency=account.currency,
            deadline=Deadline(),
        )

    def receipts(self, mailbox: Mailbox, mark: Mark | None, now: datetime) -> MailRead:
        """Read what is new in a mailbox.

        Raises:
            MailboxError: when it cannot be read, or its password does not resolve.
        """
        from spendguard.mailbox.read import read

        try:
            password = resolve(mailbox.password, self._env)
        except SpendguardError as error:
            raise MailboxError(ErrorKind.AUTH, error.message, error.hint) from None
        return read(mailbox, password.get_secret_value(), mark, now)

    def sender(self, name: str) -> Sender | str:
        """Return what takes a message to a channel, or why its URL is of no use."""
        with self._lock:
            if name not in self._senders:
                self._senders[name] = self._make_sender(name)
            return self._senders[name]

    def heartbeat(self) -> Delivered | Refused | None:
        """Give a sign of life to the watch that the configuration names; None if it names none."""
        if self._configuration.heartbeat is None:
            return None
        try:
            url = resolve(self._configuration.heartbeat, self._env)
            return beat(self._clients.get(None), url.get_secret_value())
        except SpendguardError as error:
            return Refused(permanent=True, why=error.message)

    def _make_sender(self, name: str) -> Sender | str:
        # Here, for Apprise takes a fifth of the time until the daemon is ready.
        from spendguard.notify.channel import Channel as Sender

        try:
            url = resolve(self._configuration.channel_urls[name], self._env)
            return Sender(name, url.get_secret_value())
        except SpendguardError as error:
            return error.message

    def close(self) -> None:
        """Close every connection."""
        self._clients.close()
