"""Places: where the database is and which zone it is read in, all that read commands check."""

from __future__ import annotations

from datetime import tzinfo

from spendguard.core.windows import zone_named

SQLITE = "sqlite:///"


class RefusedError(ValueError):
    """A value that is not accepted; its words never hold a secret."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Variable(str):
    """A text of the environment, which has no other type to give a number or a flag in."""

    __slots__ = ()


_KINDS = {
    bool: "true or false",
    int: "an integer",
    float: "a float",
    str: "a text",
    Variable: "a text",
    list: "an array",
    dict: "a table",
}


def kind(value: object) -> str:
    """Return what TOML calls the type of a value."""
    return _KINDS.get(type(value), "a date or time")


def text(value: object) -> str:
    """Read a text that is not empty and fits a line."""
    if not isinstance(value, str):
        raise RefusedError(f"must be a quoted text, not {kind(value)}", "write it in double quotes")
    if not value.strip():
        raise RefusedError("is empty")
    if value != value.strip() or not value.isprintable():
        raise RefusedError("holds a line break, a control character, or a space at its end")
    return str(value)


def zone(value: object) -> tzinfo:
    """Read a time zone of the IANA database."""
    name = text(value)
    try:
        return zone_named(name)
    except (KeyError, ValueError, OSError):  # OSError: a directory of the database, as "America"
        from zoneinfo import available_timezones

        from spendguard.config.problems import quoted, suggestion

        hint = suggestion(name, available_timezones()).partition("known: ")[0]
        hint = f"{hint}write an IANA name, such as UTC or Europe/Berlin"
        raise RefusedError(f"unknown time zone {quoted(name)}", hint) from None


def database_url(value: object) -> str:
    """Read the place of the database: a file of SQLite, for now."""
    url = text(value)
    path = url.removeprefix(SQLITE)
    if path == url or not path.strip("/") or path.startswith(":") or "?" in path or "#" in path:
        raise RefusedError(
            "is not the URL of an SQLite file",
            "write sqlite:////var/lib/spendguard/spendguard.db, with four slashes; "
            "other databases come with a later version",
        )
    return url
