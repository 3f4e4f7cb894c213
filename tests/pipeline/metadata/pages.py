"""Pages whose metadata is read, from parts of a head and a body."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import lxml.html

from pipeline.metadata.read import Metadata, read_metadata

FETCHED = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
URL = "https://www.lindenpost.example/news/harbour"


def read(head: str = "", body: str = "", url: str = URL, lines: tuple[str, ...] = ()) -> Metadata:
    root = lxml.html.document_fromstring(f"<html><head>{head}</head><body>{body}</body></html>")
    return read_metadata(root, url, FETCHED, lines)


def ld(**values: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(values)}</script>'


NEWS = ld(**{"@type": "NewsArticle", "headline": "Chain found", "datePublished": "2026-03-01T23:30:00-05:00"})
