"""A replay tells of money that goes too fast, hour by hour, no sooner than it could be seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from spendguard.app.benches import Benches
from spendguard.core.alerts import NotifyReason
from spendguard.core.spikes import CALM, LOOK_BACK, RECENT, Usual
from spendguard.core.windows import DAY, HOUR, Window
from spendguard.core.world_run import Trace
from spendguard.pipeline.replay import Scenario, Told, play
from spendguard.pipeline.replay.tempo import Tempo
from spendguard.simulator.dice import dice
from tests.pipeline.test_replay import configuration, usd

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
LAG = timedelta(hours=2)
DAYS = 20
LEAK = BEGIN + DAY * 15 + timedelta(hours=3)


def hours(days: int) -> list[tuple[datetime, int]]:
    """A dime an hour by day, a tenth of it at night, each half as much or up to twice."""
    chance = dice("tempo")
    return [
        (
            BEGIN + HOUR * hour + timedelta(seconds=chance.randrange(3600)),
            100_000_000 * chance.randint(50, 200) // (100 if 7 <= hour % 24 < 19 else 1000),
        )
        for hour in range(24 * days)
    ]


def spikes(rows: list[tuple[datetime, int]]) -> list[Told]:
    scenario = Scenario(
        BEGIN,
        BEGIN + DAY * DAYS,
        {"trace": Trace.of(rows)},
        {"trace": usd("2000.00")},
        usd("100.00"),
        LAG,
    )
    made = configuration()
    family = Benches(made).family_of(made.accounts[0])
    return [one for one in play(family, scenario).alerts if one.rule == "spend-spike"]


def test_an_account_that_spends_as_ever_has_no_spike() -> None:
    assert spikes(hours(DAYS)) == []


def test_a_leaked_key_is_told_of_once_its_first_hour_is_seen() -> None:
    stolen = [(LEAK + HOUR * n, 3_000_000_000) for n in range(30)]
    first, *later = spikes([*hours(DAYS), *stolen])
    assert first.at == LEAK + HOUR + LAG
    assert (first.reason, first.step) == (NotifyReason.FIRED, "9x")
    assert first.summary.startswith("$3.02 in an hour, 15 times")
    assert later[-1].reason is NotifyReason.RESOLVED
    assert later[-1].at == LEAK + HOUR * 30 + LAG + CALM


by_the_hour = st.lists(st.sampled_from([0, 0, 1, 5, 40]), min_size=1, max_size=24 * 12)
by_the_day = st.lists(st.integers(0, 40), min_size=12, max_size=40).map(
    lambda days: [level * (1 + hour % 3) for level in days for hour in range(24)]
)


@settings(max_examples=100)
@given(nanos=by_the_hour | by_the_day, offset=st.integers(0, 23), before=st.integers(-48, 72))
def test_the_usual_hour_is_that_of_the_live_guard(
    nanos: list[int], offset: int, before: int
) -> None:
    begin = BEGIN + HOUR * offset
    spent = {begin + HOUR * n: amount * 10**9 for n, amount in enumerate(nanos)}
    tempo = Tempo(lambda window: spent.get(window.start, 0), BEGIN, timedelta(0))
    until = begin + HOUR * max(len(nanos) - before, 1)
    tempo.pace(until - HOUR)
    pace = tempo.pace(until)
    window = Window(until - LOOK_BACK - RECENT, until - RECENT)
    known = {at: amount for at, amount in spent.items() if at in window}
    usual = Usual.of(known, window)
    if pace is None:
        assert usual is None
        return
    for moment in pace.moments:
        assert usual is not None
        assert moment.hour == spent.get(moment.at - HOUR, 0)
        assert moment.usual == usual.hour(moment.at)
