from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest

from spendguard.config.configuration import Configuration, ConfiguredRule, QuietHours
from spendguard.config.load import load, render_effective
from spendguard.core.accounts import Account, Budget, Card, Recharge
from spendguard.core.alerts import Policy
from spendguard.core.errors import ConfigError
from spendguard.core.findings import Severity
from spendguard.core.money import Amount, Money
from spendguard.core.routing import Channel
from spendguard.core.windows import Unit
from spendguard.rules import RULES
from spendguard.rules.balance_low import BalanceLow
from spendguard.rules.blind import Blind
from spendguard.rules.budget import BudgetSpent
from spendguard.rules.guard import Guard

Configure = Callable[..., Configuration]
Problems = Callable[..., dict[str, str]]

ACCOUNT = """
[[accounts]]
name = "main"
provider = "openai"
key = "env:OPENAI_ADMIN_KEY"
"""
WHOLE = """
timezone = "Europe/Berlin"
language = "zh-CN"
[database]
url = "sqlite:////srv/guard.db"
[[accounts]]
name = "main"
provider = "openai"
key = "credential:openai"
currency = "EUR"
base_url = "http://localhost:8080/v1"
proxy = "socks5://u:p@127.0.0.1:1080"
poll_interval = "10s"
card = "visa-1881"
[accounts.recharge]
enabled = true
trigger = "7"
restore_to = "15.50"
[accounts.topup]
max = "100"
[[cards]]
name = "visa-1881"
tax_percent = "19"
strikes_to_ban = 3
[[budgets]]
name = "monthly"
account = "main"
amount = "100"
project = "proj_1"
[[channels]]
name = "ops"
url = "slack://T1/B1/secret"
severities = ["critical", "warning"]
accounts = ["main"]
rules = ["blind", "runway-short"]
language = "en"
[quiet_hours]
from = "22:00"
to = "07:00"
[heartbeat]
url = "https://beat.example/1"
"""


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def eur(text: str) -> Money:
    return Money.parse(text, "EUR")


def rule_of(configuration: Configuration, rule: type) -> ConfiguredRule:
    every = (*configuration.account_rules["main"], *configuration.guard_rules)
    return next(one for one in every if isinstance(one.rule, rule))


def test_what_is_left_out_has_the_documented_default(configure: Configure) -> None:
    found = configure(
        ACCOUNT + "[accounts.recharge]\nenabled = false\n[accounts.topup]\n"
        '[[cards]]\nname = "visa"\n[[channels]]\nname = "ops"\nurl = "env:SLACK_URL"'
    )
    assert found.zone.key == "UTC"
    assert found.language == "en"
    assert found.accounts == (
        Account(
            "main",
            "openai",
            "env:OPENAI_ADMIN_KEY",
            "USD",
            timedelta(minutes=5),
            recharge=Recharge(
                enabled=False,
                trigger=usd("5"),
                amount=None,
                restore_to=None,
                monthly_limit=None,
                overdraft=usd("2"),
            ),
            topup_min=usd("5"),
            topup_max=usd("50"),
        ),
    )
    assert found.cards == (Card("visa", "USD", "0", usd("0"), usd("2"), 2),)
    assert found.channels == (Channel("ops"),)
    assert found.quiet_hours is None
    assert found.heartbeat is None
    assert {one.policy.enabled for one in found.account_rules["main"]} == {True}


def test_without_sections_for_them_recharge_and_top_up_are_unknown(configure: Configure) -> None:
    (account,) = configure(ACCOUNT).accounts
    assert account.recharge is None
    assert account.topup_min is account.topup_max is None


def test_the_whole_file_becomes_core_values(configure: Configure) -> None:
    found = configure(WHOLE)
    assert found.zone.key == "Europe/Berlin"
    assert found.language == "zh-CN"
    assert found.database_url == "sqlite:////srv/guard.db"
    (account,) = found.accounts
    assert account.recharge is not None
    assert account.recharge.trigger == eur("7")
    assert account.recharge.restore_to == eur("15.50")
    assert account.poll_interval == timedelta(seconds=10)
    assert account.topup_max == eur("100")
    assert found.cards[0].strikes_to_ban == 3
    assert found.budgets == (Budget("monthly", "main", Unit.MONTH, eur("100"), project="proj_1"),)
    assert found.channels == (
        Channel(
            "ops",
            frozenset({Severity.WARNING, Severity.CRITICAL}),
            frozenset({"main"}),
            frozenset({"blind", "runway-short"}),
            "en",
        ),
    )
    assert found.channel_urls == {"ops": "slack://T1/B1/secret"}
    assert found.quiet_hours == QuietHours(time(22), time(7))
    assert found.heartbeat == "https://beat.example/1"


def test_a_channel_speaks_the_language_of_the_file_unless_it_has_its_own(
    configure: Configure,
) -> None:
    text = 'language = "zh-CN"\n[[channels]]\nname = "ops"\nurl = "env:U"\n'
    assert configure(text).channels[0].language == "zh-CN"
    assert configure(text + 'language = "en"').channels[0].language == "en"


