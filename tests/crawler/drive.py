"""A program that ingests, for tests that kill it: run with a database URL, batch size, workers and paths.

Articles are made of JSONL text by a pipeline that is quick to start: the first line is the title, and a
line `!sleep SECONDS` takes its time; `!touch PATH` leaves a file behind before that, and `!await PATH` waits
for one.
"""

from __future__ import annotations

import random
import re
import time
from dataclasses import replace
from pathlib import Path

from pipeline.copies.fingerprint import fingerprint
from pipeline.document import Access, Article, Document, Outcome, Reason, Rejection, Removed, Stage
from pipeline.page import compressed_page
from pipeline.settings import Settings
from pipeline.text.search_words import make_search_words
from pipeline.urls import canonical_url, site_of


def process(document: Document, settings: Settings) -> Outcome:
    body = document.body.decode()
    page = compressed_page(document)
    for path in re.findall(r"^!touch (.+)$", body, re.MULTILINE):
        Path(path).touch()
    for path in re.findall(r"^!await (.+)$", body, re.MULTILINE):
        while not Path(path).exists():
            time.sleep(0.01)
    for seconds in re.findall(r"^!sleep ([\d.]+)$", body, re.MULTILINE):
        time.sleep(float(seconds))
    title, _, text = body.partition("\n")
    if not text:
        return Rejection(
            document.location,
            document.url,
            Stage.EXTRACT,
            Reason.NO_ARTICLE,
            "a title and nothing else",
            document.fetched_at,
            settings.rules_version,
            page,
        )
    return Article(
        url=canonical_url(document.url),
        location=document.location,
        publisher=None,
        site=site_of(document.url),
        title=title,
        text=text,
        authors=(),
        byline=None,
        dateline=None,
        agency=None,
        published_at=None,
        published_offset=None,
        published_source=None,
        language="en",
        access=Access.FREE,
        syndicated_from=None,
        word_count=len(text.split()),
        search_words=make_search_words(title, text),
        removed=(Removed(0, "Register now", "phrase.en.register-now"),),
        fingerprint=fingerprint(text, settings.fingerprint),
        rules_version=settings.rules_version,
        page=page,
    )


def process_large(document: Document, settings: Settings) -> Outcome:
    """As `process`, but each page is of 600 kB that cannot be compressed."""
    outcome = process(document, settings)
    if outcome.page is None:
        return outcome
    body = random.Random(outcome.location).randbytes(600_000)
    return replace(outcome, page=replace(outcome.page, compressed=body))


def main(url: str, batch_size: str, workers: str, *paths: str) -> None:
    from crawler.runs import drive as run
    from crawler.runs.ingest import ingest
    from storage.database import open_database

    run.BATCH_SIZE = int(batch_size)
    engine = open_database(url)
    done = ingest(engine, paths, workers=int(workers), settings=Settings(), process=process)
    engine.dispose()
    counts = done.counts
    print(counts.seen, counts.stored, counts.unchanged, counts.rejected, done.is_interrupted)
