"""Takes a document through all stages: bytes in, exactly one outcome out.

The stages are open (decode and parse), extract, clean (boilerplate, wire conventions, learned lines), and
fingerprint. All are pure: they read the document and the settings, and the only clock is the document's
`fetched_at`. So they can run in any worker process.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.clean import WireCopy, clean, parse_wire
from pipeline.copies import fingerprint
from pipeline.document import (
    Access,
    Article,
    Claims,
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
from pipeline.extract import Choice, OpenPage, extract_page, find_articles, open_page
from pipeline.metadata import (
    clean_description,
    clean_image_url,
    clean_keywords,
    clean_section,
    joined_rights,
    parse_time,
)
from pipeline.page import compressed_page, decode_body
from pipeline.settings import Settings
from pipeline.sites import SiteRules, combined_version, remove_learned_lines
from pipeline.text import (
    agency_of_name,
    agency_of_site,
    make_search_words,
    stream_safe,
    without_invisible,
    word_count,
)
from pipeline.urls import canonical_url, identity, named_site, site_of

# A paywalled page with fewer words is a stub. Its two sentences do not tell which story it is, and many pages
# carry the same teaser, so stubs are not compared with other articles.
STUB_WORDS = 200


def process_document(document: Document, settings: Settings, *, fingerprinted: bool = True) -> Outcome:
    """Takes a document through every stage. Never raises: what goes wrong is a Rejection.

    fingerprinted: False for callers that only want to read the article. The first fingerprint of a process
    takes half a second (see `pipeline.copies.fingerprint`).
    """
    opened = _open(document, settings)
    if isinstance(opened, Rejection):
        return opened
    return _finish(opened, settings, fingerprinted=fingerprinted)


def process_documents(documents: Sequence[Document], settings: Settings) -> list[Outcome]:
    """The outcomes of `process_document` for each, in less time. docs/tuning.md: Pages weighed together

    The block model weighs all pages in one call, and fingerprints are made in a row. Raises where that fails,
    without saying which document is at fault: then each can be processed alone.
    """
    opened = [_open(document, settings) for document in documents]
    _weigh_together([one for one in opened if isinstance(one, _Opened)], settings)
    outcomes = [
        one if isinstance(one, Rejection) else _finish(one, settings, fingerprinted=False) for one in opened
    ]
    for n, article in enumerate(outcomes):
        if isinstance(article, Article) and not _is_stub(article.access, article.word_count):
            outcomes[n] = replace(article, fingerprint=fingerprint(article.text, settings.fingerprint))
    return outcomes


@dataclass(slots=True)
class _Opened:
    """A document after decoding and parsing.

    source: the parsed page, or the text of a document that is no page. choice: what the extractor chose of
    the page, where it read it together with others.
    """

    document: Document
    page: PageBytes
    source: OpenPage | str
    rules: SiteRules | None
    choice: Choice | None = None


@dataclass(frozen=True, slots=True)
class _Cleaned:
    """A story without boilerplate, wire conventions and learned lines.

    wire: byline, dateline and agency. removed: everything that was removed, in reading order.
    """

    url: str
    site: str
    syndicated_from: str | None
    text: str
    wire: WireCopy
    removed: tuple[Removed, ...]
    rules_version: str


def _open(document: Document, settings: Settings) -> _Opened | Rejection:
    page: PageBytes | None = None
    rules = _rules_for(document.url, settings)
    try:
        if len(document.body) > settings.max_body_bytes:
            detail = f"{len(document.body)} bytes, the limit is {settings.max_body_bytes} (max_body_bytes)"
            raise DocumentRejected(Stage.SOURCE, Reason.TOO_LARGE, detail)
        page = compressed_page(document)
        source = _parsed(document, settings)
        if settings.site_rules and isinstance(source, OpenPage):
            # The article's own URL decides, not the URL at which this copy of the page was fetched or saved.
            own, _ = identity(document.url, source.about.canonical_url)
            rules = _rules_for(own, settings)
        return _Opened(document, page, source, rules)
    except Exception as error:
        return _rejected(error, document, page, combined_version(settings.rules_version, rules))


def _finish(opened: _Opened, settings: Settings, *, fingerprinted: bool) -> Outcome:
    try:
        extraction = _extract(opened, settings)
        cleaned = _clean(opened, extraction, settings)
        return _article(opened, extraction, cleaned, settings, fingerprinted=fingerprinted)
    except Exception as error:
        version = combined_version(settings.rules_version, opened.rules)
        return _rejected(error, opened.document, opened.page, version)


def _weigh_together(opened: Sequence[_Opened], settings: Settings) -> None:
    """Finds the articles of all pages at once, but for those whose site's rules select the story."""
    by_extractor: dict[str, list[tuple[_Opened, OpenPage]]] = {}
    for one in opened:
        if isinstance(one.source, OpenPage) and (one.rules is None or not one.rules.selects):
            by_extractor.setdefault(settings.extractor_for(one.rules), []).append((one, one.source))
    for extractor, pages in by_extractor.items():
        choices = find_articles([source for _, source in pages], extractor)
        for (one, _), choice in zip(pages, choices, strict=True):
            one.choice = choice