def test_no_secret_is_printed_with_the_configuration(configure: Configure) -> None:
    found = configure(WHOLE.replace("credential:openai", "sk-admin-CANARY"))
    assert found.accounts[0].key == "sk-admin-CANARY"
    for secret in ("CANARY", "T1/B1", "u:p", "beat.example"):
        assert secret not in repr(found)
        assert secret not in json.dumps(render_effective(found))
        assert secret not in "".join(map(str, found.warnings))


def test_the_rules_of_an_account_lie_over_those_for_all_key_by_key(configure: Configure) -> None:
    everywhere = '[rules.balance-low]\nhold = "5m"\ntrigger = "8"\n[rules.budget]\nsteps = [10]\n'
    here = '[accounts.rules.balance-low]\ntrigger = "20"\nrepeat = "2h"\n'
    found = configure(everywhere + ACCOUNT + here + ACCOUNT.replace("main", "other"))
    assert rule_of(found, BalanceLow) == ConfiguredRule(
        BalanceLow(Amount.parse("20")), Policy(hold=timedelta(minutes=5), repeat=timedelta(hours=2))
    )
    assert rule_of(found, BudgetSpent).rule == BudgetSpent((10,))
    other = found.account_rules["other"][0]
    assert other == ConfiguredRule(BalanceLow(Amount.parse("8")), Policy(hold=timedelta(minutes=5)))


def test_a_rule_can_be_switched_off_for_one_account(configure: Configure) -> None:
    found = configure(ACCOUNT + "[accounts.rules.blind]\nenabled = false")
    assert not rule_of(found, Blind).policy.enabled


def test_every_rule_that_is_built_is_configured(configure: Configure) -> None:
    found = configure(ACCOUNT)
    judges = (*found.account_rules["main"], *found.card_rules, *found.guard_rules)
    assert [one.rule.name for one in judges] == list(RULES)


