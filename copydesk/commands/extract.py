"""`copydesk extract`: prints the clean text of pages, without a database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Annotated

import typer

from copydesk.options import Removed, SiteRulesFile
from copydesk.status import Status
from copydesk.terminal import as_markdown, err, out, print_article, print_json_lines, safe_line

if TYPE_CHECKING:
    from pipeline.document import Article, Document, Rejection
    from pipeline.settings import Settings

_FORMATS = ("text", "json", "markdown")


def extract(
    pages: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|URL…", help="HTML pages, copied text, JSONL, WARC, archives, or addresses of pages."
        ),
    ],
    removed: Removed = False,
    format: Annotated[
        str, typer.Option(metavar="FORMAT", help="text, json (an object a line) or markdown.")
    ] = "text",
    sites_file: SiteRulesFile = None,
    extractor: Annotated[
        str | None,
        typer.Option(
            envvar="COPYDESK_EXTRACTOR",
            metavar="NAME",
            help="What finds the article: copydesk, or trafilatura for that library's text as it is.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Print the articles of pages, and the lines that were removed from them. Stores nothing.

    URLs are fetched as a crawl fetches them: robots.txt, contact address, delays and limits hold. Exits with
    1 if a file or URL gave no article.
    """
    from pipeline.document import Rejection
    from pipeline.errors import OperatorError
    from pipeline.process import process_document
    from pipeline.settings import Settings
    from pipeline.sites import EXTRACTORS

    chosen = "json" if json else format
    if chosen not in _FORMATS:
        raise OperatorError(f"--format {format}: write one of {', '.join(_FORMATS)}")
    if removed and chosen == "markdown":
        raise OperatorError("--removed is for text; JSON has the removed lines always")
    settings = Settings()
    if sites_file:
        from crawler.sites import read_rulebook

        settings = replace(settings, site_rules=read_rulebook(sites_file))
    if extractor:
        if extractor not in EXTRACTORS:
            raise OperatorError(f"--extractor {extractor}: write one of {', '.join(EXTRACTORS)}")
        settings = replace(settings, extractor=extractor)
    is_empty = False
    is_first = True
    for documents in _sources(pages, settings):
        has_article = False
        for document in documents:
            if isinstance(document, Rejection):
                outcome: Article | Rejection = document
            else:
                outcome = process_document(document, settings, fingerprinted=False)
            if isinstance(outcome, Rejection):
                said = safe_line(f"{outcome.location}: {outcome.detail}")
                err.print(f"[red]{outcome.reason}[/red] ", end="")
                err.print(said, markup=False)
                continue
            has_article = True
            if not is_first and chosen != "json":
                out.print("\n---\n" if chosen == "markdown" else "")
            is_first = False
            _print(outcome, chosen, removed)
        is_empty |= not has_article
    if is_empty:
        raise typer.Exit(Status.FAULTS)


def _sources(pages: Sequence[str], settings: Settings) -> Iterator[Iterator[Document | Rejection]]:
    """The documents of each file, in the order given, then those of the URLs, each alone."""
    from crawler.files import read_paths
    from crawler.page_process import PageReader, is_web_url

    with PageReader([page for page in pages if is_web_url(page)]) as fetched:
        for page in pages:
            if not is_web_url(page):
                yield read_paths([page], settings)
        for document in fetched:
            yield iter([document])


def _print(article: Article, format: str, removed: bool) -> None:
    from pipeline.sites import is_without_trafilatura, site_of_version

    if format == "json":
        print_json_lines([_as_json(article)])
        return
    if format == "markdown":
        out.print(as_markdown(article), markup=False)
    else:
        print_article(article, article.removed, with_removed=removed)
    if is_without_trafilatura(article.rules_version):
        err.print(
            f"{article.location}: judged without Trafilatura, which could not read this page"
            " (it failed, or the page has more than 3,000 blocks)"
        )
    site, is_take_ignored = site_of_version(article.rules_version)
    if is_take_ignored:
        err.print(
            f"{site}: the elements that its rules take hold too little text, so the whole page was read"
        )


# Left out: the bytes of the page, and fields that only a database needs.
_NOT_SHOWN = ("search_words", "fingerprint", "page")


def _as_json(article: Article) -> object:
    names = (field.name for field in fields(article))
    return {name: getattr(article, name) for name in names if name not in _NOT_SHOWN}
