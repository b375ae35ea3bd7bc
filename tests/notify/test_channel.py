"""Channels speak through Apprise's real plug-ins to real servers on this machine."""

from __future__ import annotations

import logging
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from spendguard.core.errors import SpendguardError
from spendguard.core.findings import Severity
from spendguard.notify.channel import PATIENCE, WORST_SEND, Channel
from spendguard.notify.results import Delivered, Refused
from spendguard.pipeline.deliver import LEASE
from tests.ends import HttpEnd, SlackEnd, SmtpEnd

pytestmark = [
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:System time is way off"),  # urllib3 sees 1999
]

CANARY = "CanaryCanaryCanary123456"
TITLE = "CRITICAL balance-low openai-main"
BODY = """\
$5.00 left of <b>ten</b> & *all* _that_ snake_case_name #1.
- burn 1.2 USD/h, `code`, [text](link), ~tilde~
余额不足"""


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackEnd]:
    with SlackEnd() as end:
        for name, value in end.environment().items():
            monkeypatch.setenv(name, value)
        yield end


@pytest.fixture
def webhook() -> Iterator[HttpEnd]:
    with HttpEnd() as end:
        yield end


@pytest.fixture
def mail() -> Iterator[SmtpEnd]:
    with SmtpEnd() as end:
        yield end


def send(url: str, severity: Severity | None = Severity.CRITICAL) -> Delivered | Refused:
    return Channel("ops", url).send(TITLE, BODY, severity)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class TestTextArrivesWhole:
    def test_at_slack(self, slack: SlackEnd) -> None:
        assert send(slack.url) == Delivered()

        [message] = slack.messages
        del message["attachments"][0]["ts"]
        # Slack shows &lt; as <: its three entities are the only escapes it knows
        text = BODY.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        assert message == {
            "mrkdwn": False,
            "channel": "#alerts",
            "attachments": [
                {"title": TITLE, "text": text, "color": "#A32037", "footer": "spendguard"}
            ],
        }

    def test_at_discord(self, slack: SlackEnd) -> None:
        assert send(slack.discord_url) == Delivered()
        assert slack.messages == [
            {"tts": False, "wait": True, "content": f"{TITLE}\r\n{BODY}"},
        ]

    def test_at_telegram(self, slack: SlackEnd) -> None:
        assert send(slack.telegram_url) == Delivered()
        [message] = slack.messages
        assert message["parse_mode"] == "HTML"
        assert message["text"].split("\r\n") == [
            f"<b>{TITLE}</b>",
            "$5.00 left of &lt;b&gt;ten&lt;/b&gt; &amp; *all* _that_ snake_case_name #1.",
            "- burn 1.2 USD/h, `code`, [text](link), ~tilde~",
            "余额不足",
        ]

    @pytest.mark.parametrize(
        ("name", "path"),
        [
            ("wecom_url", ("text", "content")),
            ("feishu_url", ("content", "text")),
            ("dingtalk_url", ("text", "content")),
        ],
    )
    def test_at_the_chat_services_of_china(
        self, slack: SlackEnd, name: str, path: tuple[str, str]
    ) -> None:
        assert send(getattr(slack, name)) == Delivered()
        [message] = slack.messages
        assert message[path[0]][path[1]] == f"{TITLE}\r\n{BODY}"

    def test_at_rocket_chat(self, webhook: HttpEnd) -> None:
        webhook.reply = '{"success": true}'
        url = f"rocket://0123456789/abcdefghijklmnop@127.0.0.1:{webhook.port}/#alerts"
        assert send(url) == Delivered()
        assert BODY in repr(webhook.messages).replace("\\n", "\n")

    def test_in_a_mail(self, mail: SmtpEnd) -> None:
        assert send(mail.url) == Delivered()
        [message] = mail.messages
        assert message["Subject"] == TITLE
        assert message["To"] == "ops@example.com"
        assert message["X-Application"] == "spendguard"
        assert message.get_content_type() == "text/plain"
        assert message.get_content().replace("\r\n", "\n") == f"{BODY}\n"

    @pytest.mark.parametrize(
        ("severity", "kind"),
        [
            (Severity.CRITICAL, "failure"),
            (Severity.WARNING, "warning"),
            (Severity.INFO, "info"),
            (None, "success"),
        ],
    )
    def test_at_a_webhook_with_its_severity(
        self, webhook: HttpEnd, severity: Severity | None, kind: str
    ) -> None:
        assert send(webhook.url, severity) == Delivered()
        assert webhook.messages == [
            {"version": "1.0", "title": TITLE, "message": BODY, "attachments": [], "type": kind}
        ]

    def test_and_what_is_too_long_for_one_message_comes_in_several(self, slack: SlackEnd) -> None:
        lines = [f"line {number} of what happened" for number in range(200)]
        channel = Channel("ops", slack.discord_url)

        assert channel.send(TITLE, "\n".join(lines), Severity.WARNING) == Delivered()

        texts = [message["content"] for message in slack.messages]
        assert len(texts) > 1
        assert all(len(text) <= 2000 for text in texts)
        assert all(any(line in text for text in texts) for line in lines)

    def test_under_our_name_only(self, slack: SlackEnd, webhook: HttpEnd) -> None:
        send(slack.url)
        send(slack.discord_url + "?format=markdown&image=yes&footer=yes")
        send(webhook.url)
        for request in slack.requests + webhook.requests:
            assert request.headers["User-Agent"] == "spendguard"
            assert "apprise" not in repr(request).lower()


