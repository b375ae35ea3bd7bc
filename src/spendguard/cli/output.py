"""Output: one JSON object, or tables that fit the terminal and are plain text everywhere else."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

GAP = "  "
"""What stands between two columns of a table."""

SEVERITY_STYLES = {"critical": "bold red", "warning": "yellow", "info": "cyan"}


class Column:
    """A column of a table: figures stand right; a long one may be folded to fit the terminal."""

    __slots__ = ("folds", "right", "title")

    def __init__(self, title: str, *, right: bool = False, folds: bool = False) -> None:
        self.title = title
        self.right = right
        self.folds = folds


class Cell:
    """A text with a style, which only a terminal shows."""

    __slots__ = ("style", "text")

    def __init__(self, text: str, style: str = "") -> None:
        self.text = text
        self.style = style

    def __str__(self) -> str:
        return self.text


def emit(content: Mapping[str, Any]) -> None:
    """Print the one JSON object of a command: on one line, unless a person looks at it."""
    whole = {"jsonversion": 1, **content}
    indent = 2 if on_terminal() else None
    sys.stdout.write(json.dumps(whole, indent=indent, ensure_ascii=False) + "\n")


def complain(message: str, hint: str) -> None:
    """Print an error and its hint on stderr, a line each."""
    sys.stderr.write(f"error: {clean(message)}\n")
    sys.stderr.write(f"hint:  {clean(hint or '`spendguard doctor` looks for the cause')}\n")


def warn(message: str) -> None:
    """Print a warning on stderr."""
    sys.stderr.write(f"warning: {clean(message)}\n")


def say(text: str = "", style: str = "") -> None:
    """Print a line of text."""
    if on_terminal():
        _console().print(clean(text), style=style or None, markup=False, highlight=False)
    else:
        sys.stdout.write(clean(text) + "\n")


def table(columns: Sequence[Column], rows: Iterable[Sequence[str | Cell]]) -> None:
    """Print a table: fitted and colored on a terminal, aligned plain text elsewhere."""
    cells = [[_cell(value) for value in row] for row in rows]
    if on_terminal():
        _rich_table(columns, cells)
    else:
        _plain_table(columns, cells)


def on_terminal() -> bool:
    """Tell whether a person looks at the output."""
    return sys.stdout.isatty()


def terminal_width() -> int:
    """Return how many columns the terminal has."""
    return int(_console().width)


def clean(text: str) -> str:
    """Return a text as one line without control characters: a name cannot command a terminal."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else " " for sign in text)


def severity_cell(severity: str) -> Cell:
    """Return a severity in its color."""
    return Cell(severity, SEVERITY_STYLES.get(severity, ""))


def _cell(value: str | Cell) -> Cell:
    cell = Cell(value) if isinstance(value, str) else value
    return Cell(clean(cell.text), cell.style)


def _plain_table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    lines = [[Cell(column.title) for column in columns], *rows]
    widths = [max(width(line[place].text) for line in lines) for place in range(len(columns))]
    for line in lines:
        parts = []
        for column, cell, wide in zip(columns, line, widths, strict=True):
            gap = " " * (wide - width(cell.text))
            parts.append(gap + cell.text if column.right else cell.text + gap)
        sys.stdout.write(GAP.join(parts).rstrip() + "\n")


def width(text: str) -> int:
    """Return how many columns a text takes: Chinese signs take two."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(sign) else 2 if east_asian_width(sign) in "WF" else 1 for sign in text
    )


def _console() -> Any:
    from rich.console import Console

    return Console(file=sys.stdout)


def _rich_table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, padding=(0, len(GAP), 0, 0), header_style="dim")
    for column in columns:
        made.add_column(
            column.title,
            justify="right" if column.right else "left",
            no_wrap=not column.folds,
            overflow="fold" if column.folds else "ellipsis",
        )
    for row in rows:
        made.add_row(*(Text(cell.text, style=cell.style) for cell in row))
    _console().print(made)
