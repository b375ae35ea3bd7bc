"""Names: the keys of signatures, looked up where domains publish them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spendguard.mailbox.results import CannotTellError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dns.resolver import Resolver

TIMEOUT = 5.0


def published(resolver: Resolver | None = None) -> Callable[[str], bytes | None]:
    """Return a look-up of TXT records, each asked for once."""
    import dns.exception
    import dns.name
    import dns.resolver

    known: dict[str, bytes | None] = {}
    refused: set[str] = set()

    def look_up(name: str) -> bytes | None:
        if name in refused:
            raise CannotTellError
        if name not in known:
            try:
                known[name] = _ask(name, resolver or dns.resolver.get_default_resolver())
            except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
                known[name] = None
            except (dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel):
                known[name] = None
            except (dns.exception.DNSException, OSError):
                refused.add(name)
                raise CannotTellError from None
        return known[name]

    return look_up


def _ask(name: str, resolver: Resolver) -> bytes | None:
    """Return the first record that is a key: a domain may publish others beside it."""
    answer = resolver.resolve(f"{name}.", "TXT", lifetime=TIMEOUT, search=False)
    records = [b"".join(record.strings) for record in answer]
    return next((one for one in records if b"p=" in one), None)
