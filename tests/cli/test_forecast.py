"""forecast: what is foreseen, as it was last stored."""

from __future__ import annotations

import pytest

from spendguard.cli import fan, forecast, output
from spendguard.cli.fan import HEIGHT, WIDTH, chart
from spendguard.core.forecasts import HOURS, LEVELS, Forecast, History
from spendguard.core.money import Money
from spendguard.core.windows import Window
from tests.cli.conftest import Run
from tests.cli.seeding import DAY, DOLLAR, HOUR, NOW, Seed

KNOWN = History(Window(NOW - 31 * DAY, NOW), 0, 31, "booked")


def told(a_day: int = DOLLAR) -> Forecast:
    """A forecast whose middle is so much a day."""
    fan = {
        level: tuple(a_day * level * hour // (50 * 24) for hour in range(1, HOURS + 1))
        for level in LEVELS
    }
    return Forecast(NOW, NOW, "USD", KNOWN, fan)


def charge(hours: int, latest: int | None = None) -> dict[str, str | None]:
    return {
        "expected_at": (NOW + hours * HOUR).isoformat(),
        "earliest": (NOW + hours * HOUR / 2).isoformat(),
        "latest": None if latest is None else (NOW + latest * HOUR).isoformat(),
        "amount": "10.00",
    }


FORESIGHT = {
    "trigger": "5.00",
    "trigger_at": {
        "p10": (NOW + 12 * HOUR).isoformat(),
        "p50": (NOW + 24 * HOUR).isoformat(),
        "p90": None,
    },
    "empty_at": {"p10": (NOW + 6 * DAY).isoformat(), "p50": None, "p90": None},
    "fails_at": charge(264),
    "charges": [charge(24, 48), charge(264)],
    "until": (NOW + 7 * DAY).isoformat(),
    "lapses": [{"at": (NOW + 2 * DAY).isoformat(), "amount": "3.50"}],
    "budgets": [
        {
            "name": "monthly",
            "end": (NOW + 7 * DAY).isoformat(),
            "amount": "20.00",
            "spent": "15.00",
            "expected": "22.00",
            "over_at": (NOW + 5 * DAY).isoformat(),
        },
        {"name": "weekly", "expected": None, "over_at": None},
    ],
}


@pytest.fixture
def foreseen(seed: Seed) -> Seed:
    """An account of which everything is foreseen."""
    seed.empty().configured("main").read().evaluated("main", foresight=FORESIGHT)
    return seed.foreseen(told())


@pytest.mark.usefixtures("foreseen")
def test_json_has_the_fan_by_the_hour_and_what_follows_from_it(run: Run) -> None:
    whole = run("forecast", "--json").json
    assert whole["as_of"] == "2026-11-23T12:00:00Z"
    (account,) = whole["accounts"]
    assert account["fan"][23] == {
        "at": "2026-11-24T12:00:00Z",
        "p10": "0.20",
        "p50": "1.00",
        "p90": "1.80",
    }
    assert len(account["fan"]) == HOURS
    assert account["silent"] is None
    assert account["history"] == {
        "start": "2026-10-23T12:00:00Z",
        "end": "2026-11-23T12:00:00Z",
        "hours": 0,
        "days": 31,
        "kind": "booked",
    }
    assert account["trigger_at"] == {
        "p10": "2026-11-24T00:00:00Z",
        "p50": "2026-11-24T12:00:00Z",
        "p90": None,
    }
    assert [one["expected_at"] for one in account["charges"]] == [
        "2026-11-24T12:00:00Z",
        "2026-12-04T12:00:00Z",
    ]
    assert account["charges_until"] == "2026-11-30T12:00:00Z"
    assert account["lapses"] == [{"at": "2026-11-25T12:00:00Z", "amount": "3.50"}]
    assert account["budgets"][0]["over_at"] == "2026-11-28T12:00:00Z"


@pytest.mark.usefixtures("foreseen")
def test_the_table_tells_what_comes_in_the_order_of_time(run: Run) -> None:
    lines = run("forecast").out.splitlines()

    assert lines[0] == "main: from 2026-11-23 12:00 on, by 31 days of booked spend"
    assert lines[2].split() == ["1", "d", "0.20", "USD", "1.00", "USD", "1.80", "USD"]
    comes = [line.partition("  ")[0] for line in lines[lines.index("") + 2 :]]
    assert comes == [
        "balance under 5.00 USD",
        "10.00 USD charged",
        "3.50 USD of credit expires unused",
        "budget monthly used up",
        "balance used up, if nothing is added",
        "10.00 USD charged, which the card cannot pay",
    ]
    assert lines[-1].split()[-3:] == ["2026-12-04", "12:00", "later"]


@pytest.mark.parametrize(
    ("why", "said"),
    [
        pytest.param("no-history", "nothing was read of it yet", id="nothing read"),
        pytest.param("too-short", "less than a day by the hour", id="too little known"),
        pytest.param("idle", "it spent nothing in the last weeks", id="nothing spent"),
    ],
)
def test_a_silent_forecast_says_why(run: Run, seed: Seed, why: str, said: str) -> None:
    seed.empty().configured("main").foreseen(Forecast(NOW, NOW, "USD", None, {}, why))

    assert run("forecast").out.startswith(f"main: nothing can be foreseen yet, {said}")
    (account,) = run("forecast", "--json").json["accounts"]
    assert (account["silent"], account["fan"], account["charges"]) == (why, [], None)


def test_an_account_that_was_never_evaluated_is_silent(run: Run, seed: Seed) -> None:
    seed.empty().configured("main", "spare")

    found = run("forecast", "--account", "spare", "--json").json
    assert (found["as_of"], found["accounts"][0]["silent"]) == (None, "no-history")
    assert run("forecast", "--account", "other").code == 1


def test_without_accounts_it_says_what_to_do(run: Run, seed: Seed) -> None:
    seed.empty()
    assert run("forecast").out.startswith("no account is configured")


def test_the_chart_holds_the_band_its_middle_and_the_balance() -> None:
    lines = list(chart(told(), Money(7 * DOLLAR, "USD")))

    assert len(lines) == HEIGHT + 1
    assert max(map(len, lines)) <= WIDTH + len("25.20 USD ")
    assert lines[0].startswith("25.20 USD")
    drawn = "".join(lines[:HEIGHT])
    assert drawn.count(fan.EXPECTED) == WIDTH
    assert all(sign in drawn for sign in (fan.LIKELY, fan.LEFT))


@pytest.mark.parametrize(
    "left",
    [None, Money(-DOLLAR, "USD"), Money(900 * DOLLAR, "USD")],
    ids=["unknown", "debt", "far"],
)
def test_a_balance_that_is_not_in_sight_is_not_drawn(left: Money | None) -> None:
    assert fan.LEFT not in "".join(chart(told(), left))
    assert list(chart(told(0), left))


@pytest.mark.usefixtures("foreseen")
def test_a_terminal_is_shown_the_chart(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (output, forecast):
        monkeypatch.setattr(module, "on_terminal", lambda: True)
    assert "+14 d" in run("forecast").out