def _rules_for(url: str, settings: Settings) -> SiteRules | None:
    return settings.site_rules.of_host(site_of(url)) if settings.site_rules else None


def _parsed(document: Document, settings: Settings) -> OpenPage | str:
    """The document's parsed page, or its text if it is no page."""
    text = decode_body(document.body, document.encoding, document.media_type)
    if not text or text.isspace():
        raise DocumentRejected(Stage.EXTRACT, Reason.EMPTY, "no text in the document")
    if document.media_type is MediaType.HTML:
        return open_page(text, document.url, document.fetched_at, settings)
    return text


def _extract(opened: _Opened, settings: Settings) -> Extraction:
    """The extraction, with the source's claims where the document itself says nothing."""
    document, claims = opened.document, opened.document.claims
    if isinstance(opened.source, OpenPage):
        extraction = extract_page(
            opened.source, opened.rules, opened.choice, settings.extractor_for(opened.rules)
        )
        if extraction.published_at is None:
            extraction = _with_claimed_date(extraction, document)
        return replace(
            extraction,
            title=extraction.title or without_invisible(claims.title or ""),
            authors=extraction.authors or tuple(map(without_invisible, claims.authors)),
            language=extraction.language or claims.language,
            **_claimed_summary(extraction, claims),
        )
    # Imported here because ftfy, which repairs copied texts, takes long to load and pages do not need it.
    from pipeline.extract import extract_text

    extraction = extract_text(opened.source, document.url, document.fetched_at, settings, title=claims.title)
    # The claims of its record are more reliable than plain text.
    return replace(
        _with_claimed_date(extraction, document),
        authors=tuple(map(without_invisible, claims.authors)) or extraction.authors,
        language=extraction.language or claims.language,
        **_claimed_summary(extraction, claims),
    )


def _claimed_summary(extraction: Extraction, claims: Claims) -> dict[str, Any]:
    """What the page says besides its text, and where it says nothing what its source claims, bounded.

    Of rights all that is said is taken, by the page and beside it.
    """
    return {
        "description": extraction.description or clean_description(claims.description),
        "section": extraction.section or clean_section(claims.section),
        "keywords": extraction.keywords or clean_keywords(claims.keywords),
        "image_url": extraction.image_url or clean_image_url(claims.image_url),
        "rights": joined_rights(extraction.rights or (), claims.rights),
    }


def _with_claimed_date(extraction: Extraction, document: Document) -> Extraction:
    claimed = document.claims.published_at
    time = parse_time(claimed, document.fetched_at) if claimed else None
    if time is None:
        return extraction
    return replace(extraction, published_at=time.at, published_offset=time.offset, published_source="claim")