class TestWhatIsNotDelivered:
    @pytest.mark.parametrize(
        ("mode", "refused"),
        [
            ("404", Refused(permanent=True, why="refused (HTTP 404)")),
            ("403", Refused(permanent=True, why="refused (HTTP 403)")),
            ("408", Refused(permanent=False, why="refused (HTTP 408)")),
            ("429", Refused(permanent=False, why="rate limited (HTTP 429)")),
            ("500", Refused(permanent=False, why="unavailable (HTTP 500)")),
            ("503", Refused(permanent=False, why="unavailable (HTTP 503)")),
            ("302", Refused(permanent=False, why="redirected, which is not followed (HTTP 302)")),
            ("drop", Refused(permanent=False, why="no answer, or not accepted")),
        ],
    )
    @pytest.mark.parametrize("service", ["slack", "json"])
    def test_is_named(
        self, slack: SlackEnd, webhook: HttpEnd, service: str, mode: str, refused: Refused
    ) -> None:
        end = slack if service == "slack" else webhook
        end.mode = mode
        assert send(end.url) == refused
        assert len(end.requests) == 1, "a retry is a due time in the outbox"
        assert end.messages == []

    @pytest.mark.parametrize(("mode", "status"), [("503", 503), ("ok", 200), ("drop", None)])
    def test_its_http_status_is_told_for_people(
        self, webhook: HttpEnd, mode: str, status: int | None
    ) -> None:
        webhook.mode = mode
        assert send(webhook.url).status == status

    @pytest.mark.parametrize(
        ("header", "asked"),
        [
            ("7", timedelta(seconds=7)),
            ("0.4", timedelta(0)),
            ("Fri, 31 Dec 2027 23:59:59 GMT", None),
            ("-3", None),
            ("9" * 40, None),
        ],
    )
    def test_comes_back_when_the_far_end_asks(
        self, webhook: HttpEnd, header: str, asked: timedelta | None
    ) -> None:
        webhook.mode, webhook.retry_after = "429", header
        assert send(webhook.url) == Refused(
            permanent=False, why="rate limited (HTTP 429)", retry_after=asked
        )

    @pytest.mark.parametrize(
        ("name", "reply"),
        [
            ("wecom_url", '{"errcode": 93000, "errmsg": "invalid webhook url"}'),
            ("dingtalk_url", '{"errcode": 310000, "errmsg": "keywords not in content"}'),
            ("feishu_url", '{"code": 19024, "msg": "Key Words Not Found"}'),
        ],
    )
    def test_is_seen_in_an_answer_that_says_200(
        self, slack: SlackEnd, name: str, reply: str
    ) -> None:
        slack.reply = reply
        outcome = send(getattr(slack, name))
        assert isinstance(outcome, Refused)
        assert outcome.why.startswith("refused (code ")

    def test_and_the_code_of_any_other_webhook_is_its_own(self, webhook: HttpEnd) -> None:
        webhook.reply = '{"code": 200, "errcode": 1}'
        assert send(webhook.url) == Delivered()

    @pytest.mark.parametrize("mode", ["451", "550"])
    def test_by_a_mail_server(self, mail: SmtpEnd, mode: str) -> None:
        mail.mode = mode
        assert send(mail.url) == Refused(permanent=False, why="no answer, or not accepted")
        assert mail.messages == []

    def test_to_one_of_two_is_not_delivered(self, mail: SmtpEnd) -> None:
        mail.refused.add("gone@example.com")
        outcome = send(mail.url + ",gone@example.com")
        assert isinstance(outcome, Refused)
        assert mail.recipients == [["ops@example.com"]]

    def test_because_it_is_optional_is_refused_all_the_same(self, webhook: HttpEnd) -> None:
        webhook.mode = "500"
        outcome = send(webhook.url + "?optional=yes&retry=5&wait=9")
        assert outcome == Refused(permanent=False, why="unavailable (HTTP 500)")
        assert len(webhook.requests) == 1

    @pytest.mark.parametrize(
        "url", ["json://127.0.0.1:{}/", "mailto://127.0.0.1:{}?from=a@b.example&to=c@b.example"]
    )
    def test_at_a_dead_port(self, url: str) -> None:
        outcome = send(url.format(free_port()))
        assert outcome == Refused(permanent=False, why="no answer, or not accepted")

    def test_through_a_dead_proxy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
        outcome = send(SlackEnd.url)
        assert outcome == Refused(permanent=False, why="no answer, or not accepted")

    def test_when_the_certificate_is_foreign(
        self, slack: SlackEnd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        outcome = send(slack.url)
        assert outcome == Refused(permanent=False, why="no answer, or not accepted")
        assert slack.requests == []


class TestTime:
    def test_a_slow_answer_is_waited_for(self, webhook: HttpEnd) -> None:
        webhook.mode, webhook.delay = "delay", timedelta(seconds=0.3)
        assert send(webhook.url) == Delivered()

    def test_a_send_ends_though_the_far_end_does_not(self, webhook: HttpEnd) -> None:
        webhook.mode, webhook.delay = "delay", timedelta(seconds=30)
        channel = Channel("ops", webhook.url, patience=timedelta(seconds=0.2))

        outcome = channel.send(TITLE, BODY, Severity.CRITICAL)
        busy = channel.send(TITLE, BODY, Severity.CRITICAL)

        assert isinstance(outcome, Refused)
        assert not outcome.permanent
        assert "may have arrived" in outcome.why
        assert busy == Refused(permanent=False, why="busy with an earlier message")
        assert len(webhook.messages) == 1, "it did arrive"

    def test_the_worst_is_a_turn_and_a_send_and_shorter_than_the_lease(self) -> None:
        assert 2 * PATIENCE == WORST_SEND < LEASE

    def test_two_sends_do_not_wait_for_each_other_by_the_clock(self, mail: SmtpEnd) -> None:
        channel = Channel("ops", mail.url)
        for _ in range(3):
            assert channel.send(TITLE, BODY, Severity.WARNING) == Delivered()
        assert len(mail.messages) == 3

    def test_threads_share_a_channel(self, webhook: HttpEnd) -> None:
        channel = Channel("ops", webhook.url)
        with ThreadPoolExecutor(8) as pool:
            outcomes = list(
                pool.map(lambda n: channel.send(TITLE, f"message {n}", None), range(24))
            )
        assert outcomes == [Delivered()] * 24
        assert sorted(message["message"] for message in webhook.messages) == sorted(
            f"message {n}" for n in range(24)
        )

    def test_each_thread_hears_its_own_reply(self, webhook: HttpEnd) -> None:
        with HttpEnd() as other:
            other.mode = "404"
            good, bad = Channel("good", webhook.url), Channel("bad", other.url)
            with ThreadPoolExecutor(8) as pool:
                outcomes = list(
                    pool.map(lambda n: (good, bad)[n % 2].send(TITLE, BODY, None), range(24))
                )
        assert outcomes == [Delivered(), Refused(permanent=True, why="refused (HTTP 404)")] * 12


class TestSecrets:
    @pytest.mark.parametrize("mode", ["ok", "404", "500", "drop"])
    def test_a_token_reaches_the_far_end_and_nobody_else(
        self,
        slack: SlackEnd,
        mode: str,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        caplog.set_level(logging.DEBUG)
        slack.mode = mode
        slack.reply = f"echo of {CANARY}"
        channel = Channel("ops", f"slack://T1JJ3T3L2/A1BRTD4JD/{CANARY}/#alerts")

        outcome = channel.send(TITLE, BODY, Severity.CRITICAL)

        assert CANARY in slack.requests[0].path
        shown = [repr(outcome), repr(channel), caplog.text, *capfd.readouterr()]
        assert not any(CANARY in text for text in shown)
        assert not any(record.name.startswith(("apprise", "urllib3")) for record in caplog.records)

    @pytest.mark.parametrize(
        "url",
        [
            "",
            CANARY,
            f"slack://{CANARY}",
            f"nosuch://{CANARY}/x",
            f"https://example.com/{CANARY}",
            f"mailto://{CANARY}:99999999",
            f"discord://{CANARY}",
            f"gotify://{CANARY}",
            f"json://user:{CANARY}@?rto=soon",
            f"json://127.0.0.1/{CANARY}, json://127.0.0.1/second",
        ],
    )
    def test_a_url_that_is_not_understood_is_not_shown(
        self, url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(logging.DEBUG)
        with pytest.raises(SpendguardError) as caught:
            Channel("ops", url)
        assert "'ops'" in caught.value.message
        assert caught.value.hint
        assert caught.value.__cause__ is None
        shown = [str(caught.value), caught.value.hint, caplog.text, *capfd.readouterr()]
        assert not any(CANARY in text for text in shown)


class TestEveryService:
    @pytest.mark.parametrize(
        "url",
        [
            "ntfy://ntfy.sh/topic",
            "pagerduty://0123456789abcdefghij@0123456789abcdefghij0123456789abcdefghij",
            "lark://0123456789abcdef0123456789abcdef",
            "gotify://example.com/token",
            "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        ],
    )
    def test_that_apprise_knows_can_be_a_channel(self, url: str) -> None:
        assert Channel("ops", url).name == "ops"

    def test_only_the_plugin_of_the_channel_is_loaded(self) -> None:
        code = (
            "import sys\n"
            "from spendguard.notify.channel import Channel\n"
            f"Channel('ops', {SlackEnd.url!r})\n"
            "loaded = [name for name in sys.modules if name.startswith('apprise.plugins.')]\n"
            "print(sorted(name for name in loaded if name.count('.') == 2))\n"
        )
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        )
        assert done.stdout.strip() == "['apprise.plugins.base', 'apprise.plugins.slack']"


def test_a_child_process_is_led_to_the_same_end(slack: SlackEnd) -> None:
    code = (
        "from spendguard.notify.channel import Channel\n"
        f"print(Channel('ops', {SlackEnd.url!r}).send('INFO a b', 'text', None))\n"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | slack.environment(),
    )
    assert (done.stdout, done.stderr) == ("Delivered(status=200)\n", "")
    assert len(slack.messages) == 1


def test_every_url_of_the_page_is_understood() -> None:
    page = (Path(__file__).parents[2] / "docs" / "channels.md").read_text(encoding="utf-8")
    urls = re.findall(r"\| `([a-z]+://[^`]+)` \|", page)
    assert len(urls) > 10
    for url in urls:
        Channel("ops", url)
