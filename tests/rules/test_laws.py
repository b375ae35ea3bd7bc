from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.accounts import Budget
from spendguard.core.charges import Charge, Outcome, strikes
from spendguard.core.errors import ErrorKind
from spendguard.core.facts import (
    AccountFacts,
    BudgetUse,
    Burn,
    ChannelUse,
    CreditSeen,
    GuardFacts,
    LimitUse,
    Polls,
    SettingChange,
    Standing,
    Witness,
)
from spendguard.core.findings import Severity, Status, decode_values, encode_values
from spendguard.core.money import NANOS, Money
from spendguard.core.windows import Unit, Window, utc_day
from spendguard.rules import ACCOUNT_RULES, CARD_RULES, GUARD_RULES
from tests.rules.charging import OFF, ON, card, due, payer

nanos = st.integers(-30 * NANOS, 30 * NANOS)
money = nanos.map(lambda amount: Money(amount, "USD"))
ranks = st.integers(0, 8)
words = st.text("ab", min_size=1, max_size=2)


def limits() -> st.SearchStrategy[list[LimitUse]]:
    unique = st.builds(LimitUse, words, money, money, st.booleans())
    return st.lists(unique, max_size=3, unique_by=lambda limit: limit.scope)


def changes() -> st.SearchStrategy[list[SettingChange]]:
    change = st.builds(SettingChange, words, st.none() | words, st.none() | words)
    return st.lists(change, max_size=3, unique_by=lambda one: one.name)


def credits_seen(now: datetime) -> st.SearchStrategy[list[CreditSeen]]:
    seen = st.builds(
        CreditSeen,
        st.integers(0, 200).map(lambda hours: now - timedelta(hours=hours)),
        st.none() | money,
        st.sampled_from(["receipt", "api", "inferred"]),
        st.booleans(),
        st.booleans(),
    )
    return st.lists(seen, max_size=4, unique_by=lambda one: one.at)


def charged(now: datetime) -> st.SearchStrategy[list[Charge]]:
    one = st.builds(
        Charge,
        st.integers(1, 10**6).map(str),
        st.sampled_from(["main", "other"]),
        st.just("visa"),
        st.none() | money,
        st.integers(0, 60).map(lambda hours: now - timedelta(hours=hours)),
        st.sampled_from(Outcome),
    )
    return st.lists(one, max_size=5, unique_by=lambda one: one.id)


def standing(rank: int, since: datetime) -> dict[tuple[str, str], Standing]:
    subjects = [*((name, "main") for name in ACCOUNT_RULES), ("budget", "budget:a")]
    return {subject: Standing(Severity.WARNING, "", rank, since) for subject in subjects}


def uses(spent: list[Money], day: Window) -> tuple[BudgetUse, ...]:
    amount = Money(10 * NANOS, "USD")
    return tuple(
        BudgetUse(
            Budget(name, "main", Unit.DAY, amount),
            Window(day.start - timedelta(days=back), day.end - timedelta(days=back)),
            money,
        )
        for (name, back), money in zip(
            [("a", 0), ("a", 1), ("b", 0), ("b", 1)], spent, strict=False
        )
    )


@given(nanos, nanos, ranks, st.booleans())
def test_more_money_never_raises_a_rank(
    facts: Callable[..., AccountFacts],
    now: datetime,
    one: int,
    other: int,
    held: int,
    changed: bool,  # noqa: FBT001
) -> None:
    known = facts("0", "20.00", standing=standing(held, now), ledger_changed=changed)
    assert known.position is not None
    for name in ("balance-low", "deposit-cap"):
        poorer, richer = (
            ACCOUNT_RULES[name]().evaluate(
                replace(known, position=replace(known.position, floor=Money(floor, "USD")))
            )[0]
            for floor in sorted((one, other))
        )
        assert (poorer.rank, poorer.severity) >= (richer.rank, richer.severity)
        assert poorer.severity >= richer.severity


@given(nanos, nanos)
def test_more_spend_never_lowers_the_rank_of_a_budget(
    facts: Callable[..., AccountFacts], now: datetime, one: int, other: int
) -> None:
    less, more = (
        ACCOUNT_RULES["budget"]().evaluate(
            facts(budgets=uses([Money(spent, "USD")], utc_day(now)))
        )[0]
        for spent in sorted((one, other))
    )
    assert less.rank <= more.rank
    assert less.severity <= more.severity


