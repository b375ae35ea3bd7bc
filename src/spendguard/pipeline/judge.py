"""Judge: advance the alerts of some scopes by what was found, and owe what is to be said.

The alert and the notifications it causes commit together, so a crash can neither lose a
notification nor forget that one is owed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from spendguard.core.alerts import (
    Alert,
    NotifyReason,
    Policy,
    advance,
    hold_back,
    inhibits,
    mention,
    say,
    withheld,
)
from spendguard.core.facts import AccountFacts
from spendguard.core.findings import Finding, Status
from spendguard.core.notifications import Item, Notification, Topic
from spendguard.core.routing import Channel
from spendguard.store import alerts, outbox, silences
from spendguard.store.alerts import Stored
from spendguard.store.connect import Tx

Summarize = Callable[[Finding], str]


@dataclass(frozen=True, slots=True)
class Scope:
    """What is locked and judged together, and to whom it may speak.

    `accounts` are those it is about: one, all of a card, or none for the guard itself.
    """

    name: str
    accounts: tuple[str, ...]
    policies: Mapping[str, Policy]
    channels: tuple[Channel, ...]
    summarize: Summarize

    @property
    def account(self) -> str | None:
        """The account that owns its alerts; those of a card and of the guard have none."""
        return self.accounts[0] if self.name.startswith("account:") else None

    def reaches(self, channel: Channel, alert: Alert) -> bool:
        """Tell whether an alert goes to a channel: that of a card to whoever hears of an account."""
        about = self.accounts or (None,)
        return any(channel.hears(alert.severity, one, alert.rule) for one in about)


@dataclass(frozen=True, slots=True)
class Docket:
    """What one scope has open, and what was found of it now."""

    scope: Scope
    standing: Mapping[tuple[str, str], Stored]
    findings: tuple[Finding, ...]


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

    scope: Scope
    finding: Finding
    stored: Stored | None  # None: cleared before it was ever written
    reason: NotifyReason | None
    summary: str
    ended: bool = False
    told: bool = False


def judge(tx: Tx, dockets: Sequence[Docket], now: datetime) -> list[Judged]:
    """Advance every alert of these scopes by what was found, and owe what is to be said of it."""
    cases = [case for docket in dockets for case in _open(tx, docket, now)]
    suppressed = _decide(tx, cases, now)
    _enqueue(tx, cases, now)
    return [
        Judged(
            docket.findings,
            tuple(case.summary for case in cases if case.scope is docket.scope)[
                : len(docket.findings)
            ],
            tuple(suppressed.get(docket.scope.name, ())),
        )
        for docket in dockets
    ]


def _open(tx: Tx, docket: Docket, now: datetime) -> list[_Case]:
    found = {(finding.rule, finding.subject) for finding in docket.findings}
    gone = [
        Finding(rule, subject, Status.CLEAR)
        for rule, subject in docket.standing
        if (rule, subject) not in found
    ]  # its rule was switched off, or its budget is no more
    return [
        _step(tx, docket.scope, docket.standing.get((one.rule, one.subject)), one, now)
        for one in [*docket.findings, *gone]
    ]


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
        return _Case(scope, finding, before, reason, summary, ended=True)
    kept = summary if finding.status is Status.FIRING or before is None else before.summary
    if before is None:
        stored = alerts.insert(tx, scope.name, scope.account, alert, kept)
    else:
        stored = alerts.save(tx, before, alert, kept)
    _log_step(tx, former, stored, kept, now)
    return _Case(scope, finding, stored, reason, summary)


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


def _decide(tx: Tx, cases: Sequence[_Case], now: datetime) -> dict[str, list[str]]:
    """Settle who is silenced, who is inhibited, and what is said now.

    Return the channels from which a silence withheld a message, by scope.
    """
    quiet = silences.active(tx, now)
    suppressed: dict[str, list[str]] = {}
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
                held = suppressed.setdefault(case.scope.name, [])
                held += _silenced_channels(case.scope, alert)
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
        if other.scope is not case.scope and not _card(other.scope) and not _card(case.scope):
            continue  # two accounts of one card
        if inhibits(other.stored.alert, case.stored.alert):
            return other
    return None


def _card(scope: Scope) -> bool:
    return scope.name.startswith("card:")


def _silenced_channels(scope: Scope, alert: Alert) -> list[str]:
    if alert.muted is None:
        return []
    return [channel.name for channel in scope.channels if scope.reaches(channel, alert)]


def _enqueue(tx: Tx, cases: Sequence[_Case], now: datetime) -> None:
    """Owe each channel one message for each account, with everything there is to say of it.

    What a card has to say goes with the first account that has something to say.
    """
    for channel in cases[0].scope.channels if cases else ():
        letters: dict[str, list[Item]] = {}
        for case in sorted(cases, key=lambda case: _card(case.scope)):
            items = list(_items(tx, case, cases, channel, now))
            whose = next(iter(letters), "") if _card(case.scope) else case.scope.name
            if items:
                letters.setdefault(whose or case.scope.name, []).extend(items)
        for items in letters.values():
            unique = {item.alert_id: item for item in reversed(items)}
            ordered = tuple(reversed(unique.values()))
            outbox.enqueue(tx, Notification(Topic.ALERTS, ordered, channel=channel.name), now)


def _items(
    tx: Tx, case: _Case, cases: Sequence[_Case], channel: Channel, now: datetime
) -> Iterable[Item]:
    """Yield what a case says to a channel; a risen alert brings the kin that speaks for it."""
    stored, reason = case.stored, case.reason
    if stored is None or reason is None or f"channel:{channel.name}" == stored.alert.subject:
        return
    if case.ended:
        if reason is NotifyReason.RESOLVED and channel.name in outbox.heard(tx, stored.id):
            yield _item(case, stored, reason, now)
        return
    if not case.told or not case.scope.reaches(channel, stored.alert):
        return
    yield _item(case, stored, reason, now)
    kin = _inhibitor(case, cases)
    if kin is None or kin.stored is None or kin.told:
        return
    if kin.scope.reaches(channel, kin.stored.alert):
        kin.stored = alerts.save(tx, kin.stored, mention(kin.stored.alert), kin.stored.summary)
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
