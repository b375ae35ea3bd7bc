"""Wallets: the APIs of providers that state the balance of a world, and nothing of its costs."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from spendguard.core.money import Money
from spendguard.simulator.costs import dollars
from spendguard.simulator.wire import Reply, Request
from spendguard.simulator.world import World

NOT_MANAGEMENT = "Only management keys can perform this operation"


class OpenRouter:
    """OpenRouter's credits and the guard's own key; with `ordinary`, that is no management key."""

    def __init__(
        self,
        world: World,
        key: str,
        *,
        expires_at: datetime | None = None,
        ordinary: bool = False,
    ) -> None:
        self._world = world
        self._key = key
        self._expires_at = expires_at
        self._ordinary = ordinary

    def answer(self, request: Request, key: str | None, body: bytes = b"") -> Reply:
        """Return the reply to a request that no fault gets in the way of."""
        if key != self._key:
            return _refusal(401, "User not found.")
        match request.method, request.path:
            case "GET", "/credits" if self._ordinary:
                return _refusal(403, NOT_MANAGEMENT)
            case "GET", "/credits":
                used = _used(self._world)
                bought = dollars((self._world.balance + used).nanos)
                told = {"total_credits": bought, "total_usage": dollars(used.nanos)}
                return Reply(200, {"data": told})
            case "GET", "/key":
                expires = None if self._expires_at is None else self._expires_at.isoformat()
                told_key = {"label": "sk-or-v1-0e6...1f2", "expires_at": expires}
                return Reply(200, {"data": told_key})
        return _refusal(404, "Not found")


class DeepSeek:
    """DeepSeek's balance, with `beside` it that of another currency."""

    def __init__(self, world: World, key: str, beside: Money | None = None) -> None:
        self._world = world
        self._key = key
        self._beside = beside

    def answer(self, request: Request, key: str | None, body: bytes = b"") -> Reply:
        """Return the reply to a request that no fault gets in the way of."""
        if key != self._key:
            error = {"message": "Authentication Fails", "type": "authentication_error"}
            return Reply(401, {"error": {**error, "param": None, "code": "invalid_request_error"}})
        if (request.method, request.path) != ("GET", "/user/balance"):
            return Reply(404, {"error": {"message": "Not Found"}})
        shown = [self._beside] if self._beside else []
        infos = [_info(one) for one in (*shown, self._world.balance)]
        return Reply(200, {"is_available": self._world.balance.nanos > 0, "balance_infos": infos})


def _used(world: World) -> Money:
    spent = world.billing.spent()
    nanos = sum(amount for spending, amount in spent if spending.at <= world.now)
    return Money(nanos, world.balance.currency)


def _info(balance: Money) -> dict[str, str]:
    total = format(Decimal(balance.nanos).scaleb(-9), "f")
    return {
        "currency": balance.currency,
        "total_balance": total,
        "granted_balance": "0.00",
        "topped_up_balance": total,
    }


def _refusal(status: int, message: str) -> Reply:
    error: dict[str, Any] = {"code": status, "message": message}
    return Reply(status, {"error": error})
