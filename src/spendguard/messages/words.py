"""Words: how typed values read to people in one language and zone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from spendguard.core.money import Money
from spendguard.messages.catalog import Catalog, texts
from spendguard.messages.template import Field, parse

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NEAR = timedelta(days=7)  # beyond it, an hour of the day would be false precision
PARTS = ("night", "morning", "afternoon", "evening")
LONGEST = 120  # characters of a foreign name


@dataclass(frozen=True, slots=True)
class Words:
    """The values of one message, ready to be said. `now` is None where no age may be told."""

    catalog: Catalog
    zone: ZoneInfo
    now: datetime | None
    values: Mapping[str, object]

    def first(self, alternatives: tuple[str, ...]) -> str | None:
        """Return the first alternative whose fields are all known."""
        for text in alternatives:
            said = parse(text).fill(self.show)
            if said is not None:
                return said
        return None

    def say(self, *path: str) -> str | None:
        """Return what the catalog has at a path, said with these values."""
        return self.first(texts(self.catalog, *path))

    def having(self, **values: object) -> Words:
        """Return the same words with more values."""
        return replace(self, values={**self.values, **values})

    def show(self, field: Field) -> str | None:
        """Return a value in the form asked for, None where it is absent or cannot take that form."""
        value = self.values.get(field.key)
        if field.form == "if":
            return "" if value else None
        if field.form == "unless":
            return None if value else ""
        if value is None:
            return None
        if field.form.startswith("="):
            return self._word(field.form[1:], value)
        try:
            return self._shown(value, field.form)
        except (OverflowError, ValueError):  # an instant at the end of the calendar
            return None

    def _word(self, table: str, value: object) -> str | None:
        if isinstance(value, tuple):
            each = [self._word(table, one) for one in value]
            return (self.say("format", "semicolon") or "; ").join(one for one in each if one)
        key = str(value).lower() if isinstance(value, bool) else str(value)
        return self.say("words", table, key) or self.say("words", table, "other")

    def _row(self, texts: Iterable[str]) -> str:
        return (self.say("format", "comma") or ", ").join(texts)

    def _shown(self, value: object, form: str) -> str | None:
        if isinstance(value, Money):
            return self._money(value, form)
        if isinstance(value, datetime):
            return self._instant(value, form)
        if isinstance(value, timedelta):
            return self.duration(value) if form == "" else None
        if isinstance(value, bool):
            return None
        if isinstance(value, int):
            return str(value) if form == "" else self._count(form, value)
        if isinstance(value, tuple):
            value = self._row(str(part) for part in value)
        if form == "text":
            return str(value) or None
        return (_clean(str(value)) or None) if form == "" else None

    def _count(self, unit: str, number: int) -> str | None:
        forms = texts(self.catalog, "counts", unit)
        if not forms:
            return None
        return self.having(n=number).first((forms[0] if number == 1 else forms[-1],))

    def _money(self, money: Money, form: str) -> str | None:
        if form == "plain":
            return money.ceiled().exact()
        rounded = {"": money, "down": money.floored(), "up": money.ceiled()}.get(form)
        if rounded is None:
            return None
        whole, _, fraction = rounded.exact().lstrip("-").partition(".")
        grouped = f"{int(whole):,}".replace(",", self.say("format", "thousands") or "")
        said = self.having(
            sign="-" if rounded.nanos < 0 else None,
            amount=f"{grouped}.{fraction}",
            code=money.currency,
        )
        return said.say("money", money.currency) or said.say("money", "other")

    def _instant(self, instant: datetime, form: str) -> str | None:
        if form == "ago":
            return self._ago(instant)
        if form == "until":
            return self._until(instant)
        return self._date(instant, form or "at")

    def _date(self, instant: datetime, form: str) -> str | None:
        local = instant.astimezone(self.zone)
        today = None if self.now is None else self.now.astimezone(self.zone)
        if form == "around":
            local = (instant + HOUR / 2).astimezone(self.zone).replace(minute=0)
            form = "on" if self._far(instant) else form
        if form == "roughly":
            form = "date" if self._far(instant) else PARTS[local.hour // 6]
        said = self.having(
            weekday=texts(self.catalog, "dates", "weekdays")[local.weekday()],
            day=local.day,
            month=texts(self.catalog, "dates", "months")[local.month - 1],
            year=None if today is not None and today.year == local.year else local.year,
            month_long=texts(self.catalog, "dates", "months_long")[local.month - 1],
            time=f"{local:%H:%M}",
            iso=f"{local:%Y-%m-%d}",
            zone=_zone(local),
        )
        return said.say("dates", form)

    def _far(self, instant: datetime) -> bool:
        return self.now is None or instant - self.now > NEAR

    def _ago(self, instant: datetime) -> str | None:
        if self.now is None or instant - self.now > MINUTE:
            return None
        passed = self.now - instant
        if passed < MINUTE:
            return self.say("dates", "just_now")
        return self.having(duration=self.duration(passed)).say("dates", "ago")

    def _until(self, instant: datetime) -> str | None:
        if self.now is None or instant <= self.now:
            return None
        return self.duration(instant - self.now)

    def duration(self, length: timedelta) -> str | None:
        """Return a length of time in its fitting unit, rounded to the nearest."""
        if length < MINUTE:
            return self.say("dates", "moment")
        if length < 59.5 * MINUTE:
            unit, name = MINUTE, "minutes"
        elif length < 2 * DAY - HOUR / 2:
            unit, name = HOUR, "hours"
        else:
            unit, name = DAY, "days"
        return self._count(name, (length + unit / 2) // unit)


def _zone(local: datetime) -> str:
    name = local.tzname() or ""
    if name.isalpha():
        return name
    return f"UTC{name[:3]}:{name[3:]}" if len(name) > 3 else f"UTC{name}"


def _clean(text: str) -> str:
    """Return a foreign text on one line and of bounded length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
