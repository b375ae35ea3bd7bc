"""What is kept of a reply names nobody."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from spendguard.providers.base.scrub import LONGEST, scrubbed
from tests.providers.asking import (
    DATA,
    FIRST,
    KEY,
    WEEK,
    always,
    asking,
    bucket,
    by_path,
    ok,
    page,
    recorded,
    result,
)


@pytest.mark.parametrize(
    "path", sorted((DATA / "openai").glob("*.json")), ids=lambda path: path.stem
)
def test_recorded_replies_keep_no_name_address_or_key(path: object) -> None:
    body = (DATA / "openai" / str(path)).read_bytes()

    kept = scrubbed(body, KEY)

    for private in (
        "First Last",
        "My API Key",
        "example.com",
        "Service Account",
        "sk-",
        "Main Admin",
    ):
        assert private not in kept
    assert json.loads(kept).keys() == json.loads(body).keys()


def test_figures_and_ids_stay_as_they_came() -> None:
    body = b'{"amount": {"value": 0.12345678901234567890123}, "id": "proj_abc", "name": "secret"}'

    kept = scrubbed(body, KEY)

    assert json.loads(kept, parse_float=Decimal) == {
        "amount": {"value": Decimal("0.12345678901234567890123")},
        "id": "proj_abc",
        "name": "-",
    }


@pytest.mark.parametrize(
    "text",
    [
        f'{{"error": "bad {KEY}!"}}',
        '{"error": "\\u0073k-admin-\\u0061bc"}',
        '{"bob\\u0040example.com": 1}',
        '{"a": [["mail bob@example.com now"]]}',
        '{"\\u006eame": "bob@example.com"}',
        f"<html>{KEY} bob@example.com sk-admin-abc</html>",
        '[{"name": "bob", "email": "bob@exa',
        '{"recipients": ["bob"], "owner": {"x": "bob"}, "redacted_value": "sk-admin...abc"}',
    ],
)
def test_secrets_and_people_are_found_wherever_they_stand(text: str) -> None:
    kept = scrubbed(text.encode(), KEY)

    for private in (KEY, "bob", "example", "sk-", "abc"):
        assert private not in kept


def test_a_key_of_no_known_form_is_found_too() -> None:
    assert "gateway" not in scrubbed(b'{"error": "no such key: gateway-key"}', "gateway-key")


@pytest.mark.parametrize(
    "body",
    [json.dumps(["x" * 50] * 50_000).encode(), b"x" * 5_000_000, b"[" * 5_000_000, b"\xff\x00" * 9],
    ids=["JSON", "text", "nested", "bytes"],
)
def test_what_is_kept_is_short(body: bytes) -> None:
    kept = scrubbed(body, KEY)

    assert len(kept) <= LONGEST
    assert "\0" not in kept


def test_good_replies_that_nobody_wants_are_left_out() -> None:
    provider = asking(by_path(admin_api_keys=ok(recorded("admin_api_keys"))))
    provider.extras(names=False, projects=[])

    replies = provider.replies({"/organization/admin_api_keys", "/organization/spend_limit"})

    assert [(reply.path, reply.status) for reply in replies] == [
        ("/organization/spend_limit", 404),
        ("/organization/spend_alerts", 404),
    ]


def test_a_long_reply_is_scrubbed_and_cut_once() -> None:
    days = [bucket(FIRST, result(1, line_item="x" * 200)) for _ in range(3_000)]
    provider = asking(always(ok(page(*days))))
    provider.costs(WEEK)

    [reply] = provider.replies()

    assert len(reply.body) == LONGEST
    assert reply.body.startswith('{"object":"page"')


def test_replies_are_handed_out_once() -> None:
    provider = asking(by_path(admin_api_keys=ok(recorded("admin_api_keys"))))
    provider.extras(names=False, projects=[])

    replies = provider.replies()

    assert [(reply.path, reply.status) for reply in replies] == [
        ("/organization/admin_api_keys", 200),
        ("/organization/spend_limit", 404),
        ("/organization/spend_alerts", 404),
    ]
    assert "My Service Account" not in replies[0].body
    assert provider.replies() == []
