"""Pages: the buckets of a window, one page after the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from spendguard.providers.base import Api, Params
from spendguard.providers.openai.shapes import Bucket, Page, known, wrong

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_PAGES = 60


def pages(api: Api, path: str, question: Params, *, keep: bool = True) -> Iterator[Page]:
    """Yield the pages that answer a question; who has enough stops asking for more.

    Raises:
        ProviderError: when a page could not be read, or the pages have no end.
    """
    cursors: set[str] = set()
    params = question
    for _ in range(MOST_PAGES):
        page = api.get(path, Page, params, keep=keep)
        yield page
        more = page.next_page is not None if page.has_more is None else page.has_more
        if not more:
            return
        if page.next_page is None or page.next_page in cursors:
            raise wrong("sent a page that does not lead to the next one")
        cursors.add(page.next_page)
        params = [*question, ("page", page.next_page)]
    raise wrong(f"sent more than {MOST_PAGES} pages")


def buckets(page: Page, width: timedelta, what: str) -> list[Bucket]:
    """Return the buckets of a page; `what` names them in an error.

    Raises:
        ProviderError: for one that does not begin at a multiple of the width, or is longer.
    """
    seconds = width // timedelta(seconds=1)
    told = known(page.data, "bucket", Bucket)
    for bucket in told:
        start, end = bucket.start_time, bucket.end_time
        if start % seconds or (end is not None and not start < end <= start + seconds):
            raise wrong(f"states {what}")
    return told


def epoch_seconds(instant: datetime) -> int:
    """Return an instant as OpenAI writes it."""
    return (instant - EPOCH) // timedelta(seconds=1)
