"""A story: the real process, real HTTP, the real file, a real mail server and the real slack://."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from spendguard.app.clock import utc_now
from spendguard.simulator import Fault, Simulator, World
from tests.ends import SlackEnd, SmtpEnd
from tests.system.program import KEY, Done, Program, account, channel

INPUT = "gpt-6-astra, input_tokens"
WELCOME = "spendguard is watching openai-main"
LOW = "WARNING balance-low openai-main"
LOWER = "CRITICAL balance-low openai-main"
ENOUGH = "RESOLVED balance-low openai-main"
BLIND = "WARNING blind openai-main"
SEEING = "RESOLVED blind openai-main"
REFUSED = "WARNING channel-failing channel:chat"
UNAVAILABLE = "account 'openai-main': openai is not available (HTTP 503)"
BUSY = "channel 'mail': no answer, or not accepted"
ACCEPTED = "RESOLVED channel-failing channel:chat"
WITHOUT_A_GUESS = """
[rules.deposit-cap]
enabled = false
"""
"""What a deposit is added to is a guess within the day, and with it the steps of its cap."""


@dataclass
class Story:
    """The program, the world it looks at, and both ends of its messages."""

    run: Program
    world: World
    simulator: Simulator
    mail: SmtpEnd
    chat: SlackEnd
    read: dict[str, int] = field(default_factory=dict)

    def spend(self, amount: str) -> None:
        self.world.spend(
            utc_now(),
            amount,
            project="proj_web",
            api_key="key_prod",
            line_item=INPUT,
        )

    def check(self, *complaints: str) -> Done:
        """Check, and complain of nothing but what is expected."""
        done = self.run("check", "--json")
        errors = [line for line in done.err.splitlines() if not line.startswith("hint:  ")]
        assert errors == [f"error: {complaint}" for complaint in complaints]
        return done

    def mails(self) -> list[str]:
        return self.news("mail", [str(message["subject"]) for message in self.mail.messages])

    def chats(self) -> list[str]:
        attachments = [payload["attachments"] for payload in self.chat.messages]
        return self.news("chat", [str(one["title"]) for each in attachments for one in each])

    def news(self, end: str, titles: list[str]) -> list[str]:
        """Return what came since the last look."""
        before, self.read[end] = self.read.get(end, 0), len(titles)
        return titles[before:]


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    now = utc_now()
    world = World(now, clock=utc_now)
    world.project("proj_web", "Website")
    world.api_key("key_prod", "proj_web", "production")
    world.spend(
        now - timedelta(days=3), "1.50", project="proj_web", api_key="key_prod", line_item=INPUT
    )
    with Simulator(world, KEY) as simulator, SmtpEnd() as mail, SlackEnd() as chat:
        channels = channel("mail", mail.url) + channel("chat", "env:SLACK_URL")
        env = chat.environment() | {"SLACK_URL": chat.url}
        rest = account(simulator.url) + channels + WITHOUT_A_GUESS
        run = Program(tmp_path / "guard", rest, env)
        yield Story(run, world, simulator, mail, chat)


def outcome(done: Done) -> str:
    (one,) = done.json["accounts"]
    assert set(one) == {"name", "polled", "findings"}
    return str(one["polled"])


def finding(done: Done, rule: str) -> tuple[str, str, str]:
    """Return what a rule found of the account."""
    (one,) = (each for each in done.json["accounts"][0]["findings"] if each["rule"] == rule)
    assert set(one) == {"rule", "subject", "status", "severity", "step", "summary"}
    return one["status"], one["severity"], one["step"]


def sent(done: Done) -> list[tuple[str, str]]:
    """Return what became of each message."""
    return sorted((one["channel"], one["state"]) for one in done.json["notifications"])


def status(story: Story, *options: str) -> tuple[int, dict[str, Any]]:
    done = story.run("status", "--json", *options)
    return done.code, done.json


def test_an_account_is_watched_from_its_first_check_to_its_last_message(story: Story) -> None:
    meeting(story)
    running_low(story)
    filling_up(story)
    losing_sight(story)
    a_chat_that_refuses(story)
    a_mail_server_that_is_busy(story)

    said = [WELCOME, LOW, LOWER, ENOUGH, BLIND, SEEING, LOW, LOWER, ENOUGH]
    chats = [payload["attachments"][0]["title"] for payload in story.chat.messages]
    assert chats == said
    mails = [message["subject"] for message in story.mail.messages]
    assert mails == [*said[:7], REFUSED, ACCEPTED, *said[7:]]


def meeting(story: Story) -> None:
    """The first check greets both channels, and without a balance nothing is an alarm."""
    first = story.check()
    assert (first.code, outcome(first)) == (0, "ok")
    assert finding(first, "balance-low")[0] == "unknown"
    assert sent(first) == [("chat", "delivered"), ("mail", "delivered")]
    assert (story.mails(), story.chats()) == ([WELCOME], [WELCOME])
    code, told = status(story)
    assert (code, told["accounts"][0]["balance"], told["alerts"]) == (0, None, [])

    assert story.run("balance", "set", "openai-main", "20.00").code == 0
    again = story.check()
    assert (again.code, finding(again, "balance-low")[0], sent(again)) == (0, "clear", [])
    assert (story.mails(), story.chats()) == ([], [])


def running_low(story: Story) -> None:
    """Under the trigger it warns, once; under half of it it says so at once."""
    story.spend("16.00")
    low = story.check()
    assert (low.code, finding(low, "balance-low")) == (2, ("firing", "warning", "trigger"))
    assert (story.mails(), story.chats()) == ([LOW], [LOW])
    code, told = status(story, "--exit-code")
    assert (code, told["accounts"][0]["balance"]["floor"]) == (2, "4.00")

    same = story.check()
    assert (same.code, sent(same), story.mails(), story.chats()) == (2, [], [], [])

    story.spend("1.75")
    lower = story.check()
    assert (lower.code, finding(lower, "balance-low")) == (2, ("firing", "critical", "half"))
    assert (story.mails(), story.chats()) == ([LOWER], [LOWER])


def filling_up(story: Story) -> None:
    """What is acknowledged stays true and quiet, and a deposit ends it at the next check."""
    _, told = status(story)
    (alert,) = (each for each in told["alerts"] if each["rule"] == "balance-low")
    assert not alert["acknowledged"]
    assert story.run("alerts", "ack", alert["id"]).code == 0
    (same,) = (each for each in status(story)[1]["alerts"] if each["id"] == alert["id"])
    assert same == alert | {"acknowledged": True}
    acknowledged = story.check()
    assert (acknowledged.code, sent(acknowledged)) == (2, [])

    assert story.run("deposit", "add", "openai-main", "16.00", "--id", "inv-1").code == 0
    assert story.run("deposit", "add", "openai-main", "16.00", "--id", "inv-1").code == 0
    assert (story.mails(), story.chats()) == ([], [])
    code, told = status(story, "--exit-code")
    assert (code, told["accounts"][0]["balance"]["floor"]) == (0, "18.25")
    assert (story.check().code, story.mails(), story.chats()) == (0, [ENOUGH], [ENOUGH])


def losing_sight(story: Story) -> None:
    """Three polls that fail are blindness, which is neither silence nor an alarm of money."""
    story.simulator.fault(Fault.OVERLOADED)
    for polls in (1, 2, 3):
        failed = story.check(UNAVAILABLE)
        assert (failed.code, outcome(failed)) == (69, "unavailable")
        heard = [BLIND] if polls == 3 else []
        assert (story.mails(), story.chats()) == (heard, heard)
    assert finding(failed, "blind") == ("firing", "warning", "failing")
    assert status(story, "--exit-code")[0] == 69

    story.simulator.clear()
    back = story.check()
    assert (back.code, outcome(back)) == (0, "ok")
    assert (story.mails(), story.chats()) == ([SEEING], [SEEING])


def a_chat_that_refuses(story: Story) -> None:
    """A refused message stays owed, the other channel hears of it, and it arrives once."""
    story.chat.mode = "404"
    story.spend("13.75")
    refused = story.check("channel 'chat': refused (HTTP 404)")
    assert refused.code == 2
    assert ("chat", "retrying") in sent(refused)
    assert (story.mails(), story.chats()) == ([LOW, REFUSED], [])

    story.chat.mode = "ok"
    assert story.check().code == 2
    assert (story.mails(), story.chats()) == ([ACCEPTED], [LOW])


def a_mail_server_that_is_busy(story: Story) -> None:
    """A message that failed for now waits, in its order, and costs the exit code when all is well."""
    story.mail.mode = "451"
    story.spend("2.05")
    assert story.check(BUSY).code == 2
    assert (story.mails(), story.chats()) == ([], [LOWER])
    story.mail.mode = "ok"
    assert story.check().code == 2
    assert (story.mails(), story.chats()) == ([LOWER], [])

    story.mail.mode = "451"
    assert story.run("deposit", "add", "openai-main", "35.00").code == 0
    unsaid = story.check(BUSY)
    assert (unsaid.code, sent(unsaid)) == (1, [("chat", "delivered"), ("mail", "retrying")])
    story.mail.mode = "ok"
    last = story.check()
    assert (last.code, sent(last)) == (0, [("mail", "delivered")])
    assert (story.mails(), story.chats()) == ([ENOUGH], [ENOUGH])
    assert status(story, "--exit-code")[0] == 0
