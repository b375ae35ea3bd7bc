"""The balance of an account: its past, the fan of what is to come, the trigger and the charges."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from matplotlib.axes import Axes

from spendguard.core.money import Money
from spendguard.pictures.canvas import (
    THEMES,
    Theme,
    blank,
    days,
    legend,
    money_axis,
    money_text,
    rendered,
    time_axis,
    units,
)
from spendguard.pictures.values import BalancePicture, Mark, MarkKind

_SHAPES = {MarkKind.RECHARGED: "^", MarkKind.FAILED: "X", MarkKind.EXPECTED: "v"}
_CALLED = {
    MarkKind.RECHARGED: "credit came",
    MarkKind.FAILED: "charge failed",
    MarkKind.EXPECTED: "charge expected",
}


def draw_balance(picture: BalancePicture, form: str, theme: str = "light") -> bytes:
    """Return the picture as 'png' or 'svg'."""
    colors = THEMES[theme]
    figure, axes = blank(_title(picture), colors)
    _past(axes, picture, colors)
    _fan(axes, picture, colors)
    _trigger(axes, picture, colors)
    _marks(axes, picture, colors)
    axes.axhline(0, color=colors.quiet, linewidth=1)
    axes.axvline(days([picture.now])[0], color=colors.quiet, linewidth=1, linestyle=":")
    money_axis(axes, picture.currency)
    time_axis(axes, picture.zone)
    axes.margins(x=0.01, y=0.12)
    legend(axes, colors, 4)
    return rendered(figure, form)


def _title(picture: BalancePicture) -> str:
    if not picture.past:
        return f"{picture.account}: the balance is not known"
    left = money_text(
        Money(picture.past[-1][1], picture.currency).floored().nanos, picture.currency
    )
    at = f"{picture.now.astimezone(picture.zone):%a %d %b %H:%M %Z}"
    return f"{picture.account}: {left} left, {at}"


def _past(axes: Axes, picture: BalancePicture, theme: Theme) -> None:
    moments = days(at for at, _ in picture.past)
    heights = [units(nanos) for _, nanos in picture.past]
    axes.plot(moments, heights, color=theme.line, linewidth=2, label="balance")


def _fan(axes: Axes, picture: BalancePicture, theme: Theme) -> None:
    if not picture.fan:
        return
    moments = days(one.at for one in picture.fan)
    low = [units(one.low) for one in picture.fan]
    high = [units(one.high) for one in picture.fan]
    axes.fill_between(
        moments, low, high, color=theme.fan, alpha=0.55, linewidth=0, label="8 of 10 times"
    )
    middle = [units(one.middle) for one in picture.fan]
    axes.plot(
        moments, middle, color=theme.line, linewidth=1.6, linestyle=(0, (4, 2)), label="foreseen"
    )


def _trigger(axes: Axes, picture: BalancePicture, theme: Theme) -> None:
    if picture.trigger is None:
        return
    axes.axhline(
        units(picture.trigger.nanos),
        color=theme.trigger,
        linewidth=1.2,
        linestyle="--",
        label=f"trigger {money_text(picture.trigger.nanos, picture.currency)}",
    )


def _marks(axes: Axes, picture: BalancePicture, theme: Theme) -> None:
    colors = {
        MarkKind.RECHARGED: theme.recharged,
        MarkKind.FAILED: theme.failed,
        MarkKind.EXPECTED: theme.trigger,
    }
    for kind, shape in _SHAPES.items():
        marks = [mark for mark in picture.marks if mark.kind is kind]
        if not marks:
            continue
        axes.scatter(
            days(mark.at for mark in marks),
            [_height(picture, mark.at) for mark in marks],
            marker=shape,
            s=70,
            color=colors[kind],
            edgecolors=theme.ground,
            linewidths=0.8,
            zorder=4,
            label=_CALLED[kind],
        )
        _amounts(axes, picture, marks, colors[kind])


def _amounts(axes: Axes, picture: BalancePicture, marks: Sequence[Mark], color: str) -> None:
    """Write the amounts beside the marks, as long as they do not cover one another."""
    if len(marks) > 8:
        return
    for mark in marks:
        if mark.amount is not None:
            axes.annotate(
                money_text(mark.amount.nanos, picture.currency),
                (days([mark.at])[0], _height(picture, mark.at)),
                xytext=(0, 9),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                color=color,
            )


def _height(picture: BalancePicture, at: datetime) -> float:
    """Return how high the balance stands at an instant, to put a mark on the line."""
    line = [*picture.past, *((one.at, one.middle) for one in picture.fan)]
    before = [nanos for moment, nanos in line if moment <= at]
    return units(before[-1] if before else line[0][1] if line else 0)
