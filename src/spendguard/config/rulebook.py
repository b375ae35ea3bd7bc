"""Rulebook: `[rules.X]` becomes a rule. A rule's fields are its parameters, their types say how to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any, get_type_hints

from spendguard.config import values
from spendguard.config.configuration import ConfiguredRule
from spendguard.config.places import RefusedError
from spendguard.config.problems import Found, Location, quoted, suggestion
from spendguard.core.money import Amount
from spendguard.rules import ACCOUNT_RULES, CARD_RULES, GUARD_RULES, RULES
from spendguard.rules.base import AccountRule, CardRule, GuardRule

Read = Callable[[Any], object]
Parsed = Mapping[str, Mapping[str, object]]

READERS: dict[object, Read] = {
    bool: values.flag,
    int: values.count,
    timedelta: values.duration,
    Amount: values.money,
    Amount | None: values.money,
    tuple[int, ...]: values.percents,
    tuple[timedelta, ...]: values.durations,
}
POLICY: dict[str, Read] = {"enabled": values.flag, "hold": values.duration, "repeat": values.repeat}


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The parameters that one table of rules gives, and what is wrong in it."""

    rules: Parsed
    problems: tuple[Found, ...]


def parameters(name: str) -> dict[str, Read]:
    """Return how to read each parameter of a rule."""
    hints = get_type_hints(RULES[name])
    own = {field.name: READERS[hints[field.name]] for field in fields(RULES[name])}  # type: ignore[arg-type]
    return {**POLICY, **own}


def read_rules(where: Location, raw: object, *, of_account: bool) -> Rulebook:
    """Read a table of rules, whatever it holds."""
    parsed: dict[str, dict[str, object]] = {}
    problems: list[Found] = []
    for name, table in raw.items() if isinstance(raw, dict) else ():
        here = (*where, name)
        refused = _misplaced(name, table, of_account=of_account)
        if refused is not None:
            problems.append(Found(here, refused.message, refused.hint))
            continue
        parsed[name] = _read_table(here, name, table, problems)
    return Rulebook(parsed, tuple(problems))


def _misplaced(name: str, table: object, *, of_account: bool) -> RefusedError | None:
    if name not in RULES:
        return RefusedError(f"unknown rule {quoted(name)}", suggestion(name, RULES))
    if not isinstance(table, dict):
        return RefusedError("must be a table", f"write [rules.{name}] and its parameters below")
    if of_account and name in GUARD_RULES:
        return RefusedError("judges the guard, not an account", f"move it to [rules.{name}]")
    if of_account and name in CARD_RULES:
        return RefusedError("judges a card, not an account", f"move it to [rules.{name}]")
    return None


def _read_table(
    where: Location, name: str, table: Mapping[str, Any], problems: list[Found]
) -> dict[str, object]:
    readers = parameters(name)
    parsed: dict[str, object] = {}
    for key, value in table.items():
        if key not in readers:
            hint = suggestion(key, readers)
            problems.append(Found((*where, key), f"unknown key {quoted(key)}", hint))
            continue
        try:
            parsed[key] = readers[key](value)
        except RefusedError as refusal:
            problems.append(Found((*where, key), refusal.message, refusal.hint))
    problems.extend(_complaints(where, name, parsed))
    return parsed


def _complaints(where: Location, name: str, given: Mapping[str, object]) -> list[Found]:
    """Return what the rule itself says of its parameters, where it says anything."""
    check = getattr(build(RULES[name], given).rule, "problems", None)
    return [] if check is None else [Found(where, message) for message in check()]


def build(
    rule: type[AccountRule] | type[CardRule] | type[GuardRule], given: Mapping[str, object]
) -> ConfiguredRule:
    """Return a rule with what is given, and its defaults for the rest."""
    policy = {key: value for key, value in given.items() if key in POLICY}
    own: dict[str, Any] = {key: value for key, value in given.items() if key not in POLICY}
    return ConfiguredRule(rule(**own), replace(rule.policy, **policy))  # type: ignore[arg-type]


def rules_of_account(everywhere: Parsed, here: Parsed) -> tuple[ConfiguredRule, ...]:
    """Return the rules of an account: its own parameters over the global ones, key by key."""
    return tuple(
        build(rule, {**everywhere.get(name, {}), **here.get(name, {})})
        for name, rule in ACCOUNT_RULES.items()
    )


def rules_of_cards(everywhere: Parsed) -> tuple[ConfiguredRule, ...]:
    """Return the rules that judge cards."""
    return tuple(build(rule, everywhere.get(name, {})) for name, rule in CARD_RULES.items())


def rules_of_guard(everywhere: Parsed) -> tuple[ConfiguredRule, ...]:
    """Return the rules that judge the guard itself."""
    return tuple(build(rule, everywhere.get(name, {})) for name, rule in GUARD_RULES.items())
