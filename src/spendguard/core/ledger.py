"""The ledger of an account: checkpoints, lots, refunds, expiry, and the balance they derive.

The balance is the checkpoint, plus credit since, less what expired, less the cost since: of `billed` what is booked, of
`floor` also what usage shows and is not booked yet. The checkpoint's own UTC day is split by its usage; without any, `billed`
takes its cost as spent before the checkpoint and `floor` as spent after it, for nobody knows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from spendguard.core.money import Money
from spendguard.core.spread import Piece, pieces
from spendguard.core.windows import Window, a_year_after, share


class Kind(StrEnum):
    """What an entry of the ledger is."""

    CHECKPOINT = "checkpoint"
    DEPOSIT = "deposit"
    GRANT = "grant"
    REFUND = "refund"
    CHARGE = "charge"  # an attempt; a succeeded one is a deposit to every calculation


FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
EXPIRES_AFTER_A_YEAR = frozenset({"openai"})
"""Providers whose purchased credit expires a year after it was bought."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger, as somebody or some API stated it."""

    id: str
    kind: Kind
    amount: Money
    at: datetime
    expires_at: datetime | None = None
    source: str = "manual"
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class DaySpend:
    """What a UTC day cost: as booked so far, and what usage shows beyond that.

    `hours` is what each hour of it is estimated to cost; empty where that is not known.
    """

    day: Window
    amount: Money
    unbooked: int = 0  # nanos
    hours: tuple[int, ...] = ()

    @property
    def known(self) -> Money:
        """All that is known to be spent, booked or not."""
        return Money(self.amount.nanos + self.unbooked, self.amount.currency)