def _clean(opened: _Opened, extraction: Extraction, settings: Settings) -> _Cleaned:
    rules = opened.rules
    url, syndicated_from = identity(opened.document.url, extraction.canonical_url)
    kept, boilerplate = clean(extraction, settings, rules)
    wire = parse_wire(kept, extraction.title)
    blocks, learned_lines = wire.blocks, tuple[Removed, ...]()
    learned = settings.site_rules.learned_of(site_of(url))
    if learned is not None:
        blocks, learned_lines = remove_learned_lines(
            blocks, learned, rules.keeps if rules is not None else None
        )
    text = stream_safe("\n".join(block.text for _, block in blocks))
    if not text.strip():
        raise DocumentRejected(Stage.CLEAN, Reason.NO_ARTICLE, "nothing is left after boilerplate removal")
    return _Cleaned(
        url=url,
        site=named_site(url, extraction.canonical_url),
        syndicated_from=syndicated_from,
        text=text,
        wire=wire,
        removed=_in_reading_order(
            extraction, [position for position, _ in blocks], (*boilerplate, *wire.removed, *learned_lines)
        ),
        rules_version=combined_version(
            settings.rules_version,
            rules,
            learned,
            is_take_ignored=extraction.is_take_ignored,
            is_without_trafilatura=extraction.is_without_trafilatura,
        ),
    )


def _article(
    opened: _Opened, extraction: Extraction, cleaned: _Cleaned, settings: Settings, *, fingerprinted: bool
) -> Article:
    document, text, wire = opened.document, cleaned.text, cleaned.wire
    title = stream_safe(extraction.title)
    words = word_count(text)
    if words < settings.min_words:
        raise DocumentRejected(
            Stage.CLEAN, Reason.NO_ARTICLE, f"{words} words, fewer than {settings.min_words} (min_words)"
        )
    authors = tuple(map(stream_safe, extraction.authors or wire.authors))
    is_compared = fingerprinted and not _is_stub(extraction.access, words)
    return Article(
        url=canonical_url(cleaned.url),
        location=document.location,
        publisher=document.publisher or extraction.site_name,
        site=cleaned.site,
        title=title,
        text=text,
        authors=authors,
        byline=wire.byline,
        dateline=wire.dateline,
        # An agency that wrote the story alone or with others is credited, whether or not the text says so.
        agency=wire.agency
        or next(filter(None, map(agency_of_name, authors)), None)
        or agency_of_site(cleaned.site),
        published_at=extraction.published_at,
        published_source=extraction.published_source,
        language=extraction.language,
        access=extraction.access,
        syndicated_from=cleaned.syndicated_from,
        word_count=words,
        search_words=make_search_words(title, text),
        removed=cleaned.removed,
        fingerprint=fingerprint(text, settings.fingerprint) if is_compared else None,
        rules_version=cleaned.rules_version,
        page=opened.page,
        published_offset=extraction.published_offset,
        description=extraction.description,
        section=extraction.section,
        keywords=extraction.keywords,
        image_url=extraction.image_url,
        rights=extraction.rights,
    )


def _is_stub(access: Access, words: int) -> bool:
    return access is Access.PAYWALLED and words < STUB_WORDS


# Where a removed text stood relative to the block at its position, in reading order.
_BEFORE, _HEAD, _WHOLE, _TAIL = range(4)


def _in_reading_order(
    extraction: Extraction, kept: Sequence[int], removed: Sequence[Removed]
) -> tuple[Removed, ...]:
    """Everything that was removed, in reading order, with positions counted in lines of the clean text.

    kept: positions of the blocks that the text consists of, among the extraction's blocks. removed: by later
    stages, at the position of the block that they removed or cut. Extraction removed its lines between
    blocks, so their position is that of the next block.
    """
    lines_before = {position: line for line, position in enumerate(kept)}
    placed: list[tuple[tuple[int, int], Removed]] = []
    for one in extraction.removed:
        line = bisect_left(kept, one.position)
        placed.append(((one.position, _BEFORE), replace(one, position=line)))
    for one in removed:
        line = bisect_left(kept, one.position)
        part = _WHOLE
        if one.position in lines_before:
            is_head = extraction.blocks[one.position].text.startswith(one.text)
            part = _HEAD if is_head else _TAIL
            line += not is_head
        placed.append(((one.position, part), replace(one, position=line)))
    return tuple(found for _, found in sorted(placed, key=lambda item: item[0]))


def _rejected(error: Exception, document: Document, page: PageBytes | None, rules_version: str) -> Rejection:
    if isinstance(error, DocumentRejected):
        stage, reason, detail = error.stage, error.reason, error.detail
    else:  # a bug of ours costs this document only, and the detail says which bug
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
