"""Fan: a forecast as a chart of characters."""

from __future__ import annotations

from collections.abc import Iterator

from spendguard.core.forecasts import HOURS, Forecast
from spendguard.core.money import Money

WIDTH, HEIGHT = 56, 10  # a column for six hours
LIKELY, EXPECTED, LEFT = "░", "•", "─"


def chart(forecast: Forecast, left: Money | None) -> Iterator[str]:
    """Yield the lines of a chart: cumulative spend over 14 days, and what is left to be spent.

    The band holds eight courses of ten, the dots are the middle; the line is the balance.
    """
    low, middle, high = (forecast.fan[percent] for percent in (10, 50, 90))
    most = max(high[-1], 1)
    rows = [[" "] * WIDTH for _ in range(HEIGHT)]
    level = None if left is None else _row(left.nanos, most)
    for column in range(WIDTH):
        hour = (column + 1) * HOURS // WIDTH - 1
        for row in range(_row(low[hour], most), _row(high[hour], most) + 1):
            rows[row][column] = LIKELY
        if left is not None and level is not None and 0 <= left.nanos <= most:
            rows[level][column] = LEFT
        rows[_row(middle[hour], most)][column] = EXPECTED
    top = str(Money(most, forecast.currency).ceiled())
    for row in reversed(range(HEIGHT)):
        label = top if row == HEIGHT - 1 else "0" if row == 0 else ""
        yield f"{label:>{len(top)}} {''.join(rows[row])}".rstrip()
    days = "".join(f"{f'+{day} d':>{WIDTH // 7}}" for day in range(2, 15, 2))
    yield f"{'':{len(top)}} {days}"


def _row(nanos: int, most: int) -> int:
    return min(max(nanos, 0) * HEIGHT // most, HEIGHT - 1)
