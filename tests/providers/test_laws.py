"""Whatever comes back, it is a value or a ProviderError; and money is what it was."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spendguard.core.errors import ProviderError
from spendguard.core.money import Money
from spendguard.core.readings import Balance, Extras, SpendRead, UsageRead
from spendguard.core.windows import DAY
from spendguard.providers import PROVIDERS
from tests.providers.asking import FIRST, WEEK, asking, bucket, ok, page, read, result

COMPLETIONS = "organization.usage.completions.result"
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from([1730419200, 1730505600, "usd", "enforcing", "month", "sk-admin...def"]),
    st.sampled_from(["bucket", "organization.costs.result", COMPLETIONS]),
)
NAMES = st.one_of(
    st.sampled_from(["data", "object", "results", "start_time", "end_time", "amount", "value"]),
    st.sampled_from(["has_more", "next_page", "last_id", "id", "error", "code", "message"]),
    st.sampled_from(["input_tokens", "output_tokens", "batch", "model", "num_model_requests"]),
    st.sampled_from(["total_credits", "total_usage", "balance_infos", "total_balance"]),
    st.sampled_from(["currency", "threshold_amount", "enforcement", "expires_at", "interval"]),
    st.text(),
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=12,
)
AMOUNTS = st.decimals(-(10**9), 10**9, places=9, allow_nan=False, allow_infinity=False)


@st.composite
def bent(draw: st.DrawFn) -> Any:
    """A good reply of which one part is something else."""
    costs = result(1, project_id="p", line_item="a, b")
    usage = {"object": COMPLETIONS, "input_tokens": 3, "output_tokens": 2, "model": "m"}
    reply: Any = page(bucket(FIRST, draw(st.sampled_from([costs, usage]))))
    node = reply
    while True:
        place = draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if not isinstance(node[place], dict | list) or not node[place] or draw(st.booleans()):
            node[place] = draw(JSON)
            return reply
        node = node[place]


@pytest.mark.parametrize("name", PROVIDERS)
@given(document=JSON | bent(), status=st.sampled_from([200, 200, 200, 401, 403, 429, 500]))
def test_any_json_is_a_value_or_an_error(name: str, document: Any, status: int) -> None:
    provider = asking(lambda _: httpx.Response(status, content=json.dumps(document)), name)

    with suppress(ProviderError):
        assert isinstance(read(provider), SpendRead | Balance)
    with suppress(ProviderError):
        assert isinstance(provider.usage(WEEK, DAY), UsageRead)
    assert isinstance(provider.extras(names=True, projects=["p"]), Extras)
    assert all(isinstance(reply.body, str) for reply in provider.replies())


@pytest.mark.parametrize("name", PROVIDERS)
@given(body=st.binary(), status=st.integers(200, 599))
def test_any_bytes_are_a_value_or_an_error(name: str, body: bytes, status: int) -> None:
    provider = asking(lambda _: httpx.Response(status, content=body), name)

    with suppress(ProviderError):
        read(provider)
    with suppress(ProviderError):
        provider.usage(WEEK, DAY, ["completions"])
    provider.extras(names=True, projects=["p"])


@given(amounts=st.lists(AMOUNTS, min_size=1, max_size=5), quoted=st.booleans())
def test_amounts_survive_exactly(amounts: list[Decimal], quoted: bool) -> None:  # noqa: FBT001
    results = [result(f"<{amount:f}>", line_item=str(n)) for n, amount in enumerate(amounts)]
    text = json.dumps(page(bucket(FIRST, *results)))
    marks = ('"', '"') if quoted else ("", "")
    text = text.replace('"<', marks[0]).replace('>"', marks[1])

    read = asking(lambda _: ok(text)).costs(WEEK)

    assert [row.amount for row in read.rows] == [Money.of(amount, "USD") for amount in amounts]


@given(order=st.permutations(range(5)))
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    results = [result(f"0.{n}", line_item=f"item {n % 3}") for n in range(5)]

    def rows(numbers: list[int]) -> set[Any]:
        reply = page(bucket(FIRST, *(results[number] for number in numbers)))
        return set(asking(lambda _: ok(reply)).costs(WEEK).rows)

    assert rows(order) == rows([0, 1, 2, 3, 4])
