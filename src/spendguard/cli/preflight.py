"""preflight: would this charge succeed? Answered from the last stored evaluation alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from spendguard.cli.instants import rfc3339
from spendguard.cli.output import Cell, Column, emit, say, table
from spendguard.cli.parser import Options
from spendguard.cli.reading import Source, known_account, lasting, source, stored_money
from spendguard.core.accounts import Card
from spendguard.core.cards import Need, need, taken
from spendguard.core.money import Amount, Money
from spendguard.core.rates import Rate, rate_between
from spendguard.core.recharge import Coming

LEAST, MOST = Amount.parse("5.00"), Amount.parse("50.00")
"""What can be bought at once where the configuration says nothing; a card must hold the first."""
FRESH = timedelta(hours=1)
CODES = {"yes": 0, "no": 2, "unknown": 69}


@dataclass(frozen=True, slots=True)
class Case:
    """A charge that somebody thinks of, and what is known of what would pay it."""

    account: Mapping[str, Any]
    amount: Money
    card: Card | None
    balance: Money | None
    coming: tuple[Coming, ...]
    strikes: tuple[int, int] | None  # used, and how many ban; None while they are not used up
    evaluated_at: datetime | None
    caveats: tuple[str, ...]

    @property
    def comparable(self) -> Card | None:
        """The card that pays, where it pays in the currency of the account or at a stated rate."""
        if self.card is None or taken(self.card, self.amount) is None:
            return None
        return self.card


@dataclass(slots=True)
class Answer:
    """The verdict: why it is so, and what to do about it."""

    noes: list[str] = field(default_factory=list)
    unknowns: list[str] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)
    need: Need | None = None
    short_by: Money | None = None

    @property
    def verdict(self) -> str:
        """No takes precedence over not knowing."""
        return "no" if self.noes else "unknown" if self.unknowns else "yes"


def run(options: Options) -> int:
    """Say whether the card covers a charge and what else is coming."""
    with source(options) as asked:
        case = _case(asked, options)
        answer = _answer(case, asked.now)
        if options.json:
            _emit(case, answer)
        else:
            _print(asked, case, answer)
    return CODES[answer.verdict]


def _case(asked: Source, options: Options) -> Case:
    configured = asked.configuration()
    accounts = {one["name"]: one for one in configured.get("accounts", [])}
    known_account(options.account, [*accounts])
    account = accounts[options.account]
    cards = {one["name"]: _card(one) for one in configured.get("cards", [])}
    card = cards.get(account["card"] or "")
    evaluations = asked.evaluations()
    own = evaluations.get(f"account:{options.account}", {})
    held = own if card is None else evaluations.get(f"card:{card.name}", {})
    amount: Money = options.amount.of(account["currency"])
    return Case(
        account=account,
        amount=amount,
        card=card,
        balance=None if card is None else stored_money(held.get("balance"), card.currency),
        coming=() if card is None else _coming(held, card.currency),
        strikes=_used_up(held, card),
        evaluated_at=held.get("evaluated_at"),
        caveats=()
        if card is None
        else tuple(_caveats(asked, account, card, list(accounts.values()), evaluations)),
    )


def _card(card: Mapping[str, Any]) -> Card:
    currency = card["currency"]
    return Card(
        card["name"],
        currency,
        card["tax_percent"],
        Money.parse(card["verification_hold"], currency),
        Money.parse(card["margin"], currency),
        card["strikes_to_ban"],
        tuple(Rate(**one) for one in card.get("rates", ())),
    )


def _coming(held: Mapping[str, Any], currency: str) -> tuple[Coming, ...]:
    return tuple(
        Coming(
            one["account"],
            datetime.fromisoformat(one["at"]),
            Money.parse(one["amount"], one.get("currency", currency)),
        )
        for one in held.get("coming", ())
    )


def _used_up(held: Mapping[str, Any], card: Card | None) -> tuple[int, int] | None:
    strikes = held.get("strikes") or 0
    if card is not None and strikes >= card.strikes_to_ban:
        return strikes, card.strikes_to_ban
    return (strikes, strikes) if held.get("unusable") else None


def _caveats(
    asked: Source,
    account: Mapping[str, Any],
    card: Card,
    accounts: list[Mapping[str, Any]],
    evaluations: Mapping[str, Mapping[str, Any]],
) -> Iterator[str]:
    held = evaluations.get(f"card:{card.name}", {})
    paid = [one for one in accounts if one["card"] == card.name]
    unforeseen = {
        one["name"]: _unforeseen(one, card, evaluations.get(f"account:{one['name']}", {}))
        for one in paid
    }
    for name, why in unforeseen.items():
        if why and not held.get("complete", False):
            yield f"what {name} will charge is not known: {why}"
    evaluated_at = held.get("evaluated_at")
    if evaluated_at is None:
        return
    age = asked.now - evaluated_at
    if age > max(timedelta(seconds=3 * account.get("poll_interval", 0)), FRESH):
        yield f"this rests on what was known {lasting(age)} ago: look again with spendguard check"


def _unforeseen(account: Mapping[str, Any], card: Card, evaluation: Mapping[str, Any]) -> str:
    """Return why nobody can tell what an account will charge, empty where it can be told."""
    recharge = account.get("recharge")
    if recharge is None:
        return "the configuration does not say whether it recharges by itself"
    if not recharge["enabled"]:
        return ""
    if rate_between(card.rates, account["currency"], card.currency) is None:
        return f"it is charged in {account['currency']}, the card holds {card.currency}"
    if evaluation.get("balance") is None:
        return "nobody stated its balance"
    if not evaluation["balance"].get("costs_read", True):
        return "its costs since the balance have not been read yet"
    if evaluation.get("burn_per_day") is None:
        return "too little of its spend is known"
    return ""


def _answer(case: Case, now: datetime) -> Answer:
    answer = Answer()
    _range(case, answer)
    if case.strikes is not None:
        used, to_ban = case.strikes
        what = "the account" if case.card is None else case.card.name
        policy = f"by the policy strikes_to_ban = {to_ban}"
        answer.noes.append(f"strike {used} of {to_ban}: {what} counts as banned, {policy}")
        answer.todo.append("pay with another card, and name it in the configuration")
    card = case.comparable
    if card is None:
        _incomparable(case, answer)
        return answer
    this = Coming(case.account["name"], now, case.amount)
    answer.need = need(card, [this, *case.coming])
    if case.balance is None:
        answer.unknowns.append(f"nobody stated what is on {card.name}")
        answer.todo.append(f"spendguard card set {card.name} <what is on it>")
        return answer
    _compare(answer, card, case.balance, answer.need.amount)
    return answer


def _range(case: Case, answer: Answer) -> None:
    currency = case.amount.currency
    least = stored_money(case.account.get("topup_min"), currency) or LEAST.of(currency)
    most = stored_money(case.account.get("topup_max"), currency) or MOST.of(currency)
    if not least <= case.amount <= most:
        answer.noes.append(f"{case.amount} is outside {least.exact()} to {most}, the top-up range")
        answer.todo.append(f"choose an amount from {least.exact()} to {most}")


def _incomparable(case: Case, answer: Answer) -> None:
    name = case.account["name"]
    if case.card is None:
        answer.unknowns.append(f"{name} names no card")
        answer.todo.append(f"write `card = NAME` below the account {name}, and a [[cards]] section")
        return
    told = f"{case.card.name} holds {case.card.currency}, and {name} is charged in"
    answer.unknowns.append(f"{told} {case.amount.currency}, and the configuration states no rate")
    pair = f'"{case.card.currency}/{case.amount.currency}"'
    answer.todo.append(f"write what one {case.card.currency} is worth: [rates] {pair} = ...")


def _compare(answer: Answer, card: Card, balance: Money, needed: Money) -> None:
    least = LEAST.of(card.currency)
    missing = max(needed, least) - balance
    answer.short_by = max(missing, Money.zero(card.currency))
    if not answer.short_by:
        return
    if balance < needed:
        told = f"{card.name} holds {balance.floored()}, and {needed.ceiled()} is needed"
    else:
        told = f"{card.name} holds {balance.floored()}, less than {least}"
    answer.noes.append(told)
    answer.todo.append(
        f"put at least {answer.short_by.ceiled()} on {card.name}, "
        f"then: spendguard card set {card.name} <what is on it>"
    )


def _emit(case: Case, answer: Answer) -> None:
    emit(
        {
            "as_of": None if case.evaluated_at is None else rfc3339(case.evaluated_at),
            "account": case.account["name"],
            "amount": case.amount.exact(),
            "currency": case.amount.currency,
            "card": None if case.card is None else case.card.name,
            "verdict": answer.verdict,
            "reasons": _reasons(case, answer),
            "caveats": list(case.caveats),
            "needed": None if answer.need is None else answer.need.amount.exact(),
            "balance": None if case.balance is None else case.balance.exact(),
            "short_by": None if answer.short_by is None else answer.short_by.exact(),
            "coming": [
                {
                    "account": one.account,
                    "at": rfc3339(one.at),
                    "amount": one.amount.exact(),
                    "currency": one.amount.currency,
                    "taken": None if gross is None else gross.exact(),
                }
                for one in case.coming
                for gross in [None if case.card is None else taken(case.card, one.amount)]
            ],
        }
    )


def _reasons(case: Case, answer: Answer) -> list[str]:
    found = [*answer.noes, *answer.unknowns]
    if not found and case.card and case.balance and answer.need:
        held, needed = case.balance.floored(), answer.need.amount.ceiled()
        found.append(f"{case.card.name} holds {held}, and {needed} is needed")
    return found


def _print(asked: Source, case: Case, answer: Answer) -> None:
    if answer.need is not None and case.card is not None:
        columns = (
            Column(f"{case.amount} on {case.account['name']}", folds=True),
            Column("", right=True),
        )
        table(columns, list(_lines(asked, case, case.card, answer.need, answer.short_by)))
        say()
    word = {"yes": "yes", "no": "no", "unknown": "cannot tell"}[answer.verdict]
    style = {"yes": "green", "no": "bold red", "unknown": "yellow"}[answer.verdict]
    for reason in _reasons(case, answer):
        say(f"{word}: {reason}", style)
    for caveat in case.caveats:
        say(f"but {caveat}")
    for step in dict.fromkeys(answer.todo):
        say(f"next: {step}", "dim")


def _lines(
    asked: Source, case: Case, card: Card, wanted: Need, short_by: Money | None
) -> Iterator[list[str | Cell]]:
    """Yield the arithmetic, a line for each thing that is added up."""
    tax = f", {card.tax_percent} % tax included" if Amount.parse(card.tax_percent).nanos else ""
    yield [f"this charge{tax}", str(taken(card, case.amount))]
    for one in case.coming:
        told = f"{one.account}, expected {asked.local(one.at)}{tax}"
        yield [told, str(taken(card, one.amount))]
    yield ["verification hold", str(wanted.hold)]
    yield ["margin", str(wanted.margin)]
    yield ["needed", str(wanted.amount)]
    yield [f"on {card.name}", "unknown" if case.balance is None else str(case.balance.floored())]
    if short_by:
        yield ["short by", str(short_by.ceiled())]
