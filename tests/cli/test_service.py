"""service: what it does to a machine, all of it beneath a root of the test's own."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from spendguard.cli import service_place, service_units
from spendguard.cli.main import main
from tests.cli.conftest import Ran

Service = Callable[..., Ran]
UNIT = Path("etc/systemd/system/spendguard.service")
SYSUSERS = Path("etc/sysusers.d/spendguard.conf")
PROGRAM = "/opt/guard/bin/spendguard"
MAKES = "(makes the user and the group spendguard)"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root"
    path.mkdir()
    return path


@pytest.fixture
def service(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Service:
    """Run a command of `service` for the machine beneath `root`."""
    if os.geteuid() != 0 or shutil.which("systemd-sysusers") is None:
        pytest.skip("NOT TESTED: a service of the machine takes root and systemd-sysusers")
    monkeypatch.setattr("spendguard.cli.service.running_program", lambda: PROGRAM)
    monkeypatch.setattr("spendguard.cli.service.out_of_sight", lambda: None)

    def command(verb: str, *options: str) -> Ran:
        code = main(["service", verb, "--root", str(root), *options])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return command


@pytest.fixture
def for_me(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Service:
    """Run a command of `service` for one user, without a systemd that hears of it."""
    monkeypatch.setattr("spendguard.cli.service.running_program", lambda: PROGRAM)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)

    def command(verb: str, *options: str) -> Ran:
        code = main(["service", verb, "--user", *options])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return command


def everything(root: Path) -> dict[str, str]:
    """Return every file beneath a directory with what it holds."""
    return {
        str(path.relative_to(root)): path.read_text() if path.is_file() else ""
        for path in sorted(root.rglob("*"))
    }


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestInstalling:
    def test_puts_everything_in_its_place_and_says_so_line_by_line(
        self, service: Service, root: Path
    ) -> None:
        ran = service("install")
        assert (ran.code, ran.err) == (0, "")
        done, _, after = ran.out.partition("\nnext:\n")
        assert done.splitlines() == [
            f"created   {root}/etc/spendguard/ (mode 0755)",
            f"created   {root}/etc/spendguard/credentials/ (mode 0700)",
            f"wrote     {root}/{SYSUSERS}",
            f"ran       systemd-sysusers --root={root} spendguard.conf {MAKES}",
            f"wrote     {root}/{UNIT}",
        ]
        assert "systemctl enable --now spendguard\n" in after
        assert "LoadCredential=openai_admin_key:/etc/spendguard/credentials/" in after
        assert "\nspendguard:x:" in "\n" + (root / "etc/passwd").read_text()
        assert "\nspendguard:x:" in "\n" + (root / "etc/group").read_text()
        assert mode(root / "etc/spendguard/credentials") == 0o700

    def test_starts_the_program_that_installed_it(self, service: Service, root: Path) -> None:
        service("install")
        unit = (root / UNIT).read_text()
        assert f"\nExecStartPre=-{PROGRAM} db upgrade\nExecStart={PROGRAM} run\n" in (
            "\n".join(line for line in unit.splitlines() if not line.startswith("#"))
        )

    def test_again_changes_nothing_and_says_that(self, service: Service, root: Path) -> None:
        service("install")
        before = everything(root)
        ran = service("install")
        assert {line.split()[0] for line in ran.out.splitlines()} == {"kept"}
        assert everything(root) == before

    def test_makes_a_user_that_was_removed_anew(self, service: Service, root: Path) -> None:
        service("install")
        for name in ("passwd", "group", "shadow", "gshadow"):
            (root / "etc" / name).unlink()
        assert "ran       systemd-sysusers" in service("install").out
        assert "spendguard:x:" in (root / "etc/passwd").read_text()

    def test_replaces_a_unit_of_its_own_by_the_newer_one(
        self, service: Service, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service("install")
        monkeypatch.setattr("spendguard.cli.service.running_program", lambda: "/srv/spendguard")
        ran = service("install")
        assert f"replaced  {root}/{UNIT}\n" in ran.out
        assert "systemctl restart spendguard\n" in ran.out
        assert "\nExecStart=/srv/spendguard run\n" in (root / UNIT).read_text()

    def test_refuses_a_unit_that_somebody_edited(self, service: Service, root: Path) -> None:
        service("install")
        edited = (root / UNIT).read_text().replace("RestartSec=5", "RestartSec=50")
        (root / UNIT).write_text(edited)
        before = everything(root)
        for verb in ("install", "uninstall"):
            ran = service(verb)
            assert ran.code == 1
            assert ran.err.startswith(f"error: '{root}/{UNIT}' was edited, or is not by")
            assert "`systemctl edit spendguard`" in ran.err
            assert everything(root) == before

    @pytest.mark.parametrize("verb", ["install", "uninstall"])
    def test_puts_an_edited_unit_aside_when_it_is_told_to(
        self, service: Service, root: Path, verb: str
    ) -> None:
        (root / UNIT).parent.mkdir(parents=True)
        (root / UNIT).write_text("[Service]\nExecStart=/usr/bin/true\n")
        ran = service(verb, "--force")
        aside = root / UNIT.with_name("spendguard.service.old")
        assert aside.read_text() == "[Service]\nExecStart=/usr/bin/true\n"
        assert str(aside) in ran.out
        assert (root / UNIT).exists() == (verb == "install")

    def test_does_not_follow_the_link_of_a_masked_unit(self, service: Service, root: Path) -> None:
        (root / UNIT).parent.mkdir(parents=True)
        (root / UNIT).symlink_to("/dev/null")
        ran = service("install", "--force")
        assert ran.code == 1
        assert "is a link to '/dev/null'\nhint:  a masked unit is one" in ran.err

    def test_says_when_the_service_could_not_read_its_configuration(
        self, service: Service, root: Path
    ) -> None:
        config = root / "etc/spendguard/config.toml"
        config.parent.mkdir(parents=True)
        config.touch(mode=0o600)
        assert "chgrp spendguard /etc/spendguard/config.toml\n" in service("install").out
        config.chmod(0o644)
        (root / UNIT).unlink()
        assert "chgrp" not in service("install").out

    def test_says_why_a_file_cannot_be_written(self, service: Service, root: Path) -> None:
        (root / "etc").write_text("not a directory")
        ran = service("install")
        assert ran.code == 1
        assert ran.err.startswith(f"error: cannot create '{root}/etc/spendguard': not a directory")

    def test_warns_of_a_program_that_the_sandbox_hides(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hidden = Path("/root/venv/bin/spendguard")
        monkeypatch.setattr("spendguard.cli.service.out_of_sight", lambda: hidden)
        ran = service("install")
        assert ran.code == 0
        assert ran.err.startswith(
            f"warning: the service will not start: its sandbox hides '{hidden}'"
        )


class TestADryRun:
    @pytest.mark.parametrize("verb", ["install", "uninstall"])
    @pytest.mark.parametrize("installed", [False, True], ids=["before", "after"])
    def test_says_what_would_be_done_and_does_nothing(
        self, service: Service, root: Path, verb: str, *, installed: bool
    ) -> None:
        if installed:
            service("install")
        before = everything(root)
        planned = service(verb, "--dry-run", "--json").json
        printed = service(verb, "--dry-run").out
        assert everything(root) == before
        done = service(verb, "--json").json
        assert planned["steps"] == done["steps"]
        assert (planned["dry_run"], done["dry_run"]) == (True, False)
        for step in planned["steps"]:
            assert f"would {step['action']:9} {step['target']}" in printed

    def test_prints_each_file_as_it_would_be(self, service: Service, root: Path) -> None:
        printed = service("install", "--dry-run").out
        service("install")
        for path in (UNIT, SYSUSERS):
            lines = (root / path).read_text().splitlines()
            shown = "\n".join(f"    {line}".rstrip() for line in lines)
            assert f"\n{root}/{path} would hold:\n{shown}\n" in printed

    def test_needs_no_root(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        assert main(["service", "install", "--dry-run"]) == 0
        assert main(["service", "install"]) == 1
        assert "error: a service of the machine needs root\nhint:  put sudo before " in (
            capsys.readouterr().err
        )


class TestUninstalling:
    def test_removes_what_was_installed_and_keeps_what_is_yours(
        self, service: Service, root: Path
    ) -> None:
        service("install")
        wanted = root / UNIT.parent / "multi-user.target.wants" / UNIT.name
        wanted.parent.mkdir()
        wanted.symlink_to(f"/{UNIT}")
        dropin = root / UNIT.with_name("spendguard.service.d") / "override.conf"
        dropin.parent.mkdir()
        dropin.touch()
        (root / "var/lib/spendguard").mkdir(parents=True)
        ran = service("uninstall")
        assert ran.code == 0
        assert ran.out.partition("\nnext:\n")[0].splitlines() == [
            f"removed   {wanted}",
            f"removed   {root}/{UNIT}",
            f"removed   {root}/{SYSUSERS}",
            "kept      user and group spendguard (files belong to them)",
            f"kept      {dropin.parent}/ (your drop-ins)",
            f"kept      {root}/etc/spendguard/ (the configuration and its secrets)",
            f"kept      {root}/var/lib/spendguard/ (the history)",
        ]
        assert "rm -r /var/lib/spendguard /etc/spendguard\n" in ran.out
        assert not wanted.is_symlink()
        assert not (root / UNIT).exists()
        assert dropin.exists()

    def test_where_nothing_is_says_so(self, service: Service, root: Path) -> None:
        ran = service("uninstall")
        assert (ran.code, ran.out) == (0, f"kept      {root}/{UNIT} (it is not there)\n")


def test_a_root_that_is_not_there_is_refused_and_not_made(service: Service, root: Path) -> None:
    root.rmdir()
    ran = service("install")
    assert (ran.code, ran.err) == (
        1,
        f"error: there is no directory '{root}'\nhint:  name the root of an image\n",
    )
    assert not root.exists()


class TestForOneUser:
    def test_it_takes_a_unit_and_two_directories(self, for_me: Service) -> None:
        ran = for_me("install")
        config = Path(os.environ["XDG_CONFIG_HOME"])
        assert ran.out.partition("\nnext:\n")[0].splitlines() == [
            f"created   {config}/spendguard/ (mode 0700)",
            f"created   {config}/spendguard/credentials/ (mode 0700)",
            f"wrote     {config}/systemd/user/spendguard.service",
        ]
        assert "systemctl --user enable --now spendguard\n" in ran.out
        assert "loginctl enable-linger\n" in ran.out
        assert "\nUser=" not in (config / "systemd/user/spendguard.service").read_text()
        assert for_me("uninstall").out.splitlines() == [
            f"removed   {config}/systemd/user/spendguard.service",
            f"kept      {config}/spendguard/ (the configuration and its secrets)",
        ]

    def test_it_goes_into_the_home_where_nothing_else_is_said(
        self, for_me: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("XDG_CONFIG_HOME")
        for_me("install")
        assert (Path.home() / ".config/systemd/user/spendguard.service").exists()

    def test_it_has_no_other_root(self, for_me: Service, root: Path) -> None:
        ran = for_me("install", "--root", str(root))
        assert (ran.code, ran.err) == (
            64,
            "error: --root is for a service of the machine\nhint:  leave out --user\n",
        )


class TestTheProgramOfAUnit:
    @pytest.mark.parametrize(
        ("path", "word"),
        [
            ("/opt/spendguard/bin/spendguard", "/opt/spendguard/bin/spendguard"),
            ("/opt/my tools/spendguard", '"/opt/my tools/spendguard"'),
            ("/opt/100%/spendguard", "/opt/100%%/spendguard"),
        ],
    )
    def test_is_written_as_systemd_reads_it(
        self, path: str, word: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Path, "exists", lambda _path: True)
        monkeypatch.setattr("sys.argv", [path])
        assert service_units.running_program() == word

    def test_with_signs_that_a_unit_cannot_hold_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, service: Service
    ) -> None:
        monkeypatch.setattr("spendguard.cli.service.running_program", service_units.running_program)
        monkeypatch.setattr("sys.executable", "/opt/$HOME/python")
        monkeypatch.setattr("sysconfig.get_path", lambda _name: "/nowhere")
        ran = service("install")
        assert ran.code == 1
        assert ran.err.startswith("error: a unit cannot name the path '/opt/$HOME/python'\nhint:")

    def test_is_started_by_its_interpreter_where_it_has_no_script(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.executable", "/usr/bin/python3")
        monkeypatch.setattr("sysconfig.get_path", lambda _name: "/nowhere")
        assert service_units.running_program() == "/usr/bin/python3 -m spendguard"

    @pytest.mark.parametrize("place", ["/root/.venv", "/home/ada/venv", "/tmp/venv"])  # noqa: S108
    def test_is_out_of_sight_where_the_sandbox_hides_it(
        self, place: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.argv", [f"{place}/bin/spendguard"])
        assert service_units.out_of_sight() == Path(f"{place}/bin/spendguard")


def test_the_user_of_the_service_is_looked_for_where_the_machine_keeps_it() -> None:
    assert not service_place.user_exists(Path("/nowhere"))
