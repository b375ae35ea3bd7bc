"""What a rule is, how a step is graded and left, and the values that several rules share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from spendguard.core.alerts import Policy
from spendguard.core.estimates import drifts
from spendguard.core.facts import AccountFacts, CardFacts, GuardFacts, Standing, Witness
from spendguard.core.findings import Finding, Severity, Status, Value
from spendguard.core.forecasts import Passage
from spendguard.core.ledger import Position
from spendguard.core.recharge import Coming

NARROW = timedelta(hours=6)  # an interval shorter than it is not worth a word
LONGEST_RUNWAY = timedelta(days=3650)  # beyond it a date says nothing


class AccountRule(Protocol):
    """A pure function from what is known of an account to findings; its fields are parameters."""

    name: ClassVar[str]
    policy: ClassVar[Policy]

    def evaluate(self, facts: AccountFacts) -> list[Finding]:
        """Judge the account, one finding for each subject."""
        ...


class CardRule(Protocol):
    """A pure function from what is known of a card, and of the accounts it pays, to findings."""

    name: ClassVar[str]
    policy: ClassVar[Policy]

    def evaluate(self, facts: CardFacts) -> list[Finding]:
        """Judge the card, one finding for each subject."""
        ...


class GuardRule(Protocol):
    """A pure function from what the guard knows of itself to findings."""

    name: ClassVar[str]
    policy: ClassVar[Policy]

    def evaluate(self, facts: GuardFacts) -> list[Finding]:
        """Judge the guard or its channels, one finding for each subject."""
        ...


def rank_under(value: int, thresholds: Sequence[int], held: int = 0) -> int:
    """Return the place, from 1, of the last of the falling `thresholds` that `value` is under.

    The first `held` thresholds are left only 5 % higher than they are entered: money that hovers
    around a threshold does not ring twice.
    """
    rank = 0
    for place, threshold in enumerate(thresholds, start=1):
        margin = abs(threshold) // 20 if place <= held else 0
        if value < threshold + margin:
            rank = place
    return rank


def rank_over(part: int, whole: int, steps: Sequence[int], held: int = 0) -> int:
    """Return how many of the rising percent `steps` part ÷ whole has reached, exactly.

    The first `held` steps are left only when the share has fallen by 5 points from them.
    """
    entered = sum(part * 100 >= step * whole for step in steps)
    kept = sum(part * 100 > max(step - 5, 0) * whole for step in steps[:held])
    return max(entered, kept)


def percent(part: int, whole: int) -> int:
    """Return part ÷ whole in whole percents, rounded down and not below zero; 100 of nothing."""
    return max(part * 100 // whole, 0) if whole > 0 else 100


def grade(rank: int, count: int, ladder: Sequence[Severity]) -> Severity:
    """Return the severity of the `rank`-th of `count` steps: its place in the ladder.

    The last step is always as severe as the ladder's end, however many steps there are.
    """
    return ladder[-1] if rank >= min(count, len(ladder)) else ladder[rank - 1]


def held_rank(standing: Mapping[tuple[str, str], Standing], rule: str, subject: str) -> int:
    """Return the rank at which the alert of (rule, subject) stands, 0 without one."""
    former = standing.get((rule, subject))
    return 0 if former is None else former.rank


def unknown(rule: str, subject: str, missing: str, **values: Value) -> Finding:
    """Return the finding of a rule that cannot tell, for want of `missing`."""
    return Finding(rule, subject, Status.UNKNOWN, values={**values, "missing": missing})


def known_position(facts: AccountFacts) -> Position | None:
    """Return the balance where rules may look at it: stated, read since, and not contradicted."""
    return facts.position if facts.costs_read and facts.proven_at is None else None


def unread(rule: str, facts: AccountFacts, **values: Value) -> Finding:
    """Return the finding of a rule that needs the balance, while that is not known.

    Credit that usage has proved ends what was said of the credit's end; then nothing is known.
    """
    told = read_values(facts) | values
    if facts.proven_at is not None:
        if (rule, facts.account) in facts.standing:
            return Finding(rule, facts.account, Status.CLEAR, values={**told, "proven": True})
        return unknown(rule, facts.account, "credit", **told)
    missing = "checkpoint" if facts.position is None else "costs"
    return unknown(rule, facts.account, missing, **told)


def no_recharge(rule: str, facts: AccountFacts) -> Finding:
    """Return the finding of a rule about coming charges where none can be judged."""
    if facts.recharge is None:
        return unknown(rule, facts.account, "recharge", **read_values(facts))
    if not facts.recharging:
        return Finding(rule, facts.account, Status.CLEAR, values=read_values(facts))
    return unread(rule, facts)


def softened(facts: AccountFacts) -> bool:
    """Tell whether a low balance is the provider's business: its recharge will lift it.

    Not after a failed charge, not while the card is known to be short, nor once the charge is
    overdue where a source would have shown it; where none would, `recharge-missing` asks. Not
    either while the month's limit lets no charge come.
    """
    return (
        facts.recharging
        and not facts.strikes.threaten(facts.account)
        and not facts.card_short
        and not limited(facts)
        and not (facts.overdue and facts.witness is Witness.HEALTHY)
    )


def limited(facts: AccountFacts) -> bool:
    """Tell whether the charge that is due waits for a month whose limit is not used up."""
    coming = facts.next_charge
    return facts.due_since is not None and coming is not None and coming.at > facts.now


def read_values(facts: AccountFacts) -> dict[str, Value]:
    """Return when the account was last read, and how old that is."""
    if facts.polls.last_ok_at is None:
        return {}
    return {"read_at": facts.polls.last_ok_at, "data_age": facts.data_age}


def balance_values(facts: AccountFacts, position: Position) -> dict[str, Value]:
    """Return the balance with the arithmetic behind it, and how long it lasts where that is known."""
    return {
        "floor": position.floor,
        "billed": position.billed,
        "as_of": position.as_of,
        "credit": position.credit,
        "expired": position.expired,
        "spent": position.spent,
        "late": position.late,
        "recharge": None if facts.recharge is None else facts.recharge.enabled,
        "card": facts.card,
        **_usage_values(facts, position),
        **checkpoint_values(position),
        **burn_values(facts, position),
        **read_values(facts),
    }


def _usage_values(facts: AccountFacts, position: Position) -> dict[str, Value]:
    """Return what usage adds to what is booked, how far off that may be, and what has no price."""
    told: dict[str, Value] = {}
    if position.unbooked:
        told["unbooked"] = position.unbooked
        percent = None if facts.usage is None else facts.usage.estimated_percent
        told |= {"estimated_percent": percent} if drifts(percent) else {}
    if facts.unpriced:
        told["unpriced"] = facts.unpriced
    return told


def checkpoint_values(position: Position) -> dict[str, Value]:
    """Return the checkpoint that the balance starts from."""
    return {
        "checkpoint_at": position.checkpoint.at,
        "checkpoint_amount": position.checkpoint.amount,
        "checkpoint_source": position.checkpoint.source,
    }


def burn_values(facts: AccountFacts, position: Position) -> dict[str, Value]:
    """Return the burn, and when the floor is used up at it; nothing of what is not known."""
    burn = facts.burn
    if burn is None:
        return {}
    told: dict[str, Value] = {"burn_per_day": burn.per_day, "burn_days": burn.days}
    if position.floor.nanos <= 0 or burn.per_day.nanos <= 0:
        return told
    seconds = position.floor.nanos * 86_400 // burn.per_day.nanos
    if seconds > LONGEST_RUNWAY.total_seconds():
        return told
    runway = timedelta(seconds=seconds)
    if position.as_of + runway <= facts.now:  # old data: the date would be in the past
        return told
    return told | {"runway": runway, "empties_at": position.as_of + runway}


def charge_interval(coming: Coming, now: datetime) -> dict[str, Value]:
    """Return between which instants a charge comes eight times in ten, where that says anything."""
    return interval_values(Passage(coming.earliest, coming.at, coming.latest), now)


def interval_values(found: Passage, now: datetime) -> dict[str, Value]:
    """Return between which instants something comes eight times in ten, where that says anything."""
    if found.p10 is None or found.p50 is None or found.p50 <= now:
        return {}
    if found.p90 is not None and found.p90 - found.p10 < NARROW:
        return {}
    return {"earliest": found.p10, "latest": found.p90}
