"""`copydesk extract`: prints the clean text of one page, without a database."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Annotated

import typer

from copydesk.options import Json, Removed, SiteRulesFile
from copydesk.terminal import err, print_article, print_json_lines

if TYPE_CHECKING:
    from pipeline.document import Article, Outcome


def extract(
    path: Annotated[
        str, typer.Argument(metavar="FILE", help="An HTML page, copied text, JSONL, WARC, or archive.")
    ],
    removed: Removed = False,
    sites_file: SiteRulesFile = None,
    extractor: Annotated[
        str | None,
        typer.Option(
            envvar="COPYDESK_EXTRACTOR",
            metavar="NAME",
            help="What finds the article: copydesk, or trafilatura for that library's text as it is.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Print the article of a page, and the lines that were removed from it. Stores nothing."""
    from crawler.files import read_paths
    from pipeline.document import Rejection
    from pipeline.errors import OperatorError
    from pipeline.process import process_document
    from pipeline.settings import Settings
    from pipeline.sites import EXTRACTORS, is_without_trafilatura, site_of_version

    settings = Settings()
    if sites_file:
        from crawler.sites import read_rulebook

        settings = replace(settings, site_rules=read_rulebook(sites_file))
    if extractor:
        if extractor not in EXTRACTORS:
            raise OperatorError(f"--extractor {extractor}: write one of {', '.join(EXTRACTORS)}")
        settings = replace(settings, extractor=extractor)
    for document in read_paths([path], settings):
        if isinstance(document, Rejection):
            outcome: Outcome = document
        else:
            outcome = process_document(document, settings, fingerprinted=False)
        if isinstance(outcome, Rejection):
            err.print(f"[red]{outcome.reason}[/red] {outcome.location}: {outcome.detail}", markup=True)
        elif json:
            print_json_lines([_as_json(outcome)])
        else:
            print_article(outcome, outcome.removed, with_removed=removed)
            if is_without_trafilatura(outcome.rules_version):
                err.print(
                    f"{outcome.location}: judged without Trafilatura, which could not read this page"
                    " (it failed, or the page has more than 3,000 blocks)"
                )
            site, is_take_ignored = site_of_version(outcome.rules_version)
            if is_take_ignored:
                err.print(
                    f"{site}: the elements that its rules take hold too little text,"
                    " so the whole page was read"
                )


# Left out: the bytes of the page, and fields that only a database needs.
_NOT_SHOWN = ("search_words", "fingerprint", "page")


def _as_json(article: Article) -> object:
    names = (field.name for field in fields(article))
    return {name: getattr(article, name) for name in names if name not in _NOT_SHOWN}
