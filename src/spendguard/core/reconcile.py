"""Reconciling: what several sources say of the same top-up is one deposit with several sources.

A pure function of what was stated, whatever came first: the ledger is the same in any order, and
after any crash. What is voided is not among the statements, so a void undoes exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from spendguard.core.charges import Charge, Outcome
from spendguard.core.ledger import Entry, Kind, latest_checkpoint
from spendguard.core.money import Money

TOGETHER = timedelta(hours=48)
EXPLAINED = timedelta(days=7)
"""So long after usage proved some credit, an entry of credit is taken to say how much it was."""
SOURCES = ("api", "receipt", "card", "manual", "inferred")
"""Whose word counts for the instant: first that of machines."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What one source said: an entry of the ledger, or an attempt to charge the card.

    `amount` is None for credit that was inferred, and for a failed charge nobody put a figure to.
    `origin` tells apart the witnesses of one source, such as two kinds of receipts.
    """

    id: str
    kind: Kind
    amount: Money | None
    at: datetime
    account: str = ""
    outcome: Outcome | None = None
    expires_at: datetime | None = None
    source: str = "manual"
    origin: str = ""
    external_id: str | None = None
    card: str | None = None
    reason: str = ""
    recorded_at: datetime | None = None

    @property
    def credits(self) -> bool:
        """True for a deposit, also one that a succeeded charge made."""
        return self.kind is Kind.DEPOSIT or self.outcome is Outcome.SUCCEEDED

    @property
    def witness(self) -> tuple[str, str]:
        """Who says so: one witness never speaks twice of the same top-up."""
        return self.source, self.origin

    @property
    def place(self) -> tuple[object, ...]:
        """Its place in an order that does not depend on what was recorded first."""
        amount = (-1, "") if self.amount is None else (self.amount.nanos, self.amount.currency)
        said = (SOURCES.index(self.source), self.origin, self.external_id or "")
        return (self.at, *said, self.kind, *amount, int(self.id))


@dataclass(frozen=True, slots=True)
class TopUp:
    """One real top-up: the statement that counts, and the others that say the same."""

    chief: Statement
    statements: tuple[Statement, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """Who says so, the best informed first."""
        return tuple(dict.fromkeys(one.source for one in self.statements))

    @property
    def charge(self) -> Statement | None:
        """The statement that it was a charge of the card, if one does."""
        return next((one for one in self.statements if one.kind is Kind.CHARGE), None)


@dataclass(frozen=True, slots=True)
class Books:
    """An account's ledger after reconciling.

    `proofs` are inferred credits of unknown amount that nothing has explained yet; `unexplained`
    is credit that no person has stated; `conflicts` pairs what may be one top-up or two.
    """

    entries: tuple[Entry, ...] = ()
    charges: tuple[Charge, ...] = ()
    top_ups: tuple[TopUp, ...] = ()
    proofs: tuple[Statement, ...] = ()
    unexplained: tuple[Statement, ...] = field(default=())
    conflicts: tuple[tuple[Statement, Statement], ...] = ()


def reconcile(statements: Sequence[Statement]) -> Books:
    """Return the ledger that these statements, in any order, make."""
    plain = [one for one in statements if _plain(one)]
    stated = latest_checkpoint(_entry(one) for one in plain)
    known = [one for one in statements if one.credits and one.amount is not None]
    failed = [one for one in statements if one.outcome is Outcome.FAILED]
    top_ups = _together(known)
    proofs = [one for one in statements if one.credits and one.amount is None]
    open_proofs = tuple(one for one in proofs if not _explained(one, known, stated))
    entries = [*(_entry(one) for one in plain), *(_lot(top) for top in top_ups)]
    charges = [
        *(_charge(top) for top in top_ups if top.charge),
        *(_charge(top) for top in _together(failed)),
        *(
            _charge(TopUp(one, (one,)))
            for one in statements
            if one.kind is Kind.CHARGE and one.outcome is Outcome.UNKNOWN
        ),
    ]
    return Books(
        entries=tuple(sorted(entries, key=lambda entry: (entry.at, int(entry.id)))),
        charges=tuple(sorted(charges, key=lambda charge: (charge.at, int(charge.id)))),
        top_ups=top_ups,
        proofs=open_proofs,
        unexplained=tuple(_first_told(top) for top in top_ups if _silent(top)) + open_proofs,
        conflicts=_conflicts(top_ups),
    )


def _plain(one: Statement) -> bool:
    return one.kind in {Kind.CHECKPOINT, Kind.GRANT, Kind.REFUND} and one.amount is not None


def _together(statements: Iterable[Statement]) -> tuple[TopUp, ...]:
    """Gather what different witnesses say of the same amount within 48 hours."""
    groups: list[list[Statement]] = []
    for one in sorted(statements, key=lambda one: one.place):
        group = next((group for group in groups if _fits(one, group)), None)
        if group is None:
            groups.append([one])
        else:
            group.append(one)
    return tuple(_top_up(group) for group in groups)


def _fits(one: Statement, group: Sequence[Statement]) -> bool:
    first = group[0]
    amounts = {other.amount for other in (*group, one) if other.amount is not None}
    return (
        len(amounts) <= 1
        and one.at - first.at <= TOGETHER
        and one.witness not in {other.witness for other in group}
    )


def _top_up(group: Sequence[Statement]) -> TopUp:
    ordered = sorted(group, key=lambda one: (SOURCES.index(one.source), one.place))
    return TopUp(ordered[0], tuple(ordered))


def _silent(top: TopUp) -> bool:
    """Tell whether a machine tells of credit, and no person does: once, whoever else saw it."""
    return "manual" not in top.sources and top.chief.source in {"api", "receipt"}


def _first_told(top: TopUp) -> Statement:
    """Return what counts, as of when anybody first told of it: accepted once, it stays so."""
    known = [one.recorded_at for one in top.statements if one.recorded_at is not None]
    return replace(top.chief, recorded_at=min(known, default=None))


def _explained(proof: Statement, known: Sequence[Statement], stated: Entry | None) -> bool:
    """Tell whether a checkpoint, or credit entered since, says what the inference could not."""
    if stated is not None and stated.at >= proof.at:
        return True
    return any(
        int(one.id) > int(proof.id)
        and (stated is None or one.at > stated.at)
        and one.at <= proof.at + EXPLAINED
        for one in known
    )


def _conflicts(top_ups: Sequence[TopUp]) -> tuple[tuple[Statement, Statement], ...]:
    """Pair what a person typed with what a machine saw near it, of another amount."""
    typed = [top.chief for top in top_ups if top.sources == ("manual",)]
    seen = [top.chief for top in top_ups if "manual" not in top.sources]
    return tuple(
        (one, other) for one in typed for other in seen if abs(one.at - other.at) <= TOGETHER
    )


def _entry(one: Statement) -> Entry:
    assert one.amount is not None  # noqa: S101  the callers asked
    return Entry(one.id, one.kind, one.amount, one.at, one.expires_at, one.source, one.external_id)


def _lot(top: TopUp) -> Entry:
    chief = top.chief
    assert chief.amount is not None  # noqa: S101  credit of unknown amount is no lot yet
    expires_at = next((one.expires_at for one in top.statements if one.expires_at), None)
    return Entry(
        chief.id,
        Kind.DEPOSIT,
        chief.amount,
        chief.at,
        expires_at,
        chief.source,
        chief.external_id,
    )


def _charge(top: TopUp) -> Charge:
    chief, said = top.chief, top.charge or top.chief
    return Charge(
        id=chief.id,
        account=said.account,
        card=next((one.card for one in top.statements if one.card), None),
        amount=next((one.amount for one in top.statements if one.amount), None),
        at=chief.at,
        outcome=said.outcome or Outcome.UNKNOWN,
        reason=next((one.reason for one in top.statements if one.reason), ""),
        source=chief.source,
    )
