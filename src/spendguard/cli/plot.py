"""plot: a picture of the balance and what is foreseen, or of spend, as PNG or SVG."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spendguard.cli.entries import books_of
from spendguard.cli.instants import resolve
from spendguard.cli.output import emit, say
from spendguard.cli.parser import Options
from spendguard.cli.reading import Source, known_account, source
from spendguard.core.errors import SpendguardError, UsageError
from spendguard.core.money import Money
from spendguard.core.windows import DAY, HOUR, Unit, Window, midnight, tile, utc_day
from spendguard.store.history import to_column
from spendguard.store.spending import Question, Row, Spending, totals

if TYPE_CHECKING:
    from spendguard.core.ledger import DaySpend, Entry, Split
    from spendguard.core.reconcile import Books
    from spendguard.pictures import BalancePicture, Bar, Fan, Mark, SpendPicture

FORMS = ("png", "svg")
DAYS = {"balance": 14, "spend": 30}
POINTS = 160
_MICROSECOND = timedelta(microseconds=1)


def run(options: Options) -> int:
    """Draw a picture into a file."""
    if options.what == "balance" and options.by is not None:
        raise UsageError("--by is for a picture of spend", "spendguard plot spend --by model")
    with source(options) as asked:
        account = known_account(options.account, asked.account_names())
        window = _window(options, asked)
        if options.what == "balance":
            account = account or _only(asked)
            path, form = _target(options, account)
            drawn = _draw_balance(balance_picture(asked, account, window), form, options.theme)
        else:
            path, form = _target(options, account)
            by = options.by or "model"
            drawn = _draw_spend(spend_picture(asked, account, window, by), form, options.theme)
    _write(path, drawn)
    if options.json:
        emit({"what": options.what, "account": account, "path": str(path), "format": form})
    elif str(path) != "-":
        say(f"wrote {path}")
    return 0


def _window(options: Options, asked: Source) -> Window:
    zone, now = asked.zone, asked.now
    until = now if options.until is None else resolve(options.until, "--until", zone, now)
    if options.since is not None:
        since = resolve(options.since, "--since", zone, now)
    else:
        last = (until - _MICROSECOND).astimezone(zone).date()
        since = midnight(last - DAY * (DAYS[options.what] - 1), zone)
    if since >= until:
        raise UsageError("--since is not before --until", "give a window that holds something")
    return Window(since, until)


def _only(asked: Source) -> str:
    names = asked.account_names()
    if len(names) == 1:
        return names[0]
    known = ", ".join(sorted(names)) or "there is none yet"
    raise SpendguardError("which account's balance?", f"name it by --account; known: {known}")


def _target(options: Options, account: str | None) -> tuple[Path, str]:
    """Return where the picture goes, and its form by the end of that name."""
    if options.output is None:
        return Path(f"spendguard-{options.what}-{account or 'all'}.{options.format or 'png'}"), (
            options.format or "png"
        )
    path = Path(options.output)
    form = options.format or path.suffix.lower().removeprefix(".") or "png"
    if form not in FORMS:
        raise UsageError(f"'{path.name}' is neither PNG nor SVG", "end it in .png or .svg")
    return path, form


def _write(path: Path, drawn: bytes) -> None:
    if str(path) == "-":
        sys.stdout.buffer.write(drawn)
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(drawn)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        why = (error.strerror or type(error).__name__).lower()
        hint = "name another file by --output"
        raise SpendguardError(f"cannot write '{path}': {why}", hint) from None


def _draw_balance(picture: BalancePicture, form: str, theme: str) -> bytes:
    from spendguard.pictures import draw_balance

    return draw_balance(picture, form, theme)


def _draw_spend(picture: SpendPicture, form: str, theme: str) -> bytes:
    from spendguard.pictures import draw_spend

    return draw_spend(picture, form, theme)


# the balance


def balance_picture(asked: Source, account: str, window: Window) -> BalancePicture:
    """Return the balance over a window, with what the last evaluation foresaw."""
    from spendguard.pictures import BalancePicture

    configured = {one["name"]: one for one in asked.configuration().get("accounts", [])}
    held = configured.get(account, {})
    currency = held.get("currency") or _currency(asked, account)
    recharge = held.get("recharge") or {}
    books = books_of(asked, account)
    evaluation = asked.evaluations().get(f"account:{account}", {})
    trigger = Money.parse(recharge["trigger"], currency) if recharge.get("enabled") else None
    fan: tuple[Fan, ...] = ()
    if window.end >= asked.now:
        fan = tuple(_fan(asked, account, evaluation.get("balance"), trigger))
    return BalancePicture(
        account=account,
        currency=currency,
        zone=asked.zone,
        now=min(asked.now, window.end),
        past=tuple(_past(asked, account, currency, books, window, evaluation.get("balance"))),
        fan=fan,
        trigger=trigger,
        marks=(*_happened(books, window), *_expected(evaluation, currency, fan)),
    )


def _currency(asked: Source, account: str) -> str:
    rows = {row["name"]: row["currency"] for row in asked.history.ask("accounts")}
    return str(rows.get(account, "USD"))


def _past(
    asked: Source,
    account: str,
    currency: str,
    books: Books,
    window: Window,
    balance: Mapping[str, Any] | None,
) -> Iterator[tuple[datetime, int]]:
    """Yield the floor of the balance over a window, from the first checkpoint on.

    At its end it is what the last evaluation found, which knows more than the days tell.
    """
    from spendguard.core.ledger import derive

    entries = [entry for entry in books.entries if entry.amount.currency == currency]
    if not entries:
        return
    days = _days(asked, account, currency, min(entry.at for entry in entries))
    splits = _splits(asked, account, currency, entries)
    told = balance["floor"] if balance is not None and window.end >= asked.now else None
    found = None if told is None else Money.parse(told, currency).nanos
    for at in _moments(entries, window):
        position = derive(entries, days, asked.now, as_of=at, at=at, splits=splits)
        if position is not None:
            known = found if at == window.end else None
            yield at, position.floor.nanos if known is None else known


def _splits(
    asked: Source, account: str, currency: str, entries: Sequence[Entry]
) -> dict[datetime, Split]:
    """Return how checkpoints divide their own UTC days, where usage tells."""
    from spendguard.core.ledger import Kind, Split

    spending, splits = Spending(asked.history, UTC, asked.now), dict[datetime, Split]()
    for at in (entry.at for entry in entries if entry.kind is Kind.CHECKPOINT):
        day = utc_day(at)
        end = min(day.end, asked.now)
        if not day.start < at < end or not _used(asked, account, day):
            continue
        after, whole = (
            totals(spending.answer(Question(account, window))).get(currency, {})
            for window in (Window(at, end), Window(day.start, end))
        )
        if sum(whole.values()) > 0:
            splits[at] = Split(sum(after.values()), sum(whole.values()))
    return splits


def _used(asked: Source, account: str, day: Window) -> bool:
    since, until = (to_column(at) // (HOUR // _MICROSECOND) for at in (day.start, day.end))
    rows = asked.history.ask("usage_hours", account=account, since=since, until=until)
    return any(row["nanos"] for row in rows)


def _days(asked: Source, account: str, currency: str, since: datetime) -> list[DaySpend]:
    from spendguard.core.ledger import DaySpend

    until = max(asked.now, since + HOUR)
    asking = Question(account, Window(utc_day(since).start, until), "day")
    known: dict[Window, dict[str, int]] = {}
    for row in Spending(asked.history, UTC, asked.now).answer(asking):
        if row.currency == currency:
            known.setdefault(utc_day(row.window.start), {})[row.kind] = row.nanos
    return [
        DaySpend(day, Money(kinds.get("booked", 0), currency), kinds.get("estimated", 0))
        for day, kinds in known.items()
    ]


def _moments(entries: Sequence[Entry], window: Window) -> list[datetime]:
    """Return the instants to look at: evenly apart, and before and at each entry."""
    moments = {window.start + window.length * place // POINTS for place in range(POINTS + 1)}
    for entry in entries:
        if entry.at in window:
            moments |= {entry.at - _MICROSECOND, entry.at}
    return sorted(moments)


def _fan(
    asked: Source, account: str, balance: Mapping[str, Any] | None, trigger: Money | None
) -> Iterator[Fan]:
    """Yield how the balance is foreseen to fall, until even its high end is at the trigger.

    There something else begins: a charge that succeeds or fails. Without a recharge it is zero.
    """
    from spendguard.core.forecasts import Forecast
    from spendguard.pictures import Fan

    stored = {row["name"]: row["forecast"] for row in asked.history.ask("forecasts")}
    if account not in stored or balance is None:
        return
    forecast = Forecast.restored(json.loads(stored[account]))
    if not forecast.fan:
        return
    floor = Money.parse(balance["floor"], forecast.currency).nanos
    level = 0 if trigger is None else trigger.nanos
    if floor <= level:
        return
    yield Fan(forecast.start, floor, floor, floor)
    lines = (forecast.fan[percent] for percent in (90, 50, 10))
    for hour, spent in enumerate(zip(*lines, strict=True), 1):
        low, middle, high = (max(floor - nanos, level) for nanos in spent)
        yield Fan(forecast.start + HOUR * hour, low, middle, high)
        if high == level:
            return


def _happened(books: Books, window: Window) -> Iterator[Mark]:
    from spendguard.core.charges import Outcome
    from spendguard.core.ledger import Kind
    from spendguard.pictures import Mark, MarkKind

    for entry in books.entries:
        if entry.kind in {Kind.DEPOSIT, Kind.GRANT} and entry.at in window:
            yield Mark(entry.at, MarkKind.RECHARGED, entry.amount)
    for charge in books.charges:
        if charge.outcome is Outcome.FAILED and charge.at in window:
            yield Mark(charge.at, MarkKind.FAILED, charge.amount)


def _expected(evaluation: dict[str, Any], currency: str, fan: Sequence[Fan]) -> Iterator[Mark]:
    from spendguard.pictures import Mark, MarkKind

    coming = evaluation.get("next_recharge")
    if coming and fan and datetime.fromisoformat(coming["expected_at"]) <= fan[-1].at:
        at = datetime.fromisoformat(coming["expected_at"])
        yield Mark(at, MarkKind.EXPECTED, Money.parse(coming["amount"], currency))


# spend


def spend_picture(asked: Source, account: str | None, window: Window, by: str) -> SpendPicture:
    """Return spend over a window, in hours where it is short, stacked by what spent it."""
    from spendguard.pictures import SpendPicture

    unit = Unit.HOUR if window.length <= DAY * 3 else Unit.DAY
    windows = list(tile(window, unit, asked.zone))
    spending = Spending(asked.history, asked.zone, asked.now)
    rows = [spending.answer(Question(account, one, by)) for one in windows]
    currency = _commonest(rows)
    names = asked.names(by)
    return SpendPicture(
        title=f"{account or 'all accounts'}, spend by {by}",
        currency=currency,
        zone=asked.zone,
        starts=tuple(one.start for one in windows),
        bars=tuple(_bars(rows, currency, names)),
    )


def _commonest(rows: Sequence[Sequence[Row]]) -> str:
    """Return the currency most is spent in: two of them cannot stand on one axis."""
    counts: dict[str, int] = {}
    for row in (row for of_window in rows for row in of_window):
        counts[row.currency] = counts.get(row.currency, 0) + row.nanos
    return max(counts, key=lambda code: counts[code], default="USD")


def _bars(rows: Sequence[Sequence[Row]], currency: str, names: dict[str, str]) -> Iterator[Bar]:
    from spendguard.pictures import Bar

    spent: dict[str | None, list[int]] = {}
    for place, of_window in enumerate(rows):
        for row in of_window:
            if row.currency == currency:
                spent.setdefault(row.part, [0] * len(rows))[place] += row.nanos
    for part in sorted(spent, key=lambda part: (-sum(spent[part]), part or "")):
        yield Bar("(not told)" if part is None else names.get(part, part), tuple(spent[part]))
