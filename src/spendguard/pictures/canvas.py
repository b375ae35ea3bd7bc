"""Canvas: a figure in our manner, with its colors, and the bytes it becomes."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from spendguard.core.money import NANOS

SIZE = (9.6, 4.2)  # inches: 960 × 420 pixels, as wide as a chat shows without a click
_RESOLUTION = 100
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "CNY": "¥"}


@dataclass(frozen=True, slots=True)
class Theme:
    """The colors of a ground; `series` are told apart also by people who do not see red and green."""

    ground: str
    ink: str
    quiet: str
    line: str
    fan: str
    trigger: str
    failed: str
    recharged: str
    series: tuple[str, ...]


LIGHT = Theme(
    ground="#ffffff",
    ink="#1f2328",
    quiet="#6e7781",
    line="#1f5fbf",
    fan="#9dbfec",
    trigger="#b35900",
    failed="#c4162a",
    recharged="#1a7f37",
    series=("#1f5fbf", "#e08a00", "#1a8f7a", "#b0408f", "#7a6fd0", "#8c9196"),
)
DARK = Theme(
    ground="#16191d",
    ink="#e6e9ec",
    quiet="#9aa3ad",
    line="#7db3ff",
    fan="#345b8c",
    trigger="#f0a33a",
    failed="#ff6b6b",
    recharged="#5fd07f",
    series=("#7db3ff", "#f0b040", "#4fd0b5", "#e58acb", "#b3a8ff", "#a3abb3"),
)
THEMES = {"light": LIGHT, "dark": DARK}


def money_text(nanos: float, currency: str) -> str:
    """Return an amount as an axis or a label shows it, rounded to the cent."""
    amount = Decimal(round(nanos)) / NANOS
    sign = "−" if amount < 0 else ""
    text = f"{abs(amount):,.2f}"
    return f"{sign}{_SIGNS[currency]}{text}" if currency in _SIGNS else f"{sign}{text} {currency}"


def blank(title: str, theme: Theme) -> tuple[Figure, Axes]:
    """Return an empty figure with a title, and its axes."""
    figure = Figure(figsize=SIZE, dpi=_RESOLUTION, facecolor=theme.ground, layout="constrained")
    axes = figure.add_subplot(facecolor=theme.ground)
    axes.set_title(title, loc="left", color=theme.ink, fontsize=12, fontweight="bold", pad=12)
    axes.tick_params(colors=theme.quiet, labelsize=9, length=0)
    axes.grid(visible=True, axis="y", color=theme.quiet, alpha=0.22, linewidth=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(theme.quiet)
    return figure, axes


def money_axis(axes: Axes, currency: str) -> None:
    """Label the vertical axis, which is in whole units, with money."""
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _place: money_text(value * NANOS, currency))
    )


def time_axis(axes: Axes, zone: tzinfo) -> None:
    """Label the horizontal axis with local dates and hours."""
    locator = AutoDateLocator(tz=zone, minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    form = ConciseDateFormatter(locator, tz=zone)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(form)
    axes.xaxis.get_offset_text().set_visible(False)


def legend(axes: Axes, theme: Theme, columns: int) -> None:
    """Say below the picture what is drawn."""
    told = axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.1),
        ncols=columns,
        frameon=False,
        fontsize=9,
        labelcolor=theme.ink,
    )
    told.set_in_layout(True)


def units(nanos: int) -> float:
    """Return whole units: only here, where money becomes a height, is it a float."""
    return nanos / NANOS


def days(moments: Iterable[datetime]) -> list[float]:
    """Return instants as an axis takes them."""
    return [float(date2num(moment)) for moment in moments]  # type: ignore[no-untyped-call]


def rendered(figure: Figure, form: str) -> bytes:
    """Return the picture as 'png' or 'svg', the same bytes for the same picture."""
    out = io.BytesIO()
    metadata = {"Date": None} if form == "svg" else {"Software": "spendguard"}
    with (
        mpl.rc_context({"svg.hashsalt": "spendguard", "svg.fonttype": "none"}),
        warnings.catch_warnings(),
    ):
        # A name in signs that no font here has is drawn as boxes; the figures are what counts.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(out, format=form, facecolor=figure.get_facecolor(), metadata=metadata)
    return out.getvalue()
