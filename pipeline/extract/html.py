"""An HTML page becomes typed blocks and metadata.

The block model judges what most of the page's prose stands with; where it is not sure, Trafilatura is asked
as well, which takes longer than all the rest, and the model judges what that found.
"""

from __future__ import annotations

import copy
import itertools
import json
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape
from typing import Any

import lxml.html
import numpy as np
from lxml import etree
from numpy.typing import NDArray

from pipeline.document import Block, BlockKind, DocumentRejected, Extraction, Reason, Removed, Stage
from pipeline.extract.model import (
    KEPT,
    BlockModel,
    Columns,
    Decision,
    Stated,
    columns_of,
    decide,
    first_sight,
    keep_probabilities,
    shares,
)
from pipeline.extract.refuse import refuse_non_article
from pipeline.extract.site_selectors import Selected, select
from pipeline.extract.structure import judge_pieces, reconsidered, restored
from pipeline.metadata import Metadata, read_metadata
from pipeline.page import Page, Piece, align_lines, common_container, is_layout_row, segment_page
from pipeline.settings import Settings
from pipeline.sites import SiteRules
from pipeline.text import RUN, identify_language

# Trafilatura logs every page that it finds wanting; our rejections say the same with a reason.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

# Trafilatura's caches grow with every page; emptied each time this many pages are done.
_CACHE_PAGES = 200
_pages_done = itertools.count(1)


# What lxml reads but does not let anyone write again, as characters and as references to them: one form
# feed in a page would make Trafilatura give the page up.
_NOT_XML = ("\x0b", "\x0c", "\ufffe", "\uffff")
_NOT_XML_REFERENCE = re.compile(
    rb"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|x0*(?:[0-8bcef]|1[0-9a-f]|fff[ef]))(?:;|(?![0-9a-f]))",
    re.IGNORECASE,
)


def extract_html(html: str, url: str, fetched_at: datetime, settings: Settings) -> Extraction:
    """Reads one page.

    html: decoded, without NUL characters. url: where it was fetched from, for relative links and the
    date in it. fetched_at: aware UTC.

    Raises DocumentRejected where the page is empty, too large, or holds no article.
    """
    return extract_page(open_page(html, url, fetched_at, settings))


@dataclass(frozen=True, slots=True)
class OpenPage:
    """A page that was read, and of which the article is not looked for yet. Never leaves its process.

    root: its tree. blocks: all that it shows. about: what it says of itself.
    """

    root: Any
    blocks: Page
    about: Metadata


def open_page(
    html: str, url: str, fetched_at: datetime, settings: Settings, utf8: bytes | None = None
) -> OpenPage:
    """The first half of `extract_html`, after which it is known which article the page says to be.

    utf8: `html` in UTF-8, where that is at hand.
    """
    if len(html) > settings.max_body_bytes:
        raise DocumentRejected(Stage.EXTRACT, Reason.TOO_LARGE, f"{len(html)} characters")
    return OpenPage(*read_page(html, url, fetched_at, utf8))


def extract_page(
    opened: OpenPage, rules: SiteRules | None = None, reading: Reading | None = None
) -> Extraction:
    """The second half of `extract_html`.

    rules: of the page's site; its selectors come before all else. reading: what `first_readings` said of the
    page, if it was asked.
    """
    if rules is not None and rules.selects:
        return _extract_selected(select(opened.root, rules), opened.about, rules)
    return _extract(opened, reading)


def _extract_selected(selected: Selected, about: Metadata, rules: SiteRules) -> Extraction:
    try:
        if not selected.page.blocks:
            raise DocumentRejected(Stage.EXTRACT, Reason.NO_ARTICLE, "no text is left")
        extraction = _extract(OpenPage(selected.root, selected.page, about), None, selected.dropped)
    except DocumentRejected as rejected:
        chars = sum(len(piece.text) for piece, _ in selected.dropped)
        detail = f"{rejected.detail} (rules of site {rules.key} dropped {chars} characters)"
        raise DocumentRejected(rejected.stage, rejected.reason, detail) from rejected
    return replace(extraction, is_take_ignored=selected.is_take_ignored)


def _extract(
    opened: OpenPage, reading: Reading | None, dropped: Sequence[tuple[Piece, str | None]] = ()
) -> Extraction:
    page, about = opened.blocks, opened.about
    judged: Sequence[tuple[Piece, str | None]] = judged_pieces(opened, reading)
    kept = [piece for piece, rule in judged if rule is None]
    refuse_non_article(opened.root, page, kept, about)
    if dropped:
        judged = sorted([*judged, *dropped], key=lambda pair: pair[0].position)
    blocks = public_blocks(page, kept)
    return Extraction(
        blocks=blocks,
        removed=_removed(judged),
        title=about.title,
        authors=about.authors,
        published_at=about.published_at,
        published_offset=about.published_offset,
        published_source=about.published_source,
        language=identify_language("\n".join(block.text for block in blocks), about.html_language),
        canonical_url=about.canonical_url,
        site_name=about.site_name,
        access=about.access,
    )


