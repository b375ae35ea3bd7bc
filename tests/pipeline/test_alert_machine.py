"""The alert machine as a state machine, over the real database.

Findings, unknowns, acknowledgements, silences, dead channels, crashes and restarts come in any
order. What was owed is read from the outbox and compared with what was true at the time.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from spendguard.core.alerts import KIN, Level, NotifyReason, Policy, acknowledge
from spendguard.core.findings import Finding, Severity, Status
from spendguard.core.notifications import Item
from spendguard.core.routing import Channel
from spendguard.notify.results import Delivered, Refused
from spendguard.pipeline.deliver import DeliveryState, deliver
from spendguard.pipeline.judge import Docket, Scope, judge
from spendguard.store import alerts, migrate, outbox, silences
from spendguard.store.connect import Store
from spendguard.store.encoding import decode
from spendguard.store.schema import alerts as alerts_table
from spendguard.store.schema import outbox as outbox_table

ACCOUNT = "openai-main"
SCOPE = f"account:{ACCOUNT}"
RULES = ("charge-failed", "balance-low", "deposit-cap", "blind", "limit-near")
HOLD = timedelta(minutes=30)
POLICIES = {name: Policy() for name in RULES} | {"limit-near": Policy(hold=HOLD)}
CHANNELS = (
    Channel("all"),
    Channel("loud", severities=frozenset({Severity.CRITICAL})),
)
REPEAT = timedelta(hours=4)  # the shortest of the default repeat intervals
FAST = next((path for path in ("/dev/shm",) if Path(path).is_dir()), None)  # noqa: S108
verdicts = st.one_of(
    st.just((Status.CLEAR, Severity.INFO, 0)),
    st.just((Status.UNKNOWN, Severity.INFO, 0)),
    st.tuples(st.just(Status.FIRING), st.sampled_from(Severity), st.integers(1, 3)),
)
pauses = st.sampled_from([timedelta(minutes=m) for m in (1, 20, 45, 241, 1500)])


@cache
def template() -> Path:
    """Return an empty database of the present schema, made once."""
    directory = tempfile.TemporaryDirectory(dir=FAST)
    atexit.register(directory.cleanup)
    path = Path(directory.name) / "template.db"
    store = Store(f"sqlite:///{path}")
    migrate.upgrade(store)
    store.close()
    return path


@dataclass
class End:
    """A channel's far end that is up or down."""

    up: bool = True

    def send(self, title: str, body: str, severity: Severity | None) -> Delivered | Refused:
        assert title.split(maxsplit=1)[0] in {"CRITICAL", "WARNING", "INFO", "RESOLVED"}
        assert body
        return Delivered() if self.up else Refused(permanent=False, why="no answer")


@dataclass
class Heard:
    """What a channel was told of an alert, in order."""

    items: list[tuple[datetime, Item]] = field(default_factory=list)


