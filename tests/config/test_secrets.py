from __future__ import annotations

import logging
from pathlib import Path

import pytest

from spendguard.config.secrets import check_reference, readable_by_everyone, resolve
from spendguard.core.errors import SpendguardError

CANARY = "sk-admin-CANARY"


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_comes_from_where_its_reference_says(end: str, tmp_path: Path) -> None:
    (tmp_path / "openai").write_text(CANARY + end, newline="")
    env = {"KEY": CANARY + end, "CREDENTIALS_DIRECTORY": str(tmp_path)}
    for reference in ("env:KEY", f"file:{tmp_path}/openai", "credential:openai", CANARY):
        assert resolve(reference, env).get_secret_value() == CANARY
    assert resolve("file:openai", {}, base=tmp_path).get_secret_value() == CANARY


def test_a_url_that_is_no_reference_is_itself_the_secret() -> None:
    assert resolve("slack://a/b/c", {}).get_secret_value() == "slack://a/b/c"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("env:KEY", "environment variable 'KEY' is not set"),
        ("env:EMPTY", "environment variable 'EMPTY' is empty"),
        ("env:TWO", "environment variable 'TWO' holds more than one line of text"),
        ("file:absent", "file 'absent' cannot be read: no such file or directory"),
        ("file:binary", "file 'binary' is not text"),
        ("file:a\0b", "file 'a\\x00b' cannot be read: not a path"),
        ("credential:openai", "credential 'openai' needs systemd, which hands out no credentials"),
        (f"env:{CANARY}CANARYCANARY", "environment variable (not shown) is not set"),
    ],
)
def test_a_secret_that_is_not_there_is_named_but_never_shown(
    reference: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "binary").write_bytes(b"\xffCANARY")
    env = {"EMPTY": " ", "TWO": f"{CANARY}\n{CANARY}"}
    with pytest.raises(SpendguardError) as caught:
        resolve(reference, env, base=tmp_path)
    assert caught.value.message.startswith(message)
    assert caught.value.hint
    assert "CANARY" not in caught.value.message + caught.value.hint
    assert caught.value.__cause__ is None
    problem = check_reference(reference, env, base=tmp_path)
    assert problem is not None
    assert problem.message == caught.value.message


def test_a_reference_that_resolves_is_no_problem() -> None:
    assert check_reference("env:KEY", {"KEY": CANARY}) is None


def test_a_resolved_secret_does_not_print(caplog: pytest.LogCaptureFixture) -> None:
    secret = resolve("env:KEY", {"KEY": CANARY})
    logging.getLogger("test").warning("found %s", secret)
    assert CANARY not in f"{secret} {secret!r} {caplog.text}"


def test_only_a_file_can_be_readable_by_everyone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(CANARY)
    path.chmod(0o644)
    assert readable_by_everyone("file:key", {}, base=tmp_path)
    path.chmod(0o600)
    assert not readable_by_everyone("file:key", {}, base=tmp_path)
    assert not readable_by_everyone("file:absent", {}, base=tmp_path)
    assert not readable_by_everyone("env:KEY", {})
