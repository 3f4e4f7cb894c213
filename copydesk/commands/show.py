"""`copydesk show`: shows one stored article, with its removed lines or its earlier texts on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from copydesk.options import DEFAULT_DATABASE, Database, Json, Removed
from copydesk.terminal import plain, print_article, print_json, print_revisions, when
from pipeline.errors import OperatorError

if TYPE_CHECKING:
    from storage.database import Engine
    from storage.reader import StoredArticle, StoredRejection
    from storage.writing import Quarantined


def show(
    which: Annotated[str, typer.Argument(metavar="ID|URL|LOCATION", help="An id, a URL, or a file's path.")],
    db: Database = DEFAULT_DATABASE,
    removed: Removed = False,
    revisions: Annotated[
        bool,
        typer.Option("--revisions", help="Show every text that was seen, and what changed in each."),
    ] = False,
    json: Json = False,
) -> None:
    """Show one article: its facts, its text, and its copies; or the history of its text.

    Of a page that was rejected it says why, and where a page is in quarantine (copydesk stats --quarantine).
    """
    from storage import reader
    from storage.database import open_database
    from storage.upkeep import has_page

    engine = open_database(db, create=False)
    article = _find(engine, which)
    texts = reader.revisions(engine, article.id) if revisions else []
    if revisions and not json:
        print_revisions(texts)
        return
    lines = reader.removed(engine, article.id)
    copies = reader.copies(engine, article.id)
    rules = reader.rules_version(engine, article.id)
    is_pruned = not has_page(engine, article.id)
    addresses = {which, article.url, article.location}
    held = _quarantined(engine, addresses)
    rejected = reader.rejections_at(engine, addresses)
    if json:
        said: dict[str, object] = {
            "rules_version": rules,
            "page_pruned": is_pruned,
            "quarantine": plain(held),
            "rejections": plain(rejected),
        }
        if revisions:
            said["revisions"] = plain(texts)
        print_json({**plain(article), "removed": plain(lines), "copies": plain(copies), **said})
        return
    print_article(
        article,
        lines,
        with_removed=removed,
        stored=(
            ("id", article.id),
            ("site", article.site_key),
            ("group", f"{article.group_id} ({'canonical copy' if article.is_canonical else 'a copy'})"),
            ("copies", len(copies)),
            ("revision", article.revision if article.revision > 1 else None),
            ("gone", article.gone_at and f"from its site since {when(article.gone_at)}"),
            ("rules", rules),
            ("page", "pruned: reprocess cannot apply other rules to it" if is_pruned else None),
            *(("quarantine", _shown(one)) for one in held),
            *(("rejected", f"what came on {when(one.at)}: {_why(one)}") for one in rejected),
        ),
    )


def _quarantined(engine: Engine, locations: set[str]) -> list[Quarantined]:
    from crawler.sites import read_rulebook
    from pipeline.settings import Settings
    from storage.writing import list_quarantine

    return list_quarantine(engine, Settings(site_rules=read_rulebook()), locations)


def _shown(one: Quarantined) -> str:
    again = "copydesk reprocess --quarantined tries it again"
    if not one.is_held:
        again = "rules or code have changed, so it is tried when it comes again"
    return f"in quarantine, {one.failures} times in a row {one.reason} ({one.detail}); {again}"


def _why(rejection: StoredRejection) -> str:
    detail = f" ({rejection.detail})" if rejection.detail else ""
    return f"{rejection.reason}{detail}"


def _find(engine: Engine, which: str) -> StoredArticle:
    from pipeline.urls import canonical_url
    from storage import reader

    found = None
    if which.isdigit():
        found = reader.article(engine, int(which))
    elif "://" in which:
        found = reader.article_by_url(engine, canonical_url(which))
    if found is None:
        found = reader.article_by_location(engine, which)
    if found is None:
        addresses = {which, canonical_url(which)}
        for one in _quarantined(engine, addresses):
            raise OperatorError(f"no article at {which!r}: {_shown(one)}")
        for refused in reader.rejections_at(engine, addresses):
            fetched = f"rejected in run {refused.run_id}, as it was fetched on {when(refused.at)}"
            raise OperatorError(f"no article at {which!r}: {fetched}: {_why(refused)}")
        raise OperatorError(f"no article {which!r} here: name an id, a URL or a location (copydesk groups)")
    return found
