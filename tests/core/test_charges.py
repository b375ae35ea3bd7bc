"""Strikes: what failed charges leave on an account and on its card."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.charges import Charge, Outcome, strikes

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ENDS = {"s": Outcome.SUCCEEDED, "f": Outcome.FAILED, "u": Outcome.UNKNOWN}


def charged(*attempts: str) -> list[Charge]:
    """Charges an hour apart, oldest first: 'af' is one of account a that failed."""
    return [
        Charge(str(number), tried[0], "visa", None, NOW + HOUR * number, ENDS[tried[1]])
        for number, tried in enumerate(attempts, start=1)
    ]


@pytest.mark.parametrize(
    ("attempts", "own", "together"),
    [
        pytest.param([], 0, 0, id="no charge is no strike"),
        pytest.param(["af"], 1, 1, id="a failure is one"),
        pytest.param(["af", "af"], 2, 2, id="two in a row are two"),
        pytest.param(["af", "as"], 0, 0, id="a success resets"),
        pytest.param(["af", "as", "af"], 1, 1, id="and counting starts anew"),
        pytest.param(["af", "au"], 1, 1, id="an unknown one does not reset"),
        pytest.param(["au"], 0, 0, id="nor is it a strike"),
        pytest.param(["af", "bf"], 1, 2, id="failures of all accounts add up on the card"),
        pytest.param(["bf"], 0, 1, id="of another account only on the card"),
        pytest.param(["af", "bs"], 1, 0, id="a success of another resets the card, not its own"),
        pytest.param(["af", "bs", "af"], 2, 1, id="its own row is not broken by another"),
    ],
)
def test_strikes(attempts: list[str], own: int, together: int) -> None:
    found = strikes(charged(*attempts), to_ban=2)

    assert (found.own("a"), found.together) == (own, together)
    assert found.shown("a") == max(own, together)


@pytest.mark.parametrize(
    ("attempts", "to_ban", "unusable"),
    [
        pytest.param(["af"], 2, False, id="one of two leaves it usable"),
        pytest.param(["af", "af"], 2, True, id="two of two do not"),
        pytest.param(["af", "bf"], 2, True, id="nor two of different accounts"),
        pytest.param(["af", "bs", "af"], 2, True, id="nor two of one account around a success"),
        pytest.param(["af"], 1, True, id="a policy of one takes the first"),
        pytest.param(["af", "af"], 3, False, id="a policy of three does not take the second"),
    ],
)
def test_a_card_counts_as_unusable(
    attempts: list[str],
    to_ban: int,
    unusable: bool,  # noqa: FBT001
) -> None:
    assert strikes(charged(*attempts), to_ban).unusable is unusable


def test_the_last_failure_that_stands_is_told() -> None:
    first, second, _, _ = charges = charged("af", "af", "bf", "bs")

    found = strikes(charges, to_ban=3)

    assert found.last_failed == {"a": second}
    assert strikes([first, second][:1], 3).last_failed == {"a": first}


def test_of_one_instant_the_one_entered_later_counts() -> None:
    failed, succeeded = (
        Charge(number, "a", "visa", None, NOW, end)
        for number, end in [("9", Outcome.FAILED), ("10", Outcome.SUCCEEDED)]
    )

    assert strikes([succeeded, failed], 2).worst == 0


attempts = st.lists(
    st.builds(lambda name, end: name + end, st.sampled_from("abc"), st.sampled_from("sfu")),
    max_size=8,
)


@given(attempts, st.randoms(use_true_random=False))
def test_the_order_in_which_charges_are_told_does_not_matter(
    made: list[str], chance: Random
) -> None:
    charges = charged(*made)

    assert strikes(chance.sample(charges, len(charges)), 2) == strikes(charges, 2)


@given(attempts, st.sampled_from("abc"))
def test_only_a_success_lowers_a_count(made: list[str], name: str) -> None:
    before = strikes(charged(*made), 2)
    failed, unknown, paid = (strikes(charged(*made, name + end), 2) for end in "fus")

    assert unknown == before
    assert failed.together == before.together + 1
    assert failed.own(name) == before.own(name) + 1
    assert (paid.together, paid.own(name)) == (0, 0)
    for other in set("abc") - {name}:
        assert failed.own(other) == paid.own(other) == before.own(other)


@given(attempts, st.data())
def test_leaving_out_a_failure_never_raises_a_count(made: list[str], data: st.DataObject) -> None:
    failures = [place for place, attempt in enumerate(made) if attempt[1] == "f"]
    charges = charged(*made)
    if not failures:
        return
    gone = data.draw(st.sampled_from(failures))

    assert strikes(charges[:gone] + charges[gone + 1 :], 2).worst <= strikes(charges, 2).worst
