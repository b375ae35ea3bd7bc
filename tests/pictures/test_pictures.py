"""Pictures: what is drawn is what is known, the same bytes each time, on either ground."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from matplotlib.image import imread

from spendguard.core.money import NANOS, Money
from spendguard.pictures import (
    BalancePicture,
    Bar,
    Fan,
    Mark,
    MarkKind,
    SpendPicture,
    draw_balance,
    draw_spend,
)
from spendguard.pictures.canvas import THEMES, money_text

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TEN = Money(11 * NANOS, "USD")
BALANCE = BalancePicture(
    account="openai-main",
    currency="USD",
    zone=ZoneInfo("Asia/Shanghai"),
    now=NOW,
    past=tuple((NOW - HOUR * back, (5 + back // 10) * NANOS) for back in range(100, -1, -1)),
    fan=tuple(
        Fan(NOW + HOUR * ahead, (5 - ahead // 20) * NANOS, 5 * NANOS, 6 * NANOS)
        for ahead in range(100)
    ),
    trigger=Money(5 * NANOS, "USD"),
    marks=(
        Mark(NOW - HOUR * 50, MarkKind.RECHARGED, TEN),
        Mark(NOW - HOUR * 20, MarkKind.FAILED, None),
        Mark(NOW + HOUR * 20, MarkKind.EXPECTED, TEN),
    ),
)
SPEND = SpendPicture(
    title="all accounts, spend by model",
    currency="USD",
    zone=ZoneInfo("UTC"),
    starts=tuple(NOW - timedelta(days=back) for back in range(7, 0, -1)),
    bars=tuple(Bar(f"model-{place}", (place * NANOS,) * 7) for place in range(9, 0, -1)),
)


def words(svg: bytes) -> str:
    """Return the text a person reads in a picture."""
    return " | ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg.decode()))


def test_a_balance_names_what_is_drawn() -> None:
    said = words(draw_balance(BALANCE, "svg"))

    assert "openai-main: $5.00 left, Mon 23 Nov 20:00 CST" in said
    for part in ("balance", "8 of 10 times", "foreseen", "trigger $5.00", "charge failed"):
        assert part in said
    assert said.count("$11.00") == 2  # beside the mark of what came, and of what is expected


def test_what_is_not_known_is_not_drawn() -> None:
    said = words(draw_balance(replace(BALANCE, past=(), fan=(), trigger=None, marks=()), "svg"))

    assert "openai-main: the balance is not known" in said
    assert "trigger" not in said
    assert "foreseen" not in said


@pytest.mark.parametrize("theme", sorted(THEMES))
def test_the_ground_is_that_of_the_theme(theme: str) -> None:
    ground = THEMES[theme].ground
    for drawn in (draw_balance(BALANCE, "png", theme), draw_spend(SPEND, "png", theme)):
        pixels = imread(io.BytesIO(drawn), format="png")
        corner = "".join(f"{round(float(part) * 255):02x}" for part in pixels[0, 0, :3])
        assert f"#{corner}" == ground
        assert pixels.shape[:2] == (420, 960)


@pytest.mark.parametrize("theme", sorted(THEMES))
def test_every_color_stands_out_from_its_ground(theme: str) -> None:
    colors = THEMES[theme]
    ground = _luminance(colors.ground)
    readable = (colors.ink, colors.quiet, colors.line, colors.trigger, colors.failed)
    assert all(_contrast(_luminance(color), ground) >= 4.5 for color in readable)
    assert all(_contrast(_luminance(color), ground) >= 2.4 for color in colors.series)


def _luminance(color: str) -> float:
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def test_the_same_picture_is_the_same_bytes() -> None:
    for form in ("png", "svg"):
        assert draw_balance(BALANCE, form) == draw_balance(BALANCE, form)
        assert draw_spend(SPEND, form) == draw_spend(SPEND, form)


def test_more_parts_than_colors_end_in_all_else_and_the_total_is_whole() -> None:
    said = words(draw_spend(SPEND, "svg"))

    assert "all accounts, spend by model: $315.00" in said
    assert "model-9  $63.00" in said
    assert "all else (4)  $70.00" in said
    assert "model-4" not in said


def test_a_name_in_signs_no_font_has_is_still_drawn() -> None:
    drawn = draw_spend(replace(SPEND, bars=(Bar("生产 \U0001faa8", (NANOS,) * 7),)), "png")
    assert drawn.startswith(b"\x89PNG")


def test_nothing_spent_is_an_empty_picture() -> None:
    assert "all accounts, spend by model: $0.00" in words(
        draw_spend(replace(SPEND, bars=()), "svg")
    )


@pytest.mark.parametrize(
    ("nanos", "currency", "said"),
    [
        (1_234_567_000_000, "USD", "$1,234.57"),
        (-5_000_000_000, "EUR", "−€5.00"),
        (7_000_000_000, "CHF", "7.00 CHF"),
    ],
)
def test_money_is_written_as_people_write_it(nanos: int, currency: str, said: str) -> None:
    assert money_text(nanos, currency) == said
