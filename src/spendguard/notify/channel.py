"""One channel: one Apprise object made of one URL, and its answer read rightly.

Importing this module imports Apprise (a tenth of a second): only what sends may do so.
"""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from importlib import import_module
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat, NotifyType
from apprise.plugins import url_to_dict
from apprise.result import AppriseResult
from apprise.utils.parse import parse_urls

from spendguard.core.errors import SpendguardError
from spendguard.core.findings import Severity
from spendguard.notify.replies import Reply, listening
from spendguard.notify.results import Delivered, Refused

PATIENCE = timedelta(seconds=45)
WORST_SEND = 2 * PATIENCE  # waiting for an earlier send of the same channel, then sending
READ_TIMEOUT = "15"  # Apprise's 4 s make a slow service look dead after it has delivered

# Loading these alone costs a quarter of the memory and a fifth of the time of loading all.
_PLUGINS = {
    "dingtalk": ("dingtalk", "NotifyDingTalk"),
    "discord": ("discord", "NotifyDiscord"),
    "feishu": ("feishu", "NotifyFeishu"),
    "json": ("custom_json", "NotifyJSON"),
    "jsons": ("custom_json", "NotifyJSON"),
    "lark": ("lark", "NotifyLark"),
    "mailto": ("email", "NotifyEmail"),
    "mailtos": ("email", "NotifyEmail"),
    "ntfy": ("ntfy", "NotifyNtfy"),
    "ntfys": ("ntfy", "NotifyNtfy"),
    "pagerduty": ("pagerduty", "NotifyPagerDuty"),
    "slack": ("slack", "NotifySlack"),
    "tgram": ("telegram", "NotifyTelegram"),
    "wecombot": ("wecombot", "NotifyWeComBot"),
}
# These answer 200 to what they refuse, with a code other than 0 in the body, and their plug-ins
# do not look, or not all of them (Apprise 2.2.0 and 2.3.0, seen 2026-11-25).
_CODES = {"dingtalk": "errcode", "feishu": "code", "lark": "code", "wecombot": "errcode"}
_RAW = frozenset({"rockets"})  # shows the backslashes of escaped Markdown: `$5\.00`
_TRY_LATER = frozenset({408, 425, 429})
_TYPES = {
    None: NotifyType.SUCCESS,
    Severity.INFO: NotifyType.INFO,
    Severity.WARNING: NotifyType.WARNING,
    Severity.CRITICAL: NotifyType.FAILURE,
}
_LOGGERS = ("apprise", "urllib3", "requests", "charset_normalizer", "requests_oauthlib")


class Channel:
    """A place notifications go. Its URL is a secret and leaves only towards the far end.

    A send ends within WORST_SEND. Threads may share a channel; it sends one message at a time.
    """

    def __init__(self, name: str, url: str, *, patience: timedelta = PATIENCE) -> None:
        _silence()
        self.name = name
        self._patience = patience.total_seconds()
        self._turn = Lock()
        self._service = _service(name, url)
        self._apprise = Apprise(asset=self._service.asset)
        self._apprise.add(self._service)

    def send(self, title: str, body: str, severity: Severity | None) -> Delivered | Refused:
        """Send one message, `severity` None for one that says an alert is resolved.

        What does not end in time goes on in its thread: it may still arrive.
        """
        if not self._turn.acquire(timeout=self._patience):
            return Refused(permanent=False, why="busy with an earlier message")
        outcomes: SimpleQueue[Delivered | Refused] = SimpleQueue()
        work = Thread(
            target=self._work, args=(outcomes, title, body, _TYPES[severity]), daemon=True
        )
        try:
            work.start()
        except RuntimeError:
            self._turn.release()
            return Refused(permanent=False, why="not sent: no thread left on this machine")
        try:
            return outcomes.get(timeout=self._patience)
        except Empty:
            why = f"no answer within {self._patience:.0f} s; the message may have arrived"
            return Refused(permanent=False, why=why)

    def _work(
        self,
        outcomes: SimpleQueue[Delivered | Refused],
        title: str,
        body: str,
        kind: NotifyType,
    ) -> None:
        try:
            outcomes.put(self._notify(title, body, kind))
        except Exception as error:  # noqa: BLE001 - a plug-in may raise anything, its URL included
            outcomes.put(Refused(permanent=False, why=f"failed here ({type(error).__name__})"))
        finally:
            self._turn.release()

    def _notify(self, title: str, body: str, kind: NotifyType) -> Delivered | Refused:
        schema = str(self._service.secure_protocol)
        text = None if schema in _RAW else NotifyFormat.TEXT
        with listening() as replies:
            result = self._apprise.notify(body, title=title, notify_type=kind, body_format=text)
        return _outcome(result, replies, _CODES.get(schema))


