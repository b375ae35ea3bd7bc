"""spend: what was spent, booked and estimated, by calendar or by what spent it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta

from spendguard.cli.instants import resolve, rfc3339
from spendguard.cli.output import emit
from spendguard.cli.parser import Options
from spendguard.cli.reading import Source, known_account, source
from spendguard.core.errors import UsageError
from spendguard.core.nanos import exact
from spendguard.core.windows import DAY, Window, midnight
from spendguard.store.spending import COLUMNS, KINDS, Question, Row, Spending, totals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEFAULT_DAYS = 30
_MICROSECOND = timedelta(microseconds=1)


def run(options: Options) -> int:
    """Print what was spent."""
    if options.json and options.csv:
        raise UsageError("--json and --csv are two forms", "give one of them")
    with source(options) as asked:
        question = _question(options, asked)
        spending = Spending(asked.history, asked.zone, asked.now)
        rows = spending.answer(question)
        if options.json:
            flat = [_flat(row, question.by, nested=True) for row in rows]
            emit({"rows": flat, "totals": _totals(spending, question, rows)})
        elif options.csv:
            _csv(rows, question.by)
        else:
            from spendguard.cli.spend_table import show

            show(asked, spending, question, rows)
    return 0


def _question(options: Options, asked: Source) -> Question:
    zone, now = asked.zone, asked.now
    until = now if options.until is None else resolve(options.until, "--until", zone, now)
    if options.since is None:
        last = (until - _MICROSECOND).astimezone(zone).date()
        since = midnight(last - DAY * ((options.days or DEFAULT_DAYS) - 1), zone)
    elif options.days is not None:
        raise UsageError("--since and --days both say where it begins", "give one of them")
    else:
        since = resolve(options.since, "--since", zone, now)
    if since >= until:
        raise UsageError("--since is not before --until", "give a window that holds something")
    account = options.account and known_account(options.account, asked.account_names())
    return Question(account, Window(since, until), options.by)


def _totals(
    spending: Spending, question: Question, rows: Sequence[Row]
) -> list[dict[str, str | None]]:
    """Return the totals of each currency as JSON has them; by calendar, time itself is compared."""
    now = totals(rows)
    if question.by not in COLUMNS:
        return [_total(currency, kinds) for currency, kinds in sorted(now.items())]
    former = spending.before(Question(question.account, question.window))
    then = None if former is None else totals(former)
    none = dict.fromkeys(KINDS, 0)
    return [
        {
            **_total(currency, now.get(currency, none)),
            "before": None if then is None else exact(sum(then.get(currency, none).values())),
        }
        for currency in sorted({*now, *(then or ())})
    ]


def _total(currency: str, kinds: Mapping[str, int]) -> dict[str, str | None]:
    told = {kind: exact(kinds[kind]) for kind in KINDS}
    return {"currency": currency, "amount": exact(sum(kinds.values())), **told}


def _flat(row: Row, by: str, *, nested: bool) -> dict[str, Any]:
    """Return a row as JSON has it, or with its window flat, as CSV has it."""
    window = {"start": rfc3339(row.window.start), "end": rfc3339(row.window.end)}
    dimensions: dict[str, str | None] = dict.fromkeys(COLUMNS.values())
    if by in COLUMNS:
        dimensions[COLUMNS[by]] = row.part
    return {
        **({"window": window} if nested else window),
        **dimensions,
        "amount": exact(row.nanos),
        "currency": row.currency,
        "kind": row.kind,
    }


def _csv(rows: Sequence[Row], by: str) -> None:
    import csv

    names = ["start", "end", *COLUMNS.values(), "amount", "currency", "kind"]
    writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_flat(row, by, nested=False) for row in rows)
