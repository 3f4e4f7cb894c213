"""Two versions of the rules, for tests of reprocessing.

Lines with `!` in a page choose the result. `older` keeps the clutter of `!clutter` pages, gives `!retitled`
pages a different title, and rejects `!accepted` pages. `newer` rejects `!refused` pages, fails on `!fault`
pages, and dies of `!deadly` pages.
"""

from __future__ import annotations

import os
import signal
from dataclasses import replace

from pipeline.copies.fingerprint import fingerprint
from pipeline.document import Article, Document, Outcome, Reason, Rejection, Stage
from pipeline.settings import Settings
from pipeline.text.search_words import make_search_words
from tests.crawler import drive

OLDER = "0-older"
CLUTTER = "Register now to read all of our stories for less than a coffee a week."


def older(document: Document, settings: Settings) -> Outcome:
    outcome = _article(document, settings)
    if b"!accepted" in document.body:
        outcome = _refused(document, outcome)
    if isinstance(outcome, Article) and b"!clutter" in document.body:
        text = f"{outcome.text}\n{CLUTTER}"
        outcome = _with_text(outcome, text, settings)
    if isinstance(outcome, Article) and b"!retitled" in document.body:
        words = make_search_words("Old title", outcome.text)
        outcome = replace(outcome, title="Old title", authors=("Ada Lind",), search_words=words)
    return replace(outcome, rules_version=OLDER)


def newer(document: Document, settings: Settings) -> Outcome:
    if b"!deadly" in document.body:
        os.kill(os.getpid(), signal.SIGKILL)
    if b"!fault" in document.body:
        raise ValueError("a fault")
    outcome = _article(document, settings)
    return _refused(document, outcome) if b"!refused" in document.body else outcome


def _article(document: Document, settings: Settings) -> Outcome:
    outcome = drive.process(document, settings)
    if not isinstance(outcome, Article):
        return outcome
    text = "\n".join(line for line in outcome.text.splitlines() if not line.startswith("!"))
    return _with_text(outcome, text, settings)


def _with_text(article: Article, text: str, settings: Settings) -> Article:
    return replace(
        article,
        text=text,
        search_words=make_search_words(article.title, text),
        fingerprint=fingerprint(text, settings.fingerprint),
    )


def _refused(document: Document, outcome: Outcome) -> Rejection:
    return Rejection(
        document.location,
        document.url,
        Stage.CLEAN,
        Reason.SECTION_FRONT,
        "a list of links",
        document.fetched_at,
        outcome.rules_version,
        outcome.page,
    )


def main(url: str, batch_size: str) -> None:
    """A program that reprocesses, for tests that interrupt it."""
    from crawler.runs import drive as run
    from crawler.runs.reprocess import reprocess
    from storage.database import open_database

    run.BATCH_SIZE = int(batch_size)
    engine = open_database(url)
    done = reprocess(engine, workers=2, settings=Settings(), process=newer)
    engine.dispose()
    print(done.counts.seen, done.is_interrupted)
