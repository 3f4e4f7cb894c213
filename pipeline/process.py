"""Composes the stages for one document: bytes in, exactly one outcome out.

Pure and stateless, so that it can run in any worker process: everything it needs is in the
document and the settings, and the only clock is the document's `fetched_at`.
"""

from __future__ import annotations

import hashlib
import threading
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

import zstandard

from pipeline.clean import clean, parse_wire
from pipeline.copies import fingerprint
from pipeline.document import (
    Access,
    Article,
    Document,
    DocumentRejected,
    Extraction,
    MediaType,
    Outcome,
    PageBytes,
    Reason,
    Rejection,
    Removed,
    Stage,
)
from pipeline.extract import Choice, OpenPage, extract_page, first_choices, open_page
from pipeline.metadata import parse_time
from pipeline.page import decode_body
from pipeline.settings import Settings
from pipeline.sites import SiteRules, combined_version, remove_learned_lines
from pipeline.text import make_search_words, word_count
from pipeline.urls import canonical_url, identity, site_of

# A paywalled page with fewer words than this is a stub: its two sentences say nothing about which
# story it is, and the same teaser stands on many pages.
STUB_WORDS = 200

# Two hash tables of 64 kB each, which stay in the processor's inner caches, in place of the 128 and 256 kB of
# level 3. Of 90 pages of multi-dev and 120 of wcxb-dev, bytes and processor time in proportion to level 3 are
# 1.015 and .76, 1.007 and .74; of level 2 1.040 and .77, 1.031 and .74; of level 1 1.082 and .63, 1.062, .60.
PAGE_PARAMETERS = zstandard.ZstdCompressionParameters(
    strategy=zstandard.STRATEGY_DFAST, window_log=21, hash_log=14, chain_log=14, search_log=1, min_match=5
)


class _Compressor(threading.local):
    """Made once for each thread: it takes eight times as long as a short page does."""

    def __init__(self) -> None:
        self.zstd = zstandard.ZstdCompressor(compression_params=PAGE_PARAMETERS)


_compressor = _Compressor()


def process_document(document: Document, settings: Settings, *, fingerprinted: bool = True) -> Outcome:
    """Takes a document through every stage. Never raises: what goes wrong is a Rejection.

    fingerprinted: False for who only wants to read the article: the first fingerprint of a process takes half
    a second (see `pipeline.copies.fingerprint`).
    """
    begun = _begin(document, settings)
    return begun if isinstance(begun, Rejection) else _finish(begun, settings, fingerprinted=fingerprinted)


def process_documents(documents: Sequence[Document], settings: Settings) -> list[Outcome]:
    """As `process_document` of each, and quicker: some of it takes hardly longer for many than for one.

    Raises where that goes wrong, and does not tell which of them is at fault: each may be tried by itself.
    """
    begun = [_begin(document, settings) for document in documents]
    _choose_together([one for one in begun if isinstance(one, _Begun)])
    outcomes = [
        one if isinstance(one, Rejection) else _finish(one, settings, fingerprinted=False) for one in begun
    ]
    # In a row: between other stages each takes twice as long. docs/tuning.md: Fingerprints in a row
    for n, article in enumerate(outcomes):
        if isinstance(article, Article) and not _is_stub(article.access, article.word_count):
            outcomes[n] = replace(article, fingerprint=fingerprint(article.text, settings.fingerprint))
    return outcomes


@dataclass(slots=True)
class _Begun:
    """A document whose page or text is open. first_choice: of its page, if made together with others."""

    document: Document
    page: PageBytes
    source: OpenPage | str
    rules: SiteRules | None
    first_choice: Choice | None = None


def _begin(document: Document, settings: Settings) -> _Begun | Rejection:
    page: PageBytes | None = None
    rules = _rules_for(document.url, settings)
    try:
        if len(document.body) > settings.max_body_bytes:
            detail = f"{len(document.body)} bytes, the limit is {settings.max_body_bytes} (max_body_bytes)"
            raise DocumentRejected(Stage.SOURCE, Reason.TOO_LARGE, detail)
        page = _page(document)
        source = _source(document, settings)
        if settings.site_rules and isinstance(source, OpenPage):
            # The article's own URL decides, not where this copy of the page was fetched or saved.
            own, _ = identity(document.url, source.about.canonical_url)
            rules = _rules_for(own, settings)
        return _Begun(document, page, source, rules)
    except Exception as error:
        return _rejected(error, document, page, combined_version(settings.rules_version, rules))


def _choose_together(begun: Sequence[_Begun]) -> None:
    """Makes the first choice of the pages together, except where the selectors of a site apply."""
    opened = [
        (one, one.source)
        for one in begun
        if isinstance(one.source, OpenPage) and (one.rules is None or not one.rules.selects)
    ]
    choices = first_choices([source for _, source in opened])
    for (one, _), choice in zip(opened, choices, strict=True):
        one.first_choice = choice


def _finish(begun: _Begun, settings: Settings, *, fingerprinted: bool) -> Outcome:
    try:
        return _article(begun, _extraction(begun, settings), settings, fingerprinted)
    except Exception as error:
        version = combined_version(settings.rules_version, begun.rules)
        return _rejected(error, begun.document, begun.page, version)


def _rules_for(url: str, settings: Settings) -> SiteRules | None:
    return settings.site_rules.of_host(site_of(url)) if settings.site_rules else None


def _is_stub(access: Access, words: int) -> bool:
    return access is Access.PAYWALLED and words < STUB_WORDS


