"""The desk: alerts advance in memory as `judge` advances them in the database."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

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
from spendguard.core.facts import Standing
from spendguard.core.findings import Finding, Severity, Status
from spendguard.pipeline.gather import standing_of
from spendguard.pipeline.judge import Scope

Key = tuple[str, str]  # rule and subject
USUAL = Policy()


@dataclass(frozen=True, slots=True)
class Told:
    """A message that would have been owed. `since` is when its episode began."""

    at: datetime
    rule: str
    subject: str
    severity: Severity
    step: str
    reason: NotifyReason
    summary: str
    since: datetime
    channels: tuple[str, ...]


@dataclass(slots=True)
class _Case:
    scope: Scope
    finding: Finding  # the last one that fired, or the one that ended it
    alert: Alert
    reason: NotifyReason | None
    ended: bool


class Desk:
    """The open alerts of some scopes, and what would have been said of them."""

    def __init__(self) -> None:
        self._open: dict[str, dict[Key, tuple[Alert, Finding]]] = {}
        self._said: dict[Key, datetime] = {}

    def standing(self, scope: str) -> dict[Key, Standing]:
        """Return what the rules may know of a scope's open alerts."""
        return {key: standing_of(alert) for key, (alert, _) in self._open.get(scope, {}).items()}

    def last_said(self, subject: str, rules: Collection[str]) -> datetime | None:
        """Return when one of these rules last spoke of a subject."""
        said = (self._said.get((rule, subject)) for rule in rules)
        return max((at for at in said if at is not None), default=None)

    def judge(
        self, dockets: Sequence[tuple[Scope, Sequence[Finding]]], now: datetime
    ) -> list[Told]:
        """Advance every alert of these scopes by what was found, and return what is to be said."""
        cases = [case for scope, found in dockets for case in self._advance(scope, found, now)]
        return [told for case in cases if (told := self._decide(case, cases, now)) is not None]

    def _advance(self, scope: Scope, found: Sequence[Finding], now: datetime) -> Iterator[_Case]:
        opened = self._open.setdefault(scope.name, {})
        named = {(one.rule, one.subject) for one in found}
        gone = [Finding(*key, Status.CLEAR) for key in opened if key not in named]
        for finding in [*found, *gone]:
            key = (finding.rule, finding.subject)
            before, fired = opened.get(key, (None, finding))
            policy = scope.policies.get(finding.rule, USUAL)
            alert, reason = advance(before, finding, policy, now)
            if alert is not None:
                shown = finding if finding.status is Status.FIRING else fired
                opened[key] = (alert, shown)
                yield _Case(scope, shown, alert, reason, ended=False)
            elif before is not None:
                del opened[key]
                yield _Case(scope, finding, before, reason, ended=True)

    def _decide(self, case: _Case, cases: Sequence[_Case], now: datetime) -> Told | None:
        if case.ended:
            return None if case.reason is None else _told(case, case.reason, now)
        alert = hold_back(case.alert, silenced=False, inhibited=_inhibited(case, cases))
        said = case.reason is not None and not withheld(alert, case.reason)
        case.alert = say(alert, now) if said else alert
        key = (alert.rule, alert.subject)
        self._open[case.scope.name][key] = (case.alert, case.finding)
        if not said or case.reason is None:
            return None
        self._said[key] = now
        return _told(case, case.reason, now)


def _inhibited(case: _Case, cases: Sequence[_Case]) -> bool:
    """Tell whether a kin speaks for this alert; two accounts of one card do not for each other."""
    return any(
        inhibits(other.alert, case.alert)
        for other in cases
        if other is not case
        and not other.ended
        and (other.scope is case.scope or _card(other.scope) or _card(case.scope))
    )


def _card(scope: Scope) -> bool:
    return scope.name.startswith("card:")


def _told(case: _Case, reason: NotifyReason, now: datetime) -> Told:
    alert, scope = case.alert, case.scope
    return Told(
        at=now,
        rule=alert.rule,
        subject=alert.subject,
        severity=alert.severity,
        step=alert.step,
        reason=reason,
        summary=scope.summarize(case.finding),
        since=alert.since,
        channels=tuple(one.name for one in scope.channels if scope.reaches(one, alert)),
    )
