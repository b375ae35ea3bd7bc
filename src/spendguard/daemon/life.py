"""Life: the daemon from its first configuration to its last, whoever is at work for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime

from spendguard import __version__
from spendguard.app.clock import utc_now
from spendguard.core.errors import Problem, SpendguardError, StoreError
from spendguard.daemon.chores import CYCLE
from spendguard.daemon.post import Gear, Post, first, next_after
from spendguard.daemon.pulse import Pulse
from spendguard.daemon.steady import ClockWatch, awake_time, boot_time
from spendguard.daemon.systemd import Supervisor
from spendguard.daemon.teller import Teller
from spendguard.rules.guard import JUMP
from spendguard.store import jobs

log = logging.getLogger("spendguard.daemon")
PATIENCE = 0.02


class Life:
    """Keeps one post manned: exchanges it on reload, and sees to it when the clock was set."""

    def __init__(
        self,
        explicit: str | None,
        env: Mapping[str, str],
        pid: int,
        *,
        clock: Callable[[], datetime] = utc_now,
        steady: Callable[[], float] = boot_time,
    ) -> None:
        supervisor = Supervisor(env, pid)
        self._gear = Gear(
            explicit,
            env,
            clock,
            steady,
            supervisor,
            Pulse(awake_time, supervisor.feed),  # what sleeps with the machine does not hang
            Teller(),
            ClockWatch(clock, steady),
        )
        self._supervisor = supervisor
        self._leaving: list[Post] = []
        self._reload: _Reload | None = None
        self._wanted = False
        self._said = ""
        self.post = first(self._gear)

    def begin(self) -> None:
        """Start to guard, and say so."""
        self.post.crew.start()
        log.info("armed", extra={**self._counts(), "version": __version__})
        self._supervisor.tell("READY=1", self._status())

    def look(self) -> None:
        """See to the clock, to what others wrote, to a reload that is ready, and to who left."""
        moved = self._gear.watch.look()
        if moved is not None:
            if abs(moved) > JUMP:
                log.warning("clock was set", extra={"by": moved})
            self.post.crew.renew()
        self.post.look()
        if self._reload is not None and self._reload.ready:
            self._finish(self._reload)
        for post in [one for one in self._leaving if one.crew.idle]:
            self._leaving.remove(post)
            post.close()
        self._supervisor.see_to(self._gear.pulse.longest)
        if self._status() != self._said:
            self._said = self._status()
            self._supervisor.tell(self._said)

    # reload

    @property
    def reloading(self) -> bool:
        """True while a new configuration is being tried."""
        return self._reload is not None

    def reload(self) -> None:
        """Try the configuration as it is now, beside the one at work; once more if it changed again."""
        if self._reload is not None:
            self._wanted = True
            return
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._supervisor.tell("RELOADING=1", f"MONOTONIC_USEC={now}")
        self._reload = _Reload(lambda: next_after(self.post, self._gear))

    def _finish(self, reload: _Reload) -> None:
        self._reload = None
        if reload.post is None:
            for problem in reload.problems:
                told = {"problem": problem.message, "hint": problem.hint}
                log.error("configuration refused, the former one holds", extra=told)
            self.post.crew.duty.board.refused = reload.problems[0].message
        else:
            self._exchange(reload.post)
        self._supervisor.tell("READY=1", self._status())
        if self._wanted:
            self._wanted = False
            self.reload()

    def _exchange(self, post: Post) -> None:
        former, self.post = self.post, post
        if former.database == post.database:
            post.hold, former.hold = former.hold, post.hold
        former.crew.stop()
        self._leaving.append(former)
        post.crew.start(kept=former.crew.reading)
        log.info("reloaded", extra=self._counts())

    # the end

    def stop(self) -> threading.Event:
        """Begin nothing any more; the event tells that what was under way is done and put away."""
        self._supervisor.tell("STOPPING=1")
        posts = [self.post, *self._leaving]
        for post in posts:
            post.crew.stop()
        done = threading.Event()

        def finish() -> None:
            while not all(post.crew.idle for post in posts):
                done.wait(PATIENCE)
            with suppress(StoreError), self.post.app.store.begin() as tx:
                jobs.forget(tx, CYCLE)
            for post in reversed(posts):
                post.close()
            done.set()

        threading.Thread(target=finish, daemon=True).start()
        return done

    def _counts(self) -> dict[str, int]:
        configuration = self.post.app.configuration
        return {
            "accounts": len(configuration.accounts),
            "channels": len(configuration.channels),
        }

    def _status(self) -> str:
        return f"STATUS={self.post.crew.duty.board.line}"


class _Reload:
    """A new post in the making, in a thread of its own: signals are heard meanwhile."""

    def __init__(self, make: Callable[[], Post]) -> None:
        self.post: Post | None = None
        self.problems: tuple[Problem, ...] = ()
        self._make = make
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def ready(self) -> bool:
        """True when it is made, or refused."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.post = self._make()
        except SpendguardError as error:
            self.problems = error.problems
        except Exception as error:  # noqa: BLE001 - what is at work goes on
            self.problems = (Problem(f"failed here ({type(error).__name__})"),)
