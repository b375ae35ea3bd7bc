"""providers: what this version can read, and what it reads there."""

from __future__ import annotations

from spendguard.cli.output import Column, emit, table
from spendguard.cli.parser import Options

PROVIDERS = {
    "openai": {
        "key": "an admin key (sk-admin-…) of the organization",
        "reads": [
            "cost by UTC day, project, line item and api key",
            "usage by minute, hour and UTC day, model, tier, project and api key",
            "names of projects and api keys",
            "spend limits and spend alerts",
            "expiry of the guard's own key",
        ],
        "states_balance": False,
    },
    "openrouter": {
        "key": "a management key (sk-or-…) of the account",
        "reads": ["credit bought and used so far", "expiry of the guard's own key"],
        "states_balance": True,
    },
    "deepseek": {
        "key": "any api key (sk-…) of the account",
        "reads": [],
        "states_balance": True,
    },
}
"""The registry in words: importing it would load the whole HTTP stack."""


def run(options: Options) -> int:
    """Print every provider of this version."""
    if options.json:
        emit({"providers": [{"name": name, **told} for name, told in PROVIDERS.items()]})
        return 0
    columns = (Column("provider"), Column("key", folds=True), Column("reads", folds=True))
    rows = []
    for name, told in PROVIDERS.items():
        reads = told["reads"] if isinstance(told["reads"], list) else []
        balance = "the balance" if told["states_balance"] else "not the balance: state it"
        rows.append([name, str(told["key"]), "; ".join([*reads, balance])])
    table(columns, rows)
    return 0
