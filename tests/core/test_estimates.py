from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.estimates import (
    Estimate,
    Spender,
    apart,
    beyond,
    billed_on,
    compared,
    first_unsettled,
    unbooked,
)
from spendguard.core.windows import DAY, HOUR

WEB: Spender = ("web", "key_web", "gpt-6")
BOT: Spender = ("bot", "key_bot", "gpt-6")
STORAGE: Spender = ("web", "", "")


def test_what_is_not_booked_yet_is_the_estimate_above_the_bill() -> None:
    assert unbooked({WEB: 10, BOT: 3}, {WEB: 4}) == {WEB: 6, BOT: 3}


def test_a_bill_above_the_estimate_leaves_nothing_and_makes_up_for_no_other_key() -> None:
    assert unbooked({WEB: 10, BOT: 3}, {WEB: 40}) == {BOT: 3}


def test_lines_without_usage_make_up_for_nothing() -> None:
    assert unbooked({WEB: 10}, {STORAGE: 50}) == {WEB: 10}


def test_the_same_key_and_model_counts_whatever_the_project() -> None:
    unnamed = ("", "key_web", "gpt-6")
    assert unbooked({WEB: 10}, {unnamed: 7}) == {WEB: 3}


def test_projects_share_what_is_missing_by_how_much_each_lacks() -> None:
    one, other = ("a", "", "gpt-6"), ("b", "", "gpt-6")
    assert unbooked({one: 10, other: 20}, {one: 10, other: 5}) == {other: 15}
    assert unbooked({one: 10, other: 20}, {("c", "", "gpt-6"): 15}) == {one: 5, other: 10}


@pytest.mark.parametrize(
    ("model", "line_item", "found"),
    [
        ("gpt-6", "gpt-6, input_tokens", "gpt-6"),
        ("", "web search tool calls, high", "web_search_calls"),
        ("", "Web_Search", "web_search_calls"),
        ("", "file search tool calls", "file_search_calls"),
        ("", "code interpreter sessions", "code_interpreter_sessions"),
        ("", "vector store storage", ""),
    ],
)
def test_a_cost_is_compared_with_the_usage_of_its_model_or_tool(
    model: str, line_item: str, found: str
) -> None:
    assert billed_on(model, line_item) == found


class TestWhatADayRoseBy:
    def test_counts_as_far_as_its_usage_does_not_explain_it(self) -> None:
        assert beyond({WEB: 5}, {WEB: 10}, {WEB: 12}) == {WEB[1:]: 2}
        assert beyond({WEB: 1}, {WEB: 10}, {WEB: 12}) == {WEB[1:]: 1}
        assert beyond({WEB: 5}, {WEB: 10}, {WEB: 10}) == {}

    def test_is_not_hidden_by_what_is_still_missing_of_another_key(self) -> None:
        assert beyond({WEB: 5}, {WEB: 10, BOT: 9}, {WEB: 15}) == {WEB[1:]: 5}

    def test_of_lines_without_usage_counts_whole(self) -> None:
        assert beyond({STORAGE: 5}, {WEB: 10}, {STORAGE: 7, WEB: 3}) == {("", ""): 5}

    def test_is_less_by_what_fell_in_the_same_day(self) -> None:
        assert beyond({WEB: -5, STORAGE: 5}, {}, {STORAGE: 5}) == {}
        assert beyond({WEB: -2, STORAGE: 5}, {}, {STORAGE: 5}) == {("", ""): 3}


SPENDERS = st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.sampled_from("mn"))
MONEY = st.dictionaries(SPENDERS, st.integers(0, 10**12))


@given(MONEY, MONEY)
def test_what_is_missing_is_never_negative_and_sums_up_by_key_and_model(
    estimated: dict[Spender, int], booked: dict[Spender, int]
) -> None:
    missing = unbooked(estimated, booked)
    assert all(nanos > 0 for nanos in missing.values())
    for key in {spender[1:] for spender in estimated}:
        sums = [
            sum(nanos for spender, nanos in side.items() if spender[1:] == key)
            for side in (estimated, booked, missing)
        ]
        assert sums[2] == max(0, sums[0] - sums[1])


def test_what_is_booked_without_usage_stands_apart() -> None:
    assert apart({WEB: 1}, {WEB: 10, STORAGE: 5, BOT: 2}) == 7


def test_an_estimate_is_compared_with_the_bill_for_the_same_keys_and_models() -> None:
    told = {WEB: Estimate(9, 4, 0), BOT: Estimate(5, 4, 1)}
    assert compared(told, {WEB: 10, BOT: 8, STORAGE: 3}) == (9, 10)
    assert compared({WEB: Estimate(None, 4, 4)}, {WEB: 10}) == (0, 0)


@pytest.mark.parametrize(("hours", "back"), [(0, 2), (1, 2), (23, 2)])
def test_a_day_is_settled_48_hours_after_its_end(hours: int, back: int) -> None:
    midnight = datetime(2026, 11, 23, tzinfo=UTC)
    assert first_unsettled(midnight + HOUR * hours).start == midnight - DAY * back


CHANGES = st.dictionaries(SPENDERS, st.integers(-(10**12), 10**12))


@given(CHANGES, MONEY, MONEY)
def test_what_is_beyond_usage_is_positive_and_neither_more_than_rose_nor_than_usage_leaves(
    risen: dict[Spender, int], estimated: dict[Spender, int], booked: dict[Spender, int]
) -> None:
    found = beyond(risen, estimated, booked)
    assert all(nanos >= 0 for nanos in found.values())
    assert sum(found.values()) <= max(sum(risen.values()), 0)
    for who, nanos in found.items():
        told = [sum(n for one, n in side.items() if one[1:] == who) for side in (booked, estimated)]
        assert nanos <= told[0] - told[1]