class AlertMachine(RuleBasedStateMachine):
    """Everything that can happen to alerts, and what must hold whatever happens."""

    held_silences = Bundle("held_silences")

    @initialize()
    def begin(self) -> None:
        self.directory = tempfile.TemporaryDirectory(dir=FAST)
        self.now = datetime(2026, 11, 1, tzinfo=UTC)
        self.ends = {channel.name: End() for channel in CHANNELS}
        self.last: dict[str, Finding] = {}
        self.heard: dict[tuple[str, str], Heard] = {}
        self.closed_by_hand: set[str] = set()
        self.tokens = 0
        shutil.copy(template(), self.database)
        self.open()

    def open(self) -> None:
        self.store = Store(f"sqlite:///{self.database}")

    @property
    def database(self) -> Path:
        return Path(self.directory.name) / "spendguard.db"

    @rule(pause=pauses, found=st.fixed_dictionaries(dict.fromkeys(RULES, verdicts)))
    def evaluate(self, pause: timedelta, found: dict[str, tuple[Status, Severity, int]]) -> None:
        self.now += pause
        findings = [
            Finding(name, ACCOUNT, status, severity, f"step-{rank}" if rank else "", rank)
            for name, (status, severity, rank) in found.items()
        ]
        scope = Scope(SCOPE, (ACCOUNT,), POLICIES, CHANNELS, lambda finding: finding.rule)
        with self.store.begin() as tx:
            standing = alerts.open_in(tx, SCOPE)
            judge(tx, [Docket(scope, standing, tuple(findings))], self.now)
        self.last |= {one.rule: one for one in findings if one.status is not Status.UNKNOWN}

    @rule(pick=st.integers(0, 9))
    def somebody_acknowledges(self, pick: int) -> None:
        with self.store.begin() as tx:
            standing = alerts.every_open(tx)
            if standing:
                stored = standing[pick % len(standing)]
                after = acknowledge(stored.alert)
                assert after is not None
                alerts.save(tx, stored, after, stored.summary)

    @rule(
        target=held_silences,
        names=st.frozensets(st.sampled_from(RULES), max_size=2),
        lasting=pauses,
    )
    def somebody_silences(self, names: frozenset[str], lasting: timedelta) -> object:
        accounts = frozenset[str]() if names else frozenset({ACCOUNT})
        with self.store.begin() as tx:
            silence = silences.add(tx, names, accounts, self.now, self.now + lasting)
            for stored in alerts.every_open(tx):
                if silence.matches(stored.alert.rule, stored.account):
                    alerts.mute(tx, stored)
        return multiple(silence.id)

    @rule(silence=held_silences)
    def somebody_ends_a_silence(self, silence: str) -> None:
        with self.store.begin() as tx:
            silences.finish(tx, silence, self.now)

    @rule(name=st.sampled_from([channel.name for channel in CHANNELS]))
    def a_channel_dies_or_comes_back(self, name: str) -> None:
        self.ends[name].up = not self.ends[name].up

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.open()

    @rule(name=st.sampled_from([channel.name for channel in CHANNELS]))
    def crash_in_the_middle_of_a_delivery(self, name: str) -> None:
        self.tokens += 1
        with self.store.begin() as tx:
            outbox.claim(tx, name, f"dead{self.tokens}", self.now, self.now + REPEAT, early=True)
        self.restart()
        with self.store.begin() as tx:
            outbox.take_back(tx, self.now)

    @rule(pause=pauses)
    def deliver(self, pause: timedelta) -> None:
        self.now += pause
        self.deliver_now()

    def deliver_now(self) -> None:
        for channel in CHANNELS:
            tried: set[int] = set()
            while True:
                self.tokens += 1
                outcome = deliver(
                    self.store,
                    channel,
                    self.ends[channel.name],
                    ZoneInfo("UTC"),
                    self.now,
                    f"t{self.tokens}",
                    early=True,
                    tried=tried,
                )
                if outcome is None:
                    break
                tried.add(outcome.outbox_id)
                if outcome.state is DeliveryState.DELIVERED:
                    self.note(channel.name, outcome.outbox_id)

    def note(self, channel: str, outbox_id: int) -> None:
        with self.store.begin() as tx:
            row = tx.execute(sa.select(outbox_table).where(outbox_table.c.id == outbox_id)).one()
            items = decode(row).items
        for item in items:
            heard = self.heard.setdefault((channel, item.alert_id), Heard())
            heard.items.append((self.now, item))

    def standing(self) -> list[alerts.Stored]:
        with self.store.begin() as tx:
            return alerts.every_open(tx)

    @invariant()
    def nothing_worse_than_what_was_last_said_stays_unsaid(self) -> None:
        if not hasattr(self, "store"):
            return
        for stored in self.standing():
            alert = stored.alert
            if alert.pending:
                continue
            holds = [alert.said, alert.acknowledged, alert.muted, alert.inhibited]
            known = [level for level in holds if level is not None]
            assert any(not alert.level.above(level) for level in known), alert
            if alert.inhibited is not None and alert.said is None:
                assert any(
                    other.alert.rule in KIN and other.alert.severity >= alert.severity
                    for other in self.standing()
                    if other.id != stored.id
                )

    @invariant()
    def an_alert_is_open_exactly_while_its_last_known_finding_fires(self) -> None:
        if not hasattr(self, "store"):
            return
        firing = {name for name, one in self.last.items() if one.status is Status.FIRING}
        assert {stored.alert.rule for stored in self.standing()} == firing
        for stored in self.standing():
            found = self.last[stored.alert.rule]
            assert stored.alert.level == Level(found.severity, found.rank)

    @invariant()
    def nothing_is_said_twice_without_a_reason(self) -> None:
        for (channel, _), heard in getattr(self, "heard", {}).items():
            told = [item for _, item in heard.items if item.reason is not NotifyReason.STANDING]
            reasons = [item.reason for item in told]
            assert reasons.count(NotifyReason.FIRED) <= 1, (channel, reasons)
            assert reasons.count(NotifyReason.RESOLVED) <= 1
            assert NotifyReason.RESOLVED not in reasons[:-1]
            for before, after in pairwise(told):
                if after.reason is NotifyReason.REPEATED:
                    assert before.values_at is not None
                    assert after.severity >= Severity.WARNING

    def teardown(self) -> None:
        if not hasattr(self, "store"):
            return
        for end in self.ends.values():
            end.up = True
        self.now += timedelta(hours=1)
        self.deliver_now()
        self.everything_said_is_resolved_or_still_true()
        self.nothing_is_owed_any_more()
        self.nothing_is_said_twice_without_a_reason()
        self.store.close()
        self.directory.cleanup()

    def everything_said_is_resolved_or_still_true(self) -> None:
        with self.store.begin() as tx:
            rows = tx.execute(sa.select(alerts_table)).all()
        ended = {str(row.id) for row in rows if row.ended_at is not None}
        for (_, alert_id), heard in self.heard.items():
            told = [item for _, item in heard.items if item.reason is not NotifyReason.STANDING]
            loud = any(item.severity >= Severity.WARNING for item in told)
            over = bool(told) and told[-1].reason is NotifyReason.RESOLVED
            if alert_id not in ended:
                assert not over
            elif loud:
                assert over, [item.reason for item in told]

    def nothing_is_owed_any_more(self) -> None:
        with self.store.begin() as tx:
            assert outbox.owing_channels(tx) == []


TestAlertMachine = AlertMachine.TestCase
TestAlertMachine.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
