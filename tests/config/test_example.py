"""config.example.toml shows every key with its default."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from spendguard.config.configuration import Configuration
from spendguard.config.load import load
from spendguard.config.rulebook import parameters
from spendguard.config.settings import Settings
from spendguard.rules import RULES

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
COMMENTED = re.compile(r"^# (?=[a-z0-9_]+ = |\[)", re.MULTILINE)


def uncommented() -> str:
    return COMMENTED.sub("", EXAMPLE.read_text(encoding="utf-8"))


def shown() -> dict[str, Any]:
    return tomllib.loads(uncommented())


def models(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in models(inner)]


def missing(model: type[BaseModel], table: dict[str, Any], path: str = "") -> list[str]:
    absent = []
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key not in table:
            absent.append(f"{path}{key}")
            continue
        value = table[key][0] if isinstance(table[key], list) else table[key]
        for inner in models(field.annotation):
            absent += missing(inner, value, f"{path}{key}.")
    return absent


def test_the_example_can_be_used_as_it_is() -> None:
    configuration = load(EXAMPLE, {"HOME": "/home/x"}, ["openai"])
    assert configuration.warnings == ()


def test_what_is_commented_out_can_be_used_too(
    write: Callable[[str], Path],
) -> None:
    text = re.sub(r"^restore_to", "# restore_to", uncommented(), flags=re.MULTILINE)
    configuration = load(write(text), {}, ["openai"])
    assert {one.id for one in configuration.warnings} == {"SG-W04", "SG-W05"}


def test_no_key_is_missing() -> None:
    assert missing(Settings, shown()) == []


def test_no_rule_and_no_parameter_is_missing() -> None:
    rules = shown()["rules"]
    assert list(rules) == [*RULES]
    policy = {"enabled", "hold", "repeat"}
    assert rules["balance-low"].keys() == set(parameters("balance-low"))
    for name, table in rules.items():
        if name != "balance-low":
            assert table.keys() == parameters(name).keys() - policy


def test_the_parameters_shown_are_the_defaults(write: Callable[[str], Path]) -> None:
    def rules(text: str) -> Configuration:
        return load(write(text), {}, ["openai"])

    (table,) = re.findall(r"\n\[rules\.balance-low\].*?(?=\n\n# Later: )", uncommented(), re.DOTALL)
    account = "[[accounts]]\nname = 'a'\nprovider = 'openai'\nkey = 'env:K'\n"
    every, none = rules(account + table), rules(account)
    for given, usual in zip(every.account_rules["a"], none.account_rules["a"], strict=True):
        if given.rule.name != "balance-low":
            assert given == usual
    assert every.guard_rules == none.guard_rules


def test_the_defaults_of_tables_are_those_of_the_model() -> None:
    text = re.sub(r"^(restore_to|monthly_limit)", r"# \1", uncommented(), flags=re.MULTILINE)
    settings = Settings.model_validate(tomllib.loads(text))
    (account,), (card,), (channel,) = settings.accounts, settings.cards, settings.channels
    assert account.recharge is not None
    assert account.topup is not None
    for table in (account, account.recharge, account.topup, card):
        for name, field in type(table).model_fields.items():
            if (
                not field.is_required()
                and field.default is not None
                and name not in {"rules"} | {field.name for field in fields(Configuration)}
            ):
                assert (name, getattr(table, name)) == (name, field.default)
    assert channel.severities == type(channel).model_fields["severities"].default
