"""Evaluate: judge a scope and record every consequence in one transaction.

The alert and the notifications it causes commit together, so a crash can neither lose a
notification nor forget that one is owed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from spendguard.core.alerts import (
    Alert,
    NotifyReason,
    Policy,
    advance,
    hold_back,
    inhibits,
    say,
    withheld,
)
from spendguard.core.burn import runway
from spendguard.core.facts import AccountFacts
from spendguard.core.findings import Finding, Status
from spendguard.core.ledger import latest_checkpoint
from spendguard.core.notifications import Item, Notification, Topic
from spendguard.core.routing import Channel
from spendguard.pipeline.gather import Plan, account_facts, guard_facts
from spendguard.rules.base import AccountRule, GuardRule
from spendguard.store import alerts, due, ledger, outbox, scopes, silences
from spendguard.store.alerts import Stored
from spendguard.store.connect import Tx

Summarize = Callable[[Finding], str]
REMIND_AFTER = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Scope:
    """What is locked and judged together, and to whom it may speak."""

    name: str
    account: str | None
    policies: Mapping[str, Policy]
    channels: tuple[Channel, ...]
    summarize: Summarize


@dataclass(frozen=True, slots=True)
class Judged:
    """What an evaluation found, and the channels from which a silence withheld a message."""

    findings: tuple[Finding, ...]
    summaries: tuple[str, ...] = ()
    suppressed: tuple[str, ...] = ()
    facts: AccountFacts | None = None


@dataclass(slots=True)
class _Case:
    """One alert on its way through an evaluation."""

    finding: Finding
    stored: Stored | None  # None: cleared before it was ever written
    reason: NotifyReason | None
    summary: str
    ended: bool = False
    told: bool = False
    items: list[Item] = field(default_factory=list)


def evaluate_account(
    tx: Tx,
    plan: Plan,
    rules: Sequence[AccountRule],
    scope: Scope,
    now: datetime,
) -> Judged:
    """Judge an account inside the caller's transaction and keep the evaluation for readers."""
    row = scopes.lock(tx, scope.name)
    budgets = [f"budget:{budget.name}" for budget in plan.budgets]
    alerts.adopt(tx, scope.name, plan.account.name, budgets)
    standing = alerts.open_in(tx, scope.name)
    mark = row.ledger_mark if row.evaluated_at is not None else None
    facts = account_facts(tx, plan, standing, now, mark)
    findings = [finding for rule in rules for finding in rule.evaluate(facts)]
    judged = judge(tx, scope, standing, findings, now)
    account_id = due.load(tx, plan.account.name).id
    evaluation = _account_evaluation(facts, judged)
    scopes.store(tx, scope.name, evaluation, ledger.mark(tx, account_id), now)
    return replace(judged, facts=facts)


def evaluate_guard(
    tx: Tx,
    channel_errors: Mapping[str, str],
    rules: Sequence[GuardRule],
    scope: Scope,
    now: datetime,
    disk_free: int | None,
) -> Judged:
    """Judge the guard itself and its channels, and introduce it where that is still owed."""
    scopes.lock(tx, scope.name)
    standing = alerts.open_in(tx, scope.name)
    facts = guard_facts(tx, channel_errors, standing, now, disk_free)
    findings = [finding for rule in rules for finding in rule.evaluate(facts)]
    judged = judge(tx, scope, standing, findings, now)
    scopes.store(tx, scope.name, {"findings": _listed(judged)}, "", now)
    return judged


def judge(
    tx: Tx,
    scope: Scope,
    standing: Mapping[tuple[str, str], Stored],
    findings: Sequence[Finding],
    now: datetime,
) -> Judged:
    """Advance every alert of a scope by what was found, and owe what is to be said of it."""
    found = {(finding.rule, finding.subject) for finding in findings}
    gone = [
        Finding(rule, subject, Status.CLEAR)
        for rule, subject in standing
        if (rule, subject) not in found
    ]  # its rule was switched off, or its budget is no more
    cases = [
        _step(tx, scope, standing.get((finding.rule, finding.subject)), finding, now)
        for finding in [*findings, *gone]
    ]
    suppressed = _decide(tx, scope, cases, now)
    _enqueue(tx, scope, cases, now)
    kept = cases[: len(findings)]
    return Judged(tuple(findings), tuple(case.summary for case in kept), tuple(suppressed))


def _step(tx: Tx, scope: Scope, before: Stored | None, finding: Finding, now: datetime) -> _Case:
    """Advance one alert and write what became of it."""
    policy = scope.policies.get(finding.rule, Policy())
    former = before.alert if before else None
    alert, reason = advance(former, finding, policy, now)
    summary = scope.summarize(finding)
    if alert is None:
        if before is not None:
            alerts.end(tx, before, summary, now)
            alerts.log(tx, before, "resolved", summary, now)
        return _Case(finding, before, reason, summary, ended=True)
    kept = summary if finding.status is Status.FIRING or before is None else before.summary
    if before is None:
        stored = alerts.insert(tx, scope.name, scope.account, alert, kept)
    else:
        stored = alerts.save(tx, before, alert, kept)
    _log_step(tx, former, stored, kept, now)
    return _Case(finding, stored, reason, summary)


