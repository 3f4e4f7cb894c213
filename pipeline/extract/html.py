"""Extracts the article of an HTML page: candidates, rules, model, refusal.

The candidates come from the region with most of the page's prose. Structural rules and the block model choose
among them. Where the model is not sure, Trafilatura finds candidates too, which takes longer than all the
rest, and the better choice stands. A page whose chosen text is no article is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pipeline.document import Block, BlockKind, DocumentRejected, Extraction, Reason, Removed, Stage
from pipeline.extract.candidates import by_trafilatura, first_pass
from pipeline.extract.choose import Choice, better_choice, choose
from pipeline.extract.model import BlockModel, block_columns
from pipeline.extract.open_page import OpenPage, open_page
from pipeline.extract.refuse import refuse_non_article
from pipeline.extract.site_selectors import SelectedPage, apply_selectors
from pipeline.extract.structure import Judged
from pipeline.page import Page, Passage, common_container
from pipeline.settings import Settings
from pipeline.sites import SiteRules
from pipeline.text import identify_language

# Below this expected F1 Trafilatura is asked as well (docs/tuning.md: DOUBTED).
DOUBTED = 0.7
# Trafilatura takes minutes for a page of 20,000 paragraphs. Few news pages have more blocks than this.
_MOST_BLOCKS_FOR_TRAFILATURA = 3000


def extract_html(html: str, url: str, fetched_at: datetime, settings: Settings) -> Extraction:
    """Extracts the article of one page; arguments as `open_page`.

    Raises DocumentRejected where the page is empty, too large, or holds no article.
    """
    return extract_page(open_page(html, url, fetched_at, settings))


def first_choices(opened: Sequence[OpenPage], model: BlockModel | None = None) -> list[Choice]:
    """The choice for each page by the first pass. Pages of one call share numpy operations."""
    if not opened:
        return []
    columns = block_columns([page.page for page in opened])
    abouts = [page.about for page in opened]
    return choose(columns, first_pass(columns, abouts), abouts, model)


def extract_page(opened: OpenPage, rules: SiteRules | None = None, first: Choice | None = None) -> Extraction:
    """Extracts the article of an open page.

    rules: of the page's site; its selectors come before all else. first: what `first_choices` gave for the
    page, if it was called.

    Raises DocumentRejected where the page holds no article.
    """
    if rules is not None and rules.selects:
        return _extract_selected(apply_selectors(opened.root, rules), opened, rules)
    return _extract(opened, first)


def _extract_selected(selected: SelectedPage, opened: OpenPage, rules: SiteRules) -> Extraction:
    """Extracts what a site's selectors leave of a page."""
    try:
        if not selected.page.blocks:
            raise DocumentRejected(Stage.EXTRACT, Reason.NO_ARTICLE, "no text is left")
        extraction = _extract(OpenPage(selected.root, selected.page, opened.about), None, selected.dropped)
    except DocumentRejected as rejected:
        chars = sum(len(passage.text) for passage, _ in selected.dropped)
        detail = f"{rejected.detail} (rules of site {rules.key} dropped {chars} characters)"
        raise DocumentRejected(rejected.stage, rejected.reason, detail) from rejected
    return replace(extraction, is_take_ignored=selected.is_take_ignored)


def _extract(opened: OpenPage, first: Choice | None, dropped: Sequence[Judged] = ()) -> Extraction:
    """dropped: what a site's selectors took out of the page."""
    page, about = opened.page, opened.about
    choice = choose_article(opened, first)
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
    )


def choose_article(opened: OpenPage, first: Choice | None = None, model: BlockModel | None = None) -> Choice:
    """Which passages of the page are its article.

    first: what `first_choices` gave for the page, if it was called. model: the shipped one by default.
    """
    if first is None:
        (first,) = first_choices([opened], model)
    if first.expected_f1 >= DOUBTED or len(opened.page.blocks) > _MOST_BLOCKS_FOR_TRAFILATURA:
        return first
    columns = block_columns([opened.page])
    (second,) = choose(columns, [by_trafilatura(opened)], [opened.about], model)
    return better_choice(first, second)


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
    for passage, rule in passages:
        if rule is None:
            kept += 1
        else:
            removed.append(Removed(position=kept, text=passage.text, rule=rule))
    return tuple(removed)
