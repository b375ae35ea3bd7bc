from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from spendguard.core.errors import ErrorKind, SpendguardError
from spendguard.daemon.logs import KeyValue
from spendguard.daemon.teller import Teller, log
from spendguard.notify.results import Delivered, Refused
from spendguard.pipeline.deliver import DeliveryOutcome, DeliveryState
from spendguard.pipeline.poll import PollOutcome
from spendguard.pipeline.receipts import MailOutcome

SECRET = "sk-admin-canary-0123456789"  # noqa: S105


class Lines(logging.Handler):
    """What was logged, as it is written."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.setFormatter(KeyValue(timed=False))

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """The lines so far."""
    handler, level = Lines(), log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield handler.said
    log.removeHandler(handler)
    log.setLevel(level)


def polled(kind: ErrorKind | None = None) -> PollOutcome:
    return PollOutcome("main", kind, "" if kind is None else "it was refused")


def test_an_account_that_is_read_is_not_worth_a_line(lines: list[str]) -> None:
    teller = Teller()
    for _ in range(3):
        teller.polled(polled())
    assert lines == []


def test_the_same_error_is_told_once_then_counted_until_it_changes_or_ends(
    lines: list[str],
) -> None:
    teller = Teller()
    for kind in [*[ErrorKind.UNAVAILABLE] * 3, *[ErrorKind.AUTH] * 2, None, None, ErrorKind.AUTH]:
        teller.polled(polled(kind))
    why = 'why="it was refused"'
    assert lines == [
        f"warning account cannot be read account=main error=unavailable {why}",
        f"warning account cannot be read account=main error=auth {why} before=unavailable times=3",
        "info account is read again account=main before=auth times=2",
        f"warning account cannot be read account=main error=auth {why}",
    ]


def test_mails_that_change_something_are_told(lines: list[str]) -> None:
    teller = Teller()
    teller.read(MailOutcome("receipts", seen=4))
    teller.read(MailOutcome("receipts", seen=4, entered=1, put_aside=2))
    assert lines == ["info mails read mailbox=receipts entered=1 put_aside=2"]


def test_each_delivery_is_told_and_a_dead_channel_once(lines: list[str]) -> None:
    teller = Teller()
    for state, why in [
        (DeliveryState.RETRYING, "no answer"),
        (DeliveryState.RETRYING, "no answer"),
        (DeliveryState.DELIVERED, ""),
        (DeliveryState.GIVEN_UP, "refused"),
    ]:
        teller.delivered(DeliveryOutcome("ops", 7, state, why))
    assert lines == [
        'warning channel takes no message channel=ops error="no answer"',
        'info channel takes messages again channel=ops before="no answer" times=2',
        "info message delivered channel=ops message_id=7",
        "warning channel takes no message channel=ops error=refused",
        "error message given up channel=ops message_id=7 why=refused",
    ]


def test_a_bug_is_told_by_its_place_and_never_by_its_words(lines: list[str]) -> None:
    teller = Teller()
    with pytest.raises(ValueError, match=SECRET) as caught:
        int(SECRET)
    teller.failed("poll main", caught.value)
    teller.failed("poll main", SpendguardError("something else", "do this"))
    teller.done("poll main")
    assert lines[0].startswith(
        'warning work failed work="poll main" error=ValueError why=test_tell'
    )
    assert 'error="something else" why="do this"' in lines[1]
    assert lines[2].startswith('info work goes on work="poll main"')
    assert SECRET not in "".join(lines)


def test_a_watch_that_does_not_answer_is_told_once(lines: list[str]) -> None:
    teller = Teller()
    for outcome in (Refused(permanent=False, why="no answer"), Delivered()):
        beat: Delivered | Refused = outcome
        teller.beat(beat)
        teller.beat(beat)
    assert lines == [
        'warning heartbeat is not taken heartbeat=url error="no answer"',
        'info heartbeat is taken again heartbeat=url before="no answer" times=2',
    ]