def test_a_rule_may_refuse_parameters_that_do_not_fit_together(
    problems: Problems, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dataclass(frozen=True)
    class Fussy(Guard):
        def problems(self) -> list[str]:
            return ["a full disk is no time to hold"] if self.minimum_free > 100 else []

    monkeypatch.setitem(RULES, "guard", Fussy)
    found = problems("[rules.guard]\nminimum_free = 101")
    assert list(found) == ["rules.guard: a full disk is no time to hold"]


class TestTheEnvironment:
    def test_stands_above_the_file(self, configure: Configure) -> None:
        found = configure(
            ACCOUNT + '[rules.guard]\nhold = "9m"\nminimum_free = 10',
            SPENDGUARD_TIMEZONE="Asia/Shanghai",
            SPENDGUARD_LANGUAGE="zh-CN",
            SPENDGUARD_DATABASE__URL="sqlite:////srv/other.db",
            SPENDGUARD_QUIET_HOURS__FROM="21:00",
            SPENDGUARD_QUIET_HOURS__TO="06:00",
            SPENDGUARD_HEARTBEAT__URL="env:BEAT",
            SPENDGUARD_RULES__BALANCE_LOW__TRIGGER="7.50",
            SPENDGUARD_RULES__BLIND__ENABLED="false",
            SPENDGUARD_RULES__GUARD__MINIMUM_FREE="128",
        )
        assert found.zone.key == "Asia/Shanghai"
        assert found.language == "zh-CN"
        assert found.database_url == "sqlite:////srv/other.db"
        assert found.quiet_hours == QuietHours(time(21), time(6))
        assert found.heartbeat == "env:BEAT"
        assert rule_of(found, BalanceLow).rule == BalanceLow(Amount.parse("7.50"))
        assert not rule_of(found, Blind).policy.enabled
        guard = rule_of(found, Guard)
        assert guard == ConfiguredRule(Guard(128), Policy(hold=timedelta(minutes=9)))

    def test_is_named_where_it_is_wrong(self, problems: Problems) -> None:
        found = problems(
            "", SPENDGUARD_TIMEZONE="Mars", SPENDGUARD_RULES__GUARD__MINIMUM_FREE="much"
        )
        assert list(found) == [
            (
                "rules.guard.minimum_free: must be an integer without quotes, not a text "
                "(set by SPENDGUARD_RULES__GUARD__MINIMUM_FREE)"
            ),
            "timezone: unknown time zone 'Mars' (set by SPENDGUARD_TIMEZONE)",
        ]

    def test_sets_nothing_when_it_is_empty(self, configure: Configure) -> None:
        assert configure("", SPENDGUARD_TIMEZONE="").zone.key == "UTC"

    @pytest.mark.parametrize(
        "name",
        [
            "SPENDGUARD_TIMEZON",
            "SPENDGUARD_ACCOUNTS",
            "SPENDGUARD_ACCOUNTS__0__KEY",
            "SPENDGUARD_DATABASE",
            "SPENDGUARD_RULES",
            "SPENDGUARD_RULES__BUDGET__STEPS",
            "SPENDGUARD_RULES__NOPE__ENABLED",
            "SPENDGUARD__ENV_FILE",
        ],
    )
    def test_is_warned_about_where_it_sets_nothing(self, name: str, configure: Configure) -> None:
        found = [one for one in configure("", **{name: "[]"}).warnings if one.id == "SG-W06"]
        assert [(one.path, one.message) for one in found] == [
            ("environment", f"{name} sets nothing")
        ]

    def test_may_name_the_configuration(self, configure: Configure) -> None:
        found = configure("", SPENDGUARD_CONFIG="/x.toml", OTHER="1")
        assert "SG-W06" not in {one.id for one in found.warnings}


def test_every_problem_is_told_at_once_sorted_by_path(problems: Problems) -> None:
    found = problems("""
zone = "UTC"
[[accounts]]
name = "b"
provider = "opnai"
key = 5
[[accounts]]
provider = "openai"
key = "env:K"
polling = "5m"
[[accounts]]
name = "a"
provider = "openai"
key = "env:K"
card = "viza"
[accounts.rules.balance-low]
triger = "5"
[[cards]]
name = "visa"
""")
    assert list(found) == [
        "accounts.1.name: is missing",
        "accounts.1.polling: unknown key 'polling'",
        "accounts.a.card: unknown card 'viza'",
        "accounts.a.rules.balance-low.triger: unknown key 'triger'",
        "accounts.b.key: must be a quoted text, not an integer",
        "accounts.b.provider: unknown provider 'opnai'",
        "zone: unknown key 'zone'",
    ]
    assert found["accounts.b.provider: unknown provider 'opnai'"] == (
        "did you mean 'openai'? known: anthropic, openai"
    )
    assert found["accounts.a.card: unknown card 'viza'"] == "did you mean 'visa'? known: visa"
    assert found["accounts.a.rules.balance-low.triger: unknown key 'triger'"].startswith(
        "did you mean 'trigger'?"
    )


def test_a_key_below_the_wrong_header_is_told_where_it_belongs(problems: Problems) -> None:
    found = problems(
        ACCOUNT + "[accounts.recharge]\nenabled = false\ncurrency = 'USD'\ntimezone = 'UTC'"
    )
    assert list(found.values()) == [
        "it is a key of [[accounts]]: place it above [accounts.recharge]",
        "it is a key of the whole file: place it above the first section",
    ]


def test_a_file_that_a_reference_names_is_found_from_any_directory(
    configure: Configure, tmp_path: Path
) -> None:
    found = configure(ACCOUNT.replace("env:OPENAI_ADMIN_KEY", "file:openai.key"))
    assert found.accounts[0].key == f"file:{tmp_path}/openai.key"


def test_a_relative_database_lies_beside_the_configuration(
    configure: Configure, tmp_path: Path
) -> None:
    found = configure("[database]\nurl = 'sqlite:///guard.db'")
    assert found.database_url == f"sqlite:///{tmp_path}/guard.db"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read '.*absent.toml': no such file"):
        load(tmp_path / "absent.toml", {}, [])


def test_the_effective_configuration_is_what_holds(configure: Configure) -> None:
    effective: dict[str, Any] = json.loads(json.dumps(render_effective(configure(WHOLE))))
    assert effective["timezone"] == "Europe/Berlin"
    assert effective["accounts"] == [
        {
            "name": "main",
            "provider": "openai",
            "currency": "EUR",
            "card": "visa-1881",
            "organization": None,
            "poll_interval": 10,
            "recharge": {
                "enabled": True,
                "trigger": "7.00",
                "amount": None,
                "restore_to": "15.50",
                "monthly_limit": None,
                "overdraft": "2.00",
            },
            "topup_min": "5.00",
            "topup_max": "100.00",
        }
    ]
    assert effective["budgets"][0]["amount"] == "100.00"
    assert effective["channels"] == [
        {
            "name": "ops",
            "severities": ["warning", "critical"],
            "accounts": ["main"],
            "rules": ["blind", "runway-short"],
            "language": "en",
            "pictures": True,
        }
    ]
    assert effective["rules"]["main"]["balance-low"] == {
        "enabled": True,
        "hold": "0s",
        "repeat": None,
        "trigger": "7.00",
    }
    assert effective["rules"]["main"]["own-key-expiring"]["steps"] == ["30d", "7d", "1d"]
    assert effective["guard_rules"]["channel-failing"]["after"] == "1h"


def test_the_effective_trigger_without_a_recharge_is_the_usual_one(configure: Configure) -> None:
    effective = render_effective(configure(ACCOUNT))
    assert effective["rules"]["main"]["balance-low"]["trigger"] == "5.00"
