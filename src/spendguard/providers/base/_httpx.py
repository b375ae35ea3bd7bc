"""httpx without its command line, which loads click, rich and pygments where they are installed.

These take as long to load as httpx itself, and the daemon has no use for them. httpx looks for
its command line once, while it is loaded, and goes without where there is none.
"""

from __future__ import annotations

import sys

_COMMAND_LINE = "httpx._main"

if "httpx" not in sys.modules:
    sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment]  # as Python marks what is absent
    try:
        import httpx  # noqa: F401
    finally:
        del sys.modules[_COMMAND_LINE]
