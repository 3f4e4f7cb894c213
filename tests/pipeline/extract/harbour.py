"""A story of a closed harbour, pages that hold it, and the texts that extraction finds in a page."""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.extract.html import extract_html
from pipeline.settings import Settings

FETCHED = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
SETTINGS = Settings()

STORY = [
    "The harbour of Port Linden will stay closed until Friday, the port authority said on Tuesday.",
    "Divers found a second anchor chain across the fairway, and nobody has claimed it so far.",
    "Two ferries were sent to Old Quay, where passengers waited for up to five hours in the rain.",
    '"We have never had two chains in one week," harbour master Ida Brandt told reporters.',
]


def page(body: str, head: str = "") -> str:
    title = "<title>Harbour closed - The Linden Post</title>"
    return f"<!doctype html><html lang=en><head>{title}{head}</head><body>{body}</body></html>"


def paragraphs(*texts: str) -> str:
    return "".join(f"<p>{text}</p>" for text in texts)


def texts(html: str, url: str = "https://lindenpost.example/harbour") -> list[str]:
    return [block.text for block in extract_html(html, url, FETCHED, SETTINGS).blocks]
