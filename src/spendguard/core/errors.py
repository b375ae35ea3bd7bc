"""What can go wrong in a way we expect.

SpendguardError            shown as `error:` and `hint:`, no traceback, exit 1
├── UsageError             an argument nobody could act on, exit 64
├── ConfigError            one or many problems of the configuration file
├── ProviderError          a provider did not give what was asked; carries a closed kind, exit 69
│   └── MailboxError       a mailbox could not be read; of the same kinds (mailbox/results.py)
└── StoreError             the database is absent, too new, locked or damaged
    └── UnwritableError    it cannot be written now, and may be later: locked, read-only, no space
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum


class ErrorKind(StrEnum):
    """Why an account could not be read: a closed set that code and metrics share."""

    AUTH = "auth"
    SCOPE = "scope"
    BLOCKED = "blocked"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    MALFORMED = "malformed"
    EXHAUSTED = "exhausted"
    UNSUPPORTED = "unsupported"


class Problem(tuple[str, str]):
    """One thing that is wrong, and what to do about it."""

    __slots__ = ()

    def __new__(cls, message: str, hint: str = "") -> Problem:
        """Return a problem with its hint."""
        return tuple.__new__(cls, (message, hint))

    @property
    def message(self) -> str:
        """What is wrong."""
        return self[0]

    @property
    def hint(self) -> str:
        """What to do about it."""
        return self[1]


class SpendguardError(Exception):
    """An expected failure: two lines on stderr and an exit code, never a traceback."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong, one pair of lines each."""
        return (Problem(self.message, self.hint),)


class UsageError(SpendguardError):
    """The command line was malformed."""

    exit_code = 64


class ConfigError(SpendguardError):
    """The configuration has one or more problems, reported all at once, sorted by path."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems[0].message, problems[0].hint)
        self._problems = problems

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem found in one reading of the file."""
        return self._problems


class ProviderError(SpendguardError):
    """A provider did not give what was asked. Its text never holds a key or a foreign message."""

    exit_code = 69

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        hint: str = "",
        *,
        retry_after: timedelta | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message, hint)
        self.kind = kind
        self.retry_after = retry_after
        self.status = status


class StoreError(SpendguardError):
    """The database is absent, newer than this program, locked or damaged."""


class UnwritableError(StoreError):
    """The database cannot be written now; nobody but its surroundings need change for that to end."""
