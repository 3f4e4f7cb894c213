"""Extracts the article of an HTML page: open, find the article, refuse what is none.

An extractor finds the article (`pipeline.extract.extractors`). By default Trafilatura reads the page, and
rules and the block model judge its lines. A page whose chosen text is no article is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pipeline.document import Block, BlockKind, DocumentRejected, Extraction, Reason, Removed, Stage
from pipeline.extract.choice import Choice
from pipeline.extract.extractors import EXTRACTORS
from pipeline.extract.open_page import OpenPage, open_page
from pipeline.extract.refuse import refuse_non_article
from pipeline.extract.site_selectors import SelectedPage, apply_selectors
from pipeline.extract.structure import Judged
from pipeline.page import Page, Passage, common_container
from pipeline.settings import DEFAULT_EXTRACTOR, Settings
from pipeline.sites import SiteRules
from pipeline.text import identify_language


def extract_html(html: str, url: str, fetched_at: datetime, settings: Settings) -> Extraction:
    """Extracts the article of one page; arguments as `open_page`.

    Raises DocumentRejected where the page is empty, too large, or holds no article.
    """
    return extract_page(open_page(html, url, fetched_at, settings), extractor=settings.extractor)


def find_articles(opened: Sequence[OpenPage], extractor: str = DEFAULT_EXTRACTOR) -> list[Choice]:
    """The article of each page, by one of `EXTRACTORS`. Pages of one call share numpy operations."""
    return EXTRACTORS[extractor](opened)


def extract_page(
    opened: OpenPage,
    rules: SiteRules | None = None,
    choice: Choice | None = None,
    extractor: str = DEFAULT_EXTRACTOR,
) -> Extraction:
    """Extracts the article of an open page.

    rules: of the page's site; its selectors come before all else. choice: what `find_articles` gave for the
    page, if it was called. extractor: one of `EXTRACTORS`.

    Raises DocumentRejected where the page holds no article.
    """
    if rules is not None and rules.selects:
        return _extract_selected(apply_selectors(opened.root, rules), opened, rules, extractor)
    return _extract(opened, choice, extractor)


def _extract_selected(
    selected: SelectedPage, opened: OpenPage, rules: SiteRules, extractor: str
) -> Extraction:
    """Extracts what a site's selectors leave of a page."""
    try:
        if not selected.page.blocks:
            raise DocumentRejected(Stage.EXTRACT, Reason.NO_ARTICLE, "no text is left")
        left = OpenPage(selected.root, selected.page, opened.about)
        extraction = _extract(left, None, extractor, selected.dropped)
    except DocumentRejected as rejected:
        chars = sum(len(passage.text) for passage, *_ in selected.dropped)
        detail = f"{rejected.detail} (rules of site {rules.key} dropped {chars} characters)"
        raise DocumentRejected(rejected.stage, rejected.reason, detail) from rejected
    return replace(extraction, is_take_ignored=selected.is_take_ignored)


def _extract(
    opened: OpenPage, choice: Choice | None, extractor: str, dropped: Sequence[Judged] = ()
) -> Extraction:
    """dropped: what a site's selectors took out of the page."""
    page, about = opened.page, opened.about
    if choice is None:
        (choice,) = find_articles([opened], extractor)
    refuse_non_article(opened.root, page, choice.kept, about)
    passages = sorted([*choice.passages, *dropped], key=lambda judged: judged.passage.position)
    blocks = public_blocks(page, choice.kept)
    return Extraction(
        blocks=blocks,
        removed=_removed(passages),
        title=about.title,
        authors=about.authors,
        published_at=about.published_at,
        published_offset=about.published_offset,
        published_source=about.published_source,
        language=identify_language("\n".join(block.text for block in blocks), about.html_language),
        canonical_url=about.canonical_url,
        site_name=about.site_name,
        access=about.access,
        description=about.description,
        section=about.section,
        keywords=about.keywords,
        image_url=about.image_url,
        rights=about.rights,
        is_without_trafilatura=choice.is_without_trafilatura,
    )


def public_blocks(page: Page, passages: Sequence[Passage]) -> tuple[Block, ...]:
    """The passages as blocks of an `Extraction`."""
    top = common_container(page, [p.index for p in passages if p.index is not None])
    return tuple(
        page.block(passage.index, top, passage.text)
        if passage.index is not None
        else Block(kind=BlockKind.PARAGRAPH, text=passage.text)
        for passage in passages
    )


def _removed(passages: Sequence[Judged]) -> tuple[Removed, ...]:
    """What was dropped; the position of each is that of the kept block that follows it."""
    removed: list[Removed] = []
    kept = 0
    for passage, rule, _ in passages:
        if rule is None:
            kept += 1
        else:
            removed.append(Removed(position=kept, text=passage.text, rule=rule))
    return tuple(removed)
