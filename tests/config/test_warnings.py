from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from spendguard.config import concerns
from spendguard.config.configuration import Configuration
from spendguard.rules import RULES

Configure = Callable[..., Configuration]

ACCOUNT = """
[[accounts]]
name = "main"
provider = "openai"
key = "env:OPENAI_ADMIN_KEY"
"""
CHANNEL = """
[[channels]]
name = "ops"
url = "env:SLACK_URL"
"""
QUIET = ACCOUNT + CHANNEL


def told(configuration: Configuration) -> list[str]:
    return [str(one) for one in configuration.warnings]


def test_a_plain_configuration_warns_of_nothing(configure: Configure) -> None:
    assert told(configure(QUIET)) == []


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (
            QUIET.replace("env:OPENAI_ADMIN_KEY", "sk-admin-1"),
            "SG-W01 accounts.main.key: a secret stands in the file",
        ),
        (
            QUIET.replace("env:SLACK_URL", "slack://a/b/c"),
            "SG-W01 channels.ops.url: a secret stands in the file",
        ),
        (
            ACCOUNT + "proxy = 'http://u:p@proxy:3128'" + CHANNEL,
            "SG-W01 accounts.main.proxy: a password stands in the file",
        ),
        (ACCOUNT, "SG-W04 channels: there is none: no alert reaches anybody"),
        (
            QUIET + "severities = ['info', 'warning']\nrules = ['balance-low']",
            "SG-W04 channels: critical alerts reach no channel: guard",
        ),
        (
            QUIET + f"rules = {sorted({*RULES} - {'balance-low', 'own-key-expiring'})}",
            "SG-W04 accounts.main: critical alerts reach no channel: balance-low, own-key-expiring",
        ),
        (
            QUIET.replace("main", "one") + "accounts = ['one']" + ACCOUNT,
            (
                "SG-W04 accounts.main: critical alerts reach no channel: "
                "balance-low, runway-short, charge-failed, recharge-missing, recharge-unexpected, "
                "recharge-frequent, deposit-cap, budget, spend-spike, credit-expiring, limit-near, "
                "blind, "
                "own-key-expiring"
            ),
        ),
        (
            QUIET + f"rules = {sorted({*RULES} - {'card-short'})}\n[[cards]]\nname = 'visa'",
            "SG-W04 cards.visa: critical alerts reach no channel: card-short",
        ),
        (
            QUIET + "[quiet_hours]\nfrom = '22:00'\nto = '07:00'",
            "SG-W05 quiet_hours: has no effect in this version",
        ),
        ("language = 'zh-CN'" + QUIET, "SG-W05 language: has no effect in this version"),
        (
            QUIET + "language = 'zh-CN'",
            "SG-W05 channels.ops.language: has no effect in this version",
        ),
        (
            QUIET + "[rules.unpriced]\nminimum_share = 5",
            "SG-W05 rules.unpriced: has no effect in this version",
        ),
        (
            ACCOUNT + "[accounts.rules.credit-expiring]\nsteps = ['9d']" + CHANNEL,
            "SG-W05 accounts.main.rules.credit-expiring: has no effect in this version",
        ),
        (CHANNEL, "SG-W07 accounts: nothing is watched"),
    ],
)
def test_what_is_accepted_but_may_surprise_is_said(
    text: str, warning: str, configure: Configure
) -> None:
    assert warning in told(configure(text))


def test_recharge_card_and_topup_have_an_effect(configure: Configure) -> None:
    recharge = "[accounts.recharge]\nenabled = false\n[accounts.topup]\nmin = '10.00'\n"
    text = ACCOUNT + "card = 'visa'\n" + recharge + CHANNEL + "[[cards]]\nname = 'visa'\n"
    assert told(configure(text)) == []


def test_what_a_card_says_is_heard_where_one_of_its_accounts_is(configure: Configure) -> None:
    both = ACCOUNT + "card = 'visa'\n" + ACCOUNT.replace("main", "one") + "card = 'visa'\n"
    text = both + CHANNEL + "accounts = ['one']\n[[cards]]\nname = 'visa'\n"
    assert [one for one in told(configure(text)) if "card-short" in one] == []


def test_a_rule_that_is_off_need_not_be_heard(configure: Configure) -> None:
    text = QUIET + "rules = ['balance-low']\n"
    for rule in {*RULES} - {"balance-low"}:
        text += f"[rules.{rule}]\nenabled = false\n"
    assert told(configure(text)) == []


def test_a_secret_that_everybody_can_read_is_warned_about(
    configure: Configure, tmp_path: Path
) -> None:
    key = tmp_path / "openai.key"
    key.write_text("sk-admin-1")
    text = QUIET.replace("env:OPENAI_ADMIN_KEY", "file:openai.key")
    key.chmod(0o604)
    expected = "SG-W03 accounts.main.key: the secret's file is readable by everyone"
    assert told(configure(text)) == [expected]
    key.chmod(0o640)
    assert told(configure(text)) == []


def test_a_secret_that_is_not_to_be_had_here_is_a_warning(configure: Configure) -> None:
    configuration = configure(QUIET + "[heartbeat]\nurl = 'file:/nowhere/beat'")
    found = concerns.unresolved(configuration, {"OPENAI_ADMIN_KEY": "sk-admin-1"})
    assert [str(one) for one in found] == [
        "SG-W02 channels.ops.url: environment variable 'SLACK_URL' is not set",
        "SG-W02 heartbeat.url: file '/nowhere/beat' cannot be read: no such file or directory",
    ]


def test_every_id_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
    ids = {value for value in vars(concerns).values() if str(value).startswith("SG-W")}
    assert set(re.findall(r"^\| `(SG-W\d\d)` ", page, re.MULTILINE)) == ids
