"""Catalogs: the texts of one language, a TOML file beside this module."""

from __future__ import annotations

import pkgutil
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

DEFAULT_LANGUAGE = "en"
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]+)*\Z")

Catalog = Mapping[str, Any]


@cache
def load(language: str) -> Catalog:
    """Return the catalog of a language, the English one where there is none."""
    if not _LANGUAGE.match(language):
        return load(DEFAULT_LANGUAGE)
    try:
        # not importlib.resources: it costs a read command 10 ms
        text = pkgutil.get_data("spendguard.messages", f"{language}.toml")
    except OSError:
        return load(DEFAULT_LANGUAGE)
    return tomllib.loads((text or b"").decode())


def texts(catalog: Catalog, *path: str) -> tuple[str, ...]:
    """Return the alternatives at a path, best first; none where the path leads nowhere."""
    found: Any = catalog
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return (found,)
    return tuple(found) if isinstance(found, list) else ()


def rule_texts(catalog: Catalog, rule: str, step: str, part: str) -> tuple[str, ...]:
    """Return what a rule says in one part of a message: at this step, at any, or as any rule does.

    A step or rule that holds the part empty says nothing there.
    """
    rules = catalog.get("rules", {})
    own = rules.get(rule, {})
    for table in (own.get("steps", {}).get(step, {}), own, rules.get("any", {})):
        if part in table:
            return texts(table, part)
    return ()
