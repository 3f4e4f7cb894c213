"""`copydesk extract`: one page to clean text, without a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from copydesk.console import err, out, print_json_lines, when
from copydesk.options import Json, Removed
from copydesk.rendering import print_before_and_after, print_facts, print_text

if TYPE_CHECKING:
    from pipeline.document import Article


def extract(
    path: Annotated[
        str, typer.Argument(metavar="FILE", help="An HTML page, copied text, JSONL, WARC, or archive.")
    ],
    removed: Removed = False,
    json: Json = False,
) -> None:
    """Print the article of a page, and what was taken out of it. Stores nothing."""
    from crawler.files import read_paths
    from pipeline.document import Rejection
    from pipeline.process import process_document
    from pipeline.settings import Settings

    settings = Settings()
    for document in read_paths([path], settings):
        outcome = document if isinstance(document, Rejection) else process_document(document, settings)
        if isinstance(outcome, Rejection):
            err.print(f"[red]{outcome.reason}[/red] {outcome.location}: {outcome.detail}", markup=True)
        elif json:
            print_json_lines([_as_json(outcome)])
        else:
            _print(outcome, removed)


def _as_json(article: Article) -> object:
    from copydesk.console import plain

    kept = plain({name: getattr(article, name) for name in _JSON_FIELDS})
    assert isinstance(kept, dict)
    return kept


_JSON_FIELDS = (
    "url",
    "location",
    "publisher",
    "site",
    "title",
    "text",
    "authors",
    "byline",
    "dateline",
    "agency",
    "published_at",
    "published_source",
    "language",
    "access",
    "syndicated_from",
    "word_count",
    "removed",
    "rules_version",
)


def _print(article: Article, removed: bool) -> None:
    from rich.markup import escape

    out.print(f"[bold]{escape(article.title)}[/bold]")
    print_facts(
        (
            ("url", article.url),
            ("from", article.location),
            ("publisher", article.publisher),
            ("published", when(article.published_at) if article.published_at else None),
            ("authors", list(article.authors)),
            ("byline", article.byline),
            ("dateline", article.dateline),
            ("agency", article.agency),
            ("language", article.language),
            ("words", article.word_count),
            ("removed", f"{len(article.removed)} lines"),
        )
    )
    if removed:
        print_before_and_after(article.text, article.removed)
    else:
        print_text(article.text)
