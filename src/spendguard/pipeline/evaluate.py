"""Evaluate: gather what is known of a card and its accounts, or of the guard, and judge it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Generic, TypeVar

from spendguard.core.accounts import Card
from spendguard.core.charges import Charge, Strikes, strikes
from spendguard.core.facts import AccountFacts, CardFacts, Health, Payer
from spendguard.core.findings import Finding, Status
from spendguard.core.ledger import latest_checkpoint
from spendguard.core.notifications import Notification, Topic
from spendguard.core.reconcile import reconcile
from spendguard.core.routing import Channel
from spendguard.pipeline.ceilings import budget_days
from spendguard.pipeline.evaluations import account_evaluation, card_evaluation
from spendguard.pipeline.foresight import forecast_of, foreseen, look_ahead, spent_of
from spendguard.pipeline.gather import account_facts, card_facts, guard_facts, payer
from spendguard.pipeline.judge import Docket, Judged, Scope, judge
from spendguard.pipeline.known import Known, Plan, course, infer, know
from spendguard.rules.base import AccountRule, CardRule, GuardRule
from spendguard.store import alerts, cards, due, forecasts, ledger, outbox, scopes
from spendguard.store.connect import Tx

R = TypeVar("R")
REMIND_AFTER = timedelta(days=7)
TO_BAN = 2  # of an account that names no card


@dataclass(frozen=True, slots=True)
class Bench(Generic[R]):
    """A scope and the rules that judge it."""

    scope: Scope
    rules: tuple[R, ...]


@dataclass(frozen=True, slots=True)
class Paying:
    """A card, and the bench that judges it."""

    card: Card
    bench: Bench[CardRule]


@dataclass(frozen=True, slots=True)
class Family:
    """A card with every account it pays for, or a single account without a card."""

    plans: tuple[Plan, ...]
    accounts: Mapping[str, Bench[AccountRule]]
    paying: Paying | None = None


def evaluate_family(tx: Tx, family: Family, now: datetime) -> dict[str, Judged]:
    """Judge a card and all its accounts inside the caller's transaction; return it by account.

    Who is inhibited, and what a shared card needs, depends on all of them; so they are locked, read
    and judged together. What was found is kept for readers.
    """
    paying = family.paying
    card_row = None if paying is None else scopes.lock(tx, paying.bench.scope.name)
    rows = [_lock(tx, family, plan) for plan in family.plans]
    known = [infer(tx, know(tx, plan, now), now) for plan in family.plans]
    charged = [] if paying is None else ledger.card_charges(tx, paying.card.name)
    struck = _strikes(paying, charged, known)
    courses = [course(one, struck[one.name], now) for one in known]
    seen = [
        look_ahead(one, here, forecast_of(one, now, spent_of(tx, one, now)))
        for one, here in zip(known, courses, strict=True)
    ]
    marks = [ledger.mark(tx, one.row.id) for one in known]
    changed = [_changed(row, mark) for row, mark in zip(rows, marks, strict=True)]
    of_card: list[Docket] = []
    card: CardFacts | None = None
    if paying is not None:
        payers = [
            payer(one, paying.card, here, told.outlook)
            for one, here, told in zip(known, courses, seen, strict=True)
        ]
        docket, card = _judge_card(tx, paying, card_row, charged, payers, now, changed=any(changed))
        of_card.append(docket)
    short = any(one.status is Status.FIRING for docket in of_card for one in docket.findings)
    dockets: list[Docket] = []
    facts: list[AccountFacts] = []
    for one, told_of, new in zip(known, seen, changed, strict=True):
        bench = family.accounts[one.name]
        standing = alerts.open_in(tx, bench.scope.name)
        found = account_facts(
            tx, one, struck[one.name], standing, now, card_short=short, changed=new
        )
        found = foreseen(found, one, told_of, card, partial(budget_days, tx, one.row))
        forecasts.put(tx, one.row.id, told_of.forecast)
        facts.append(found)
        dockets.append(Docket(bench.scope, standing, _find(bench, found)))
    judged = judge(tx, [*of_card, *dockets], now)
    paid_by, told = judged[: len(of_card)], dict[str, Judged]()
    for fact, mark, account in zip(facts, marks, judged[len(of_card) :], strict=True):
        told[fact.account] = _whole(account, paid_by, fact)
        evaluation = account_evaluation(fact, _listed(told[fact.account]))
        scopes.store(tx, scopes.account_scope(fact.account), evaluation, mark, now)
    return told


def _find(bench: Bench[AccountRule], facts: AccountFacts) -> tuple[Finding, ...]:
    return tuple(finding for rule in bench.rules for finding in rule.evaluate(facts))


def _whole(account: Judged, of_card: Sequence[Judged], facts: AccountFacts) -> Judged:
    """Return what was found of an account, and of the card that pays for it."""
    parts = (account, *of_card)
    return Judged(
        tuple(finding for part in parts for finding in part.findings),
        tuple(summary for part in parts for summary in part.summaries),
        tuple(name for part in parts for name in part.suppressed),
        facts,
    )


def _changed(row: Any, mark: str) -> bool:
    return row.evaluated_at is not None and bool(row.ledger_mark != mark)


def _lock(tx: Tx, family: Family, plan: Plan) -> Any:
    scope = family.accounts[plan.account.name].scope
    row = scopes.lock(tx, scope.name)
    budgets = [f"budget:{budget.name}" for budget in plan.budgets]
    alerts.adopt(tx, scope.name, plan.account.name, budgets)
    return row


def _strikes(
    paying: Paying | None, charged: Sequence[Charge], known: Sequence[Known]
) -> dict[str, Strikes]:
    """Return the strikes that concern each account."""
    if paying is not None:
        counted = strikes(charged, paying.card.strikes_to_ban)
        return dict.fromkeys((one.name for one in known), counted)
    return {
        one.name: strikes((charge for charge in one.books.charges if charge.card is None), TO_BAN)
        for one in known
    }


def _judge_card(
    tx: Tx,
    paying: Paying,
    row: Any,
    charged: Sequence[Charge],
    payers: Sequence[Payer],
    now: datetime,
    *,
    changed: bool,
) -> tuple[Docket, CardFacts]:
    card, scope = paying.card, paying.bench.scope
    standing = alerts.open_in(tx, scope.name)
    mark = cards.mark(tx, card.name) + ledger.card_mark(tx, card.name)
    facts = card_facts(
        tx,
        card,
        charged,
        payers,
        standing,
        now,
        changed=changed or _changed(row, mark),
    )
    findings = tuple(finding for rule in paying.bench.rules for finding in rule.evaluate(facts))
    scopes.store(tx, scope.name, card_evaluation(facts), mark, now)
    return Docket(scope, standing, findings), facts


def evaluate_guard(
    tx: Tx,
    channel_errors: Mapping[str, str],
    rules: Sequence[GuardRule],
    scope: Scope,
    now: datetime,
    disk_free: int | None,
    health: Health,
) -> Judged:
    """Judge the guard itself and its channels, and introduce it where that is still owed."""
    scopes.lock(tx, scope.name)
    standing = alerts.open_in(tx, scope.name)
    facts = guard_facts(tx, channel_errors, standing, now, disk_free, health)
    findings = tuple(finding for rule in rules for finding in rule.evaluate(facts))
    (judged,) = judge(tx, [Docket(scope, standing, findings)], now)
    scopes.store(tx, scope.name, {"findings": _listed(judged)}, "", now)
    return judged


def _listed(judged: Judged) -> list[dict[str, Any]]:
    return [
        {
            "rule": finding.rule,
            "subject": finding.subject,
            "status": finding.status.value,
            "severity": finding.severity.label,
            "step": finding.step,
            "summary": summary,
        }
        for finding, summary in zip(judged.findings, judged.summaries, strict=True)
    ]


def introduce(tx: Tx, names: Collection[str], channels: Sequence[Channel], now: datetime) -> None:
    """Owe the first message, which says what cannot be seen yet, and one reminder after 7 days.

    It is about accounts whose balance nobody stated; where there is nothing to ask, nothing is
    said.
    """
    fresh: list[str] = []
    again: list[str] = []
    for row in due.unintroduced(tx):
        name = row.name
        if name not in names:
            continue
        blank = latest_checkpoint(reconcile(ledger.live(tx, row.id)).entries) is None
        if row.greeted_at is None:
            due.update(tx, row.id, greeted_at=now, reminded_at=None if blank else now)
            fresh += [name] if blank else []
        elif now - row.greeted_at >= REMIND_AFTER:
            due.update(tx, row.id, reminded_at=now)
            again += [name] if blank else []
    for topic, about in ((Topic.WELCOME, fresh), (Topic.REMINDER, again)):
        if about:
            for channel in channels:
                told = Notification(topic, accounts=tuple(about), channel=channel.name)
                outbox.enqueue(tx, told, now)
