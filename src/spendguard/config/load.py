"""Load: find every problem of a configuration at once, or return what it says as core values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from spendguard.config import concerns, environment, rulebook
from spendguard.config.addresses import parted
from spendguard.config.configuration import Configuration, QuietHours
from spendguard.config.effective import render_effective
from spendguard.config.locate import database_url, read_toml
from spendguard.config.problems import Found, Location, config_error
from spendguard.config.relations import broken_relations, card_numbers, tables
from spendguard.config.rulebook import Rulebook
from spendguard.config.settings import (
    AccountTable,
    BudgetTable,
    CardTable,
    ChannelTable,
    MailboxTable,
    MailPatternTable,
    RechargeTable,
    Settings,
    StatedPriceTable,
)
from spendguard.config.shapes import shape_problems
from spendguard.core.accounts import Account, Budget, Card, Mailbox, Recharge
from spendguard.core.evidence import MailPattern
from spendguard.core.money import Amount, Money
from spendguard.core.prices import PER, PriceTable, StatedPrice
from spendguard.core.rates import Rate
from spendguard.core.routing import Channel

__all__ = ["load", "render_effective"]


def load(path: Path, env: Mapping[str, str], providers: Collection[str]) -> Configuration:
    """Return what the file and the environment say.

    Raises:
        ConfigError: with every problem at once, sorted by path.
    """
    above, set_by, strangers = environment.overrides(env)
    raw = environment.laid_over(read_toml(path), above)
    books = _books(raw)
    problems = [*card_numbers((), raw), *broken_relations(raw, providers)]
    for book in books.values():
        problems += book.problems
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        problems += shape_problems(error)
    if problems:
        raise config_error(_told(problems, raw, set_by), raw)
    configuration = _configuration(path, env, settings, books)
    warnings = concerns.concerns(configuration, settings, strangers, env)
    return replace(configuration, warnings=warnings)


def _books(raw: Mapping[str, Any]) -> dict[Location, Rulebook]:
    """Return the rules of the file, and those of each account."""
    books: dict[Location, Rulebook] = {}
    books["rules",] = rulebook.read_rules(("rules",), raw.get("rules"), of_account=False)
    for index, account in tables(raw, "accounts"):
        where: Location = ("accounts", index, "rules")
        books[where] = rulebook.read_rules(where, account.get("rules"), of_account=True)
    return books


def _told(
    problems: list[Found], raw: Mapping[str, Any], set_by: Mapping[Location, str]
) -> Iterator[Found]:
    """Pass on what is to be said: of a card number nothing else, of a variable its name."""
    numbers = {one.where: one for one in card_numbers((), raw)}
    for one in problems:
        known = numbers.get(one.where, one)
        variable = set_by.get(known.where)
        by = "" if variable is None else f" (set by {variable})"
        yield replace(known, message=f"{known.message}{by}")


def _configuration(
    path: Path, env: Mapping[str, str], settings: Settings, books: Mapping[Location, Rulebook]
) -> Configuration:
    everywhere = books["rules",].rules
    base = path.absolute().parent
    currencies = {account.name: account.currency for account in settings.accounts}
    quiet = settings.quiet_hours
    return Configuration(
        path=path,
        zone=settings.timezone,
        language=settings.language,
        database_url=database_url(settings.database.url, path, env),
        accounts=tuple(_account(table, base) for table in settings.accounts),
        cards=tuple(_card(table, settings.rates) for table in settings.cards),
        budgets=tuple(_budget(table, currencies[table.account]) for table in settings.budgets),
        channels=tuple(_channel(table, settings.language) for table in settings.channels),
        account_rules={
            table.name: rulebook.rules_of_account(
                everywhere, books["accounts", index, "rules"].rules
            )
            for index, table in enumerate(settings.accounts)
        },
        card_rules=rulebook.rules_of_cards(everywhere),
        guard_rules=rulebook.rules_of_guard(everywhere),
        mailboxes=tuple(_mailbox(table, base) for table in settings.mailboxes),
        prices=PriceTable(tuple(_price(table) for table in settings.prices)),
        channel_urls={table.name: _absolute(table.url, base) for table in settings.channels},
        quiet_hours=None if quiet is None else QuietHours(quiet.from_, quiet.to),
        heartbeat=_absolute(settings.heartbeat.url, base) if settings.heartbeat else None,
    )


def _absolute(reference: str, base: Path) -> str:
    """Return a reference whose file, if it is one, is found from any directory."""
    kind, name = parted(reference)
    return f"file:{base / name}" if kind == "file" else reference


def _account(table: AccountTable, base: Path) -> Account:
    return Account(
        name=table.name,
        provider=table.provider,
        key=_absolute(table.key, base),
        currency=table.currency,
        poll_interval=table.poll_interval,
        base_url=table.base_url,
        proxy=table.proxy,
        card=table.card,
        organization=table.organization,
        recharge=None if table.recharge is None else _recharge(table.recharge, table.currency),
        topup_min=None if table.topup is None else table.topup.min.of(table.currency),
        topup_max=None if table.topup is None else table.topup.max.of(table.currency),
    )


def _recharge(table: RechargeTable, currency: str) -> Recharge:
    def money(amount: Amount | None) -> Money | None:
        return None if amount is None else amount.of(currency)

    return Recharge(
        enabled=table.enabled,
        trigger=table.trigger.of(currency),
        amount=money(table.amount),
        restore_to=money(table.restore_to),
        monthly_limit=money(table.monthly_limit),
        overdraft=table.overdraft.of(currency),
    )


def _card(table: CardTable, rates: tuple[Rate, ...]) -> Card:
    return Card(
        name=table.name,
        currency=table.currency,
        tax_percent=table.tax_percent,
        verification_hold=table.verification_hold.of(table.currency),
        margin=table.margin.of(table.currency),
        strikes_to_ban=table.strikes_to_ban,
        rates=tuple(rate for rate in rates if table.currency in (rate.one, rate.other)),
    )


def _budget(table: BudgetTable, currency: str) -> Budget:
    return Budget(
        name=table.name,
        account=table.account,
        window=table.window,
        amount=table.amount.of(currency),
        project=table.project,
        model=table.model,
        api_key=table.api_key,
    )


def _channel(table: ChannelTable, language: str) -> Channel:
    return Channel(
        name=table.name,
        severities=table.severities,
        accounts=None if table.accounts is None else frozenset(table.accounts),
        rules=None if table.rules is None else frozenset(table.rules),
        language=table.language or language,
        pictures=table.pictures,
    )


def _mailbox(table: MailboxTable, base: Path) -> Mailbox:
    return Mailbox(
        name=table.name,
        host=table.host,
        user=table.user,
        password=_absolute(table.password, base),
        port=table.port,
        folder=table.folder,
        interval=table.interval,
        trust=table.trust,
        authserv_id=table.authserv_id,
        tls_ca=None if table.tls_ca is None else str(base / table.tls_ca),
        accounts=table.accounts,
        patterns=tuple(_mail_pattern(pattern) for pattern in table.patterns),
    )


def _mail_pattern(table: MailPatternTable) -> MailPattern:
    return MailPattern(
        name=table.name,
        senders=table.from_,
        subject=table.subject,
        claim=table.claim,
        provider=table.provider,
        body=tuple(one for one in (table.amount, table.card) if one is not None),
        signers=table.signed_by,
        unless=table.unless,
    )


def _price(table: StatedPriceTable) -> StatedPrice:
    written = {name: getattr(table, name) for name in PER}
    return StatedPrice(
        model=table.model,
        prices={name: amount for name, amount in written.items() if amount is not None},
        provider=table.provider,
        tier=table.tier,
        since=table.from_,
    )
