"""Reads all metadata of a page: title, authors, date, language, address, access.

Pages state a value several times (JSON-LD, meta elements, visible text), and the statements often differ. So
each value is chosen from all its statements, by trust in the source and by agreement.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.document import Access, RightsStatement
from pipeline.metadata.authors import authors_of
from pipeline.metadata.dates import publication_time
from pipeline.metadata.headline import headline_of
from pipeline.metadata.inline_licence import inline_licences
from pipeline.metadata.outlet import outlet_words, site_name_of
from pipeline.metadata.rights import page_rights
from pipeline.metadata.structured_data import (
    StructuredData,
    cleaned,
    is_article_type,
    read_structured_data,
    text_of,
    types_of,
)
from pipeline.metadata.summary import description_of, image_url_of, keywords_of, section_of
from pipeline.urls import absolute_url


@dataclass(frozen=True, slots=True)
class Metadata:
    """The metadata of a page; see `Extraction` for the fields of the same name.

    article_body: JSON-LD articleBody, used as text only if the page itself shows none.
    page_type: og:type, lower-cased ("article", "website", …) or "".
    is_article: the page states that it is an article (JSON-LD type, og:type, article:published_time).
    is_video: the page states that it is a video and not an article.
    titles, descriptions: all statements of them.
    rights: those of the page itself, not judged yet.
    """

    title: str
    authors: tuple[str, ...]
    published_at: datetime | None
    published_offset: int | None
    published_source: str | None
    canonical_url: str | None
    site_name: str | None
    html_language: str | None
    access: Access
    article_body: str
    page_type: str
    is_article: bool
    is_video: bool
    titles: tuple[str, ...]
    descriptions: tuple[str, ...]
    description: str | None
    section: str | None
    keywords: tuple[str, ...] | None
    image_url: str | None
    rights: tuple[RightsStatement, ...]


def read_metadata(root: Any, url: str, fetched_at: datetime, lines: Sequence[str] = ()) -> Metadata:
    """Reads a parsed page (lxml root element).

    fetched_at: aware; later dates of publication are rejected.
    lines: visible lines around the headline, which may have a date or authors that are stated nowhere else.
    """
    data = read_structured_data(root, url)
    article = data.article
    site_name = site_name_of(data)
    title, titles = headline_of(root, data, site_name, url)
    stamp, source = publication_time(root, data, url, fetched_at, titles, lines)
    names = outlet_words(site_name, url, data)
    language = _html_language(root, data)
    page_type = next(iter(data.meta("og:type")), "").lower()
    is_article = (
        (bool(article) and is_article_type(types_of(article)))
        or page_type.startswith("article")
        or bool(data.meta("article:published_time"))
    )
    return Metadata(
        title=title,
        authors=authors_of(root, data, names, title, lines, language),
        published_at=stamp.at if stamp else None,
        published_offset=stamp.offset if stamp else None,
        published_source=source,
        canonical_url=_canonical(data, url),
        site_name=site_name,
        html_language=language,
        access=_access(data),
        article_body=text_of(article.get("articleBody")),
        page_type=page_type,
        is_article=is_article,
        is_video=not is_article and (page_type.startswith("video") or types_of(article) == "VideoObject"),
        titles=titles,
        descriptions=tuple(
            cleaned(d)
            for d in [
                *data.meta("og:description", "description", "twitter:description"),
                text_of(article.get("description")),
            ]
            if d
        ),
        description=description_of(data, titles, names),
        section=section_of(data, url, titles, names),
        keywords=keywords_of(data, titles, names),
        image_url=image_url_of(data, url),
        rights=(*page_rights(data, url), *inline_licences(data.licences, url)),
    )


def _canonical(data: StructuredData, url: str) -> str | None:
    """The page's own URL as its canonical link or og:url states it.

    A saved page without one may state it in JSON-LD, and its base element at least names the host: then this
    is the front page, which is nobody's identity.
    """
    base = _base(data, url)
    links = [link for link in data.links if "canonical" in (link.get("rel") or "").lower().split()]
    stated = [link.get("href") for link in links]
    for address in [*filter(None, stated), *data.meta("og:url")]:
        if absolute := absolute_url(base, address):
            return absolute
    if url.startswith(("http://", "https://")):
        return None
    page = data.article.get("mainEntityOfPage")
    for value in (data.article.get("url"), page.get("@id") if isinstance(page, dict) else page):
        if isinstance(value, str) and (absolute := absolute_url(base, value)):
            return absolute
    return absolute_url(base, "/") if base != url else None


def _base(data: StructuredData, url: str) -> str:
    """What the links of the page are relative to: its first base element, or its own URL."""
    first = next(filter(None, (element.get("href") for element in data.bases)), None)
    return (absolute_url(url, first) if first else None) or url


def _html_language(root: Any, data: StructuredData) -> str | None:
    html = root if root.tag == "html" else root.find(".//html")
    values = (
        [html.get("lang"), html.get("{http://www.w3.org/XML/1998/namespace}lang")] if html is not None else []
    )
    values += [text_of(data.article.get("inLanguage")), *data.meta("og:locale", "content-language")]
    for value in values:
        match = re.match(r"\s*([a-zA-Z]{2,3})(?:[-_].*)?\s*$", value or "")
        if match:
            return match[1].lower()
    return None


def _access(data: StructuredData) -> Access:
    for node in [data.article, *data.nodes]:
        if node is not data.article and not is_article_type(types_of(node)):
            continue
        free = node.get("isAccessibleForFree")
        if free is False or (isinstance(free, str) and free.strip().lower() in ("false", "no", "0")):
            return Access.PAYWALLED
    tiers = data.meta("article:content_tier")
    if any(t.lower() == "locked" for t in tiers):
        return Access.PAYWALLED
    return Access.FREE