@dataclass(frozen=True, slots=True)
class Split:
    """How the usage of a UTC day divides at a checkpoint: what is estimated after it, and in all.

    `apart` is what is booked of the day on lines without usage, which no estimate makes up for; `late`
    what was added after the day was over and no usage explains, a correction most likely: nobody knows
    that it was inside the balance. Once the day is settled, of what usage explains only the ratio counts.
    """

    after: int
    whole: int
    apart: int = 0
    late: int = 0
    settled: bool = False

    def booked_after(self, nanos: int) -> int:
        """Return what of a day's booked cost is after the checkpoint."""
        return max(nanos * self.after // self.whole, 0)

    def known_after(self, nanos: int) -> int:
        """Return what is known to be spent after it at most; money given back raises nothing."""
        used, apart = self._part(nanos - self.apart - self.late), self._part(self.apart)
        if self.settled:
            return max(self._part(nanos - self.late), 0) + self.late
        return max(used, self.after) + max(apart, 0) + self.late

    def _part(self, nanos: int) -> int:
        return -(-nanos * self.after // self.whole)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The balance as somebody or some API stated it at an instant."""

    id: str
    at: datetime
    amount: Money
    source: str


@dataclass(frozen=True, slots=True)
class LotLeft:
    """What is left of a lot; `id` is None for credit of unknown origin."""

    id: str | None
    kind: Kind
    left: Money
    at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Position:
    """The derived balance of an account, and the arithmetic behind it."""

    floor: Money
    billed: Money
    as_of: datetime
    checkpoint: Checkpoint
    base: Money | None  # the sum of the lots right after the last credit
    credited_at: datetime | None
    credit: Money  # since the checkpoint, less refunds
    expired: Money
    spent: Money
    late: Money  # booked late for days before the checkpoint: lowers only the floor
    lots: tuple[LotLeft, ...]
    unbooked: Money | None = None  # shown by usage, not booked yet: lowers only the floor
    under: Mapping[Money, datetime] = field(default_factory=dict)
    """Since when the floor has been under each level that was asked about and that it is under."""


@dataclass(slots=True)
class _Lot:
    id: str | None
    kind: Kind
    left: int
    at: datetime
    expires_at: datetime | None

    @property
    def order(self) -> tuple[bool, bool, float, datetime]:
        """Grants first, then purchases by expiry; credit of unknown origin last."""
        expiry = self.expires_at.timestamp() if self.expires_at else float("inf")
        return (self.kind is not Kind.GRANT, self.id is None, expiry, self.at)


@dataclass(slots=True)
class _Book:
    """The lots and the debt while the ledger is played in time order; balance = lots - debt."""

    lots: list[_Lot] = field(default_factory=list)
    debt: int = 0
    base: int | None = None
    credited_at: datetime | None = None
    checkpoint: Entry | None = None
    credit: int = 0
    expired: int = 0
    spent: int = 0
    under: dict[int, datetime | None] = field(default_factory=dict)  # since when, by level

    @property
    def held(self) -> int:
        return sum(lot.left for lot in self.lots)

    @property
    def balance(self) -> int:
        return self.held - self.debt

    def watch(self, at: datetime) -> None:
        """Note at which levels the balance of this instant is."""
        balance = self.balance
        for level, since in self.under.items():
            self.under[level] = (since or at) if balance < level else None

    def spend_each(self, spent: Sequence[Piece]) -> None:
        """Spend piece after piece; at once where no level is left and nothing is given back."""
        whole = sum(nanos for _, nanos in spent)
        after = self.balance - whole
        stays = all((since is None) == (after >= level) for level, since in self.under.items())
        if stays and all(nanos >= 0 for _, nanos in spent):
            self.spend(whole)
            return
        for window, nanos in spent:
            self.spend_over(window, nanos)

    def spend_over(self, window: Window, nanos: int) -> None:
        """Spend evenly over a window, and note when which level was left."""
        before = self.balance
        self.spend(nanos)
        after = before - nanos
        for level, since in self.under.items():
            if after >= level:
                self.under[level] = None
            elif since is None and level <= before:
                part = window.length // MICROSECOND * (before - level) // nanos
                self.under[level] = window.start + part * MICROSECOND
            else:
                self.under[level] = since or window.end

    def spend(self, nanos: int) -> None:
        self.spent += nanos
        lots = self.lots
        self._take(nanos, sorted(lots, key=lambda lot: lot.order) if len(lots) > 1 else lots)

    def _take(self, nanos: int, lots: Iterable[_Lot]) -> None:
        if nanos < 0:  # a provider's correction gives money back
            self._give(-nanos, _Lot(None, Kind.DEPOSIT, 0, LAST, None))
            return
        for lot in lots:
            taken = min(lot.left, nanos)
            lot.left -= taken
            nanos -= taken
            if not nanos:
                break
        self.debt += nanos
        self._drop_empty()

    def _give(self, nanos: int, lot: _Lot) -> None:
        paid = min(self.debt, nanos)
        self.debt -= paid
        lot.left = nanos - paid
        self.lots.append(lot)

    def add(self, entry: Entry) -> None:
        nanos = entry.amount.nanos
        if entry.kind is Kind.CHECKPOINT:
            self._state(entry)
        elif entry.kind is Kind.REFUND:
            self.credit -= nanos
            bought = [lot for lot in self.lots if lot.kind is Kind.DEPOSIT]
            newest = sorted(bought, key=lambda lot: lot.at, reverse=True)
            self._take(nanos, [*newest, *(lot for lot in self.lots if lot not in newest)])
        else:
            self.credit += nanos
            self._give(nanos, _Lot(entry.id, entry.kind, 0, entry.at, entry.expires_at))
            self.base, self.credited_at = self.held, entry.at

    def _state(self, entry: Entry) -> None:
        stated = entry.amount.nanos
        if self.checkpoint is None:  # before it nothing was known
            self.under = dict.fromkeys(self.under)
        self.debt = max(-stated, 0)
        surplus = max(stated, 0) - self.held
        if surplus < 0:
            self._take(-surplus, sorted(self.lots, key=lambda lot: lot.order))
        elif surplus > 0:
            self.lots.append(_Lot(None, Kind.DEPOSIT, surplus, entry.at, None))
            if self.base is None or surplus * 20 > self.base:  # more than drift: a credit
                self.base, self.credited_at = self.held, entry.at
        self.checkpoint = entry
        self.credit = self.expired = self.spent = 0

    def expire(self, instant: datetime) -> None:
        for lot in self.lots:
            if lot.expires_at is not None and lot.expires_at <= instant:
                self.expired += lot.left
                lot.left = 0
        self._drop_empty()

    def _drop_empty(self) -> None:
        if any(not lot.left for lot in self.lots):
            self.lots = [lot for lot in self.lots if lot.left]

    def copy(self) -> _Book:
        """Return a book that goes on from here, and leaves this one as it is."""
        lots = [_Lot(one.id, one.kind, one.left, one.at, one.expires_at) for one in self.lots]
        return replace(self, lots=lots, under=dict(self.under))


@dataclass(frozen=True, slots=True)
class Settled:
    """What the ledger had come to at a UTC midnight, before which nothing changes any more.

    `derive` goes on from it, with what came later, to the same position as from the beginning.
    """

    at: datetime
    billed: _Book
    floor: _Book


def purchase_expiry(provider: str, at: datetime) -> datetime | None:
    """Return when credit bought at an instant expires by the provider's terms, None for never."""
    return a_year_after(at) if provider in EXPIRES_AFTER_A_YEAR else None


def latest_checkpoint(entries: Iterable[Entry]) -> Entry | None:
    """Return the checkpoint that counts: the latest by its instant, then by entry."""
    stated = [entry for entry in entries if entry.kind is Kind.CHECKPOINT]
    return max(stated, key=lambda entry: (entry.at, int(entry.id)), default=None)


def derive(
    entries: Sequence[Entry],
    days: Sequence[DaySpend],
    now: datetime,
    *,
    as_of: datetime,
    late: Money | None = None,
    at: datetime | None = None,
    levels: Sequence[Money] = (),
    splits: Mapping[datetime, Split] = MappingProxyType({}),
    settled: Settled | None = None,
) -> Position | None:
    """Return the balance at `at` (default: now), None without a checkpoint.

    `entries` are those not voided; `days` the UTC days in the account's currency since the
    first entry; `late` what was booked after the checkpoint for days already read before it.
    `levels` are those of which the position tells since when the floor is under them; `splits` tell
    how the usage of their own days divides at checkpoints, where that is known. With `settled`,
    which knew the same `late` and `levels`, only what came after it is looked at.
    """
    until = now if at is None else at
    checkpoint = latest_checkpoint(entry for entry in entries if entry.at <= until)
    if checkpoint is None and settled is not None:
        checkpoint = settled.billed.checkpoint
    if checkpoint is None:
        return None
    currency = checkpoint.amount.currency
    added = late or Money.zero(currency)
    raised = {(level + added).nanos: level for level in levels}
    before, since = _begun(settled, raised)
    billed = _play(before.billed, entries, days, now, until, splits, since=since, spent_after=False)
    floor = _play(before.floor, entries, days, now, until, splits, since=since, spent_after=True)
    return Position(
        floor=Money(floor.balance, currency) - added,
        billed=Money(billed.balance, currency),
        as_of=as_of,
        checkpoint=Checkpoint(checkpoint.id, checkpoint.at, checkpoint.amount, checkpoint.source),
        base=None if billed.base is None else Money(billed.base, currency),
        credited_at=billed.credited_at,
        credit=Money(billed.credit, currency),
        expired=Money(billed.expired, currency),
        spent=Money(billed.spent, currency),
        late=added,
        unbooked=Money(_unbooked(days, splits, checkpoint.at, until), currency),
        lots=tuple(
            LotLeft(lot.id, lot.kind, Money(lot.left, currency), lot.at, lot.expires_at)
            for lot in sorted(billed.lots, key=lambda lot: lot.order)
        ),
        under={raised[level]: since for level, since in floor.under.items() if since},
    )


def settle(
    entries: Sequence[Entry],
    days: Sequence[DaySpend],
    midnight: datetime,
    *,
    late: Money | None = None,
    levels: Sequence[Money] = (),
    splits: Mapping[datetime, Split] = MappingProxyType({}),
    settled: Settled | None = None,
) -> Settled:
    """Return what the ledger came to at a UTC midnight that lies at or after `settled`."""
    raised = [(level if late is None else level + late).nanos for level in levels]
    before, since = _begun(settled, raised)
    ended = [day for day in days if day.day.end <= midnight]

    def play(book: _Book, *, spent_after: bool) -> _Book:
        return _play(
            book, entries, ended, midnight, midnight, splits, since=since, spent_after=spent_after
        )

    return Settled(
        midnight, play(before.billed, spent_after=False), play(before.floor, spent_after=True)
    )


def _begun(settled: Settled | None, levels: Iterable[int]) -> tuple[Settled, datetime]:
    """Return the books to go on from, and the instant they are of."""
    if settled is None:
        return Settled(FIRST, _Book(), _Book(under=dict.fromkeys(levels))), FIRST
    return Settled(settled.at, settled.billed.copy(), settled.floor.copy()), settled.at


def _play(
    book: _Book,
    entries: Sequence[Entry],
    days: Sequence[DaySpend],
    now: datetime,
    until: datetime,
    splits: Mapping[datetime, Split],
    *,
    since: datetime,
    spent_after: bool,
) -> _Book:
    """Play the ledger in time order: spend between the instants at which something happens."""
    days = [day for day in days if day.day.start >= since]
    listed = sorted(
        (entry for entry in entries if since < entry.at <= until),
        key=lambda entry: (entry.at, entry.kind is Kind.CHECKPOINT, int(entry.id)),
    )
    stated = [entry.at for entry in listed if entry.kind is Kind.CHECKPOINT]
    spread = deque(
        piece
        for day in sorted(days, key=lambda spend: spend.day.start)
        for piece in _spread(day, stated, now, splits, spent_after=spent_after)
    )
    waiting = deque(listed)
    for instant in _instants([*listed, *book.lots], since, until):
        _spend_until(book, spread, instant)
        book.expire(instant)
        while waiting and waiting[0].at == instant:
            book.add(waiting.popleft())
            book.expire(instant)
        book.watch(instant)
    if spread and spread[0][0] == Window(until, until):
        book.spend_over(*spread[0])
    return book


def _instants(credit: Sequence[Entry | _Lot], since: datetime, until: datetime) -> list[datetime]:
    happens = {one.at for one in credit}
    happens |= {one.expires_at for one in credit if one.expires_at is not None}
    return sorted({instant for instant in happens if since < instant < until} | {until})


def _spread(
    spend: DaySpend,
    stated: Sequence[datetime],
    now: datetime,
    splits: Mapping[datetime, Split],
    *,
    spent_after: bool,
) -> list[Piece]:
    """Return the day's spend over the parts of the day it is taken to have happened in."""
    nanos = spend.known.nanos if spent_after else spend.amount.nanos
    end = max(min(spend.day.end, now), spend.day.start)
    inside = max((at for at in stated if spend.day.start < at < spend.day.end), default=None)
    if inside is None:
        return pieces(Window(spend.day.start, end), nanos, spend.hours)
    before = Window(spend.day.start, min(end, inside))
    after = Window(inside, max(end, inside))
    split = splits.get(inside)
    if split is not None and split.whole > 0:
        booked = spend.amount.nanos
        part = split.known_after(booked) if spent_after else split.booked_after(booked)
        rest = max(nanos - part, min(nanos, 0))
        return [*pieces(before, rest, spend.hours), *pieces(after, part, spend.hours)]
    if spent_after and nanos > 0:  # money given back raises neither end
        return pieces(after, nanos, spend.hours)
    return pieces(before, nanos, spend.hours)


def _unbooked(
    days: Sequence[DaySpend],
    splits: Mapping[datetime, Split],
    stated: datetime,
    until: datetime,
) -> int:
    """Return what the floor counts after a checkpoint beyond what is booked."""
    later = sum(day.unbooked for day in days if stated <= day.day.start < until)
    split = splits.get(stated)
    if split is None or split.whole <= 0:
        return later + sum(day.unbooked for day in days if day.day.start < stated < day.day.end)
    return later + sum(
        max(split.known_after(day.amount.nanos) - split.booked_after(day.amount.nanos), 0)
        for day in days
        if day.day.start < stated < day.day.end
    )


def _spend_until(book: _Book, spread: deque[Piece], instant: datetime) -> None:
    """Take from the front of `spread` what was spent before `instant`, oldest first."""
    taken: list[Piece] = []
    while spread and spread[0][0].start < instant:
        window, nanos = spread.popleft()
        if window.end > instant:
            gone = share(nanos, window, Window(window.start, instant))
            spread.appendleft((Window(instant, window.end), nanos - gone))
            window, nanos = Window(window.start, instant), gone
        taken.append((window, nanos))
    book.spend_each(taken)