def _article(begun: _Begun, extraction: Extraction, settings: Settings, fingerprinted: bool) -> Article:
    document, rules = begun.document, begun.rules
    cleaned, removed = clean(extraction, settings, rules)
    copy = parse_wire(cleaned, extraction.title)
    url, syndicated_from = identity(document.url, extraction.canonical_url)
    site = site_of(url)
    blocks, taken = copy.blocks, tuple[Removed, ...]()
    learned = settings.site_rules.learned_of(site)
    if learned is not None:
        blocks, taken = remove_learned_lines(blocks, learned, rules.keeps if rules is not None else None)
    text = "\n".join(block.text for _, block in blocks)
    if not text.strip():
        raise DocumentRejected(Stage.CLEAN, Reason.NO_ARTICLE, "nothing is left after boilerplate removal")
    words = word_count(text)
    is_compared = fingerprinted and not _is_stub(extraction.access, words)
    return Article(
        url=canonical_url(url),
        location=document.location,
        publisher=document.publisher or extraction.site_name,
        site=site,
        title=extraction.title,
        text=text,
        authors=extraction.authors or copy.authors,
        byline=copy.byline,
        dateline=copy.dateline,
        agency=copy.agency,
        published_at=extraction.published_at,
        published_source=extraction.published_source,
        language=extraction.language,
        access=extraction.access,
        syndicated_from=syndicated_from,
        word_count=words,
        search_words=make_search_words(extraction.title, text),
        removed=_placed(extraction, [position for position, _ in blocks], (*removed, *copy.removed, *taken)),
        fingerprint=fingerprint(text, settings.fingerprint) if is_compared else None,
        rules_version=combined_version(
            settings.rules_version, rules, learned, is_take_ignored=extraction.is_take_ignored
        ),
        page=begun.page,
        published_offset=extraction.published_offset,
    )


def _placed(extraction: Extraction, kept: Sequence[int], removed: Sequence[Removed]) -> tuple[Removed, ...]:
    """All that was removed, in reading order, its position told in lines of the clean text.

    kept: positions, among the extraction's blocks, of those that the text consists of. removed: by later
    stages, whose positions are those of the block that they took or cut; extraction itself dropped its
    lines between blocks, so theirs is the block that follows.
    """
    lines_before = {position: line for line, position in enumerate(kept)}
    placed: list[tuple[tuple[int, int], Removed]] = []
    for dropped in extraction.removed:
        line = bisect_left(kept, dropped.position)
        placed.append(((dropped.position, _BETWEEN), Removed(line, dropped.text, dropped.rule)))
    for taken in removed:
        line = bisect_left(kept, taken.position)
        part = _WHOLE
        if taken.position in lines_before:
            is_head = extraction.blocks[taken.position].text.startswith(taken.text)
            part = _HEAD if is_head else _TAIL
            line += not is_head
        placed.append(((taken.position, part), replace(taken, position=line)))
    return tuple(found for _, found in sorted(placed, key=lambda item: item[0]))


# Where a removed text stood with regard to the block at its position, in reading order.
_BETWEEN, _HEAD, _WHOLE, _TAIL = range(4)


def _source(document: Document, settings: Settings) -> OpenPage | str:
    """The document's page, or its text where it is none."""
    text = decode_body(document.body, document.encoding, document.media_type)
    if not text or text.isspace():
        raise DocumentRejected(Stage.EXTRACT, Reason.EMPTY, "no text in the document")
    if document.media_type is MediaType.HTML:
        return open_page(text, document.url, document.fetched_at, settings)
    return text


def _extraction(begun: _Begun, settings: Settings) -> Extraction:
    document, source = begun.document, begun.source
    claims = document.claims
    if isinstance(source, OpenPage):
        extraction = extract_page(source, begun.rules, begun.first_choice)
        # The page speaks for itself; what a feed or record says fills the gaps.
        if extraction.published_at is None:
            extraction = _with_claimed_date(extraction, document)
        return replace(
            extraction,
            title=extraction.title or claims.title or "",
            authors=extraction.authors or claims.authors,
            language=extraction.language or claims.language,
        )
    # Here: what it repairs texts with is not wanted for pages.
    from pipeline.extract import extract_text

    extraction = extract_text(source, document.url, document.fetched_at, settings, title=claims.title)
    # Plain text says little of itself, and less that can be relied on than its record does.
    return replace(
        _with_claimed_date(extraction, document),
        authors=claims.authors or extraction.authors,
        language=extraction.language or claims.language,
    )


def _with_claimed_date(extraction: Extraction, document: Document) -> Extraction:
    claimed = document.claims.published_at
    stamp = parse_time(claimed, document.fetched_at) if claimed else None
    if stamp is None:
        return extraction
    return replace(extraction, published_at=stamp.at, published_offset=stamp.offset, published_source="claim")


def _page(document: Document) -> PageBytes:
    return PageBytes(
        sha256=hashlib.sha256(document.body).digest(),
        compressed=_compressor.zstd.compress(document.body),
        size=len(document.body),
        media_type=document.media_type,
        encoding=document.encoding,
        origin=document.origin,
        fetched_at=document.fetched_at,
        url=document.url,
        publisher=document.publisher,
        claims=document.claims,
    )


def _rejected(error: Exception, document: Document, page: PageBytes | None, rules_version: str) -> Rejection:
    if isinstance(error, DocumentRejected):
        stage, reason, detail = error.stage, error.reason, error.detail
    else:  # a bug of ours must cost one document, and say which
        stage, reason = Stage.EXTRACT, Reason.INTERNAL_ERROR
        detail = f"{type(error).__name__}: {error}"
    return Rejection(
        location=document.location,
        url=document.url,
        stage=stage,
        reason=reason,
        detail=detail[:500],
        at=document.fetched_at,
        rules_version=rules_version,
        page=page,
    )
