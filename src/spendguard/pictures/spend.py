"""Spend over windows, stacked by model, project, key or nothing."""

from __future__ import annotations

from datetime import timedelta

from spendguard.core.money import Money
from spendguard.pictures.canvas import (
    THEMES,
    blank,
    days,
    legend,
    money_axis,
    money_text,
    rendered,
    time_axis,
    units,
)
from spendguard.pictures.values import Bar, SpendPicture

MOST = 6
"""Parts that have a color of their own; the last of more is 'all else'."""


def draw_spend(picture: SpendPicture, form: str, theme: str = "light") -> bytes:
    """Return the picture as 'png' or 'svg'."""
    colors = THEMES[theme]
    total = Money(sum(sum(bar.nanos) for bar in picture.bars), picture.currency).ceiled()
    figure, axes = blank(f"{picture.title}: {money_text(total.nanos, picture.currency)}", colors)
    moments = days(picture.starts)
    width = _width(picture)
    heights = [0] * len(picture.starts)
    for bar, color in zip(_few(picture.bars), colors.series, strict=False):
        axes.bar(
            moments,
            [units(nanos) for nanos in bar.nanos],
            width,
            bottom=[units(nanos) for nanos in heights],
            align="edge",
            color=color,
            label=f"{bar.label}  {money_text(sum(bar.nanos), picture.currency)}",
        )
        heights = [low + nanos for low, nanos in zip(heights, bar.nanos, strict=True)]
    money_axis(axes, picture.currency)
    time_axis(axes, picture.zone)
    if picture.bars:
        legend(axes, colors, 3)
    return rendered(figure, form)


def _width(picture: SpendPicture) -> float:
    """Return how wide a bar is, in days, with a little air beside it."""
    steps = [
        later - earlier for earlier, later in zip(picture.starts, picture.starts[1:], strict=False)
    ]
    return min(steps, default=timedelta(days=1)) / timedelta(days=1) * 0.86


def _few(bars: tuple[Bar, ...]) -> list[Bar]:
    """Return as many parts as there are colors, with all that is left as the last of them."""
    if len(bars) <= MOST:
        return list(bars)
    rest = bars[MOST - 1 :]
    columns = zip(*(bar.nanos for bar in rest), strict=True)
    other = Bar(f"all else ({len(rest)})", tuple(sum(column) for column in columns))
    return [*bars[: MOST - 1], other]
