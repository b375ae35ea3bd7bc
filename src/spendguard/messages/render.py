"""Rendering: a notification becomes a title and a body, a finding one plain line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from spendguard.core.alerts import KIN, NotifyReason
from spendguard.core.findings import Severity, Status, Values
from spendguard.core.notifications import Item, Notification, Topic
from spendguard.messages import figures
from spendguard.messages.catalog import load, rule_texts
from spendguard.messages.template import Field
from spendguard.messages.words import Words

PARTS = ("sum", "age", "do", "ack")  # after the first line, one line each
NAMED = 3  # accounts in a title
ROWS = ("{changes", "{figures")
FIGURES = 6  # of a rule that no catalog knows


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel sends: one line, and plain text."""

    title: str
    body: str


def render(notification: Notification, *, language: str, now: datetime, zone: ZoneInfo) -> Message:
    """Return the message a notification makes at `now`, in a language and a zone.

    A value that is absent drops the sentence or phrase that needs it: unknown is never said as
    zero, and no message is ever lost for want of a figure.
    """
    words = Words(load(language), zone, now, {})
    if notification.topic is not Topic.ALERTS or not notification.items:
        return _greeting(notification, words)
    items = sorted(notification.items, key=_order, reverse=True)
    title = f"{_word(items[0])} {items[0].rule} {items[0].subject}"
    if len(items) == 1:
        return Message(title, "\n".join(_lines(items[0], words, now)))
    said: set[str] = set()
    items.sort(key=lambda item: item.reason is NotifyReason.STANDING)  # what is new comes first
    return Message(title, "\n\n".join(_paragraph(item, words, now, said) for item in items))


def summary(
    rule: str,
    status: Status,
    severity: Severity,
    step: str,
    values: Values,
    *,
    language: str,
    zone: ZoneInfo,
) -> str:
    """Return a finding in one plain line, without its subject and without an age."""
    known = figures.of_finding(rule, "", step, values) | {"severity": severity.label}
    words = Words(load(language), zone, None, known)
    texts = rule_texts(words.catalog, rule, step, status.value)
    # rows cost more than all the rest, and hardly a text has one
    has_rows = any(row in text for text in texts for row in ROWS)
    said = (_listed(words) if has_rows else words).first(texts)
    return said or _listed(words).say("rules", "any", status.value) or status.value


def _order(item: Item) -> tuple[int, int]:
    """Worst first: critical, warning, info, resolved; then kin in their order."""
    ended = item.reason is NotifyReason.RESOLVED
    kinship = KIN.index(item.rule) if item.rule in KIN else len(KIN)
    return (0 if ended else item.severity.value), -kinship


def _word(item: Item) -> str:
    ended = item.reason is NotifyReason.RESOLVED
    return "RESOLVED" if ended else item.severity.name


def _paragraph(item: Item, words: Words, now: datetime, said: set[str]) -> str:
    """Return an item of a group, without the advice that an item above it has given already."""
    lines = [line for line in _lines(item, words, now) if line not in said]
    said.update(lines)
    return f"{item.rule} ({_word(item).lower()}): " + "\n".join(lines)


def _lines(item: Item, words: Words, now: datetime) -> list[str]:
    words = _listed(words.having(**figures.of_item(item, now, words.zone)))
    ended = item.reason is NotifyReason.RESOLVED
    first = _first(item, words, "over" if ended else "what")
    if ended or item.reason is NotifyReason.STANDING:
        return [first]
    rest = [words.first(rule_texts(words.catalog, item.rule, item.step, part)) for part in PARTS]
    return [first, *(line for line in rest if line)]


def _first(item: Item, words: Words, part: str) -> str:
    told = words.first(rule_texts(words.catalog, item.rule, item.step, part))
    told = told or words.say("rules", "any", part) or item.rule
    reason = "untold" if item.untold and part == "over" else item.reason.value
    return words.having(text=told).say("reasons", reason) or told


def _listed(words: Words) -> Words:
    """Add the rows whose entries are texts themselves: changed settings, figures of any rule."""
    return words.having(changes=_changes(words), figures=_figures(words))


def _changes(words: Words) -> str | None:
    columns = [words.values.get(key) for key in ("settings", "before", "after")]
    rows = zip(*(column for column in columns if isinstance(column, tuple)), strict=False)
    told = [
        words.having(setting=row[0], before=row[1], after=row[2]).say("words", "change")
        for row in rows
        if len(row) == len(columns)
    ]
    return (words.say("format", "semicolon") or "; ").join(one for one in told if one) or None


def _figures(words: Words) -> str | None:
    given = words.values.get("given")
    if not isinstance(given, tuple):
        return None
    shown = [(key, words.show(Field(str(key)))) for key in given]
    told = [f"{_plain(key)} {text}" for key, text in shown if text]
    return (words.say("format", "semicolon") or "; ").join(told[:FIGURES]) or None


def _plain(key: object) -> str:
    return str(key).replace("_", " ")


def _greeting(notification: Notification, words: Words) -> Message:
    """Return a welcome, a reminder or a test: no alert, so no severity in its title."""
    accounts = notification.accounts
    words = words.having(
        channel=notification.channel or None,
        accounts=accounts[:NAMED],
        others=len(accounts[NAMED:]) or None,
    )
    topic = notification.topic.value
    title = words.say("greetings", topic, "title") or "spendguard"
    lines = [words.say("greetings", topic, "first"), words.say("greetings", topic, "rest")]
    told = (words.having(account=name).say("greetings", topic, "each") for name in accounts)
    return Message(title, "\n".join(line for line in [*lines, *told] if line))
