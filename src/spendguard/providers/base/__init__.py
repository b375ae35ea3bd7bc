"""What every provider is, and what it reads with: in time, within size, and classified."""

from __future__ import annotations

import spendguard.providers.base._httpx  # noqa: F401  before anything else loads httpx
from spendguard.providers.base.api import Api, Params, decode
from spendguard.providers.base.clients import Clients, client, tls_context
from spendguard.providers.base.deadline import Deadline
from spendguard.providers.base.failures import UNREADABLE, Dialect, malformed
from spendguard.providers.base.protocol import Provider
from spendguard.providers.base.wallet import Wallet

__all__ = [
    "UNREADABLE",
    "Api",
    "Clients",
    "Deadline",
    "Dialect",
    "Params",
    "Provider",
    "Wallet",
    "client",
    "decode",
    "malformed",
    "tls_context",
]
