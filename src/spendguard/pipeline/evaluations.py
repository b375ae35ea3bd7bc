"""Evaluations: what of a judgement is stored for the commands that read, as JSON data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from spendguard.core.burn import runway
from spendguard.core.cards import coming, need, taxed
from spendguard.core.facts import AccountFacts, CardFacts
from spendguard.core.money import Money

HORIZON = timedelta(hours=72)


def account_evaluation(facts: AccountFacts, findings: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what is stored of an account; what is not known is null."""
    position, rate = facts.position, facts.burn
    lasts = None if position is None or not facts.costs_read else runway(position.floor, rate)
    return {
        "balance": None
        if position is None
        else {
            "floor": position.floor.exact(),
            "billed": position.billed.exact(),
            "as_of": position.as_of.isoformat(),
            "source": position.checkpoint.source,
            "costs_read": facts.costs_read,
        },
        "burn_per_day": None if rate is None else rate.per_day.exact(),
        "runway_hours": None if lasts is None else round(lasts / timedelta(hours=1), 1),
        "next_recharge": _next(facts),
        "usage": _usage(facts),
        "strikes": facts.strikes.shown(facts.account),
        "unusable": facts.strikes.unusable,
        "findings": list(findings),
    }


def _usage(facts: AccountFacts) -> dict[str, Any] | None:
    """Return how old usage is, and what the estimates of the last settled days were to the bill."""
    usage = facts.usage
    if usage is None:
        return None
    estimated, booked = usage.estimated, usage.booked
    return {
        "read_at": usage.read_at.isoformat(),
        "estimated": None if estimated is None else estimated.exact(),
        "booked": None if booked is None else booked.exact(),
        "percent": None
        if estimated is None or booked is None
        else estimated.nanos * 100 // booked.nanos,
        "unpriced": sum(one.requests for one in usage.unpriced),
    }


def _next(facts: AccountFacts) -> dict[str, Any] | None:
    """Return the next automatic charge: by the floor at the earliest, by what is billed at the latest."""
    coming_charge, position = facts.next_charge, facts.position
    if coming_charge is None or position is None:
        return None
    earliest = coming_charge.at.isoformat()
    return {
        "expected_at": earliest,
        "earliest": earliest,
        "latest": _latest(facts, coming_charge.at),
        "amount": coming_charge.amount.exact(),
        "card": facts.card,
    }


def _latest(facts: AccountFacts, expected_at: datetime) -> str:
    position, rate = facts.position, facts.burn
    if position is None or rate is None or rate.per_day.nanos <= 0:
        return expected_at.isoformat()
    unsure = runway(position.billed - position.floor, rate) or timedelta(0)
    return (expected_at + unsure).isoformat()


def card_evaluation(facts: CardFacts) -> dict[str, Any]:
    """Return what is stored of a card; an unknown need is null, never zero."""
    until = facts.now + HORIZON
    expected, complete = coming(() if facts.strikes.unusable else facts.payers, facts.now, until)
    wanted, balance = need(facts.card, expected), facts.balance
    short = None if balance is None else max(wanted.amount - balance, Money.zero(balance.currency))
    certain = complete or bool(short)
    return {
        "balance": None if balance is None else balance.exact(),
        "as_of": None if facts.stated_at is None else facts.stated_at.isoformat(),
        "needed": {"amount": wanted.amount.exact(), "until": until.isoformat()}
        if certain
        else None,
        "short_by": short.exact() if certain and short is not None else None,
        "strikes": facts.strikes.worst,
        "unusable": facts.strikes.unusable,
        "complete": complete,
        "coming": [
            {
                "account": charge.account,
                "at": charge.at.isoformat(),
                "amount": charge.amount.exact(),
                "taken": taxed(charge.amount, facts.card.tax_percent).exact(),
            }
            for charge in expected
        ],
    }
