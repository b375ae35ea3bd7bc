"""Concerns: what is accepted but worth a warning. The ids are fixed; docs/configuration.md has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from spendguard.config import addresses, secrets
from spendguard.config.configuration import Configuration, ConfiguredRule, ConfigWarning
from spendguard.config.settings import Settings
from spendguard.core.findings import Severity

LITERAL, UNRESOLVED, READABLE = "SG-W01", "SG-W02", "SG-W03"
UNHEARD, NO_EFFECT, UNKNOWN_VARIABLE, NO_ACCOUNT = "SG-W04", "SG-W05", "SG-W06", "SG-W07"
NEVER_CRITICAL = {
    "recharge-due",
    "key-unknown",
    "checkpoint-stale",
    "unpriced",
    "config-drift",
    "channel-failing",
}
NOT_YET = "has no effect in this version"


def concerns(
    configuration: Configuration,
    settings: Settings,
    strangers: Sequence[str],
    env: Mapping[str, str],
) -> tuple[ConfigWarning, ...]:
    """Return every warning about a configuration that holds, sorted by id and path."""
    found = [
        *_secrets(configuration, env),
        *_unheard(configuration),
        *_without_effect(settings),
        *(_stranger(name) for name in strangers),
    ]
    if not configuration.accounts:
        hint = "add an [[accounts]] section, or run spendguard init"
        found.append(ConfigWarning(NO_ACCOUNT, "accounts", "nothing is watched", hint))
    return tuple(sorted(found, key=lambda one: (one.id, one.path, one.message)))


def unresolved(configuration: Configuration, env: Mapping[str, str]) -> tuple[ConfigWarning, ...]:
    """Return a warning for each secret that cannot be had here and now."""
    checked = (
        (path, secrets.check_reference(ref, env)) for path, ref in _references(configuration)
    )
    return tuple(
        ConfigWarning(UNRESOLVED, path, problem.message, problem.hint)
        for path, problem in checked
        if problem is not None
    )


def _references(configuration: Configuration) -> Iterator[tuple[str, str]]:
    for account in configuration.accounts:
        yield f"accounts.{account.name}.key", account.key
    for name, url in configuration.channel_urls.items():
        yield f"channels.{name}.url", url
    for mailbox in configuration.mailboxes:
        yield f"mailboxes.{mailbox.name}.password", mailbox.password
    if configuration.heartbeat is not None:
        yield "heartbeat.url", configuration.heartbeat


def _secrets(configuration: Configuration, env: Mapping[str, str]) -> Iterator[ConfigWarning]:
    for path, reference in _references(configuration):
        if not addresses.parted(reference)[0]:
            yield ConfigWarning(LITERAL, path, "a secret stands in the file", addresses.HOW)
        if secrets.readable_by_everyone(reference, env):
            hint = "chmod 0600, and let the guard's user own it"
            yield ConfigWarning(READABLE, path, "the secret's file is readable by everyone", hint)
    for account in configuration.accounts:
        if account.proxy is not None and addresses.holds_password(account.proxy):
            path = f"accounts.{account.name}.proxy"
            hint = "let the file be readable by the guard only"
            yield ConfigWarning(LITERAL, path, "a password stands in the file", hint)


def _unheard(configuration: Configuration) -> Iterator[ConfigWarning]:
    hint = "add a channel, or widen its severities, accounts or rules"
    if not configuration.channels:
        yield ConfigWarning(UNHEARD, "channels", "there is none: no alert reaches anybody", hint)
        return
    for path, about, rules in _judges(configuration):
        deaf = _deaf(configuration, about, rules)
        if deaf:
            yield ConfigWarning(UNHEARD, path, f"critical alerts reach no channel: {deaf}", hint)


def _judges(
    configuration: Configuration,
) -> Iterator[tuple[str, Sequence[str | None], Sequence[ConfiguredRule]]]:
    """Yield what is judged, the accounts whose channels hear of it, and the rules that judge it."""
    for account in configuration.accounts:
        rules = configuration.account_rules[account.name]
        yield f"accounts.{account.name}", [account.name], rules
    for card in configuration.cards:
        paid = [one.name for one in configuration.accounts if one.card == card.name]
        yield f"cards.{card.name}", paid or [None], configuration.card_rules
    yield "channels", [None], configuration.guard_rules


def _deaf(
    configuration: Configuration, about: Sequence[str | None], rules: Sequence[ConfiguredRule]
) -> str:
    return ", ".join(
        one.rule.name
        for one in rules
        if one.policy.enabled
        and one.rule.name not in NEVER_CRITICAL
        and not any(
            channel.hears(Severity.CRITICAL, name, one.rule.name)
            for channel in configuration.channels
            for name in about
        )
    )


def _without_effect(settings: Settings) -> Iterator[ConfigWarning]:
    if settings.quiet_hours is not None:
        yield _idle("quiet_hours", hint="use spendguard alerts silence until then")
    if settings.language != "en":
        yield _idle("language", hint="messages are in English until then")
    for channel in settings.channels:
        if channel.language not in {None, "en"}:
            path = f"channels.{channel.name}.language"
            yield _idle(path, hint="messages are in English until then")


def _idle(path: str, hint: str) -> ConfigWarning:
    return ConfigWarning(NO_EFFECT, path, NOT_YET, hint)


def _stranger(name: str) -> ConfigWarning:
    return ConfigWarning(
        UNKNOWN_VARIABLE,
        "environment",
        f"{name} sets nothing",
        "only the single values of tables can be set so, such as SPENDGUARD_DATABASE__URL",
    )
