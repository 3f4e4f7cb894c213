"""The rows that settled articles and pages have in the tables; `flush` and batch jobs write them."""

from __future__ import annotations

from typing import Any

from pipeline.document import PageBytes
from storage.base import claims_json, microseconds
from storage.writing.revisions.pending import PendingArticle


def article_values(pending: PendingArticle) -> dict[str, Any]:
    """What a row of `article` has beside the columns of its current text. It must have a text."""
    return {
        "url": pending.url,
        "site": pending.site,
        "first_seen_at": pending.first_seen_at,
        "updated_at": max(text.columns["seen_at"] for text in pending.texts.values()),
        "revision": len(pending.texts),
        "gone_at": pending.gone_at,
    }


def page_row(page: PageBytes, location: str) -> dict[str, Any]:
    """A row of `page` without its id and its bytes."""
    return {
        "sha256": page.sha256,
        "location": location,
        "url": page.url,
        "media_type": page.media_type.value,
        "encoding": page.encoding,
        "origin": page.origin.value,
        "fetched_us": microseconds(page.fetched_at),
        "publisher": page.publisher,
        "claims": claims_json(page.claims),
        "headers": [list(header) for header in page.headers] or None,
        "size": page.size,
    }
