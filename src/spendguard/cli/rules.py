"""rules: every rule with its parameters and the values in effect."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from spendguard.cli.output import Column, emit, table
from spendguard.cli.parser import Options
from spendguard.cli.reading import source
from spendguard.config.locate import find_config, locate

POLICY = ("enabled", "hold", "repeat")
TOLD = {
    "balance-low": "the balance is under the trigger, half of it, zero, or negative",
    "runway-short": "the balance does not last long",
    "recharge-due": "the next automatic charge is near",
    "card-short": "the card cannot pay a coming charge",
    "charge-failed": "a charge failed",
    "recharge-missing": "a recharge should have come, and did not",
    "recharge-unexpected": "credit came that nobody explained",
    "recharge-frequent": "recharges come faster than the burn explains",
    "deposit-cap": "a part of the credit is consumed",
    "budget": "a part of a budget is spent",
    "spend-spike": "the last hour costs far more than usual",
    "key-unknown": "an api key or model never seen before spends",
    "credit-expiring": "credit will expire unused",
    "limit-near": "a limit of the provider is nearly used, or enforcing",
    "checkpoint-stale": "nobody stated the balance for long",
    "blind": "the account cannot be read",
    "unpriced": "usage has no known price",
    "own-key-expiring": "the guard's own key expires soon",
    "config-drift": "the provider's limits or alerts were changed",
    "channel-failing": "a channel refuses, loses or owes messages",
    "guard": "the guard itself is in trouble",
}
"""When each rule speaks, in the order of docs/rules."""


def run(options: Options) -> int:
    """Print every rule."""
    effective = _effective(options)
    by_scope = {
        **effective.get("rules", {}),
        "cards": effective.get("card_rules", {}),
        "guard": effective.get("guard_rules", {}),
    }
    if options.json:
        emit({"rules": [_json(name, by_scope) for name in TOLD]})
    else:
        _print(by_scope)
    return 0


def _effective(options: Options) -> dict[str, Any]:
    """Return the configuration as it was last loaded; the file's own where none ever was."""
    path = find_config(options.config, os.environ)
    if os.path.exists(locate(path, os.environ).database):  # noqa: PTH110
        with source(options) as asked:
            loaded = asked.configuration()
        if loaded:
            return loaded
    from pathlib import Path

    from spendguard.config.effective import render_effective
    from spendguard.config.load import load
    from spendguard.providers import PROVIDERS

    return render_effective(load(Path(path), os.environ, PROVIDERS.keys()))


def _json(name: str, by_scope: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "name": name,
        "fires_when": TOLD[name],
        "effective": [
            {"for": scope, **{key: rules[name][key] for key in POLICY}, "parameters": parameters}
            for scope, rules in by_scope.items()
            if name in rules
            for parameters in [_parameters(rules[name])]
        ],
    }


def _parameters(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in rule.items() if key not in POLICY}


def _print(by_scope: Mapping[str, Mapping[str, Any]]) -> None:
    columns = (
        Column("rule"),
        Column("for"),
        Column("values", folds=True),
        Column("speaks when", folds=True),
    )
    table(columns, [row for name in TOLD for row in _rows(name, by_scope)])


def _rows(name: str, by_scope: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """Return a line for each set of values: accounts that have the same share one."""
    shared: dict[str, list[str]] = {}
    for scope, rules in by_scope.items():
        if name in rules:
            shared.setdefault(_values(rules[name]), []).append(scope)
    return [[name, ", ".join(scopes), values, TOLD[name]] for values, scopes in shared.items()] or [
        [name, "", "", TOLD[name]]
    ]


def _values(rule: Mapping[str, Any]) -> str:
    if not rule["enabled"]:
        return "off"
    told = [f"{key} {_text(value)}" for key, value in _parameters(rule).items()]
    if rule["hold"] != "0s":
        told.append(f"hold {rule['hold']}")
    if rule["repeat"] is not None:
        told.append(f"repeat {rule['repeat']}")
    return ", ".join(told)


def _text(value: Any) -> str:
    return "/".join(map(str, value)) if isinstance(value, list) else str(value)
