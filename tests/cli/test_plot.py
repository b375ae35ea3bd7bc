"""plot: pictures out of the database alone, and refusals that say what to do."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import accumulate
from pathlib import Path

import pytest

from spendguard.core.forecasts import HOURS, Forecast
from spendguard.store import schema
from tests.cli.conftest import Run
from tests.cli.seeding import DAY, DOLLAR, HOUR, NOW, TODAY, Seed
from tests.pictures.test_pictures import words

FAN = {percent: tuple(accumulate([percent * DOLLAR // 1000] * HOURS)) for percent in (10, 50, 90)}
EVALUATION = json.dumps(
    {
        "balance": {"floor": "21.00", "billed": "21.00", "as_of": NOW.isoformat()},
        "next_recharge": {"expected_at": (NOW + DAY * 3).isoformat(), "amount": "13.00"},
        "findings": [],
    }
)


@pytest.fixture
def known(seed: Seed) -> Seed:
    """Ten days of a dollar a day, twenty stated before them, ten bought since, one charge failed."""
    seed.empty().configured("main").read().evaluated("main")
    seed.change(schema.scopes, evaluation=EVALUATION)
    forecast = Forecast(NOW, NOW, "USD", None, FAN)
    seed.insert(
        schema.forecasts,
        {"account_id": 1, "made_at": NOW, "forecast": json.dumps(forecast.stored())},
    )
    for back in range(1, 11):
        seed.spent(TODAY - back * DAY, DOLLAR, model=f"model-{back % 2}")
    seed.entry("checkpoint", nanos=20 * DOLLAR, at=TODAY - DAY * 10)
    seed.entry("deposit", nanos=11 * DOLLAR, at=TODAY - DAY * 5)
    seed.entry("charge", nanos=12 * DOLLAR, at=TODAY - DAY * 2, outcome="failed")
    return seed


@pytest.mark.usefixtures("known")
def test_a_balance_is_drawn_from_the_ledger_and_the_last_evaluation(
    run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "balance.svg"
    ran = run("plot", "--output", str(out))

    assert (ran.code, ran.out) == (0, f"wrote {out}\n")
    said = words(out.read_bytes())
    assert "main: $21.00 left, Mon 23 Nov 12:00 UTC" in said
    for part in ("$11.00", "$12.00", "$13.00", "credit came", "charge failed", "8 of 10 times"):
        assert part in said


@pytest.mark.parametrize("later", [0, 45, 100])
def test_a_balance_ends_at_what_status_says(
    known: Seed, run: Run, tmp_path: Path, later: int
) -> None:
    known.change(schema.scopes, evaluation=EVALUATION.replace('"21.00"', '"20.50"'))
    out, at = tmp_path / "balance.svg", NOW + timedelta(microseconds=later)
    assert run("plot", "--output", str(out), at=at).code == 0
    assert "main: $20.50 left, Mon 23 Nov 12:00 UTC" in words(out.read_bytes())


@pytest.mark.parametrize(("used", "left"), [(True, "$19.75"), (False, "$19.00")])
def test_a_day_in_which_the_balance_was_stated_is_divided_by_its_usage(
    seed: Seed,
    run: Run,
    tmp_path: Path,
    used: bool,  # noqa: FBT001
    left: str,
) -> None:
    day = TODAY - DAY
    seed.empty().configured("main").read().spent(day, DOLLAR, model="a")
    if used:
        seed.used(day + 6 * HOUR, 3 * DOLLAR, model="a").used(day + 18 * HOUR, DOLLAR, model="a")
    seed.entry("checkpoint", nanos=20 * DOLLAR, at=day + 12 * HOUR)

    out = tmp_path / "balance.svg"
    assert run("plot", "--until", "2026-11-23", "--output", str(out)).code == 0
    assert f"main: {left} left, Mon 23 Nov 00:00 UTC" in words(out.read_bytes())


@pytest.mark.usefixtures("known")
def test_spend_is_drawn_by_what_spent_it(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "spend.svg"
    assert run("plot", "spend", "--by", "model", "--output", str(out)).code == 0

    said = words(out.read_bytes())
    assert "all accounts, spend by model: $10.00" in said
    assert "model-0  $5.00" in said


@pytest.mark.usefixtures("known")
def test_json_says_where_the_picture_is(run: Run) -> None:
    told = run("plot", "spend", "--account", "main", "--json").json

    assert told == {
        "jsonversion": 1,
        "what": "spend",
        "account": "main",
        "path": "spendguard-spend-main.png",
        "format": "png",
    }
    assert Path("spendguard-spend-main.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--account", "other"), 1, "unknown account 'other'"),
        (("--output", "balance.pdf"), 64, "'balance.pdf' is neither PNG nor SVG"),
        (("--by", "model"), 64, "--by is for a picture of spend"),
        (("--since", "2026-11-20", "--until", "2026-11-20"), 64, "--since is not before --until"),
        (("--output", "no/such/place.png"), 1, "cannot write 'no/such/place.png'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    run: Run, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ran = run("plot", *arguments)
    assert ran.code == code
    assert ran.err.startswith(f"error: {said}")
    assert ran.err.splitlines()[1].startswith("hint: ")


def test_a_balance_of_several_accounts_asks_which(seed: Seed, run: Run) -> None:
    seed.empty().configured("a", "b")
    ran = run("plot")
    assert (ran.code, ran.err.splitlines()[1]) == (
        1,
        "hint:  name it by --account; known: a, b",
    )


def test_a_balance_nobody_stated_is_said_to_be_unknown(
    seed: Seed, run: Run, tmp_path: Path
) -> None:
    seed.empty().configured("main")
    assert run("plot", "--output", str(tmp_path / "b.svg")).code == 0
    assert "main: the balance is not known" in words((tmp_path / "b.svg").read_bytes())