@given(nanos, ranks, st.lists(money, max_size=4), st.sampled_from([0, 1, 2]))
def test_what_is_unknown_neither_clears_nor_fires(
    facts: Callable[..., AccountFacts],
    now: datetime,
    floor: int,
    held: int,
    spent: list[Money],
    failures: int,
) -> None:
    unread = facts(
        Money(floor, "USD").exact(),
        "20.00",
        costs_read=False,
        polls=Polls(failures, now, ErrorKind.UNAVAILABLE),
        standing=standing(held, now),
        budgets=uses([Money(0, "USD") for _ in spent], utc_day(now)),
    )
    for known in (unread, replace(unread, position=None)):
        for name, rule in ACCOUNT_RULES.items():
            if name == "checkpoint-stale" and known.position is not None:
                continue  # the age of a checkpoint is known without any reading
            if name in {"charge-failed", "recharge-frequent"}:
                continue  # what was charged is known without any reading
            for finding in rule().evaluate(known):
                assert finding.status is Status.UNKNOWN, name


@given(st.data())
def test_the_order_of_facts_does_not_matter(
    facts: Callable[..., AccountFacts], now: datetime, data: st.DataObject
) -> None:
    limited, changed = data.draw(limits()), data.draw(changes())
    budgets = uses(data.draw(st.lists(money, max_size=4)), utc_day(now))
    former = standing(data.draw(ranks), now - timedelta(hours=data.draw(st.integers(0, 60))))
    seen, made = data.draw(credits_seen(now)), data.draw(charged(now))
    one = facts(
        limits=tuple(limited),
        changes=tuple(changed),
        budgets=budgets,
        standing=former,
        unexplained=tuple(seen),
        charges=tuple(made),
        recharge=data.draw(st.sampled_from([None, ON, OFF])),
    )
    other = replace(
        one,
        limits=tuple(data.draw(st.permutations(limited))),
        changes=tuple(data.draw(st.permutations(changed))),
        budgets=tuple(data.draw(st.permutations(budgets))),
        unexplained=tuple(data.draw(st.permutations(seen))),
        charges=tuple(data.draw(st.permutations(made))),
    )
    for rule in ACCOUNT_RULES.values():
        assert rule().evaluate(one) == rule().evaluate(other)


@given(st.data())
def test_every_finding_is_sound_and_its_values_survive_storage(
    facts: Callable[..., AccountFacts], now: datetime, data: st.DataObject
) -> None:
    known = facts(
        data.draw(money).exact(),
        data.draw(st.none() | money.map(Money.exact)),
        burn=data.draw(st.none() | st.builds(Burn, money, st.just(14))),
        limits=tuple(data.draw(limits())),
        changes=tuple(data.draw(changes())),
        budgets=uses(data.draw(st.lists(money, max_size=4)), utc_day(now)),
        recharge=data.draw(st.sampled_from([None, ON, OFF])),
        next_charge=data.draw(st.none() | st.sampled_from([due(0), due(9), due(90)])),
        due_since=data.draw(st.none() | st.just(now - timedelta(hours=3))),
        stopped_at=data.draw(st.none() | st.just(now - timedelta(days=2))),
        proven_at=data.draw(st.none() | st.just(now)),
        witness=data.draw(st.sampled_from(Witness)),
        strikes=strikes(data.draw(charged(now)), 2),
        charges=tuple(data.draw(charged(now))),
        unexplained=tuple(data.draw(credits_seen(now))),
        standing=standing(1, now) if data.draw(st.booleans()) else {},
        own_key_known=True,
        own_key_expires_at=now + data.draw(st.timedeltas(timedelta(-9), timedelta(99))),
    )
    channels = (ChannelUse("ops", usable=data.draw(st.booleans()), owed_since=now),)
    guard = GuardFacts(now, channels, now, data.draw(st.none() | st.integers(0, 10**12)))
    found = [one for rule in ACCOUNT_RULES.values() for one in rule().evaluate(known)]
    found += [one for guard_rule in GUARD_RULES.values() for one in guard_rule().evaluate(guard)]
    balance = data.draw(st.none() | money.map(Money.exact))
    paying = card(
        balance, payer("main", data.draw(money).exact(), data.draw(st.none() | st.just("2")))
    )
    found += [one for card_rule in CARD_RULES.values() for one in card_rule().evaluate(paying)]
    assert len({(one.rule, one.subject) for one in found}) == len(found)
    for finding in found:
        firing = finding.status is Status.FIRING
        assert (finding.rank > 0) is firing
        assert bool(finding.step) is firing
        assert ("missing" in finding.values) is (finding.status is Status.UNKNOWN)
        assert decode_values(encode_values(finding.values)) == dict(finding.values)