def read_page(
    html: str, url: str, fetched_at: datetime, utf8: bytes | None = None
) -> tuple[Any, Page, Metadata]:
    """The page's tree, its blocks and what it says of itself; arguments as `open_page`.

    Raises DocumentRejected where it shows no text.
    """
    root = parse(html, utf8)
    page = segment_page(root)
    about = read_metadata(root, url, fetched_at, _lines_by_headline(page))
    if sum(len(block.text) for block in page.blocks) < _BARE_CHARS:
        hidden = _hidden_story(root, about)
        if hidden is not None:
            root, page = hidden, segment_page(hidden)
    if not page.blocks:
        raise DocumentRejected(Stage.EXTRACT, Reason.EMPTY, "the page shows no text")
    return root, page, about


# Below this expected F1 the model is not sure of what it was shown first. Cross-validated by site, mean F1 of
# wcxb-dev, multi-dev and fundus-dev, and ms of processor time that a page of wcxb-dev takes the longer on
# average (14 without): never asking Trafilatura .9662; asking it below .7 .9666 and .6 ms, below .75 (2 % of
# these pages) .9666 and .8, below .85 .9666 and 1.5, below .9 .9673 and 2.5. With its own second opinions,
# without `fast`: below .75 .9666 and 1.3, below .85 .9667 and 2.1, below .9 .9675 and 3.5.
DOUBTED = 0.7
# Trafilatura takes minutes over a page of 20,000 paragraphs; of news pages, few have more than 1,000.
_LOOKED_AT_TWICE = 3000


def judged_pieces(
    opened: OpenPage, reading: Reading | None = None, model: BlockModel | None = None
) -> list[tuple[Piece, str | None]]:
    """What may be the article, in the order of the page, each piece with the rule that drops it or None.

    reading: that of `first_readings`, if it was asked. model: the one that comes with the package, if none
    is given.
    """
    if reading is None:
        (reading,) = first_readings([opened], model)
    page, about = opened.blocks, opened.about
    if reading.expected < DOUBTED and len(page.blocks) <= _LOOKED_AT_TWICE:
        extracted = judge_pieces(page, extracted_pieces(opened.root, page, about), about)
        (other,) = weighed(columns_of([page]), [extracted], [about], model)
        reading = surer(reading, other)
    return reading.judged


def first_readings(opened: Sequence[OpenPage], model: BlockModel | None = None) -> list[Reading]:
    """How the pages are read at first sight. Those of one call are weighed together, which is quicker."""
    if not opened:
        return []
    abouts = [page.about for page in opened]
    columns = columns_of([page.blocks for page in opened])
    judged = [
        judge_pieces(page, pieces, about)
        for page, pieces, about in zip(columns.pages, seen_pieces(columns, abouts), abouts, strict=True)
    ]
    return weighed(columns, judged, abouts, model)


# A text of so many words is a story, and one several times as long has taken in what stands around it.
_STORY_WORDS = 100
_PADDED = 3


def surer(reading: Reading, other: Reading) -> Reading:
    """Which of the two views is better; `other` is Trafilatura's.

    Where the model would empty the page either way, that is Trafilatura's.
    """
    words, others = (
        sum(len(piece.text.split()) for piece, rule in view.judged if rule is None)
        for view in (reading, other)
    )
    is_padded = words >= _STORY_WORDS and others > _PADDED * words
    return reading if is_padded or other.expected < reading.expected else other


def seen_pieces(columns: Columns, abouts: Sequence[Metadata]) -> list[list[Piece]]:
    """Where most of each page's prose stands, with what belongs to it by the structure of the page."""
    return [
        restored(page, reconsidered(page, pieces), about)
        for page, pieces, about in zip(columns.pages, prose_pieces(columns), abouts, strict=True)
    ]


def prose_pieces(columns: Columns) -> list[list[Piece]]:
    """Where most of each page's prose stands."""
    seen = first_sight(columns) >= KEPT
    return [pieces_of(page, seen[part]) for page, part in zip(columns.pages, columns.parts(), strict=True)]


def extracted_pieces(root: Any, page: Page, about: Metadata) -> list[Piece]:
    """What Trafilatura takes for the article, with what it should have taken as well."""
    return restored(page, reconsidered(page, align_lines(page.blocks, article_lines(root))), about)


