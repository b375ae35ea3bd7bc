"""What is refused, never clamped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

Problems = Callable[..., dict[str, str]]

ACCOUNT = """
[[accounts]]
name = "main"
provider = "openai"
key = "env:OPENAI_ADMIN_KEY"
"""
CARD = """
[[cards]]
name = "visa-1881"
"""
CHANNEL = """
[[channels]]
name = "ops"
url = "env:SLACK_URL"
"""
BUDGET = """
[[budgets]]
name = "monthly"
amount = "100.00"
"""
PAN = "4111 1111 1111 1111"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("nope = 1", "nope: unknown key 'nope'", id="an unknown key"),
        pytest.param(
            "[database]\nfile = 1",
            "database.file: unknown key 'file'",
            id="an unknown key in a table",
        ),
        pytest.param(
            "timezone = 'Mars'", "timezone: unknown time zone 'Mars'", id="an unknown zone"
        ),
        pytest.param(
            "timezone = 'America'", "timezone: unknown time zone 'America'", id="half a zone"
        ),
        pytest.param(
            "timezone = '/etc/passwd'",
            "timezone: unknown time zone '/etc/passwd'",
            id="a path as zone",
        ),
        pytest.param(
            "language = 'fr'", "language: unknown language 'fr'", id="an unknown language"
        ),
        pytest.param(
            "[database]\nurl = 'postgresql://u:p@h/d'",
            "database.url: is not the URL of an SQLite file",
            id="another database",
        ),
        pytest.param(
            "[database]\nurl = 'sqlite://'",
            "database.url: is not the URL of an SQLite file",
            id="a database in memory",
        ),
        pytest.param(
            "[database]\nurl = 'sqlite:///:memory:'",
            "database.url: is not the URL of an SQLite file",
            id="a database in memory, by name",
        ),
        pytest.param("accounts = 1", "accounts: must be an array of tables", id="no array"),
        pytest.param("[accounts]", "accounts: must be an array of tables", id="single brackets"),
        pytest.param("accounts = [1]", "accounts.0: must be a table", id="no table"),
        pytest.param("rules = 1", "rules: must be a table", id="no rules"),
        pytest.param("[rules]\nblind = 1", "rules.blind: must be a table", id="no rule"),
        pytest.param("[rules.blnd]", "rules.blnd: unknown rule 'blnd'", id="an unknown rule"),
        pytest.param(
            "[rules.blind]\nafter = '1h'",
            "rules.blind.after: unknown key 'after'",
            id="an unknown parameter",
        ),
        pytest.param(
            "[rules.balance-low]\ntrigger = 5.0",
            "rules.balance-low.trigger: money must be in quotes, not a float: a float is not exact",
            id="a float for money",
        ),
        pytest.param(
            "[rules.balance-low]\ntrigger = '$5'",
            "rules.balance-low.trigger: '$5' is not a plain decimal such as 12.50",
            id="money with a sign",
        ),
        pytest.param(
            "[rules.balance-low]\ntrigger = '1e3'",
            "rules.balance-low.trigger: '1e3' is not a plain decimal such as 12.50",
            id="money as a float in quotes",
        ),
        pytest.param(
            "[rules.balance-low]\ntrigger = '0.0000000001'",
            "rules.balance-low.trigger: '0.0000000001' is more than nine decimals",
            id="money with ten places",
        ),
        pytest.param(
            "[rules.balance-low]\ntrigger = '-1'",
            "rules.balance-low.trigger: '-1' is below zero",
            id="money below zero",
        ),
        pytest.param(
            "[rules.budget]\nsteps = [50, 50]",
            "rules.budget.steps: steps must rise",
            id="equal steps",
        ),
        pytest.param(
            "[rules.budget]\nsteps = [0]",
            "rules.budget.steps: must be from 1 to 1000",
            id="no percent",
        ),
        pytest.param("[rules.budget]\nsteps = []", "rules.budget.steps: is empty", id="no steps"),
        pytest.param(
            "[rules.budget]\nsteps = [7.5]",
            "rules.budget.steps: must be an integer without quotes, not a float",
            id="a fraction of a percent",
        ),
        pytest.param(
            "[rules.own-key-expiring]\nsteps = ['1d', '7d']",
            "rules.own-key-expiring.steps: steps must fall, longest first",
            id="steps in time that rise",
        ),
        pytest.param(
            "[rules.guard]\nminimum_free = true",
            "rules.guard.minimum_free: must be an integer without quotes, not true or false",
            id="a flag for a number",
        ),
        pytest.param(
            "[rules.guard]\nenabled = 'yes'",
            "rules.guard.enabled: must be true or false, without quotes",
            id="a text for a flag",
        ),
        pytest.param(
            "[rules.guard]\nrepeat = '59s'",
            "rules.guard.repeat: '59s' is under 1m, the shortest repeat",
            id="a repeat that never rests",
        ),
        pytest.param(
            "[rules.guard]\nhold = 60",
            "rules.guard.hold: must be a quoted duration, not an integer",
            id="a number for a duration",
        ),
        pytest.param(
            "[rules.spend-spike]\nratio = '3'",
            "rules.spend-spike.ratio: must be an integer without quotes, not a text",
            id="a wrong parameter of a rule that comes later",
        ),
        pytest.param(
            "[quiet_hours]\nfrom = '24:00'\nto = '07:00'",
            "quiet_hours.from: '24:00' is not a time of day",
            id="no time of day",
        ),
        pytest.param(
            "[quiet_hours]\nfrom = 22:00:00\nto = '07:00'",
            "quiet_hours.from: must be a quoted time of day, not a date or time",
            id="a time without quotes",
        ),
        pytest.param(
            "[quiet_hours]\nfrom = '07:00'\nto = '07:00'",
            "quiet_hours.to: is the same as from",
            id="hours without length",
        ),
        pytest.param(
            "[quiet_hours]\nto = '07:00'", "quiet_hours.from: is missing", id="no beginning"
        ),
        pytest.param("[heartbeat]", "heartbeat.url: is missing", id="a heartbeat to nowhere"),
        pytest.param(
            "[heartbeat]\nurl = 'ftp://x.example'",
            "heartbeat.url: is neither a reference nor a web address",
            id="a heartbeat to elsewhere",
        ),
        pytest.param(BUDGET, "budgets.monthly.account: is missing", id="a budget without account"),
        pytest.param(
            BUDGET + "account = 'mian'" + ACCOUNT,
            "budgets.monthly.account: unknown account 'mian'",
            id="a budget of an unknown account",
        ),
        pytest.param(
            ACCOUNT + BUDGET + "account = 'main'\nwindow = 'year'",
            "budgets.monthly.window: unknown window 'year'",
            id="an unknown window",
        ),
        pytest.param(
            ACCOUNT + BUDGET.replace("100.00", "0") + "account = 'main'",
            "budgets.monthly.amount: must be above zero",
            id="a budget of nothing",
        ),
        pytest.param(
            CHANNEL + CHANNEL, "channels.ops.name: stands 2 times", id="two channels of one name"
        ),
        pytest.param(
            ACCOUNT + ACCOUNT, "accounts.main.name: stands 2 times", id="two accounts of one name"
        ),
        pytest.param(
            CARD + CARD, "cards.visa-1881.name: stands 2 times", id="two cards of one name"
        ),
        pytest.param(
            ACCOUNT + 2 * (BUDGET + "account = 'main'"),
            "budgets.monthly.name: stands 2 times",
            id="two budgets of one name",
        ),
        pytest.param(
            CHANNEL + "severities = ['fatal']",
            "channels.ops.severities: unknown severity 'fatal'",
            id="an unknown severity",
        ),
        pytest.param(
            CHANNEL + "accounts = ['main']",
            "channels.ops.accounts: unknown account 'main'",
            id="a route from an unknown account",
        ),
        pytest.param(
            CHANNEL + "rules = ['balanse-low']",
            "channels.ops.rules: unknown rule 'balanse-low'",
            id="a route from an unknown rule",
        ),
        pytest.param(
            CHANNEL.replace("env:SLACK_URL", "SLACK_URL"),
            "channels.ops.url: is neither a reference nor a URL",
            id="a channel without an address",
        ),
        pytest.param(
            CARD + "tax_percent = '19 %'",
            "cards.visa-1881.tax_percent: '19 %' is not a percentage from 0 to 100",
            id="a tax that is no number",
        ),
        pytest.param(
            CARD + "tax_percent = '100.5'",
            "cards.visa-1881.tax_percent: '100.5' is not a percentage from 0 to 100",
            id="a tax above all",
        ),
        pytest.param(
            CARD + "tax_percent = 19",
            "cards.visa-1881.tax_percent: must be in quotes",
            id="a bare tax",
        ),
        pytest.param(
            CARD + "strikes_to_ban = 0",
            "cards.visa-1881.strikes_to_ban: must be from 1 to 100",
            id="a ban without a strike",
        ),
        pytest.param(
            CARD + "currency = 'USDT'",
            "cards.visa-1881.currency: 'USDT' is not an ISO 4217 currency",
            id="a currency of no state",
        ),
    ],
)
def test_the_file_is_refused(text: str, message: str, problems: Problems) -> None:
    found = problems(text)
    assert message in found
    if "must be" in message:  # whoever wrote it wrong wants to see it right
        assert found[message]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("poll_interval = '59s'", "poll_interval: '59s' is under 1m, the shortest there is"),
        (
            "poll_interval = '0s'\nbase_url = 'http://127.0.0.1:8080/v1'",
            "poll_interval: '0s' is under 1s, the shortest there is",
        ),
        ("poll_interval = 300", "poll_interval: must be a quoted duration, not an integer"),
        ("currency = 'usd'", "currency: 'usd' is not an ISO 4217 currency"),
        ("currency = 'XYZ'", "currency: 'XYZ' is not an ISO 4217 currency"),
        ("card = 'visa'", "card: unknown card 'visa'"),
        (
            "base_url = 'http://api.example.com'",
            "base_url: is http:// to another machine: the key would cross the network in clear",
        ),
        ("base_url = 'https://u:p@api.example.com'", "base_url: holds more than a host and a path"),
        ("base_url = 'https://api.example.com?k=1'", "base_url: holds more than a host and a path"),
        ("base_url = 'ftp://api.example.com'", "base_url: is neither http:// nor https://"),
        ("base_url = 'api.example.com'", "base_url: is not a URL with a host"),
        ("base_url = 'https://[::1'", "base_url: is not a URL with a host"),
        ("base_url = 'https://h:99999'", "base_url: is not a URL with a host"),
        ("proxy = 'socks4://127.0.0.1:1080'", "proxy: is not the address of a proxy"),
        ("[accounts.recharge]", "recharge.enabled: is missing"),
        (
            "[accounts.recharge]\nenabled = true\namount = '10'\nrestore_to = '15'",
            "recharge.amount: stands together with restore_to",
        ),
        (
            "[accounts.recharge]\nenabled = true",
            "recharge: is enabled without amount or restore_to",
        ),
        (
            "[accounts.recharge]\nenabled = true\nrestore_to = '5.00'",
            "recharge.restore_to: is not above trigger",
        ),
        (
            "[accounts.recharge]\nenabled = true\namount = 10",
            "recharge.amount: money must be in quotes, not an integer: a float is not exact",
        ),
        (
            "[accounts.recharge]\nenabled = true\namount = '10'\npoll_interval = '5m'",
            "recharge.poll_interval: unknown key 'poll_interval'",
        ),
        ("[accounts.topup]\nmin = '60'", "topup.min: is above max"),
        ("[accounts.topup]\nmin = '2'\nmax = '1'", "topup.min: is above max"),
        ("[accounts.rules.guard]", "rules.guard: judges the guard, not an account"),
        (
            "[accounts.rules.blind]\nrepeat = 'daily'",
            "rules.blind.repeat: 'daily' is not a duration such as 90s, 5m, 4h, 10d or 2w",
        ),
    ],
)
def test_the_account_is_refused(lines: str, message: str, problems: Problems) -> None:
    assert f"accounts.main.{message}" in problems(ACCOUNT + lines)


@pytest.mark.parametrize("name", ["Main", "main account", "haupt_konto", "konto-ä", ""])
def test_an_account_has_a_plain_name(name: str, problems: Problems) -> None:
    (message,) = problems(ACCOUNT.replace("main", name, 1))
    assert message.endswith((f"{name!r} is not a name for an account", ".name: is empty"))


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("evn:OPENAI_ADMIN_KEY", "begins like a reference of an unknown kind"),
        ("env:", "does not name a variable"),
        ("env:MY KEY", "does not name a variable"),
        ("file:", "does not name a file"),
        ("credential:../key", "does not name a credential"),
        ("credential:..", "does not name a credential"),
        ("", "is empty"),
        ("sk-one\\nsk-two", "holds a line break, a control character, or a space at its end"),
    ],
)
def test_a_reference_names_something(key: str, message: str, problems: Problems) -> None:
    text = ACCOUNT.replace("env:OPENAI_ADMIN_KEY", key)
    assert list(problems(text)) == [f"accounts.main.key: {message}"]


@pytest.mark.parametrize(
    "text",
    [
        ACCOUNT.replace("main", PAN, 1),
        ACCOUNT + f"card = '{PAN}'",
        ACCOUNT + BUDGET + f"account = 'main'\nproject = 'for {PAN}'",
        CARD.replace("visa-1881", PAN),
        CHANNEL.replace("ops", PAN),
        CHANNEL + f"accounts = ['{PAN}']",
        f"'{PAN}' = 1",
        f"[rules.'{PAN}']",
        f"language = '{PAN}'",
        f"[rules.blind]\nhold = '{PAN}'",
    ],
)
def test_a_card_number_is_refused_without_being_shown(text: str, problems: Problems) -> None:
    found = problems(text)
    assert found
    assert not any("1111" in message + hint for message, hint in found.items())


def test_a_card_name_of_more_than_four_digits_is_refused_without_being_shown(
    problems: Problems,
) -> None:
    found = problems(ACCOUNT + "card = 'visa-188112'" + CARD.replace("1881", "18 81 12"))
    assert "cards.0.name: has more than four digits in all, and is not shown" in found
    assert "accounts.main.card: has more than four digits in all, and is not shown" in found
    assert not any("81" in message for message in found)


def test_an_address_and_a_reference_may_hold_any_digits(configure: Callable[..., object]) -> None:
    number = PAN.replace(" ", "")
    text = ACCOUNT.replace("env:OPENAI_ADMIN_KEY", f"file:/run/{number}")
    configure(text + CHANNEL.replace("env:SLACK_URL", f"tgram://1:a/{number}"))


def test_a_simulator_on_this_machine_may_be_read_every_second(
    configure: Callable[..., object],
) -> None:
    text = ACCOUNT + "poll_interval = '1s'\nbase_url = 'http://127.0.0.1:8080/v1'"
    (account,) = configure(text).accounts  # type: ignore[attr-defined]
    assert account.poll_interval == timedelta(seconds=1)
