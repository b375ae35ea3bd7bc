from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from spendguard.config import locate as locating
from spendguard.config.locate import find_config, locate
from spendguard.core.errors import ConfigError

Write = Callable[[str], Path]


class TestTheConfiguration:
    def test_is_the_first_that_is_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        system = tmp_path / "etc.toml"
        monkeypatch.setattr(locating, "SYSTEM_CONFIG", str(system))
        here, user = Path("spendguard.toml"), tmp_path / "xdg/spendguard/config.toml"
        explicit, named = tmp_path / "explicit.toml", tmp_path / "named.toml"
        user.parent.mkdir(parents=True)
        for path in (here, user, system, explicit, named):
            path.touch()
        env = {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}

        assert find_config(str(explicit), env | {"SPENDGUARD_CONFIG": str(named)}) == str(explicit)
        assert find_config(None, env | {"SPENDGUARD_CONFIG": str(named)}) == str(named)
        assert find_config(None, env) == str(here)
        here.unlink()
        assert find_config(None, env) == str(user)
        user.unlink()
        assert find_config(None, env) == str(system)
        system.unlink()
        with pytest.raises(ConfigError, match="no configuration: looked for") as caught:
            find_config(None, env)
        assert "spendguard init" in caught.value.hint

    def test_of_the_user_is_under_home_by_default(self, tmp_path: Path) -> None:
        path = tmp_path / ".config/spendguard/config.toml"
        path.parent.mkdir(parents=True)
        path.touch()
        for ignored in ({}, {"XDG_CONFIG_HOME": ""}, {"XDG_CONFIG_HOME": "relative"}):
            assert find_config(None, {"HOME": str(tmp_path)} | ignored) == str(path)

    @pytest.mark.parametrize("name", ["absent.toml", "."])
    def test_that_is_named_must_be_a_file(self, name: str) -> None:
        with pytest.raises(ConfigError, match="which --config names"):
            find_config(name, {})
        with pytest.raises(ConfigError, match=r"which \$SPENDGUARD_CONFIG names"):
            find_config(None, {"SPENDGUARD_CONFIG": name})

    def test_that_cannot_be_looked_at_is_passed_over_unless_it_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(locating, "SYSTEM_CONFIG", str(tmp_path / "absent.toml"))
        beyond = "x" * 5000  # the system refuses to look, as it does without permission
        with pytest.raises(ConfigError, match="no configuration: looked for"):
            find_config(None, {"XDG_CONFIG_HOME": f"/{beyond}"})
        with pytest.raises(ConfigError, match=r"cannot read .*: file name too long"):
            locate(find_config(beyond, {}), {})


class TestTheDatabase:
    @pytest.mark.parametrize(
        ("env", "user", "path"),
        [
            pytest.param({}, 0, "/var/lib/spendguard/spendguard.db", id="of root"),
            pytest.param(
                {"STATE_DIRECTORY": "/var/lib/guard:/x"},
                999,
                "/var/lib/guard/spendguard.db",
                id="of the service",
            ),
            pytest.param(
                {"XDG_STATE_HOME": "/s"}, 999, "/s/spendguard/spendguard.db", id="of a user"
            ),
            pytest.param(
                {"HOME": "/h"}, 999, "/h/.local/state/spendguard/spendguard.db", id="by default"
            ),
        ],
    )
    def test_has_its_usual_place(
        self,
        env: dict[str, str],
        user: int,
        path: str,
        write: Write,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: user)
        located = locate(write(""), env)
        assert located.database == path
        assert located.url == f"sqlite:///{path}"
        assert located.timezone == "UTC"

    def test_of_the_service_is_found_by_whoever_asks_with_its_configuration(
        self, write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write("")
        monkeypatch.setattr(locating, "SYSTEM_CONFIG", str(path))
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        found = locate(path, {"HOME": "/home/ada"}).database
        assert found == "/var/lib/spendguard/spendguard.db"

    def test_is_where_the_file_says_and_the_environment_above_it(self, write: Write) -> None:
        path = write('timezone = "Asia/Shanghai"\n[database]\nurl = "sqlite:////srv/a.db"')
        assert locate(path, {}).database == "/srv/a.db"
        assert locate(path, {}).timezone == "Asia/Shanghai"
        env = {"SPENDGUARD_DATABASE__URL": "sqlite:////srv/b.db", "SPENDGUARD_TIMEZONE": "UTC"}
        assert locate(path, env).url == "sqlite:////srv/b.db"
        assert locate(path, env).timezone == "UTC"

    def test_lies_beside_the_configuration_when_its_path_is_relative(self, write: Write) -> None:
        path = write('[database]\nurl = "sqlite:///guard.db"')
        assert locate(path, {}).database == str(path.parent / "guard.db")
        relative = Path(os.path.relpath(path))
        database = Path(locate(relative, {}).database)
        assert database.is_absolute()
        assert database.parent.samefile(path.parent)

    def test_is_found_whatever_else_is_wrong(self, write: Write) -> None:
        path = write('[database]\nurl = "sqlite:////srv/a.db"\n[[accounts]]\nname = 5')
        assert locate(path, {}).database == "/srv/a.db"

    def test_and_the_zone_are_refused_when_they_are_of_no_use(self, write: Write) -> None:
        path = write('timezone = 3\n[database]\nurl = "mysql://u:CANARY@h/d"')
        with pytest.raises(ConfigError) as caught:
            locate(path, {})
        assert [one.message for one in caught.value.problems] == [
            "database.url: is not the URL of an SQLite file",
            "timezone: must be a quoted text, not an integer",
        ]


class TestToml:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"a = 1\nb = 'CANARY", "is not TOML at end of document: expected"),
            (b"a = 1\nb CANARY", "is not TOML at line 2, column 3: expected '=' after a key"),
            (b"[CANARY]\n[CANARY]", "is not TOML at line 2, column 8: a key or table stands twice"),
            (b"a = {CANARY = 1, CANARY = 2}", "a key or table stands twice"),
            (b"a = 1\n\nb = '\xff'", "is not UTF-8 text at line 3"),
            (b"a = " + b"9" * 5000, "is not TOML"),
            (b"a = " + b"[" * 100_000, "is not TOML"),
            (b"a = 1979-02-30", "is not TOML at line 1, column "),
        ],
    )
    def test_that_is_none_is_refused_with_its_line(
        self, content: bytes, message: str, tmp_path: Path
    ) -> None:
        path = tmp_path / "spendguard.toml"
        path.write_bytes(content)
        with pytest.raises(ConfigError) as caught:
            locate(path, {})
        assert message in caught.value.message
        assert "CANARY" not in caught.value.message + caught.value.hint
        assert caught.value.__suppress_context__

    def test_of_an_editor_that_marks_the_beginning_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "spendguard.toml"
        path.write_bytes(b'\xef\xbb\xbftimezone = "UTC"')
        assert locate(path, {}).timezone == "UTC"


def test_a_read_command_loads_none_of_the_heavy_libraries() -> None:
    script = (
        "import sys, spendguard.config.locate\n"
        "heavy = {'pydantic', 'pydantic_settings', 'sqlalchemy', 'httpx', 'apprise', 'asyncio'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
