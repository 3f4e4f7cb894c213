"""The bytes of a page as they are stored."""

from __future__ import annotations

import hashlib

import zstandard

from pipeline.document import Document, PageBytes


def compressed_page(document: Document) -> PageBytes:
    """Compress the body of a document into one zstd frame, with what is known of where it came from."""
    return PageBytes(
        sha256=hashlib.sha256(document.body).digest(),
        compressed=zstandard.compress(document.body),
        size=len(document.body),
        media_type=document.media_type,
        encoding=document.encoding,
        origin=document.origin,
        fetched_at=document.fetched_at,
        url=document.url,
        publisher=document.publisher,
        claims=document.claims,
        headers=document.headers,
    )
