"""The report: what was measured, by kind and in all, beside what is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import median

from benchmarks.guard_quality.corpus import STATIONARY
from benchmarks.guard_quality.measures import NAIVE, Measured

COLUMNS = (
    "kind",
    "years",
    "failed",
    "foreseeable",
    "unwarned",
    "sudden",
    "lead h",
    "false/year",
    "but margin",
    "spikes/quarter",
    "leaks found",
    "after h",
    "coverage",
    "pinball",
)
TELLING = "spend-spike"


def total(found: Sequence[Measured], kind: str) -> Measured:
    """Return the sum of what was measured."""
    whole = Measured(kind, 0.0)
    for one in found:
        for name in ("account_years", "failed", "foreseeable", "false_short"):
            setattr(whole, name, getattr(whole, name) + getattr(one, name))
        for name in (
            "unwarned",
            "sudden",
            "under_margin",
            "false_spikes",
            "leaks",
            "inside",
            "asked",
            "compared",
        ):
            setattr(whole, name, getattr(whole, name) + getattr(one, name))
        whole.leads += one.leads
        whole.found_after += one.found_after
        for name, loss in one.pinball.items():
            whole.pinball[name] = whole.pinball.get(name, 0.0) + loss
    return whole


def lines(found: Sequence[Measured], *, spikes: bool) -> Iterator[str]:
    """Yield the table: a line for each kind, and one for all."""
    kinds = list(dict.fromkeys(one.kind for one in found))
    wholes = [total([one for one in found if one.kind == kind], kind) for kind in kinds]
    rows = [COLUMNS, *(_row(one, spikes=spikes) for one in wholes)]
    rows.append(_row(total(found, "all"), spikes=spikes))
    widths = [max(len(row[place]) for row in rows) for place in range(len(COLUMNS))]
    for row in rows:
        yield "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )


def _row(one: Measured, *, spikes: bool) -> tuple[str, ...]:
    return (
        one.kind,
        f"{one.account_years:.0f}",
        str(one.failed),
        str(one.foreseeable),
        str(one.unwarned),
        str(one.sudden),
        f"{median(one.leads):.0f}" if one.leads else "-",
        f"{one.false_short / one.account_years:.2f}",
        f"{(one.false_short - one.under_margin) / one.account_years:.2f}",
        f"{one.false_spikes / one.account_years / 4:.2f}" if spikes else "-",
        f"{len(one.found_after)}/{one.leaks}" if one.leaks else "-",
        f"{median(one.found_after):.1f}" if one.found_after else "-",
        f"{one.inside / one.asked:.1%}" if one.asked else "-",
        _against(one),
    )


def best_naive(one: Measured) -> str:
    """Return the naive method of the least loss."""
    return min(NAIVE, key=lambda name: one.pinball[name])


def _against(one: Measured) -> str:
    if not one.compared:
        return "-"
    best = one.pinball[best_naive(one)]
    return f"{one.pinball['spendguard'] / best - 1:+.1%}" if best else "-"


def verdicts(found: Sequence[Measured], *, spikes: bool) -> Iterator[str]:
    """Yield each thing that is asked, and whether it is reached."""
    whole = total(found, "all")
    still = total([one for one in found if one.kind in STATIONARY], "stationary")
    told: list[tuple[str, str, bool]] = [
        ("foreseeable failed charges unwarned 6 h ahead", str(whole.unwarned), not whole.unwarned)
    ]
    if whole.unwarned:
        rest = whole.unwarned - whole.sudden
        asked = "the same, but for charges that came before the mean burn had them come"
        told.append((asked, str(rest), not rest))
    if whole.leads:
        lead = median(whole.leads)
        told.append(("median lead at least 24 h", f"{lead:.0f} h", lead >= 24))
    years = whole.account_years
    short = whole.false_short / years
    told.append(("at most one false card-short an account-year", f"{short:.2f}", short <= 1))
    if short > 1:
        each = (whole.false_short - whole.under_margin) / years
        asked = "the same, but for cards that paid and were left under their margin"
        told.append((asked, f"{each:.2f}", each <= 1))
    if spikes:
        quarter = whole.false_spikes / years / 4
        asked = "at most one false spend-spike an account-quarter"
        told.append((asked, f"{quarter:.2f}", quarter <= 1))
    if still.asked:
        inside = still.inside / still.asked
        asked = "coverage of 80 % where spend is stationary, 75 to 88 %"
        told.append((asked, f"{inside:.1%}", 0.75 <= inside <= 0.88))
    if whole.compared and whole.pinball[best_naive(whole)]:
        ratio = whole.pinball["spendguard"] / whole.pinball[best_naive(whole)] - 1
        asked = f"pinball 15 % below the best naive method ({best_naive(whole)})"
        told.append((asked, f"{ratio:+.1%}", ratio <= -0.15))
    say: Callable[[bool], str] = lambda reached: "reached" if reached else "MISSED"  # noqa: E731
    for asked, figure, reached in told:
        yield f"{say(reached):8} {asked}: {figure}"
