"""card-short: the card cannot pay the charges that are coming."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from spendguard.core.alerts import Policy
from spendguard.core.cards import Need, coming, first_unpaid, need
from spendguard.core.facts import CardFacts
from spendguard.core.findings import Finding, Severity, Status, Value
from spendguard.core.money import Amount, Money
from spendguard.core.recharge import Coming
from spendguard.rules.base import charge_interval, unknown

LEAST = Amount.parse("5.00")


@dataclass(frozen=True, slots=True)
class CardShort:
    """Fire when a charge within `horizon` cannot be paid, or the card holds less than `minimum`.

    It looks at all accounts of the card together, and says it once, before any trigger is
    crossed.
    """

    name: ClassVar[str] = "card-short"
    policy: ClassVar[Policy] = Policy()

    horizon: timedelta = timedelta(hours=72)
    minimum: Amount = LEAST

    def evaluate(self, facts: CardFacts) -> list[Finding]:
        """Compare what the card holds with what comes; an unknown balance is not enough nor empty."""
        subject = f"card:{facts.card.name}"
        standing = facts.standing.get((self.name, subject))
        held = standing is not None and not facts.ledger_changed
        horizon = self.horizon + self.horizon / 20 if held else self.horizon
        expected, complete = coming(facts.payers, facts.now, facts.now + horizon)
        wanted = need(facts.card, expected)
        values = self._values(facts, wanted)
        if facts.strikes.unusable:
            return [unknown(self.name, subject, "usable-card", **values)]
        if facts.balance is None:
            return [unknown(self.name, subject, "card", **values)]
        step = self._step(facts, facts.balance, wanted, held=held)
        failing = first_unpaid(facts.card, facts.balance, wanted) or next(
            iter(wanted.charges), None
        )
        if step and failing and (held or self._begins(facts, facts.balance, wanted)):
            return [self._fire(subject, step, facts, wanted, failing, values)]
        if not complete:
            return [unknown(self.name, subject, "course", **values)]
        return [Finding(self.name, subject, Status.CLEAR, values=values)]

    def _step(self, facts: CardFacts, balance: Money, wanted: Need, *, held: bool) -> str:
        if not wanted.charges:
            return ""
        margin = 20 if held else 0  # left only 5 % higher than it is entered
        least = self.minimum.of(facts.card.currency)
        if balance.nanos < _over(wanted.amount.nanos, margin):
            return "short"
        return "minimum" if balance.nanos < _over(least.nanos, margin) else ""

    def _begins(self, facts: CardFacts, balance: Money, wanted: Need) -> bool:
        """Tell whether it is time to speak: neither when a charge is only possible, nor too late.

        What must be on the card is counted by the cautious course. To speak on that alone would be
        early more often than right. A charge that leaves no whole margin will most likely succeed:
        it is told once it is due, and the next one like every other.
        """
        unpaid = _from(first_unpaid(facts.card, balance + wanted.margin, wanted), wanted)
        if balance < self.minimum.of(facts.card.currency):
            unpaid = wanted.charges
        if any(self._likely(one, facts.now) for one in unpaid):
            return True
        due = {one.account for one in facts.payers if one.due}
        lacking = _from(first_unpaid(facts.card, balance, wanted), wanted)
        return any(_unsure(one) or (one.at <= facts.now and one.account in due) for one in lacking)

    def _likely(self, one: Coming, now: datetime) -> bool:
        """Tell whether a charge comes in time on the slow course, or is expected well in time.

        One that may come so soon that a warning would be late counts too, however likely.
        """
        if _unsure(one):
            return True
        if one.earliest is not None and one.earliest <= now + self.horizon / 6:
            return True
        surely = one.latest is not None and one.latest <= now + self.horizon
        return surely or one.at <= now + self.horizon * 5 / 6

    def _fire(
        self,
        subject: str,
        step: str,
        facts: CardFacts,
        wanted: Need,
        failing: Coming,
        values: dict[str, Value],
    ) -> Finding:
        balance = facts.balance
        assert balance is not None  # noqa: S101  the caller asked
        least = self.minimum.of(facts.card.currency)
        target = max(wanted.amount, least)
        missing = max(target.nanos - balance.nanos, 0)
        values |= {
            "short_by": Money(missing, balance.currency),
            "first_at": failing.at,
            "fill_by": _deadline(facts.now, failing),
            "paid_before": wanted.charges.index(failing) or None,
            "first_amount": failing.amount,
            "first_account": failing.account,
            "minimum": least,
            **charge_interval(failing, facts.now),
        }
        rank = 2 if step == "short" else 1
        return Finding(self.name, subject, Status.FIRING, Severity.CRITICAL, step, rank, values)

    def _values(self, facts: CardFacts, wanted: Need) -> dict[str, Value]:
        return {
            "card": facts.card.name,
            "balance": facts.balance,
            "stated_at": facts.stated_at,
            "needed": wanted.amount,
            "count": len(wanted.charges) or None,
            "charged": tuple(sorted({one.account for one in wanted.charges})),
            "until": facts.now + self.horizon,
            "hold": wanted.hold if wanted.hold.nanos else None,
            "margin": wanted.margin if wanted.margin.nanos else None,
            "tax_percent": facts.card.tax_percent if facts.card.tax_percent.strip("0.") else None,
        }


def _deadline(now: datetime, failing: Coming) -> datetime | None:
    """Return until when to fill the card: before the charge may come, and with a quarter to spare.

    The quarter is for a burn that grows faster than any history can tell.
    """
    by = min(now + (failing.at - now) * 3 // 4, failing.soonest)
    by = by.replace(minute=0, second=0, microsecond=0)
    return by if by > now else None


def _unsure(one: Coming) -> bool:
    """Tell whether nobody can say how sure it is when a charge comes: then what it needs counts."""
    return one.earliest is None and one.latest is None


def _from(first: Coming | None, wanted: Need) -> tuple[Coming, ...]:
    """Return a charge and those after it: where one is not paid, the later ones are not either."""
    return () if first is None else wanted.charges[wanted.charges.index(first) :]


def _over(nanos: int, margin: int) -> int:
    return nanos + nanos // margin if margin else nanos