def _outcome(result: AppriseResult, replies: list[Reply], key: str | None) -> Delivered | Refused:
    """Judge by truth, then by the codes that were heard; never by anybody's text.

    A mail to two that one of them accepted is not delivered: it is sent again, to both.
    """
    codes = [code for reply in replies if key and (code := _code(reply, key))]
    status = replies[-1].status if replies else None
    if result and not codes:
        return Delivered(status)
    bad = [reply for reply in replies if reply.status >= 300]
    if bad:
        return _refusal(bad[-1])
    if codes:
        return Refused(permanent=False, why=f"refused (code {codes[-1]})", status=status)
    why = "not accepted" if replies else "no answer, or not accepted"
    return Refused(permanent=False, why=why, status=status)


def _refusal(reply: Reply) -> Refused:
    what = "unavailable"
    if reply.status < 400:
        what = "redirected, which is not followed"
    elif reply.status == 429:
        what = "rate limited"
    elif reply.status < 500:
        what = "refused"
    permanent = 400 <= reply.status < 500 and reply.status not in _TRY_LATER
    why = f"{what} (HTTP {reply.status})"
    return Refused(permanent, why, reply.retry_after, reply.status)


def _code(reply: Reply, key: str) -> int:
    try:
        answer = json.loads(reply.body)
    except ValueError:
        return 0
    code = answer.get(key) if isinstance(answer, dict) else None
    return code if isinstance(code, int) else 0


def _service(name: str, url: str) -> NotifyBase:
    """Return the plug-in for a URL, set so that one send is one try and no sleep."""
    if len(parse_urls(url)) > 1:  # type: ignore[no-untyped-call]
        raise SpendguardError(f"channel '{name}' has more than one URL", "make one channel of each")
    try:
        service = _plugin(url.strip())
    except Exception:  # noqa: BLE001 - a plug-in may raise anything, its URL included
        service = None
    if service is None or not service.enabled:
        raise SpendguardError(
            f"channel '{name}' has a URL that Apprise does not understand",
            "write it as docs/channels.md shows, for example slack://A/B/C/#alerts",
        )
    # Waiting is the outbox's business. Apprise sleeps up to 5.5 s between two sends, by the wall
    # clock: after a clock jump it would sleep as long as the jump.
    service.request_rate_per_sec = 0
    return service


def _plugin(url: str) -> NotifyBase | None:
    schema = url.partition("://")[0].lower()
    if schema not in _PLUGINS:
        parts = url_to_dict(url)  # type: ignore[no-untyped-call]
        return Apprise.instantiate(parts | _manners(parts), asset=_asset()) if parts else None
    module, name = _PLUGINS[schema]
    plugin: type[NotifyBase] = getattr(import_module(f"apprise.plugins.{module}"), name)
    parts = plugin.parse_url(url.replace("/#", "/%23"))  # as Apprise itself does
    return plugin(**(parts | _manners(parts)), asset=_asset()) if parts else None


def _manners(parts: dict[str, object]) -> dict[str, object]:
    """Return what every URL gets: failures count, no retry inside a send, long text is split."""
    return {
        "optional": False,
        "retry": 0,
        "overflow": parts.get("overflow", "split"),
        "rto": parts.get("rto", READ_TIMEOUT),
    }


def _asset() -> AppriseAsset:
    """Return our name in place of Apprise's, no pictures, no threads, no redirects.

    A POST that follows a redirect becomes a GET: a login page would count as delivered.
    """
    return AppriseAsset(
        app_id="spendguard",
        app_desc="spendguard",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        image_path_mask="",
        async_mode=False,
        http_redirects=False,
        language="en",
        service_timeout=0,
    )


def _silence() -> None:
    """Keep the loggers that print tokens to themselves, whatever the level of ours."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL)
        logger.propagate = False
