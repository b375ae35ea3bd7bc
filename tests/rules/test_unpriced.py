from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from spendguard.core.facts import AccountFacts, UnpricedUse, UsageFacts
from spendguard.core.findings import Severity, Status
from spendguard.rules.unpriced import Unpriced


@pytest.mark.parametrize(
    ("unpriced", "told"),
    [
        pytest.param({}, [], id="everything has a price"),
        pytest.param({"a": 20}, [], id="two percent are nothing"),
        pytest.param({"a": 21}, ["a"], id="more are told"),
        pytest.param({"a": 21, "b": 5, "c": 40}, ["a", "c"], id="each model above that"),
        pytest.param({"a": 15, "b": 16}, ["b"], id="the worst where only all together are"),
        pytest.param({"": 500}, [], id="what names no model cannot be given a price"),
    ],
)
def test_models_without_a_price_are_told_once(
    facts: Callable[..., AccountFacts], now: datetime, unpriced: dict[str, int], told: list[str]
) -> None:
    used = tuple(UnpricedUse(model, requests) for model, requests in unpriced.items())
    found = Unpriced().evaluate(facts(usage=UsageFacts(now, requests=1000, unpriced=used)))

    firing = [one.subject for one in found if one.status is Status.FIRING]
    assert firing == [f"main/model:{model}" for model in told]
    assert all(one.severity is Severity.INFO for one in found)


def test_without_usage_it_is_unknown(facts: Callable[..., AccountFacts]) -> None:
    [finding] = Unpriced().evaluate(facts())
    assert (finding.status, finding.values["missing"]) == (Status.UNKNOWN, "usage")