def _lines_by_headline(page: Page) -> list[str]:
    """Short lines below the headline, then those above it."""
    headline = next((i for i, block in enumerate(page.blocks) if block.tag == "h1"), 0)
    near = [*page.blocks[headline : headline + 12], *page.blocks[max(0, headline - 6) : headline]]
    return [block.text for block in near if block.link_density < 0.5]


def pieces_of(page: Page, taken: NDArray[np.bool_]) -> list[Piece]:
    """The blocks that are taken, whole; taken: of every block of the page."""
    return [Piece(index, page.blocks[index].text, float(index)) for index in taken.nonzero()[0].tolist()]


@dataclass(frozen=True, slots=True)
class Reading:
    """One view of a page.

    judged: the pieces that may be the article, each with the rule that drops it or None. expected: how good
    the model thinks the text that is left, see `blockmodel.Decision`.
    """

    judged: list[tuple[Piece, str | None]]
    expected: float


def weighed(
    columns: Columns,
    judged: Sequence[Sequence[tuple[Piece, str | None]]],
    abouts: Sequence[Metadata],
    model: BlockModel | None = None,
) -> list[Reading]:
    """The rules' judgement of each page after the block model has weighed it with all other evidence.

    The model may drop a block (`model.block` with its score) and may bring in one that was passed over, but
    never one that a rule dropped. Text that was not found in the page is left to the rules.
    """
    of_pages = list(zip(columns.pages, judged, strict=True))
    verdict, ruled = np.zeros((2, len(columns.words)), dtype=np.float32)
    for part, (page, pieces) in zip(columns.parts(), of_pages, strict=True):
        verdict[part] = shares(page, ((piece.index, piece.text) for piece, _ in pieces))
        ruled[part] = shares(page, ((piece.index, piece.text) for piece, rule in pieces if rule is None))
    stated = [Stated(about.titles, about.descriptions) for about in abouts]
    decisions = decide(columns, keep_probabilities(columns, verdict, ruled, stated, model), verdict, ruled)
    return [
        _decided(page, pieces, about, decision)
        for (page, pieces), about, decision in zip(of_pages, abouts, decisions, strict=True)
    ]


def _decided(
    page: Page, judged: Sequence[tuple[Piece, str | None]], about: Metadata, decision: Decision
) -> Reading:
    """The rules' judgement of a page as the model changes it."""
    if not decision.believed:
        return Reading(list(judged), decision.expected)
    taken = decision.keep.copy()
    for index in decision.keep.nonzero()[0].tolist():
        if index + 1 < len(taken) and _may_be_credit(page, index + 1):
            taken[index + 1] = True
    seen = {piece.index for piece, _ in judged}
    found: list[tuple[Piece, str | None]] = [(piece, None) for piece in pieces_of(page, taken)]
    if any(piece.index not in seen for piece, _ in found):
        # what the model brings in has not been before the rules yet
        found = judge_pieces(page, [piece for piece, _ in found], about, passed=seen)
    for piece, rule in judged:
        if piece.index is None:
            found.append((piece, rule))
        elif not taken[piece.index]:
            found.append((piece, rule or f"model.block {decision.probability[piece.index]:.2f}"))
    return Reading(sorted(found, key=lambda pair: pair[0].position), decision.expected)


def _may_be_credit(page: Page, index: int) -> bool:
    """A word or two set like the block above: may be an agency's sign-off, which the wire stage reads."""
    block, above = page.blocks[index], page.blocks[index - 1]
    plain = block.kind is BlockKind.PARAGRAPH and not block.links and len(block.words) <= 2
    beside = page.containers.parent[block.container] == page.containers.parent[above.container]
    return plain and block.tag == above.tag and beside


def _hidden_story(root: Any, about: Metadata) -> Any | None:
    """The story of a page that shows none before its scripts run: from JSON-LD or the scripts' data."""
    story = about.article_body
    if len(story) < _BARE_CHARS:
        story = max(
            (found for script in root.iter("script") for found in _markup_in(script.text)),
            key=len,
            default="",
        )
    if len(story) < _BARE_CHARS:
        return None
    if "</p>" not in story:
        story = "".join(f"<p>{escape(line)}</p>" for line in story.splitlines() if line.strip())
    return parse(f"<html><body><article>{story}</article></body></html>")


