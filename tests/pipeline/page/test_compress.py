"""The bytes of a page come out as they went in, with what is known of where they came from."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from datetime import UTC, datetime

import pytest
import zstandard

from pipeline.document import Claims, Document, MediaType, Origin, PageBytes
from pipeline.page.compress import compressed_page

URL = "https://gazette.example/1"
CLAIMS = Claims(title="Ferry runs again")


def _document(body: bytes) -> Document:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return Document(
        "1.html",
        URL,
        body,
        MediaType.HTML,
        at,
        Origin.CRAWL,
        encoding="cp1252",
        publisher="Post",
        claims=CLAIMS,
        headers=(("Server", "nginx"),),
    )


@pytest.mark.parametrize("body", [b"", b"\x00\xff", "Über die Fähre".encode("cp1252"), b"<p>" * 100_000])
def test_the_body_comes_out_as_it_went_in(body: bytes) -> None:
    page = compressed_page(_document(body))
    assert zstandard.decompress(page.compressed) == body
    assert (page.size, page.sha256) == (len(body), hashlib.sha256(body).digest())
    assert len(page.compressed) < 100 + len(body) // 10


def test_what_a_page_has_in_common_with_its_document_is_the_same() -> None:
    document = _document(b"<p>Ferry")
    page = compressed_page(document)
    shared = {one.name for one in fields(PageBytes)} - {"sha256", "compressed", "size"}
    assert shared == {
        "media_type",
        "encoding",
        "origin",
        "fetched_at",
        "url",
        "publisher",
        "claims",
        "headers",
    }
    assert all(getattr(page, name) == getattr(document, name) for name in shared)
