"""Measures: what the warnings and forecasts of one story were worth."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from benchmarks.guard_quality.corpus import Story
from benchmarks.guard_quality.operated import Operated, corrected, operated
from spendguard.core.alerts import NotifyReason
from spendguard.core.cards import taxed
from spendguard.core.forecasts import HORIZON
from spendguard.core.windows import DAY, HOUR, Window
from spendguard.core.world_run import Happening, Kind
from spendguard.pipeline.replay import Foreseen, Played, outcomes, watched
from spendguard.pipeline.replay.sight import Lagging
from spendguard.rules.card_short import CardShort

AHEAD = timedelta(hours=6)
FARTHEST = 1000  # times the look-back: beyond that it never comes
LEAKS = ("spend-spike", "key-unknown", "recharge-frequent")
"""The rules that may tell of a leaked key."""
FOUND_WITHIN = DAY * 2
QUANTILES = (10, 50, 90)
NAIVE = ("last day", "last week", "mean")


@dataclass(slots=True)
class Measured:
    """What was counted in a story; times are in hours."""

    kind: str
    account_years: float
    failed: int = 0
    foreseeable: int = 0
    unwarned: int = 0  # of the foreseeable, six hours before
    sudden: int = 0  # of these: it came before the mean burn had it come
    leads: list[float] = field(default_factory=list)
    false_short: int = 0
    under_margin: int = 0  # of these: the card paid all, and was left with less than its margin
    false_spikes: int = 0
    leaks: int = 0
    found_after: list[float] = field(default_factory=list)
    inside: int = 0
    asked: int = 0  # forecasts that spoke and came to be true or not
    pinball: dict[str, float] = field(default_factory=dict)
    compared: int = 0


def measure(story: Story, every: timedelta, foresee_every: timedelta) -> Measured:
    """Play a story and count."""
    made = operated(story, every)
    begin = made.scenario.begin
    played = watched(
        made.family,
        made.scenario,
        made.life,
        forecasts=lambda at: (at - begin) % foresee_every < every,
        view=corrected(story.hidden) if story.hidden else Lagging,
    )
    length = (made.scenario.end - begin) / (DAY * 365)
    found = Measured(story.kind, length * len(story.traces))
    _charges(made, played, found)
    _spikes(made, played, found)
    for name in story.traces:
        _forecasts(made, name, played.forecasts, found)
    return found


def _charges(made: Operated, played: Played, found: Measured) -> None:
    scenario = made.scenario
    held = outcomes(made.family, played.alerts, played.events, scenario.begin, scenario.end)
    for one in held.each:
        if one.event.kind is not Kind.CHARGE_FAILED:
            continue
        found.failed += 1
        lead = one.lead or timedelta(0)
        if one.lead is not None:
            found.leads.append(one.lead / HOUR)
        crossing = _crossing(made, one.event)
        if crossing is not None and crossing <= one.event.at - AHEAD + CardShort().horizon:
            found.foreseeable += 1
            found.unwarned += lead < AHEAD
            found.sudden += lead < AHEAD and crossing > one.event.at
    found.false_short += len(held.false)
    found.under_margin += sum(_under_margin(made, one.at) for one in held.false)


def _under_margin(made: Operated, at: datetime) -> bool:
    """Tell whether the card was left with less than its margin by what it paid within the horizon.

    Its need counts the margin: whoever had known what comes would have warned too.
    """
    assert made.family.paying is not None  # noqa: S101  every story has a card
    card = made.family.paying.card
    since, left = max(one for one in made.life.filled if one[0] <= at)
    until = at + CardShort().horizon
    for one in made.life.happened:
        if one.kind is Kind.RECHARGED and one.amount is not None and since < one.at <= until:
            left -= taxed(one.amount, card.tax_percent)
    return left < card.margin + card.verification_hold


def _crossing(made: Operated, event: Happening) -> datetime | None:
    """Return when the mean burn of a week takes the balance under the trigger, as seen 6 h before.

    None where it never does, and where there are no two days to see it in.
    """
    at = event.at - AHEAD
    seen = at - made.scenario.lag
    since = max(seen - DAY * 7, made.scenario.begin)
    model = next(
        plan.account.recharge for plan in made.family.plans if plan.account.name == event.account
    )
    if seen - since < DAY * 2 or model is None or event.balance is None:
        return None
    spent = made.life.run.spent(event.account, Window(since, seen))
    between = made.life.run.spent(event.account, Window(seen, event.at))
    came = sum(
        one.amount.nanos
        for one in made.life.happened
        if one.kind is Kind.RECHARGED
        and one.account == event.account
        and one.amount is not None
        and at < one.at <= event.at
    )
    above = event.balance.nanos + between - came - model.trigger.nanos
    if above < 0:
        return seen
    return seen + (seen - since) * (above / spent) if above < spent * FARTHEST else None


def _spikes(made: Operated, played: Played, found: Measured) -> None:
    """Count leaks, how long until one was told of, and spikes that were none."""
    fired = [one for one in played.alerts if one.rule in LEAKS and one.reason is NotifyReason.FIRED]
    for leak in made.story.leaks:
        found.leaks += 1
        after = [one.at - leak for one in fired if leak <= one.at <= leak + FOUND_WITHIN]
        if after:
            found.found_after.append(min(after) / HOUR)
    found.false_spikes += sum(
        one.rule == "spend-spike"
        and not any(leak <= one.at <= leak + DAY * 4 for leak in made.story.leaks)
        for one in fired
    )


def _forecasts(
    made: Operated, account: str, forecasts: Sequence[Foreseen], found: Measured
) -> None:
    """Hold each forecast of the trigger against the next charge, tried or failed."""
    tried = [
        one.at
        for one in made.life.happened
        if one.account == account and one.kind in {Kind.RECHARGED, Kind.CHARGE_FAILED}
    ]
    most = HORIZON / HOUR
    for one in forecasts:
        place = bisect_right(tried, one.made_at)
        if one.account != account or one.trigger_at.p10 is None or place == len(tried):
            continue
        came = min((tried[place] - one.made_at) / HOUR, most)
        told = [
            most if at is None else min((at - one.made_at) / HOUR, most)
            for at in (one.trigger_at.p10, one.trigger_at.p50, one.trigger_at.p90)
        ]
        found.asked += 1
        found.inside += told[0] <= came <= told[2]
        naive = dict(_naive(made, one))
        if len(naive) < len(NAIVE):
            continue
        found.compared += 1
        _add(found.pinball, "spendguard", _pinball(came, told))
        for name, hours in naive.items():
            _add(found.pinball, name, _pinball(came, [min(hours, most)] * 3))


def _add(sums: dict[str, float], name: str, loss: float) -> None:
    sums[name] = sums.get(name, 0.0) + loss


def _pinball(came: float, told: Sequence[float]) -> float:
    return sum(
        max((came - one) * quantile, (one - came) * (100 - quantile)) / 100
        for quantile, one in zip(QUANTILES, told, strict=True)
    )


def _naive(made: Operated, one: Foreseen) -> Iterator[tuple[str, float]]:
    """Yield after how many hours each naive method has the floor under the trigger."""
    seen = one.made_at - made.scenario.lag
    model = next(
        plan.account.recharge for plan in made.family.plans if plan.account.name == one.account
    )
    if model is None or one.floor is None:
        return
    above = one.floor.nanos - model.trigger.nanos
    for name, length in zip(NAIVE, (DAY, DAY * 7, DAY * 56), strict=True):
        since = max(seen - length, made.scenario.begin)
        days = (seen - since) / DAY
        if days < 1:
            return
        rate = made.life.run.spent(one.account, Window(since, seen)) / days / 24
        yield name, (above / rate - made.scenario.lag / HOUR) if rate > 0 else 1e9
