"""Reads the pages of `documents` without a parser, for the short form: its workers start quickly."""

from __future__ import annotations

import re
from dataclasses import replace

from pipeline.document import Article, Document, Outcome
from pipeline.page import compressed_page
from pipeline.settings import Settings
from tests.crawler import drive


def process_quickly(document: Document, settings: Settings) -> Outcome:
    """Makes an article of a title and the paragraphs, and a rejection where there are none."""
    lines = re.findall(r"<(?:title|p)>(.*?)</(?:title|p)>", document.body.decode())
    outcome = drive.process(replace(document, body="\n".join(lines).encode()), settings)
    return replace(outcome, page=compressed_page(document)) if isinstance(outcome, Article) else outcome
