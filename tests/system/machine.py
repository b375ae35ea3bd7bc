"""A machine of its own with a real systemd: this one's root, read through an overlay that forgets.

`systemd-nspawn` boots it in half a second. It shares the network of this machine, so that its
services reach whatever listens on loopback here; whatever it writes is in memory and goes with it.
Mounts and processes are in namespaces of their own that die with whoever started them: nothing is
left behind, however a test ends.
"""

from __future__ import annotations

import compileall
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import Self

import spendguard

HOME = Path("/opt/spendguard")  # where the program is, in there
PYTHON = Path("/opt/python")  # and its interpreter, unless it is the system's own
PACKAGES = Path(f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages")
PATIENCE = 60.0  # for anything that takes well under a second
TOOLS = ("systemd-nspawn", "unshare", "setpriv", "nsenter", "mount")
SYSTEMD = (Path("/usr/lib/systemd/systemd"), Path("/lib/systemd/systemd"))
ROOT = Path(__file__).parents[2]

# $1 a directory of ours, $2 the virtual environment, $3 the interpreter's home, or nothing
_BOOT = """
base=$1 environment=$2 python=$3
mount -t tmpfs -o mode=0755 tmpfs "$base"
mkdir "$base/upper" "$base/upper.work" "$base/root" "$base/program" "$base/program.work"
mount -t overlay -o lowerdir=/,upperdir="$base/upper",workdir="$base/upper.work" overlay "$base/root"
mkdir -p "$base/root/opt/spendguard" "$base/root/opt/python" "$base/root/etc/systemd/journald.conf.d"
printf '[Journal]\\nStorage=volatile\\nForwardToConsole=no\\n' > "$base/root/etc/systemd/journald.conf.d/test.conf"
mount -t overlay -o lowerdir="$environment",upperdir="$base/program",workdir="$base/program.work" overlay "$base/root/opt/spendguard"
if [ -n "$python" ]; then mount --bind "$python" "$base/root/opt/python"; fi
touch "$base/mounted"
cat  # until the program is there
exec systemd-nspawn --quiet --directory="$base/root" --boot --register=no --keep-unit \\
    --machine="$(basename "$base")" --console=pipe --resolv-conf=off --timezone=off \\
    systemd.unit=sysinit.target
"""


def wanting() -> str:
    """Return why no such machine can be booted here, '' when it can."""
    if os.geteuid() != 0:
        return "it takes root"
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    if absent:
        return f"{', '.join(absent)} is not installed (Debian: systemd-container)"
    return "" if any(path.exists() for path in SYSTEMD) else "systemd is not installed"


class UnbootableError(Exception):
    """No machine can be booted here, for a reason that is none of ours."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that ended."""

    code: int
    out: str
    err: str


class Machine:
    """A machine that runs while it is entered."""

    def __init__(self) -> None:
        # its name is that of the machine, which is a name of a host
        self._base = Path(tempfile.gettempdir()) / f"spendguard-{token_hex(6)}"
        self._base.mkdir(mode=0o700)
        self._console = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the machine
        self._outside: subprocess.Popen[str] | None = None
        self.leader = 0

    def __enter__(self) -> Self:
        try:
            self._boot()
        except AssertionError as error:
            self._end()
            raise UnbootableError(str(error)) from None
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _boot(self) -> None:
        moved = "" if Path(sys.base_prefix).is_relative_to("/usr") else sys.base_prefix
        apart = ("--mount", "--propagation=private", "--pid", "--mount-proc", "--fork")
        words = ("setpriv", "--pdeathsig=KILL", "unshare", *apart, "--kill-child=KILL")
        self._outside = subprocess.Popen(  # noqa: S603
            [*words, "sh", "-euc", _BOOT, "sh", str(self._base), sys.prefix, moved],
            stdin=subprocess.PIPE,
            stdout=self._console,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ["PATH"], "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            text=True,
        )
        assert self._outside.stdin
        self.until("its root is mounted", (self.seen / "mounted").exists)
        self._bring_program(moved)
        self._outside.stdin.close()
        self.until("systemd runs", self._find_leader)
        self.until(
            "it is up", lambda: self.run("systemctl", "is-active", "sysinit.target").code == 0
        )

    @property
    def seen(self) -> Path:
        """Our directory as the machine's mounts show it."""
        assert self._outside
        return Path(f"/proc/{self._outside.pid}/root{self._base}")

    @property
    def written(self) -> Path:
        """All that was changed in the machine's root, in its place."""
        return self.seen / "upper"

    def _bring_program(self, python: str) -> None:
        """Put the program where a service may see it, as a wheel does."""
        home = self.seen / "root" / HOME.relative_to("/")
        package = home / PACKAGES / "spendguard"
        source = Path(spendguard.__file__).parent
        compileall.compile_dir(source, quiet=2)  # in there it could not keep what it compiles
        shutil.rmtree(package, ignore_errors=True)
        shutil.copytree(source, package)
        shutil.copytree(ROOT / "migrations", package / "_migrations")
        shutil.copytree(ROOT / "deploy" / "systemd", package / "_systemd")
        if python:
            binary = Path(sys.executable).resolve()
            link = home / "bin" / "python"
            link.unlink()
            link.symlink_to(PYTHON / "bin" / binary.name)
            (home / "pyvenv.cfg").write_text(f"home = {PYTHON}/bin\n")
        command = home / "bin" / "spendguard"
        command.unlink(missing_ok=True)
        command.write_text(_COMMAND)
        command.chmod(0o755)

    def _find_leader(self) -> bool:
        assert self._outside
        waiting = _children(self._outside.pid)
        while waiting:
            pid = waiting.pop()
            if _first_of_its_own(pid):
                self.leader = pid
                return True
            waiting += _children(pid)
        return False

    def _end(self) -> None:
        if self._outside is not None:
            for nspawn in _children(self._outside.pid):
                with suppress(ProcessLookupError):
                    os.kill(nspawn, signal.SIGTERM)  # it has the machine power off
            try:
                self._outside.wait(5)
            except subprocess.TimeoutExpired:
                self._outside.kill()
                self._outside.wait()
            if self._outside.stdin:
                self._outside.stdin.close()
        self._console.close()
        self._base.rmdir()

    def until(self, what: str, true: Callable[[], bool], patience: float = PATIENCE) -> float:
        """Wait until something holds, and return how many seconds that took."""
        begun = time.monotonic()
        while not true():
            if time.monotonic() - begun > patience:
                raise AssertionError(f"after {patience} s it is not so that {what}: {self.said()}")
            if self._outside is not None and self._outside.poll() is not None:
                raise AssertionError(f"the machine ended before {what}: {self.said()}")
            time.sleep(0.02)  # noqa: TID251 - another process has no due time
        return time.monotonic() - begun

    def said(self) -> str:
        """Return the end of what the machine said on its console and in its journal."""
        self._console.seek(0)
        console = self._console.read()[-2000:]
        journal = self.run("journalctl", "--no-pager", "--lines=60").out if self.leader else ""
        return f"\n{console}\n{journal}"

    def run(self, *command: str | Path, user: str = "", stdin: str = "") -> Ran:
        """Run a command in the machine, as root or as a user with all its groups."""
        enter = ["nsenter", f"--target={self.leader}", "--mount", "--uts", "--ipc", "--pid"]
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        home = f"/home/{user}" if user else "/root"
        done = subprocess.run(  # noqa: S603
            [*enter, "--", *become, *map(str, command)],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=2 * PATIENCE,
            cwd="/",
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
                "HOME": home,
                "LANG": "C",
            },
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def do(self, *command: str | Path, user: str = "", stdin: str = "") -> str:
        """Run a command that shall succeed, and return what it printed."""
        ran = self.run(*command, user=user, stdin=stdin)
        assert ran.code == 0, f"{command}: {ran.err}{ran.out}{self.said()}"
        return ran.out

    def write(self, path: str | Path, text: str, mode: int = 0o644, user: str = "") -> None:
        """Put a file into the machine."""
        script = f'mkdir -p "$(dirname {path})" && cat > {path} && chmod {mode:o} {path}'
        self.do("sh", "-c", script, user=user, stdin=text)

    def user(self, name: str, *groups: str) -> None:
        """Have a person in the machine, who is in some groups."""
        self.do("useradd", "--create-home", f"--groups={','.join(groups)}", name)


_COMMAND = f"""\
#!/bin/sh
export LD_LIBRARY_PATH={PYTHON}/lib
exec {HOME}/bin/python -m spendguard "$@"
"""


def _children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def _first_of_its_own(pid: int) -> bool:
    """Tell whether a process is the systemd of a machine inside this one."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        binary = Path(f"/proc/{pid}/exe").readlink().name
    except OSError:
        return False
    numbers = next(line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:"))
    return binary == "systemd" and len(numbers) > 1 and numbers[-1] == "1"
