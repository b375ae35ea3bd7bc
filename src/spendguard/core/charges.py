"""Charges: attempts to take money from a card, and the strikes that failed ones leave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from spendguard.core.money import Money


class Outcome(StrEnum):
    """How a charge ended; an unknown one neither strikes nor clears."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Charge:
    """One attempt. `amount` is the credit it was for, before tax; None where nobody said it."""

    id: str
    account: str
    card: str | None
    amount: Money | None
    at: datetime
    outcome: Outcome
    reason: str = ""
    source: str = "manual"


@dataclass(frozen=True, slots=True)
class Strikes:
    """Consecutive failed charges: of each account with the card, and over all of them.

    Only a confirmed success, or a void, resets them: a deposit, an outage or an unknown charge
    does not.
    """

    to_ban: int
    together: int = 0
    by_account: Mapping[str, int] = field(default_factory=dict)
    last_failed: Mapping[str, Charge] = field(default_factory=dict)

    @property
    def worst(self) -> int:
        """The worse of both counts, over all accounts."""
        return max(self.together, *self.by_account.values(), 0)

    @property
    def unusable(self) -> bool:
        """True when the card counts as banned, for all its accounts."""
        return self.worst >= self.to_ban

    def own(self, account: str) -> int:
        """Return the failed charges in a row of one account with the card."""
        return self.by_account.get(account, 0)

    def threaten(self, account: str) -> bool:
        """Tell whether a charge of this account failed last, or its card is unusable."""
        return self.own(account) > 0 or self.unusable

    def shown(self, account: str) -> int:
        """Return the worse of an account's own count and the card's."""
        return max(self.own(account), self.together)


def strikes(charges: Iterable[Charge], to_ban: int) -> Strikes:
    """Count the strikes that the charges of one card, of any account and order, leave."""
    together, by_account, last = 0, dict[str, int](), dict[str, Charge]()
    for charge in sorted(charges, key=lambda one: (one.at, int(one.id))):
        if charge.outcome is Outcome.SUCCEEDED:
            together = by_account[charge.account] = 0
            last.pop(charge.account, None)
        elif charge.outcome is Outcome.FAILED:
            together += 1
            by_account[charge.account] = by_account.get(charge.account, 0) + 1
            last[charge.account] = charge
    return Strikes(to_ban, together, by_account, last)
