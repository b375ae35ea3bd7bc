"""A guard small enough to tell stories with: findings in, messages out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from spendguard.core.alerts import Policy
from spendguard.core.findings import Finding, Severity, Status
from spendguard.core.routing import Channel
from spendguard.notify.results import Delivered, Refused
from spendguard.pipeline.deliver import DeliveryOutcome, deliver
from spendguard.pipeline.judge import Docket, Scope, judge
from spendguard.store import alerts, silences
from spendguard.store.connect import Store
from spendguard.store.encoding import decode
from spendguard.store.schema import outbox as outbox_table

START = datetime(2026, 11, 1, tzinfo=UTC)
SCOPE = "account:main"


@dataclass
class End:
    """A far end that keeps what it is told, while it is up."""

    up: bool = True
    permanent: bool = False
    asked: timedelta | None = None
    titles: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)

    def send(self, title: str, body: str, severity: Severity | None) -> Delivered | Refused:
        if not self.up:
            return Refused(self.permanent, "no answer", self.asked)
        self.titles.append(title)
        self.bodies.append(body)
        return Delivered()


def firing(rule: str, severity: Severity = Severity.WARNING, rank: int = 1) -> Finding:
    return Finding(rule, "main", Status.FIRING, severity, f"step-{rank}", rank)


def clear(rule: str) -> Finding:
    return Finding(rule, "main", Status.CLEAR)


def unknown(rule: str) -> Finding:
    return Finding(rule, "main", Status.UNKNOWN)


class Guard:
    """The account 'main', its channels, and a clock of its own in hours."""

    def __init__(
        self,
        store: Store,
        channels: Sequence[Channel] = (Channel("ops"),),
        policies: dict[str, Policy] | None = None,
    ) -> None:
        self.store = store
        self.channels = tuple(channels)
        self.policies = policies or {}
        self.ends = {channel.name: End() for channel in channels}
        self.now = START
        self._tokens = 0

    def at(self, hours: float) -> Guard:
        self.now = START + timedelta(hours=hours)
        return self

    def finds(self, *findings: Finding) -> None:
        scope = Scope(SCOPE, ("main",), self.policies, self.channels, lambda one: one.rule)
        with self.store.begin() as tx:
            judge(tx, [Docket(scope, alerts.open_in(tx, SCOPE), findings)], self.now)

    def tells(self, *, early: bool = False) -> list[DeliveryOutcome]:
        outcomes: list[DeliveryOutcome] = []
        for channel in self.channels:
            while True:
                self._tokens += 1
                outcome = deliver(
                    self.store,
                    channel,
                    self.ends[channel.name],
                    ZoneInfo("UTC"),
                    self.now,
                    f"t{self._tokens}",
                    early=early,
                    tried={one.outbox_id for one in outcomes},
                )
                if outcome is None:
                    break
                outcomes.append(outcome)
        return outcomes

    def silence(self, *rules: str, hours: float) -> None:
        end = self.now + timedelta(hours=hours)
        with self.store.begin() as tx:
            silences.add(tx, frozenset(rules), frozenset(), self.now, end)
            for stored in alerts.every_open(tx):
                if stored.alert.rule in rules:
                    alerts.mute(tx, stored)

    def owed(self) -> list[list[str]]:
        """What is owed, one list of 'reason rule' per message."""
        with self.store.begin() as tx:
            rows = tx.execute(
                sa.select(outbox_table)
                .where(outbox_table.c.state == "owed")
                .order_by(outbox_table.c.id)
            ).all()
        return [[f"{item.reason.value} {item.rule}" for item in decode(row).items] for row in rows]