def _markup_in(script: str | None) -> Iterator[str]:
    """JSON strings of a script that hold the markup of several paragraphs."""
    if not script or not any(mark in script for mark in ("</p>", "\\u003c/p", "<\\/p>")):
        return
    for match in _JSON_STRING.finditer(script[:5_000_000]):
        text = match[0]
        for _ in range(3):
            try:
                text = json.loads(text if text.startswith('"') else f'"{text}"', strict=False)
            except (ValueError, RecursionError):
                break
            if not isinstance(text, str):
                break
            if text.count("</p>") >= 2:
                yield from (part for part in _INNER.findall(text) or [text])
                break


# A page whose visible text is shorter than this keeps its story in a script, if it has one.
_BARE_CHARS = 300
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.){200,}"')
_INNER = re.compile(r"<p[ >].*</p>", re.S)


def parse(html: str, utf8: bytes | None = None) -> Any:
    """The page as an lxml tree, whatever the input; utf8: the same in UTF-8, where that is at hand.

    Raises DocumentRejected when it is empty.
    """
    if not html or html.isspace():
        raise DocumentRejected(Stage.EXTRACT, Reason.EMPTY, "no bytes but white space")
    page = html.encode("utf-8", "replace") if utf8 is None else utf8
    for char in _NOT_XML:
        # one character is found in a text many times faster than three bytes are among bytes
        if char in html:
            page = page.replace(char.encode(), b" ")
    page = _NOT_XML_REFERENCE.sub(b" ", page)
    # plain elements: making those of lxml.html takes a third of the time of a walk over the tree
    parser = etree.HTMLParser(**_PARSER)
    try:
        root = etree.fromstring(page, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise DocumentRejected(Stage.EXTRACT, Reason.EMPTY, f"cannot be parsed: {error}") from error
    if root is None:
        raise DocumentRejected(Stage.EXTRACT, Reason.EMPTY, "no element in the document")
    return root


_PARSER = {
    "encoding": "utf-8",
    "huge_tree": True,
    "remove_comments": True,
    "remove_pis": True,
    "collect_ids": False,
    "default_doctype": False,
}


def article_lines(root: Any) -> list[str]:
    """The text that Trafilatura takes for the article, line by line; empty where it finds none."""
    if next(_pages_done) % _CACHE_PAGES == 0:
        from trafilatura.meta import reset_caches

        reset_caches()
    # Trafilatura asks for elements of lxml.html. Forms have classes of their own there, which it does not
    # use, and looking for each element's is a tenth of its time.
    parser = etree.HTMLParser(**_PARSER)
    parser.set_element_class_lookup(etree.ElementDefaultClassLookup(element=lxml.html.HtmlElement))
    root = etree.fromstring(etree.tostring(root, encoding="utf-8", method="html"), parser)
    lines = _lines_by_trafilatura(root)
    whole = sum(map(len, lines))
    if any("|" in line and len(line) > max(600, whole / 2) for line in lines):
        # A table that lays out the page came back as one line, menu and story between bars.
        lines = _lines_by_trafilatura(_without_layout_tables(root))
    return lines


def _lines_by_trafilatura(root: Any) -> list[str]:
    # Here: few pages need it, and it takes a quarter of a second to import.
    import trafilatura

    try:
        found = trafilatura.bare_extraction(root, include_comments=False, with_metadata=False, fast=True)
    except Exception:  # a page that breaks Trafilatura is judged without it
        found = None
    text = getattr(found, "text", None) or ""
    return [line for line in str(text).splitlines() if RUN.search(line)]


def _without_layout_tables(root: Any) -> Any:
    """A copy of the tree in which tables that only place boxes are plain containers."""
    root = copy.deepcopy(root)
    parts: list[Any] = []
    for table in root.iter("table"):
        own = [
            part
            for part in table.iter("tbody", "thead", "tfoot", "tr", "td", "th")
            if next(part.iterancestors("table"), None) is table
        ]
        if any(part.tag == "tr" and is_layout_row(part) for part in own):
            parts += [table, *own]
    for part in parts:
        part.tag = "div"
    return root


def public_blocks(page: Page, pieces: Sequence[Piece]) -> tuple[Block, ...]:
    top = common_container(page, [p.index for p in pieces if p.index is not None])
    return tuple(
        page.block(piece.index, top, piece.text)
        if piece.index is not None
        else Block(kind=BlockKind.PARAGRAPH, text=piece.text)
        for piece in pieces
    )


def _removed(judged: Sequence[tuple[Piece, str | None]]) -> tuple[Removed, ...]:
    """What was dropped; its position is that of the kept block that follows it."""
    removed: list[Removed] = []
    kept = 0
    for piece, rule in judged:
        if rule is None:
            kept += 1
        else:
            removed.append(Removed(position=kept, text=piece.text, rule=rule))
    return tuple(removed)
