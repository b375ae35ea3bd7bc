"""Every language says everything that English says, in words that exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import spendguard.messages
from spendguard.core.findings import Finding, Status, Value
from spendguard.core.notifications import Item
from spendguard.messages import figures, render, summary, words
from spendguard.messages.catalog import load
from spendguard.messages.template import Template, parse
from spendguard.rules import RULES
from tests.messages.cases import (
    DAY,
    FOUND,
    MINUTE,
    NOTIFICATIONS,
    NOW,
    UTC_ZONE,
    alerts,
    item,
    money,
    over,
)

HERE = Path(spendguard.messages.__file__).parent
LANGUAGES = sorted(path.stem for path in HERE.glob("*.toml"))
PLAIN_FORMS = {"roughly", "", "if", "unless", "text", "down", "up", "ago", "until", "plain"}
TABLES = {
    "money": {"sign", "amount", "code"},
    "counts": {"n"},
    "dates": {"weekday", "day", "month", "month_long", "year", "time", "zone", "iso", "duration"},
    "reasons": {"text", "lasted", "since", "ended_at", "same_day"},
    "greetings": {"accounts", "others", "account", "channel"},
    "format": set(),
}
DATA = {"weekdays", "months", "months_long"}
Keys = tuple[str, ...]


def texts_of(table: Mapping[str, Any], *path: str) -> Iterator[tuple[Keys, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from texts_of(value, *path, key)
        elif key not in DATA:
            yield from (
                ((*path, key), text) for text in ([value] if isinstance(value, str) else value)
            )


def known_to(rule: str) -> set[str]:
    """Return every key that a finding of a rule ever has; of all rules for `any`."""
    found = [one for one in FOUND.values() if rule in {one.rule, "any"}]
    cases = [case for case, one in FOUND.items() if one in found]
    made = [figures.of_item(replace(item(case), ended_at=NOW), NOW, UTC_ZONE) for case in cases]
    return {key for values in made for key in values} | {"changes", "figures"}


def allowed(path: Keys) -> set[str]:
    if path[0] == "rules":
        return known_to(path[1])
    if path[0] == "words":
        return known_to("any") | {"setting"}
    return TABLES[path[0]]


@pytest.mark.parametrize("language", LANGUAGES)
class TestEveryLanguage:
    def test_has_the_tables_of_english(self, language: str) -> None:
        paths = {path for path, _ in texts_of(load(language))}

        assert paths == {path for path, _ in texts_of(load("en"))}

    def test_names_only_values_that_exist(self, language: str) -> None:
        unknown = {
            (path, field.key)
            for path, text in texts_of(load(language))
            for field in parse(text).fields()
            if field.key not in allowed(path)
        }

        assert not unknown

    def test_names_only_forms_that_exist(self, language: str) -> None:
        catalog = load(language)
        forms = PLAIN_FORMS | set(catalog["dates"]) | set(catalog["counts"])
        forms |= {f"={table}" for table in catalog["words"]}
        unknown = {
            (path, field.form)
            for path, text in texts_of(catalog)
            for field in parse(text).fields()
            if field.form not in forms
        }

        assert not unknown

    def test_knows_every_rule(self, language: str) -> None:
        rules = load(language)["rules"]

        assert set(rules) == {*RULES, "any"}

    def test_names_days_and_months(self, language: str) -> None:
        dates = load(language)["dates"]

        assert [len(dates[key]) for key in ("weekdays", "months", "months_long")] == [7, 12, 12]

    def test_has_no_text_that_is_never_said(
        self, language: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried: set[str] = set()

        def parsed(text: str) -> Template:
            tried.add(text)
            return parse(text)

        monkeypatch.setattr(words, "parse", parsed)
        for notification in [*NOTIFICATIONS.values(), *map(alerts, STRANGE)]:
            render(notification, language=language, now=NOW, zone=UTC_ZONE)
        judged: list[Finding | Item] = [*FOUND.values(), *STRANGE]
        for one in judged:
            for status, values in product(Status, (one.values, {}, {"missing": "luck"})):
                summary(
                    one.rule,
                    status,
                    one.severity,
                    one.step,
                    values,
                    language=language,
                    zone=UTC_ZONE,
                )

        assert {text for _, text in texts_of(load(language))} - tried == set()


def strange(case: str, **values: Value) -> Item:
    """Return an item with values that only a later version gives."""
    made = item(case)
    return replace(made, values={**made.values, **values})


STRANGE = (
    strange("blind auth", error="tired", failing_since=NOW),
    strange("blind auth", error=None, failing_since=None),
    strange("config-drift", before=None),
    strange("config-drift", before=("", "", ""), after=("", "", "")),
    strange("guard no-channel", troubles=("gone",)),
    strange("guard no-channel", troubles=None),
    strange("balance-low trigger", floor=money("1", "EUR"), threshold=money("5", "EUR")),
    strange("balance-low trigger", floor=money("1", "GBP"), threshold=money("5", "GBP")),
    replace(item("channel-failing lost"), step="late"),
    *(
        over("blind clear", since=NOW - length)
        for length in (MINUTE / 2, MINUTE, 5 * MINUTE, 7 * DAY, DAY)
    ),
    strange("own-key-expiring 1d", expires_at=NOW + DAY),
    strange("balance-low trigger", read_at=NOW, burn_days=1),
    strange("card-short second charge", paid_before=2),
    *(strange("charge-failed first", failed_source=source) for source in ("api", "card", "fax")),
)


def test_another_language_is_another_file(monkeypatch: pytest.MonkeyPatch) -> None:
    english = (HERE / "en.toml").read_text(encoding="utf-8")
    monkeypatch.setattr(
        "pkgutil.get_data", lambda _, name: english.replace("Still:", f"{name}:").encode()
    )

    body = render(
        NOTIFICATIONS["balance-low repeated"], language="qaa", now=NOW, zone=UTC_ZONE
    ).body

    assert body.startswith("qaa.toml: openai-main has $4.31 left")


def test_a_language_that_is_not_there_is_english() -> None:
    assert load("tlh") is load("en")
    assert load("../en") is load("en")


def test_a_status_has_words_in_every_language() -> None:
    for language in LANGUAGES:
        for status in Status:
            assert load(language)["rules"]["any"][status.value]
