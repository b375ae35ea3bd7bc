"""Evaluations: what of a judgement is stored for the commands that read, as JSON data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from spendguard.core.cards import coming, need, taken
from spendguard.core.facts import AccountFacts, BudgetUse, CardFacts
from spendguard.core.money import Money
from spendguard.core.outlook import train
from spendguard.core.recharge import Coming
from spendguard.core.windows import utc_month

HORIZON = timedelta(hours=72)


def account_evaluation(facts: AccountFacts, findings: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what is stored of an account; what is not known is null."""
    position, rate = facts.position, facts.burn
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
        "runway_hours": _runway_hours(facts),
        "next_recharge": _next(facts),
        "usage": _usage(facts),
        "strikes": facts.strikes.shown(facts.account),
        "unusable": facts.strikes.unusable,
        "foresight": _foresight(facts),
        "findings": list(findings),
    }


def _usage(facts: AccountFacts) -> dict[str, Any] | None:
    """Return how old usage is, and what the estimates of the last settled days were to the bill."""
    usage = facts.usage
    if usage is None:
        return None
    return {
        "read_at": usage.read_at.isoformat(),
        "percent": usage.estimated_percent,
        "days": [
            {
                "day": one.day.isoformat(),
                "estimated": one.estimated.exact(),
                "booked": one.booked.exact(),
                "percent": one.percent,
            }
            for one in usage.settled
        ],
        "unpriced": sum(one.requests for one in usage.unpriced),
    }


def _runway_hours(facts: AccountFacts) -> float | None:
    """Return how long the floor lasts as spend is expected to go on, without a recharge."""
    if facts.outlook is None:
        return None
    middle = facts.outlook.middle
    end = middle.falls_to(Money.zero(facts.currency))
    return None if end is None else round((end - middle.at) / timedelta(hours=1), 1)


def _next(facts: AccountFacts) -> dict[str, Any] | None:
    """Return the next automatic charge, and between which instants it comes eight times in ten."""
    return None if facts.next_charge is None else {**_charge(facts.next_charge), "card": facts.card}


def _charge(one: Coming) -> dict[str, Any]:
    return {
        "expected_at": one.at.isoformat(),
        "earliest": None if one.earliest is None else one.earliest.isoformat(),
        "latest": None if one.latest is None else one.latest.isoformat(),
        "amount": one.amount.exact(),
    }


def _foresight(facts: AccountFacts) -> dict[str, Any]:
    """Return what follows from the forecast for the balance and the budgets, until month's end."""
    outlook, model = facts.outlook, facts.recharge
    trigger = None if model is None else model.trigger
    until = utc_month(facts.now).end
    coming_charges = None
    if outlook is not None and model is not None and not facts.strikes.unusable:
        coming_charges = train(model, outlook, facts.now, until, cautious=False)
    return {
        "trigger": None if trigger is None else trigger.exact(),
        "trigger_at": _passage(facts, trigger),
        "empty_at": _passage(facts, Money.zero(facts.currency)),
        "fails_at": None if facts.unpaid is None else _charge(facts.unpaid),
        "charges": None if coming_charges is None else [_charge(one) for one in coming_charges],
        "until": until.isoformat(),
        "lapses": []
        if outlook is None
        else [
            {"at": one.at.isoformat(), "amount": one.amount.exact()}
            for one in outlook.middle.lapses
        ],
        "budgets": [_budget(use) for use in facts.budgets if facts.now in use.window],
    }


def _passage(facts: AccountFacts, level: Money | None) -> dict[str, Any] | None:
    if facts.outlook is None or level is None:
        return None
    found = asdict(facts.outlook.falls_to(level, facts.now))
    return {chance: None if at is None else at.isoformat() for chance, at in found.items()}


def _budget(use: BudgetUse) -> dict[str, Any]:
    return {
        "name": use.budget.name,
        "end": use.window.end.isoformat(),
        "amount": use.budget.amount.exact(),
        "spent": use.spent.exact(),
        "expected": None if use.expected is None else use.expected.exact(),
        "over_at": None if use.over_at is None else use.over_at.isoformat(),
    }


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
                "earliest": charge.soonest.isoformat(),
                "amount": charge.amount.exact(),
                "currency": charge.amount.currency,
                "taken": gross.exact(),
            }
            for charge in expected
            if (gross := taken(facts.card, charge.amount)) is not None
        ],
    }
