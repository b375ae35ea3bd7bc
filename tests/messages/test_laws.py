"""What holds of every message, whatever the values."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from spendguard.core.alerts import NotifyReason
from spendguard.core.findings import Finding, Severity, Status, Value
from spendguard.core.ledger import Position
from spendguard.core.money import MOST, Money
from spendguard.core.notifications import Item, Notification, Topic
from spendguard.messages import render, summary
from spendguard.rules import RULES
from tests.messages.cases import (
    FOUND,
    KABUL,
    NOW,
    SHANGHAI,
    UTC_ZONE,
    alerts,
    item,
    money,
    position,
)

KEYS = sorted({key for found in FOUND.values() for key in found.values} | {"error", "surprise"})
CURRENCIES = st.sampled_from(["USD", "EUR", "CNY"])
AMOUNTS = st.builds(Money, st.integers(-MOST, MOST), CURRENCIES)
INSTANTS = st.datetimes(timezones=st.just(UTC))
LENGTHS = st.timedeltas()
TEXTS = st.text(max_size=300).filter(lambda text: "None" not in text)
VALUES: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    AMOUNTS,
    INSTANTS,
    LENGTHS,
    st.integers(),
    st.booleans(),
    TEXTS,
    st.lists(TEXTS, max_size=4).map(tuple),
)
ITEMS = st.builds(
    Item,
    alert_id=st.integers(1, 10**6).map(str),
    rule=st.sampled_from([*RULES]),
    subject=st.sampled_from(["openai-main", "openai-main/key:key_1", "budget:b", "guard"]),
    severity=st.sampled_from(Severity),
    step=st.sampled_from(["", "half", "zero", "negative", "90%", "enforcing", "lost"]),
    reason=st.sampled_from(NotifyReason),
    since=INSTANTS,
    values=st.dictionaries(st.sampled_from(KEYS), VALUES),
    values_at=st.none() | INSTANTS,
    ended_at=st.none() | INSTANTS,
    untold=st.booleans(),
)
ZONES = st.sampled_from([UTC_ZONE, SHANGHAI, KABUL])
TITLE = re.compile(r"(CRITICAL|WARNING|INFO|RESOLVED) ([a-z-]+) (\S+)\Z")


@given(items=st.lists(ITEMS, min_size=1, max_size=5), now=INSTANTS, zone=ZONES)
def test_any_values_make_a_message(items: list[Item], now: datetime, zone: ZoneInfo) -> None:
    message = render(alerts(*items), language="en", now=now, zone=zone)

    title = TITLE.match(message.title)
    assert title
    assert (title[2], title[3]) in {(one.rule, one.subject) for one in items}
    assert "None" not in message.body
    assert message.body.strip()
    assert not set("[]{}") & set(message.body) or any(
        set("[]{}") & set(str(one.values)) for one in items
    )


@given(items=st.lists(ITEMS, min_size=2, max_size=5))
def test_a_group_takes_the_worst_title_and_names_every_rule(items: list[Item]) -> None:
    message = render(alerts(*items), language="en", now=NOW, zone=UTC_ZONE)

    paragraphs = message.body.split("\n\n")
    assert sorted(one.partition(" (")[0] for one in paragraphs) == sorted(one.rule for one in items)
    open_items = [one for one in items if one.reason is not NotifyReason.RESOLVED]
    worst = max(one.severity for one in open_items).name if open_items else "RESOLVED"
    assert message.title.startswith(worst + " ")


@given(
    found=st.sampled_from(list(FOUND.values())),
    values=st.dictionaries(st.sampled_from(KEYS), VALUES),
    status=st.sampled_from(Status),
)
def test_any_values_make_a_summary(
    found: Finding, values: dict[str, Value], status: Status
) -> None:
    rule, step = found.rule, found.step
    line = summary(rule, status, Severity.INFO, step, values, language="en", zone=UTC_ZONE)

    assert line.strip()
    assert "\n" not in line
    assert "None" not in line


@given(nanos=st.integers(-(10**13), 10**13))
def test_a_balance_is_never_shown_above_what_it_is(nanos: int) -> None:
    values = {**FOUND["balance-low trigger"].values, "floor": Money(nanos, "USD")}
    values.pop("burn_per_day")
    first = render(
        alerts(replace(item("balance-low trigger"), values=values)),
        language="en",
        now=NOW,
        zone=UTC_ZONE,
    ).body.splitlines()[0]

    shown = re.search(r"has (-?)\$([\d,.]+) left", first)
    assert shown
    figure = Decimal(shown[1] + shown[2].replace(",", ""))
    assert figure <= Decimal(nanos) / 10**9 < figure + Decimal("0.01")


@given(nanos=st.integers(0, 10**13))
def test_spend_is_never_shown_below_what_it_is(nanos: int) -> None:
    values = {**FOUND["limit-near 75%"].values, "used": Money(nanos, "USD")}
    line = summary(
        "limit-near", Status.FIRING, Severity.INFO, "75%", values, language="en", zone=UTC_ZONE
    )

    shown = re.search(r": \$([\d,.]+) of", line)
    assert shown
    figure = Decimal(shown[1].replace(",", ""))
    assert figure - Decimal("0.01") < Decimal(nanos) / 10**9 <= figure


@given(
    stated=st.integers(0, 10**6), spent=st.integers(0, 10**6), credit=st.integers(-(10**5), 10**5)
)
def test_the_arithmetic_adds_up_as_shown(stated: int, spent: int, credit: int) -> None:
    """With only spend finer than a cent, as it is with typed deposits, it adds up to the cent."""
    held = position(*(f"{Decimal(cents) / 100:.2f}" for cents in (stated, 0)))
    exact = Money(spent * 1_234_567, "USD")
    added = money(f"{Decimal(credit) / 100:.2f}")
    left = held.floor + added - exact
    assume(left < money("5.00"))
    held = replace(held, spent=exact, credit=added, floor=left, billed=left)
    values = {**FOUND["balance-low trigger"].values, **_parts(held)}
    body = render(
        alerts(replace(item("balance-low trigger"), values=values)),
        language="en",
        now=NOW,
        zone=UTC_ZONE,
    ).body

    terms = re.search(r"^(.*) = (-?\$[\d,.]+)\. ", body, re.MULTILINE)
    assert terms
    signed = re.findall(r"([+−]?) ?(-?)\$([\d,.]+) ", terms[1] + " ")
    total = sum(
        Decimal(number.replace(",", "")) * (-1 if sign == "−" else 1) * (-1 if minus else 1)
        for sign, minus, number in signed
    )
    assert f"{total:.2f}" == terms[2].replace("$", "").replace(",", "")


def _parts(held: Position) -> dict[str, Value]:
    names = ("floor", "billed", "credit", "spent")
    told: dict[str, Value] = {name: getattr(held, name) for name in names}
    return told | {"checkpoint_amount": held.checkpoint.amount}


@given(
    topic=st.sampled_from(Topic),
    accounts=st.lists(st.from_regex(r"[a-z0-9-]{1,9}", fullmatch=True), max_size=6).map(tuple),
    channel=st.sampled_from(["", "ops"]),
)
def test_any_greeting_makes_a_message(
    topic: Topic, accounts: tuple[str, ...], channel: str
) -> None:
    message = render(
        Notification(topic, accounts=accounts, channel=channel),
        language="en",
        now=NOW,
        zone=UTC_ZONE,
    )

    assert message.title
    assert "None" not in message.title + message.body


def test_a_name_from_outside_stays_on_its_line() -> None:
    values = {**FOUND["limit-near 75%"].values, "scope": "a\nCRITICAL b \x1b[1m" + "x" * 500}
    body = render(
        alerts(replace(item("limit-near 75%"), values=values)),
        language="en",
        now=NOW,
        zone=UTC_ZONE,
    ).body

    assert "(a CRITICAL b [1mxxx" in body.splitlines()[0]
    assert len(body) < 900
