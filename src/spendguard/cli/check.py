"""check: read, judge and tell everything once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from spendguard.cli.output import Cell, Column, complain, emit, say, severity_cell, table, warn
from spendguard.cli.parser import Options
from spendguard.cli.progress import ReadingBack
from spendguard.cli.writing import program
from spendguard.core.findings import Status

if TYPE_CHECKING:
    from spendguard.app.program import AccountChecked, Checked
    from spendguard.pipeline.judge import Judged


def run(options: Options) -> int:
    """Poll and evaluate every account, and try each owed message once."""
    with program(options) as app:
        progress = ReadingBack()
        checked = app.check(progress)
        progress.end()
    if options.json:
        _emit(checked)
    else:
        _print(checked)
    _complain(checked)
    return checked.exit_code


def _emit(checked: Checked) -> None:
    emit(
        {
            "accounts": [
                {
                    "name": one.poll.account,
                    "polled": one.poll.polled,
                    "findings": _findings(one.judged),
                }
                for one in checked.accounts
            ],
            "mailboxes": [
                {
                    "name": box.mailbox,
                    "read": "ok" if box.error is None else box.error.value,
                    "entered": box.entered,
                    "put_aside": box.put_aside,
                }
                for box in checked.mailboxes
            ],
            "guard": {"findings": _findings(checked.guard)},
            "notifications": [
                {"channel": one.channel, "state": one.state.value} for one in checked.deliveries
            ],
        }
    )


def _findings(judged: Judged) -> list[dict[str, Any]]:
    return [
        {
            "rule": finding.rule,
            "subject": finding.subject,
            "status": finding.status.value,
            "severity": finding.severity.label,
            "step": finding.step,
            "summary": summary,
        }
        for finding, summary in zip(judged.findings, judged.summaries, strict=True)
    ]


def _print(checked: Checked) -> None:
    if not checked.accounts:
        warn("no account is configured: nothing is watched")
    columns = (Column("account"), Column("read"), Column("balance", right=True))
    table(columns, [_account_row(one) for one in checked.accounts])
    judged = [*(one.judged for one in checked.accounts), checked.guard]
    firing = _once(
        finding
        for one in judged
        for finding in _findings(one)
        if finding["status"] == Status.FIRING.value
    )
    say()
    if firing:
        heads = (Column("firing"), Column("rule"), Column("subject"), Column("", folds=True))
        table(heads, [_finding_row(finding) for finding in firing])
    else:
        say("nothing fires")
    _print_told(checked)
    for one in checked.accounts:
        if one.judged.facts is not None and one.judged.facts.position is None:
            name = one.poll.account
            say(f"next: spendguard balance set {name} <figure on the billing page>", "dim")


def _once(findings: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return findings without those of a card that stand with another of its accounts too."""
    return list({(one["rule"], one["subject"], one["step"]): one for one in findings}.values())


def _account_row(one: AccountChecked) -> list[str | Cell]:
    facts = one.judged.facts
    position = None if facts is None else facts.position
    balance = "unknown" if position is None else str(position.floor.floored())
    failed = one.poll.error is not None
    return [one.poll.account, Cell(one.poll.polled, "yellow" if failed else ""), balance]


def _finding_row(finding: Mapping[str, Any]) -> Sequence[str | Cell]:
    told = (finding["rule"], finding["subject"], finding["summary"])
    return [severity_cell(finding["severity"]), *told]


def _print_told(checked: Checked) -> None:
    counts: dict[tuple[str, str], int] = {}
    for one in checked.deliveries:
        key = (one.channel, one.state.value)
        counts[key] = counts.get(key, 0) + 1
    for (channel, state), count in counts.items():
        messages = "1 message" if count == 1 else f"{count} messages"
        say(f"{channel}: {messages} {state.replace('_', ' ')}")


def _complain(checked: Checked) -> None:
    """Say on stderr what could not be read, and which channels did not take a message."""
    for one in checked.accounts:
        if one.poll.error is not None:
            complain(f"account '{one.poll.account}': {one.poll.message}", one.poll.hint)
    for box in checked.mailboxes:
        if box.error is not None:
            complain(box.message, box.hint)
    refused = {one.channel: one.why for one in checked.deliveries if one.why}
    for channel, why in refused.items():
        complain(f"channel '{channel}': {why}", f"try it: `spendguard channel test {channel}`")
