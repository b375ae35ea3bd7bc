from __future__ import annotations

from collections.abc import Callable

import pytest

from spendguard.core.facts import AccountFacts, SettingChange
from spendguard.core.findings import Severity, Status
from spendguard.rules.config_drift import ConfigDrift

RAISED = SettingChange("limit of the organization", "100.00 USD", "900.00 USD")
REMOVED = SettingChange("alert at web", "50.00 USD", None)
ADDED = SettingChange("limit of web", None, "20.00 USD")


@pytest.mark.parametrize(
    ("changes", "status", "step", "rank"),
    [
        pytest.param(None, Status.UNKNOWN, "", 0, id="settings that cannot be read are unknown"),
        pytest.param((), Status.CLEAR, "", 0, id="settings as last seen are clear"),
        pytest.param((RAISED,), Status.FIRING, "changed", 1, id="a changed limit fires"),
        pytest.param((ADDED,), Status.FIRING, "changed", 1, id="an added limit fires"),
        pytest.param((REMOVED,), Status.FIRING, "removed", 1, id="a removed alert is named so"),
        pytest.param((RAISED, ADDED), Status.FIRING, "changed", 2, id="a second change is a rise"),
    ],
)
def test_changes(
    facts: Callable[..., AccountFacts],
    changes: tuple[SettingChange, ...] | None,
    status: Status,
    step: str,
    rank: int,
) -> None:
    [finding] = ConfigDrift().evaluate(facts(changes=changes))
    assert (finding.rule, finding.subject, finding.status) == ("config-drift", "main", status)
    assert (finding.step, finding.rank) == (step, rank)
    assert finding.severity is (Severity.WARNING if rank else Severity.INFO)


def test_the_values_name_before_and_after_in_any_order(
    facts: Callable[..., AccountFacts],
) -> None:
    one, other = (
        ConfigDrift().evaluate(facts(changes=changes))
        for changes in ((RAISED, REMOVED, ADDED), (ADDED, RAISED, REMOVED))
    )
    assert one == other
    assert one[0].values["settings"] == (
        "alert at web",
        "limit of the organization",
        "limit of web",
    )
    assert one[0].values["before"] == ("50.00 USD", "100.00 USD", "")
    assert one[0].values["after"] == ("", "900.00 USD", "20.00 USD")
