"""Recorded: a history with its charges is watched again, each thing known from when it was known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from spendguard.core.cards import held, latest_statement
from spendguard.core.charges import Charge, Outcome, strikes
from spendguard.core.facts import Witness
from spendguard.core.ledger import Entry, Settled, derive, latest_checkpoint, settle
from spendguard.core.money import Money
from spendguard.core.reconcile import Books, Statement, reconcile
from spendguard.core.world_run import Happening, Kind
from spendguard.pipeline.evaluate import TO_BAN, Family
from spendguard.pipeline.known import Plan
from spendguard.pipeline.replay.desk import Told
from spendguard.pipeline.replay.known_then import KnownThen
from spendguard.pipeline.replay.play import Played
from spendguard.pipeline.replay.sight import Sight
from spendguard.pipeline.replay.stored import CardLine, Line, Stored
from spendguard.pipeline.replay.watch import Foreseen, Watch

ROOM = 1_000_000  # ids between two lines, for what is inferred meanwhile


class Archive:
    """What was known of a family's ledgers and card, told to a watch as time goes on."""

    def __init__(
        self, family: Family, views: Mapping[str, KnownThen], card: Sequence[CardLine]
    ) -> None:
        self._family = family
        self._views = views
        stored = {name: view.stored for name, view in views.items()}
        self._stored = stored
        self._card = card
        ordered = sorted(
            (line for one in stored.values() for line in one.lines),
            key=lambda line: (line.known_at, int(line.statement.id)),
        )
        self._ids = {line.statement.id: ROOM * n for n, line in enumerate(ordered, start=1)}
        self._said: dict[str, list[Statement]] = {}
        self._books: dict[str, Books] = {}
        self._late: dict[str, Money | None] = {}

    def changes(self) -> list[datetime]:
        """Return the instants at which something became known, or was taken back."""
        lines = [at for one in self._stored.values() for line in one.lines for at in line.changes]
        cards = [at for one in self._card for at in (one.known_at, one.gone_at) if at is not None]
        return sorted({*lines, *cards})

    def tell(self, watch: Watch, now: datetime, *, changed: bool) -> None:
        """Tell what is known now, as far as it is not what was told before."""
        for name, stored in self._stored.items():
            if changed:
                known = [line for line in stored.lines if line.known(now)]
                self._said[name] = [self._renamed(line) for line in known]
                self._books[name] = self._reconciled(watch, name)
            late = _late(self._views[name], self._books[name].entries, now)
            if changed or late != self._late.get(name):
                self._late[name] = late
                last = max((int(one.id) for one in self._said[name]), default=0)
                self._books[name] = self._reconciled(watch, name)
                watch.hear_of_ledger(name, self._books[name], late, last)
        if changed and self._family.paying is not None:
            self._tell_card(watch, now)

    def _reconciled(self, watch: Watch, name: str) -> Books:
        """Return the ledger as it was told, with what usage proved since."""
        return reconcile([*self._said[name], *watch.inferred(name)])

    def _renamed(self, line: Line) -> Statement:
        return replace(line.statement, id=str(self._ids[line.statement.id]))

    def _tell_card(self, watch: Watch, now: datetime) -> None:
        assert self._family.paying is not None  # noqa: S101  the caller asked
        card = self._family.paying.card
        stated = latest_statement(
            one.statement
            for one in self._card
            if one.known_at <= now and (one.gone_at is None or now < one.gone_at)
        )
        charged = [
            one for books in self._books.values() for one in books.charges if one.card == card.name
        ]
        watch.hear_of_purse(
            None if stated is None else stated.at, held(card, stated, charged), charged
        )


def _late(view: KnownThen, entries: Sequence[Entry], now: datetime) -> Money | None:
    """Return what was booked by now, after the checkpoint, for days read before it."""
    stated = latest_checkpoint(entry for entry in entries if entry.at <= now)
    return None if stated is None else view.late(stated.at, now)


def recorded(
    family: Family,
    stored: Mapping[str, Stored],
    card: Sequence[CardLine],
    looks: Sequence[datetime],
    lag: timedelta,
    *,
    forecasts: Callable[[datetime], bool],
    progress: Callable[[datetime], None] = lambda _at: None,
) -> Played:
    """Return what a guard says that watches what is stored, and what that is."""
    views = {name: KnownThen(one, lag) for name, one in stored.items()}
    sights = {
        plan.account.name: _sight(plan, views[plan.account.name], looks[0]) for plan in family.plans
    }
    watch, archive = Watch(family, sights), Archive(family, views, card)
    changes = archive.changes()
    alerts: list[Told] = []
    foreseen: list[Foreseen] = []
    steps = set(looks)
    told = False
    for at in sorted(steps | {at for at in changes if looks[0] < at <= looks[-1]}):
        new = not told or (bool(changes) and changes[0] <= at)
        while changes and changes[0] <= at:
            changes.pop(0)
        archive.tell(watch, at, changed=new)
        told = True
        alerts += watch.look(at)
        if at in steps:
            foreseen += watch.foreseen(at) if forecasts(at) else ()
            progress(at)
    events = [one for name in stored for one in _happened(family, stored[name], looks[-1])]
    events.sort(key=lambda one: (one.at, one.account))
    return Played(tuple(alerts), tuple(events), tuple(foreseen))


def _sight(plan: Plan, view: KnownThen, begin: datetime) -> Sight:
    days = view.stored.days
    shown = plan.states_balance or bool(plan.mailboxes)  # how these were read is not played
    return Sight(
        plan,
        view,
        min(days[0].day.start if days else begin, begin),
        begin,
        witness=Witness.HEALTHY if shown else Witness.NONE,
    )


def _happened(family: Family, stored: Stored, end: datetime) -> Iterator[Happening]:
    """Yield what the ledger and the costs of an account tell, as they are known today."""
    books = reconcile([line.statement for line in stored.live])
    days = stored.spent()
    to_ban = TO_BAN if family.paying is None else family.paying.card.strikes_to_ban

    def balance(at: datetime) -> Money | None:
        position = derive(books.entries, days, end, as_of=at, at=at)
        return None if position is None else position.floor

    before: list[Charge] = []
    for charge in books.charges:
        if charge.at > end or charge.outcome is Outcome.UNKNOWN:
            continue
        came = charge.outcome is Outcome.SUCCEEDED
        kind = Kind.RECHARGED if came else Kind.CHARGE_FAILED
        left = balance(charge.at)
        yield Happening(charge.at, stored.name, kind, charge.amount, left)
        banned = strikes(before, to_ban).unusable
        before.append(charge)
        if not banned and strikes(before, to_ban).unusable:
            yield Happening(charge.at, stored.name, Kind.BANNED, None, left)
    yield from _exhausted(books.entries, stored, end)


def _exhausted(entries: Sequence[Entry], stored: Stored, end: datetime) -> Iterator[Happening]:
    """Yield each day's instant at which the derived credit ended."""
    nothing, days = Money.zero(stored.currency), stored.spent()
    moment = Money(1, stored.currency)
    since: datetime | None = None
    settled: Settled | None = None
    for day in days:
        at, levels = min(day.day.end, end), (moment,)
        position = derive(entries, [day], end, as_of=at, at=at, levels=levels, settled=settled)
        settled = settle(entries, [day], day.day.end, levels=levels, settled=settled)
        ended = None if position is None else position.under.get(moment)
        if ended is not None and since is None:
            yield Happening(ended, stored.name, Kind.EXHAUSTED, None, nothing)
        since = ended
