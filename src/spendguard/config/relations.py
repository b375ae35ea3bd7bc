"""Relations: what holds between keys. Read from the raw file, so that one mistake hides no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from typing import Any

from spendguard.config import addresses, values
from spendguard.config.problems import NAMED, Found, Location, quoted, suggestion
from spendguard.config.settings import RechargeTable, Table, TopupTable
from spendguard.core.cardnumbers import holds_card_number, too_many_digits
from spendguard.core.durations import format_duration
from spendguard.core.evidence import Trust
from spendguard.core.money import Amount
from spendguard.core.prices import PER
from spendguard.rules import RULES

SHORTEST_POLL = timedelta(seconds=60)
SHORTEST_LOCAL_POLL = timedelta(seconds=1)
ADDRESSES = {
    "key",
    "url",
    "base_url",
    "proxy",
    "password",
}  # product.md: not in URLs or secret references

Raw = Mapping[str, Any]


def broken_relations(raw: Raw, providers: Collection[str]) -> Iterator[Found]:
    """Name everything that is wrong between keys which may each be right."""
    yield from _doubles(raw)
    for index, account in tables(raw, "accounts"):
        here: Location = ("accounts", index)
        yield from _known(here, account, "provider", providers)
        yield from _known(here, account, "card", names(raw, "cards"))
        yield from _poll_interval(here, account)
        yield from _recharge((*here, "recharge"), account.get("recharge"))
        yield from _topup((*here, "topup"), account.get("topup"))
    for index, budget in tables(raw, "budgets"):
        yield from _known(("budgets", index), budget, "account", names(raw, "accounts"))
    for index, channel in tables(raw, "channels"):
        here = ("channels", index)
        yield from _all_known(here, channel, "accounts", names(raw, "accounts"))
        yield from _all_known(here, channel, "rules", {*RULES})
    for index, mailbox in tables(raw, "mailboxes"):
        yield from _mailbox(("mailboxes", index), mailbox, names(raw, "accounts"), providers)
    for index, price in tables(raw, "prices"):
        yield from _known(("prices", index), price, "provider", providers)
        yield from _priced(("prices", index), price)
    yield from _quiet_hours(raw.get("quiet_hours"))


def tables(raw: Raw, name: str) -> list[tuple[int, Raw]]:
    """Return the tables of an array and their places, whatever else stands in it."""
    array = raw.get(name)
    if not isinstance(array, list):
        return []
    return [(index, table) for index, table in enumerate(array) if isinstance(table, dict)]


def names(raw: Raw, name: str) -> set[str]:
    """Return the names in an array of tables."""
    found = (table.get("name") for _, table in tables(raw, name))
    return {name for name in found if isinstance(name, str)}


def card_numbers(where: Location, value: object) -> Iterator[Found]:
    """Name every text that holds a card number; addresses and references may hold any digits."""
    if isinstance(value, str) and holds_card_number(value):
        yield Found(
            where,
            "holds what could be the number of a card, and is not shown",
            "a card is a name here, such as visa-1881: take the number out of the file",
        )
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from card_numbers((*where, index), part)
    elif isinstance(value, dict):
        for key, part in value.items():
            if key not in ADDRESSES or not isinstance(part, str):
                yield from card_numbers((*where, key), part)


def _doubles(raw: Raw) -> Iterator[Found]:
    for kind in NAMED:
        yield from _named_twice((), raw, kind)


def _named_twice(where: Location, raw: Raw, kind: str) -> Iterator[Found]:
    written = [table.get("name") for _, table in tables(raw, kind)]
    counted = Counter(name for name in written if isinstance(name, str))
    for name, times in counted.items():
        if times > 1:
            place = (*where, kind, written.index(name), "name")
            yield Found(place, f"stands {times} times", "give each a name of its own")


def _mailbox(
    where: Location, mailbox: Raw, accounts: Collection[str], providers: Collection[str]
) -> Iterator[Found]:
    yield from _all_known(where, mailbox, "accounts", accounts)
    yield from _named_twice(where, mailbox, "patterns")
    for index, pattern in tables(mailbox, "patterns"):
        yield from _known((*where, "patterns", index), pattern, "provider", providers)
    interval = values.readable(values.duration, mailbox.get("interval"))
    local = addresses.loopback(f"imap://{mailbox.get('host', '')}")
    shortest = SHORTEST_LOCAL_POLL if local else SHORTEST_POLL
    if interval is not None and interval < shortest:
        yield Found(
            (*where, "interval"),
            f"{mailbox['interval']!r} is under {format_duration(shortest)}, the shortest there is",
            "servers of mail refuse who asks more often",
        )
    by_server = mailbox.get("trust") == Trust.AUTHENTICATION_RESULTS
    if by_server and "authserv_id" not in mailbox:
        yield Found(
            (*where, "authserv_id"),
            "is missing",
            "write the name with which the receiving server begins Authentication-Results",
        )
    if not by_server and "authserv_id" in mailbox:
        yield Found(
            (*where, "authserv_id"),
            "stands without trust = 'authentication-results'",
            "add that, or leave authserv_id out to have signatures verified here",
        )


def _known(where: Location, table: Raw, key: str, known: Collection[str]) -> Iterator[Found]:
    value = table.get(key)
    if isinstance(value, str) and value.strip() and value not in known:
        where = (*where, key)
        yield Found(
            where, f"unknown {key} {_shown(key, value)}", suggestion(value, _choice(key, known))
        )


def _all_known(where: Location, table: Raw, key: str, known: Collection[str]) -> Iterator[Found]:
    written = table.get(key)
    for value in written if isinstance(written, list) else []:
        if isinstance(value, str) and value.strip() and value not in known:
            hint = suggestion(value, known)
            yield Found((*where, key), f"unknown {key.removesuffix('s')} {quoted(value)}", hint)


def _shown(key: str, value: str) -> str:
    return "(not shown)" if key == "card" and too_many_digits(value) else quoted(value)


def _choice(key: str, known: Collection[str]) -> list[str]:
    return [name for name in known if key != "card" or not too_many_digits(name)]


def _poll_interval(where: Location, account: Raw) -> Iterator[Found]:
    interval = values.readable(values.duration, account.get("poll_interval"))
    if interval is None:
        return
    local = addresses.loopback(str(account.get("base_url", "")))
    shortest = SHORTEST_LOCAL_POLL if local else SHORTEST_POLL
    if interval < shortest:
        yield Found(
            (*where, "poll_interval"),
            f"{account['poll_interval']!r} is under {format_duration(shortest)}, the shortest there is",
            "providers book costs with a delay: reading more often shows nothing earlier",
        )


def _recharge(where: Location, recharge: object) -> Iterator[Found]:
    if not isinstance(recharge, dict):
        return
    if "amount" in recharge and "restore_to" in recharge:
        yield Found(
            (*where, "amount"),
            "stands together with restore_to",
            "keep the one the provider's form shows: a fixed amount, or a balance to restore to",
        )
    if recharge.get("enabled") is True and not recharge.keys() & {"amount", "restore_to"}:
        yield Found(
            where,
            "is enabled without amount or restore_to",
            "write the one the provider's form shows: a guessed charge would make every forecast wrong",
        )
    target = values.readable(values.money, recharge.get("restore_to"))
    trigger = _amount(recharge, RechargeTable, "trigger")
    if target is not None and trigger is not None and target.nanos <= trigger.nanos:
        yield Found(
            (*where, "restore_to"), "is not above trigger", "the charge fills the gap between both"
        )


def _topup(where: Location, topup: object) -> Iterator[Found]:
    if not isinstance(topup, dict):
        return
    least, most = (_amount(topup, TopupTable, key) for key in ("min", "max"))
    if least is not None and most is not None and least.nanos > most.nanos:
        yield Found((*where, "min"), "is above max", "min is 5.00 and max 50.00 where left out")


def _amount(table: Raw, model: type[Table], key: str) -> Amount | None:
    """Return the amount that holds for a key; None where what is written is no amount."""
    if key in table:
        return values.readable(values.money, table[key])
    usual: Amount = model.model_fields[key].default
    return usual


def _priced(where: Location, price: Raw) -> Iterator[Found]:
    if not price.keys() & PER.keys():
        hint = 'write what it costs, such as input = "2.50" for a million tokens'
        yield Found(where, "states no price", hint)


def _quiet_hours(hours: object) -> Iterator[Found]:
    if not isinstance(hours, dict):
        return
    start, end = (values.readable(values.clock, hours.get(key)) for key in ("from", "to"))
    if start is not None and start == end:
        yield Found(("quiet_hours", "to"), "is the same as from", "leave the section out instead")