def _log_step(tx: Tx, former: Alert | None, stored: Stored, summary: str, now: datetime) -> None:
    alert = stored.alert
    if former is None:
        alerts.log(tx, stored, "pending" if alert.pending else "firing", summary, now)
    elif former.pending and not alert.pending:
        alerts.log(tx, stored, "firing", summary, now)
    elif alert.level.above(former.level):
        alerts.log(tx, stored, "rose", summary, now)
    elif former.level.above(alert.level):
        alerts.log(tx, stored, "fell", summary, now)


def _decide(tx: Tx, scope: Scope, cases: Sequence[_Case], now: datetime) -> list[str]:
    """Settle who is silenced, who is inhibited, and what is said now."""
    quiet = silences.active(tx, now)
    suppressed: list[str] = []
    for case in cases:
        if case.ended or case.stored is None:
            continue
        stored = case.stored
        alert = hold_back(
            stored.alert,
            silenced=any(one.matches(stored.alert.rule, stored.account) for one in quiet),
            inhibited=_inhibitor(case, cases) is not None,
        )
        if case.reason is not None:
            if withheld(alert, case.reason):
                suppressed += _silenced_channels(scope, alert)
            else:
                alert, case.told = say(alert, now), True
        case.stored = alerts.save(tx, stored, alert, stored.summary)
        if case.told and case.reason is not None:
            alerts.log(tx, case.stored, f"said: {case.reason.value}", case.summary, now)
    return suppressed


def _inhibitor(case: _Case, cases: Sequence[_Case]) -> _Case | None:
    """Return the first kin that speaks for this alert."""
    for other in cases:
        if other is case or other.ended or other.stored is None or case.stored is None:
            continue
        if inhibits(other.stored.alert, case.stored.alert):
            return other
    return None


def _silenced_channels(scope: Scope, alert: Alert) -> list[str]:
    if alert.muted is None:
        return []
    return [
        channel.name
        for channel in scope.channels
        if channel.hears(alert.severity, scope.account, alert.rule)
    ]


def _enqueue(tx: Tx, scope: Scope, cases: Sequence[_Case], now: datetime) -> None:
    """Owe each channel one message with everything this evaluation has to say to it."""
    for channel in scope.channels:
        items = [item for case in cases for item in _items(tx, scope, case, cases, channel, now)]
        unique = {item.alert_id: item for item in reversed(items)}
        if unique:
            ordered = tuple(reversed(unique.values()))
            outbox.enqueue(tx, Notification(Topic.ALERTS, ordered, channel=channel.name), now)


def _items(
    tx: Tx,
    scope: Scope,
    case: _Case,
    cases: Sequence[_Case],
    channel: Channel,
    now: datetime,
) -> Iterable[Item]:
    """Yield what a case says to a channel; a risen alert brings the kin that speaks for it."""
    stored, reason = case.stored, case.reason
    if stored is None or reason is None or f"channel:{channel.name}" == stored.alert.subject:
        return
    if case.ended:
        if reason is NotifyReason.RESOLVED and channel.name in outbox.heard(tx, stored.id):
            yield _item(case, stored, reason, now)
        return
    if not case.told or not channel.hears(stored.alert.severity, scope.account, stored.alert.rule):
        return
    yield _item(case, stored, reason, now)
    kin = _inhibitor(case, cases)
    if kin is None or kin.stored is None or kin.told:
        return
    if channel.hears(kin.stored.alert.severity, scope.account, kin.stored.alert.rule):
        yield _item(kin, kin.stored, NotifyReason.STANDING, now)


def _item(case: _Case, stored: Stored, reason: NotifyReason, now: datetime) -> Item:
    alert = stored.alert
    over = reason is NotifyReason.RESOLVED
    return Item(
        alert_id=str(stored.id),
        rule=alert.rule,
        subject=alert.subject,
        severity=alert.severity,
        step=alert.step,
        reason=reason,
        since=alert.since,
        values=case.finding.values if over else alert.values,
        values_at=now if over else alert.values_at,
        ended_at=now if over else None,
    )


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


def _account_evaluation(facts: AccountFacts, judged: Judged) -> dict[str, Any]:
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
        "findings": _listed(judged),
    }


def introduce(tx: Tx, names: Sequence[str], channels: Sequence[Channel], now: datetime) -> None:
    """Owe the first message, which says what cannot be seen yet, and one reminder after 7 days.

    It is about accounts whose balance nobody stated; where there is nothing to ask, nothing is
    said.
    """
    fresh: list[str] = []
    again: list[str] = []
    for name in names:
        row = due.load(tx, name)
        if row.first_ok_at is None or row.reminded_at is not None:
            continue
        blank = latest_checkpoint(ledger.live(tx, row.id)) is None
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
