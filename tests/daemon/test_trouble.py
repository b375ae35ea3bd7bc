from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import pytest

from spendguard.core.errors import UnwritableError
from spendguard.core.facts import Health
from spendguard.daemon.trouble import Trouble
from tests.daemon.conftest import NOW, Time

FULL = UnwritableError("the disk is full", "free some space")


class Channels:
    """What is told past the outbox, and who takes it."""

    def __init__(self) -> None:
        self.deaf: set[str] = set()
        self.said: list[tuple[str, str]] = []

    @property
    def channels(self) -> list[str]:
        return ["ops", "mail"]

    def tell(
        self, channels: Collection[str], health: Health, since: datetime, now: datetime
    ) -> list[str]:
        return self._say(channels, health.unwritable)

    def over(self, channels: Collection[str], since: datetime, now: datetime) -> list[str]:
        return self._say(sorted(channels), f"over, since {since - NOW}")

    def _say(self, channels: Collection[str], text: str) -> list[str]:
        took = [name for name in channels if name not in self.deaf]
        self.said += [(name, text) for name in took]
        return took


@pytest.fixture
def channels() -> Channels:
    return Channels()


@pytest.fixture
def trouble(channels: Channels, time: Time) -> Trouble:
    return Trouble(channels, time.clock, time.steady)


def test_it_is_told_once_it_has_lasted_and_when_it_is_over(
    trouble: Trouble, channels: Channels, time: Time
) -> None:
    assert trouble.failed("poll main", FULL)
    trouble.tell()
    assert channels.said == []
    for _ in range(5):
        time.pass_(timedelta(seconds=20))
        assert not trouble.failed("poll main", FULL)
        trouble.tell()
    assert channels.said == [("ops", "the disk is full"), ("mail", "the disk is full")]
    trouble.done("poll main")
    assert channels.said[2:] == [("mail", "over, since 0:00:00"), ("ops", "over, since 0:00:00")]


def test_what_passes_by_itself_is_told_to_nobody(
    trouble: Trouble, channels: Channels, time: Time
) -> None:
    trouble.failed("judge", FULL)
    time.pass_(timedelta(seconds=10))
    trouble.done("judge")
    time.pass_(timedelta(minutes=1))
    trouble.tell()
    assert (channels.said, trouble.standing) == ([], False)


def test_it_stands_until_everything_that_failed_was_done(trouble: Trouble) -> None:
    trouble.failed("judge", FULL)
    trouble.failed("poll main", FULL)
    trouble.done("judge")
    trouble.done("deliver")
    assert trouble.standing
    trouble.done("poll main")
    assert not trouble.standing


def test_a_channel_that_took_nothing_is_tried_again_after_a_minute(
    trouble: Trouble, channels: Channels, time: Time
) -> None:
    channels.deaf = {"mail"}
    trouble.failed("judge", FULL)
    for _ in range(4):
        time.pass_(timedelta(seconds=20))
        trouble.tell()
    assert channels.said == [("ops", "the disk is full")]
    channels.deaf = set()
    time.pass_(timedelta(minutes=1))
    trouble.tell()
    assert channels.said[1:] == [("mail", "the disk is full")]


def test_each_episode_is_told_anew(trouble: Trouble, channels: Channels, time: Time) -> None:
    for _ in range(2):
        trouble.failed("judge", FULL)
        time.pass_(timedelta(seconds=20))
        trouble.tell()
        trouble.done("judge")
    assert [text[:4] for _, text in channels.said] == ["the ", "the ", "over", "over"] * 2
