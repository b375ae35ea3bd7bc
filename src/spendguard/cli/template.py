"""Template: the commented configuration that init writes."""

from __future__ import annotations

import json
from dataclasses import dataclass

from spendguard.config.addresses import parted
from spendguard.core.money import Money


@dataclass(frozen=True, slots=True)
class Choices:
    """What init was told: references, never secrets unless somebody insists."""

    provider: str
    key: str
    channel: str | None

    @property
    def account(self) -> str:
        """The name of the account."""
        return f"{self.provider}-main"

    @property
    def secret(self) -> bool:
        """True when one of them is the secret itself, and stands in the file."""
        return not parted(self.key)[0] or bool(self.channel and not parted(self.channel)[0])


def render(chosen: Choices, month: Money | None = None) -> str:
    """Return the file; `month` is what the last 30 days cost, for the budget it suggests."""
    return _FILE.format(
        account=chosen.account,
        provider=chosen.provider,
        key=_quoted(chosen.key),
        channel=_channel(chosen.channel),
        budget=_budget(month),
    )


def _channel(reference: str | None) -> str:
    mark = "# " if reference is None else ""
    url = _quoted(reference or "env:SLACK_URL")
    return f'{mark}[[channels]]\n{mark}name = "ops"\n{mark}url = {url}'


def _budget(month: Money | None) -> str:
    """Return one and a half times the last 30 days, in whole cents."""
    if month is None or month.nanos <= 0:
        return "100.00"
    return month.part(3, 2).ceiled().exact()


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


_FILE = """\
# Written by `spendguard init`. Every key there is: config.example.toml. Check it after a change:
# spendguard config check

timezone = "UTC"                        # IANA zone of budgets and dates

# [database]
# url = "sqlite:////var/lib/spendguard/spendguard.db"

[[accounts]]
name = "{account}"
provider = "{provider}"
key = {key}
# poll_interval = "5m"
# proxy = "socks5://127.0.0.1:1080"

# The provider's automatic recharge, as its billing page shows it; leave it out if you do not know.
# [accounts.recharge]
# enabled = true
# trigger = "5.00"
# amount = "10.00"                      # or: restore_to = "15.00"

{channel}
# severities = ["warning", "critical"]  # default: all three

# One and a half times what the last 30 days cost.
# [[budgets]]
# name = "monthly"
# account = "{account}"
# window = "month"
# amount = "{budget}"

# A rule for all accounts; `spendguard rules` lists them.
# [rules.balance-low]
# trigger = "5.00"
"""
