from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.cardnumbers import holds_card_number, too_many_digits

VISA = "4111111111111111"


def check_digit(body: str) -> str:
    """The digit that makes `body` pass Luhn's test, by the textbook and not by our code."""
    doubled = [int(sign) * (2 - place % 2) for place, sign in enumerate(reversed(body))]
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(VISA, id="bare"),
        pytest.param("4111 1111 1111 1111", id="in groups"),
        pytest.param("4111-1111-1111-1111", id="with dashes"),
        pytest.param("4111  1111 - 1111 \u2013 1111", id="with several of both"),
        pytest.param("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", id="digit by digit"),
        pytest.param("paid with 4111 1111 1111 1111, refused", id="in a sentence"),
        pytest.param("2026-11-23 4111 1111 1111 1111", id="behind a date"),
        pytest.param("4111 1111 1111 1111 2026-11-23", id="before a date"),
        pytest.param("x4111111111111111x", id="between letters"),
        pytest.param("378282246310005", id="15 digits"),
        pytest.param("4222222222222", id="13 digits"),
        pytest.param("6304000000000000000", id="19 digits"),
        pytest.param("\uff14" + "\uff11" * 15, id="full-width digits"),
        pytest.param("4111\u00a01111\u00a01111\u00a01111", id="with spaces that do not break"),
    ],
)
def test_a_card_number_is_seen(text: str) -> None:
    assert holds_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("visa-1881", id="a name"),
        pytest.param("4111111111111112", id="a wrong check digit"),
        pytest.param("411111111111", id="12 digits"),
        pytest.param("41111111111111111111111", id="a longer run"),
        pytest.param("4111.1111.1111.1111", id="other separators"),
        pytest.param("2026-11-23T10:00:00Z", id="an instant"),
        pytest.param("4111 1111 a 1111 1111", id="a letter between"),
    ],
)
def test_other_texts_are_not_card_numbers(text: str) -> None:
    assert not holds_card_number(text)


@given(
    st.text("0123456789", min_size=12, max_size=18),
    st.text(" -", max_size=3),
    st.sets(st.integers(1, 18)),
    st.sampled_from(["", "no. ", "2026-11-23 ", "7 "]),
)
def test_no_way_of_grouping_hides_a_number(
    body: str, joint: str, cuts: set[int], before: str
) -> None:
    number = body + check_digit(body)
    grouped = "".join(joint * (place in cuts) + sign for place, sign in enumerate(number))
    assert holds_card_number(before + grouped + ".")


@given(st.text("0123456789", min_size=12, max_size=18), st.integers(1, 9))
def test_one_wrong_digit_is_no_card_number(body: str, by: int) -> None:
    wrong = (int(check_digit(body)) + by) % 10
    assert not holds_card_number(f"{body}{wrong}")


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert holds_card_number(text) in {True, False}


@pytest.mark.parametrize(
    ("name", "too_many"),
    [("visa-1881", False), ("corporate", False), ("visa 18812", True), ("1-2-3-4-5", True)],
)
def test_the_name_of_a_card_has_at_most_four_digits_in_all(name: str, too_many: bool) -> None:  # noqa: FBT001
    assert too_many_digits(name) is too_many
