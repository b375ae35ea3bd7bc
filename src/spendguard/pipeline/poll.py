"""Poll: ask a provider what an account spent, and keep the answer.

Each poll reads the last days again and overwrites them; once a day it looks further back. The
first polls of an account read its history, newest first: what was read is kept even when the time
runs out, and the next poll goes on from there. An account whose API states the balance has no
history to read: its spend begins with the second poll. Usage comes last: a poll does not fail for
it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from spendguard.core.accounts import Account
from spendguard.core.errors import ErrorKind, ProviderError
from spendguard.core.ledger import latest_checkpoint
from spendguard.core.prices import PriceTable
from spendguard.core.readings import Balance, Extras, SpendRead
from spendguard.core.reconcile import reconcile
from spendguard.core.windows import DAY, HOUR, Window, utc_day
from spendguard.pipeline.balances import keep_balance
from spendguard.pipeline.usage import Progress, read_usage
from spendguard.providers.base import Provider
from spendguard.store import due, estimates, ledger, readings, spenders
from spendguard.store.connect import Store, Tx
from spendguard.store.readings import Written
from spendguard.store.spenders import Seen

RECENT = DAY * 8
DEEP = DAY * 35
HISTORY = DAY * 180
CHUNK = DAY * 60
NAMES_EVERY = DAY
REPLIES_EVERY = HOUR
NO_PRICES = PriceTable()


@dataclass(frozen=True, slots=True)
class PollOutcome:
    """How the poll of an account went: `error` is None when its costs, or its balance, were read."""

    account: str
    error: ErrorKind | None = None
    message: str = ""
    hint: str = ""
    added: int = 0
    restated: int = 0

    @property
    def polled(self) -> str:
        """The word of `check --json`."""
        return "ok" if self.error is None else self.error.value


@dataclass(frozen=True, slots=True)
class _Due:
    """What this poll wants to read."""

    recent: Window
    deep: bool
    history_from: datetime
    names: bool
    projects: tuple[str, ...]
    kept: frozenset[str]  # paths of which a reply was kept a short time ago


def poll(
    store: Store,
    account: Account,
    provider: Provider,
    now: datetime,
    progress: Progress = lambda _read, _wanted, _what: None,
    prices: PriceTable = NO_PRICES,
    claim: str | None = None,
) -> PollOutcome:
    """Read one account; a refusal is an outcome, not an exception, and loses nothing.

    `claim` is the token under which the account was taken, if it was: the outcome ends it.
    """
    with store.begin() as tx:
        wanted = _plan(tx, account, now)
    try:
        told = _ask(store, account, provider, wanted)
    except ProviderError as error:
        return _refused(store, account, provider, error, now, claim)
    with store.begin() as tx:
        row = due.load(tx, account.name)
        if isinstance(told, Balance):
            written = keep_balance(tx, row, account, told, now)
            due.update(tx, row.id, read_from=row.read_from or utc_day(now).start)
        else:
            written = _keep_costs(tx, row, told, row.first_ok_at, now)
            due.update(tx, row.id, **_reach(row, wanted, now))
    if not provider.states_balance:
        _read_history(store, account, provider, wanted, now, progress)
    extras = provider.extras(names=wanted.names, projects=wanted.projects)
    read_usage(store, account, provider, prices, now, progress)
    replies = provider.replies(wanted.kept)
    with store.begin() as tx:
        row = due.load(tx, account.name)
        changed = _keep_extras(tx, account, row, wanted, extras, now)
        readings.put_replies(tx, row.id, replies, now)
        due.succeeded(tx, row, now, account.poll_interval, claim, **changed)
    return PollOutcome(account.name, added=written.added, restated=written.restated)


def _ask(store: Store, account: Account, provider: Provider, wanted: _Due) -> SpendRead | Balance:
    """Return the costs of the recent days, or the balance where the API states that."""
    if provider.states_balance:
        return provider.balance()
    read = provider.costs(wanted.recent)
    _believe(store, account, read)
    return read


def _keep_costs(
    tx: Tx, row: Any, read: SpendRead, known_until: datetime | None, now: datetime
) -> Written:
    """Keep a window of costs, and what follows from it."""
    written = readings.put_spend(tx, row.id, row.currency, read, now)
    if written.added or written.restated:
        due.update(tx, row.id, costs_moved_at=now)
    spenders.note(tx, row.id, _spending(read), known_until, now)
    estimates.refresh(tx, row.id, row.currency, now)
    return written


def _spending(read: SpendRead) -> dict[Seen, datetime]:
    """Return the api keys and models that spent, and when the first day of it was over."""
    seen: dict[Seen, datetime] = {}
    for row in read.rows:
        for who in (("api_key", row.api_key), ("model", row.model)):
            if row.amount.nanos > 0:
                seen[who] = min(seen.get(who, row.window.end), row.window.end)
    return seen


def _believe(store: Store, account: Account, read: SpendRead) -> None:
    """Refuse a reply that names no day where days with spend are known: that is not zero."""
    if len(read.unnamed) * DAY < read.window.length:
        return
    with store.begin() as tx:
        known = readings.any_spend(tx, due.load(tx, account.name).id, read.window)
    if known:
        raise ProviderError(
            ErrorKind.MALFORMED,
            "the provider named no day at all, where it had told of spend before",
            "what was known is kept; if this goes on, look at the provider's own usage page",
        )


def refuse(
    store: Store,
    account: Account,
    error: ProviderError,
    now: datetime,
    claim: str | None = None,
) -> PollOutcome:
    """Record a poll that could not even be tried, for want of a key."""
    with store.begin() as tx:
        due.failed(tx, due.load(tx, account.name), now, account.poll_interval, error, claim)
    return PollOutcome(account.name, error.kind, error.message, error.hint)


def _plan(tx: Tx, account: Account, now: datetime) -> _Due:
    row = due.load(tx, account.name)
    today = utc_day(now)
    deep = row.deep_read_at is None or _since(row.deep_read_at, now) >= DAY
    stated = latest_checkpoint(reconcile(ledger.live(tx, row.id)).entries)
    since = today.start - HISTORY
    if stated is not None:
        since = min(since, utc_day(stated.at).start)
    unnamed = row.names_read_at is None or (
        _since(row.names_read_at, now) >= HOUR and readings.unnamed(tx, row.id)
    )
    return _Due(
        recent=Window(today.start - (DEEP if deep else RECENT), today.end),
        deep=deep,
        history_from=since,
        names=unnamed or _since(row.names_read_at, now) >= NAMES_EVERY,
        projects=tuple(readings.project_ids(tx, row.id)),
        kept=readings.replies_since(tx, row.id, now - REPLIES_EVERY, now),
    )


def _since(instant: datetime, now: datetime) -> timedelta:
    """Return how long ago something was done, also where the clock ran ahead when it was."""
    return abs(now - instant)


def _reach(row: Any, wanted: _Due, now: datetime) -> dict[str, object]:
    """Return how far back everything has been read now; after an outage there may be a gap."""
    start, last = wanted.recent.start, row.last_ok_at
    gap = row.read_from is None or last is None or utc_day(last).start < start
    return {"read_from": start if gap else min(row.read_from, start)} | (
        {"deep_read_at": now} if wanted.deep else {}
    )


def _read_history(
    store: Store,
    account: Account,
    provider: Provider,
    wanted: _Due,
    now: datetime,
    progress: Progress,
) -> None:
    """Read further back, a chunk at a time; what fails or finds no time is left for the next."""
    with store.begin() as tx:
        reached = due.load(tx, account.name).read_from
    days = (wanted.recent.end - wanted.history_from) // DAY
    progress(min((wanted.recent.end - reached) // DAY, days), days, "cost")
    while reached > wanted.history_from:
        window = Window(max(reached - CHUNK, wanted.history_from), reached)
        try:
            read = provider.costs(window, ended=True)
            _believe(store, account, read)
        except ProviderError:
            return
        with store.begin() as tx:
            row = due.load(tx, account.name)
            _keep_costs(tx, row, read, None, now)
            due.update(tx, row.id, read_from=window.start)
        reached = window.start
        progress((wanted.recent.end - reached) // DAY, days, "cost")


def _keep_extras(
    tx: Tx, account: Account, row: Any, wanted: _Due, extras: Extras, now: datetime
) -> dict[str, object]:
    """Keep what was told beside the costs; what was not told stays as it was, but unknown."""
    heard = {name.id for name in extras.names or () if name.kind == "project" and name.active}
    readings.put_settings(tx, row.id, account.currency, extras, heard.union(wanted.projects))
    changed: dict[str, object] = {
        "limits_known": extras.limits is not None,
        "alerts_known": extras.alerts is not None,
        "own_key_known": extras.own_key is not None,
    }
    if extras.own_key is not None:
        changed["own_key_expires_at"] = extras.own_key.expires_at
    if extras.names is not None:
        readings.put_names(tx, row.id, extras.names)
        changed["names_read_at"] = now
    return changed


def _refused(
    store: Store,
    account: Account,
    provider: Provider,
    error: ProviderError,
    now: datetime,
    claim: str | None,
) -> PollOutcome:
    replies = provider.replies()
    with store.begin() as tx:
        row = due.load(tx, account.name)
        due.failed(tx, row, now, account.poll_interval, error, claim)
        readings.put_replies(tx, row.id, replies, now)
    return PollOutcome(account.name, error.kind, error.message, error.hint)
