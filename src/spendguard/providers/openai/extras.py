"""Extras: limits, alerts, names and the expiry of our own key. None of it is needed to guard."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar
from urllib.parse import quote

import msgspec

from spendguard.core.errors import ErrorKind, ProviderError
from spendguard.core.money import Money
from spendguard.core.readings import Extras, Limit, Name, OwnKey
from spendguard.core.readings import SpendAlert as Alert
from spendguard.providers.base import Api, Params
from spendguard.providers.openai.shapes import (
    AdminKey,
    ApiKey,
    ListPage,
    Part,
    Project,
    SpendAlert,
    SpendLimit,
    known,
    money,
    read,
    wrong,
)

T = TypeVar("T")
P = TypeVar("P", bound=Part)

ORGANIZATION = "/organization"
PER_PAGE = 100
MOST_PAGES = 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MASK = re.compile(r"[.*…•]+")


def read_extras(
    api: Api, key: str, currency: str, projects: Collection[str], *, names: bool
) -> Extras:
    """Return what could be read; what could not is None, and its kind of failure is told."""
    failures: dict[str, ErrorKind] = {}

    def part(name: str, call: Callable[[], T]) -> T | None:
        try:
            return call()
        except ProviderError as error:
            failures[name] = error.kind
            return None

    own_key = part("own_key", lambda: _own_key(api, key))
    told: list[Name] = []
    if names:
        part("names", lambda: _read_names(api, projects, told))
    # Projects seen for the first time are asked at once: a limit that is first seen later would
    # look as if somebody had just set it.
    active = {name.id for name in told if name.kind == "project" and name.active}
    scopes = ["", *sorted({project for project in projects if project} | active)]
    limits = part("limits", lambda: tuple(_limits(api, scopes, currency)))
    alerts = part("alerts", lambda: tuple(_alerts(api, scopes, currency)))
    unknown = not names or ("names" in failures and not told)
    return Extras(limits, alerts, own_key, None if unknown else tuple(told), failures)


def _limits(api: Api, projects: Collection[str], currency: str) -> Iterator[Limit]:
    for project in projects:
        limit = _limit(api, f"{_scope(project)}/spend_limit")
        if limit is None or limit.threshold_amount is None or limit.interval != "month":
            continue
        status = (limit.enforcement or {}).get("status")
        threshold = _cents(limit.threshold_amount, limit.currency or currency)
        yield Limit(project, threshold, status == "enforcing")


def _limit(api: Api, path: str) -> SpendLimit | None:
    try:
        body = api.get(path, msgspec.Raw)
    except ProviderError as error:
        if error.status == 404:
            return None
        raise
    return None if bytes(body).strip() == b"null" else read(body, SpendLimit)


def _alerts(api: Api, projects: Collection[str], currency: str) -> Iterator[Alert]:
    for project in projects:
        kind = "project.spend_alert" if project else "organization.spend_alert"
        for alert in _listed(api, f"{_scope(project)}/spend_alerts", kind, SpendAlert):
            if alert.interval == "month":
                threshold = _cents(alert.threshold_amount, alert.currency or currency)
                yield Alert(project, alert.id, threshold)


def _read_names(api: Api, spending: Collection[str], names: list[Name]) -> None:
    """Append names to `names`: of projects, then of their keys, those that spend first.

    What was read before a failure is true, and thousands of projects take longer than one poll.
    """
    path, archived = f"{ORGANIZATION}/projects", [("include_archived", "true")]
    projects = list(_listed(api, path, "organization.project", Project, archived))
    names += [Name("project", each.id, each.name or "", _active(each)) for each in projects]
    for project in sorted(projects, key=lambda each: each.id not in spending):
        names += _key_names(api, project)


def _active(project: Project) -> bool:
    return project.archived_at is None and project.status != "archived"


def _key_names(api: Api, project: Project) -> Iterator[Name]:
    path = f"{_scope(project.id)}/api_keys"
    everyone = [("owner_project_access", "any")]  # by default some enabled keys are left out
    for key in _listed(api, path, "organization.project.api_key", ApiKey, everyone):
        usable = _active(project) and key.owner_project_access != "inactive"
        yield Name("api_key", key.id, key.name or "", usable)


def _own_key(api: Api, key: str) -> OwnKey | None:
    """Return when our key expires; None when the list does not show it, or not to us.

    Only the ends of a key are shown: where several fit, the earliest expiry counts.
    """
    path, kind = f"{ORGANIZATION}/admin_api_keys", "organization.admin_api_key"
    ours = [shown for shown in _listed(api, path, kind, AdminKey) if _fits(shown, key)]
    if not ours:
        return None
    ends = [shown.expires_at for shown in ours if shown.expires_at is not None]
    return OwnKey(_instant(min(ends)) if ends else None)


def _fits(shown: AdminKey, key: str) -> bool:
    head, *rest = _MASK.split(shown.redacted_value, maxsplit=1)
    tail = rest[0] if rest else ""
    if not rest:
        return head == key
    return bool(head or tail) and key.startswith(head) and key.endswith(tail)


def _listed(api: Api, path: str, kind: str, shape: type[P], params: Params = ()) -> Iterator[P]:
    """Yield the whole of a list; a 404 is an empty one."""
    asked: list[tuple[str, str | int]] = [*params, ("limit", PER_PAGE)]
    cursors: set[str] = set()
    for _ in range(MOST_PAGES):
        page = api.get(path, ListPage, asked) if cursors else _first_page(api, path, asked)
        yield from known(page.data, kind, shape)
        if not page.has_more:
            return
        if page.last_id is None or page.last_id in cursors:
            raise wrong("sent a page that does not lead to the next one")
        cursors.add(page.last_id)
        asked = [*params, ("limit", PER_PAGE), ("after", page.last_id)]
    raise wrong(f"sent more than {MOST_PAGES} pages")


def _first_page(api: Api, path: str, params: Params) -> ListPage:
    try:
        return api.get(path, ListPage, params)
    except ProviderError as error:
        if error.status == 404:
            return ListPage(msgspec.Raw(b"[]"))
        raise


def _scope(project: str) -> str:
    return f"{ORGANIZATION}/projects/{quote(project, safe='')}" if project else ORGANIZATION


def _cents(amount: int, currency: str) -> Money:
    return money(Decimal(amount).scaleb(-2), currency)


def _instant(seconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise wrong("states an instant that is none") from None
